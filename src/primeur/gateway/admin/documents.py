"""Documents for a security officer, written from what is so at this moment."""

from typing import Literal

import msgspec

from primeur.gateway.admin.page import Page, asked
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.walks.write_documents import list_documents, write_document


class DocumentView(msgspec.Struct, frozen=True):
    """A document there is."""

    name: str
    says: str


class DocumentQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """In which form; the bill of materials is JSON in any case."""

    form: Literal["json", "markdown"] = "json"


async def get_documents(visit: Visit) -> Answer:
    """``GET /api/v1/documents``."""
    found = await visit.house.store.read(list_documents)
    return json_answer(Page([DocumentView(name, says) for name, says in found.items()]))


async def get_document(visit: Visit) -> Answer:
    """``GET /api/v1/documents/{document}``."""
    form = asked(visit, DocumentQuery).form
    found = await write_document(visit.house, visit.params["document"], visit.caller.organisation_id)
    if isinstance(found, dict):
        return json_answer(found)
    if form == "markdown":
        return Answer(200, found.markdown.encode(), content_type=b"text/markdown; charset=utf-8")
    return json_answer(found.builtins)


DOORS = (
    Door("GET", "/api/v1/documents", get_documents, "List documents for a security officer", "audit:read", face="admin",
         gives=Page[DocumentView]),
    Door("GET", "/api/v1/documents/{document}", get_document, "Write a document from what is so now", "audit:read",
         face="admin", takes=DocumentQuery),
)  # fmt: skip
