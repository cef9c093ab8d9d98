"""``/v1/responses``: answers that are kept and can be built on."""

import msgspec

from primeur.archive.response_rows import KeptResponse, delete_response, find_response
from primeur.archive.response_wire import CreateResponse, ResponseObject
from primeur.archive.rules import Page, read_page
from primeur.archive.wire import Deleted, ItemsQuery, Json, Listing
from primeur.core.errors import BadRequest
from primeur.core.events import ResponseDeleted
from primeur.core.wishes import sharing_of
from primeur.gateway.conversations import check_included
from primeur.gateway.doors import MIB, Door
from primeur.gateway.openai import completion_headers, sharing_header
from primeur.gateway.paging import id_in_path, list_page, refuse_query
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.store.database import Tx, tell
from primeur.walks.respond import Arrival, respond

_BODY_LIMIT = 32 * MIB


async def create_response(visit: Visit) -> Answer:
    """Answer, whole or as events."""
    asked = visit.read(CreateResponse)
    sharing = sharing_of(asked.primeur, sharing_header(visit))
    arrival = Arrival(visit.id, visit.arrived_ms, visit.arrived_us, visit.address, sharing=sharing)
    answered = await respond(visit.house, visit.caller, asked, arrival)
    headers = completion_headers(answered.completion)
    if answered.events is not None:
        return Answer(headers=headers, content_type=b"text/event-stream; charset=utf-8", stream=answered.events)
    return Answer(body=msgspec.json.encode(answered.response), headers=headers)


async def get_response(visit: Visit) -> Answer:
    """Show a stored response."""
    check_included(visit)
    if visit.query.get("stream", "false").lower() == "false":
        refuse_query(visit, "starting_after", "include_obfuscation")
    else:
        refuse_query(visit, "stream")
    kept = await visit.house.store.read(lambda tx: _find(visit, tx))
    return Answer(body=kept.body.encode())


async def remove_response(visit: Visit) -> Answer:
    """Delete a stored response."""

    def write(tx: Tx) -> str:
        kept = _find(visit, tx)
        delete_response(tx, kept.id)
        what = ResponseDeleted(response_id=kept.id)
        tell(tx, what, actor=visit.caller.key_id, at_ms=visit.house.clock.now_ms())
        return kept.id

    return json_answer(Deleted(await visit.house.store.transact(write), "response"))


async def cancel_response(visit: Visit) -> Answer:
    """Refuse: only responses in the background can be cancelled, and there are none.

    Raises:
        BadRequest: always, for a response that exists.
    """
    kept = await visit.house.store.read(lambda tx: _find(visit, tx))
    raise BadRequest(
        f"response {kept.id!r} is {kept.state}; only responses in the background can be cancelled: close the stream",
        param="response_id",
    )


async def list_input_items(visit: Visit) -> Answer:
    """List the items that came with a response's request."""
    check_included(visit)
    page = read_page(visit.query, default=20, most=100, allowed=frozenset({"include", "include[]"}))
    kept = await visit.house.store.read(lambda tx: _find(visit, tx))
    found = _page_of(kept.inputs, page)
    return json_answer(list_page(found, page, lambda item: item, lambda item: str(item["id"])))


def _page_of(items: list[Json], page: Page) -> list[Json]:
    ordered = items[::-1] if page.newest_first else items
    if page.after is None:
        return ordered
    ids = [item["id"] for item in ordered]
    if page.after not in ids:
        raise BadRequest(f"the response has no input item {page.after!r}", param="after")
    return ordered[ids.index(page.after) + 1 :]


def _find(visit: Visit, tx: Tx) -> KeptResponse:
    return find_response(tx, visit.caller.project_id, id_in_path(visit, "response_id"))


_ONE = "/v1/responses/{response_id}"

DOORS = (
    Door(
        "POST",
        "/v1/responses",
        create_response,
        "Answer and keep the answer",
        "inference",
        meter="usage",
        body_limit=_BODY_LIMIT,
        takes=CreateResponse,
        gives=ResponseObject,
    ),
    Door("GET", _ONE, get_response, "Show a stored response", "responses", gives=ResponseObject),
    Door(
        "DELETE", _ONE, remove_response, "Delete a stored response", "responses", tells="ResponseDeleted", gives=Deleted
    ),
    Door(
        "POST", f"{_ONE}/cancel", cancel_response, "Cancel a response in the background (there are none)", "responses"
    ),
    Door(
        "GET",
        f"{_ONE}/input_items",
        list_input_items,
        "List a response's input items",
        "responses",
        takes=ItemsQuery,
        gives=Listing,
    ),
)
