"""The event log: who changed what, from where; searched, page by page, and downloaded."""

from starlette.responses import Response

from primeur.console.desk import Page
from primeur.console.paging import ROWS, asked_for, day_ms, paged

FILTERS = ("text", "kind", "actor", "from", "to", "before")


async def show_audit(page: Page) -> Response:
    """List events, newest first."""
    asked = asked_for(page, FILTERS)
    query = {
        "text": asked["text"],
        "kind": asked["kind"],
        "actor": asked["actor"],
        "before": asked["before"],
        "since_ms": day_ms(asked["from"]),
        "until_ms": day_ms(asked["to"], end=True),
        "limit": ROWS,
    }
    found = await page.api.get("/api/v1/audit/events", query)
    values = {"events": found["data"], **paged("/audit", asked, found)}
    if page.is_fragment:
        return page.draw("audit_rows.html", **values)
    documents = (await page.api.get("/api/v1/documents"))["data"]
    return page.draw("audit.html", **values, documents=documents)


async def show_document(page: Page) -> Response:
    """Hand a document out as a file."""
    name = page.request.path_params["name"]
    found = await page.api.text(f"/api/v1/documents/{name}", {"form": "json" if name == "sbom" else "markdown"})
    kind, ending = ("application/json", "json") if name == "sbom" else ("text/markdown; charset=utf-8", "md")
    return Response(
        found, media_type=kind, headers={"content-disposition": f'attachment; filename="primeur-{name}.{ending}"'}
    )
