"""The page of papers: invoices, credit notes, statements, plans and credits, with their PDFs."""

from starlette.responses import Response

from primeur.console.api import ApiRefusal, Json
from primeur.console.desk import Page, refuse
from primeur.console.views.money import nanos_in

_KINDS = ("invoices", "statements")
_MOST = 200


async def show_papers(page: Page) -> Response:
    """List them, newest first, each as far as this person may see it."""
    found: dict[str, list[Json]] = {
        kind: await _listed(page, kind) for kind in ("invoices", "statements", "plans", "credits", "distributions")
    }
    holdings = [
        one | {name: nanos_in(one[name]) for name in ("granted", "used", "expired", "left")} for one in found["credits"]
    ]
    plans = [one | {"fee": nanos_in(one["fee"])} for one in found["plans"] if one["removed_ms"] is None]
    return page.draw(
        "money_papers.html",
        most=_MOST,
        invoices=found["invoices"],
        statements=found["statements"],
        distributions=found["distributions"],
        credits=holdings,
        plans=plans,
    )


async def show_pdf(page: Page) -> Response:
    """Hand out a paper as PDF."""
    kind, number = page.request.path_params["kind"], page.request.path_params["number"]
    if kind not in _KINDS:
        return refuse(page, ApiRefusal(404, page.say("missing.title")))
    paper = await page.api.text(f"/api/v1/{kind}/{number}/pdf", {})
    headers = {"content-disposition": f'attachment; filename="{number}.pdf"'}
    return Response(paper, media_type="application/pdf", headers=headers)


async def _listed(page: Page, kind: str) -> list[Json]:
    try:
        found: list[Json] = (await page.api.get(f"/api/v1/{kind}"))["data"]
    except ApiRefusal as refusal:
        if refusal.status != 403:
            raise
        return []
    return found[:_MOST]
