"""Prices of selling and of buying, and partners' shares: shown, and set from a day on."""

from collections.abc import Mapping

from starlette.responses import Response

from primeur.console.api import ApiRefusal, Json
from primeur.console.desk import Page

WHOSE = ("list", "customer", "provider")
TOKENS = ("input", "cached", "output", "reasoning")
UNITS = (*TOKENS, "image", "request", "gpu_hour")
MOST = 200


async def show_prices(page: Page) -> Response:
    """List prices and shares, newest first, with a form for each."""
    return await _draw(page)


async def set_price(page: Page) -> Response:
    """Set a price by units: the list price, a customer's own, or what a provider costs."""
    posted = await page.form()
    if posted is None:
        return await _draw(page, refused=ApiRefusal(403, page.say("problem.form")))
    typed = {name: str(text).strip() for name, text in posted.items()}
    try:
        await page.api.post("/api/v1/rates", read_price(page, typed))
    except ApiRefusal as refusal:
        return await _draw(page, refused=refusal, form="price", typed=typed)
    return page.go("/money/prices")


async def set_share(page: Page) -> Response:
    """Give a partner a part of revenue; zero ends it."""
    posted = await page.form()
    if posted is None:
        return await _draw(page, refused=ApiRefusal(403, page.say("problem.form")))
    typed = {name: str(text).strip() for name, text in posted.items()}
    named = ("partner", "part", "provider", "deployment", "from_day")
    body = {name: typed[name] for name in named if typed.get(name)} | {"partner": typed.get("partner", "")}
    try:
        await page.api.post("/api/v1/shares", body)
    except ApiRefusal as refusal:
        return await _draw(page, refused=refusal, form="share", typed=typed)
    return page.go("/money/prices")


def read_price(page: Page, typed: Mapping[str, str]) -> Json:
    """Turn the form into the API's body.

    Raises:
        ApiRefusal: whose price it is and the name do not go together.
    """
    body = {name: typed[name] for name in ("deployment", "from_day", *UNITS) if typed.get(name)}
    body["currency"] = typed.get("currency", "").upper() or "EUR"
    whose, party = typed.get("whose", ""), typed.get("party", "")
    if whose not in WHOSE:
        raise ApiRefusal(400, page.say("prices.choose_whose"), param="whose")
    if whose == "list":
        if party:
            raise ApiRefusal(400, page.say("prices.nobody_named"), param="party")
        return body
    if not party:
        raise ApiRefusal(400, page.say("prices.name_party"), param="party")
    return body | {whose: party}


def field_at_fault(refusal: ApiRefusal) -> str:
    """Give the field that a refusal is about; nothing where it is about all of them."""
    return {"customer": "party", "provider": "party"}.get(refusal.param or "", refusal.param or "")


def line_of(page: Page, rate: Json) -> Json:
    """Give a price as the table shows it: whose it is, and each unit with its tiers in words."""
    whose = "provider" if rate["side"] == "buy" else "customer" if rate["customer_id"] else "list"
    return {
        "whose": whose,
        "party": rate["provider"] or rate["customer"] or "",
        "deployment": rate["deployment"],
        "currency": rate["currency"],
        "from_ms": rate["from_ms"],
        "units": [(page.say(f"prices.unit_{unit}"), _tiers(page, steps)) for unit, steps in rate["units"].items()],
    }


def _tiers(page: Page, steps: list[Json]) -> str:
    first, *later = steps
    words = [page.say("prices.above", price=one["price"], above=one["above"]) for one in later]
    return "; ".join([first["price"], *words])


def _plain(page: Page, price: Json) -> Json:
    """Give a list price of tokens, which was set without units."""
    units = [(page.say(f"prices.unit_{unit}"), price[unit]) for unit in ("input", "cached", "output")]
    same = {name: price[name] for name in ("deployment", "currency", "from_ms")}
    return {"whose": "list", "party": "", "units": units, **same}


async def _draw(
    page: Page, *, refused: ApiRefusal | None = None, form: str = "", typed: Json | None = None
) -> Response:
    rates = (await page.api.get("/api/v1/rates"))["data"]
    known = {rate["id"] for rate in rates}
    listed = [one for one in (await page.api.get("/api/v1/prices"))["data"] if one["id"] not in known]
    lines = [line_of(page, rate) for rate in rates] + [_plain(page, one) for one in listed]
    return page.draw(
        "money_prices.html",
        refused.status if refused else 200,
        lines=sorted(lines, key=lambda line: -(line["from_ms"] or 0))[:MOST],
        shares=(await page.api.get("/api/v1/shares"))["data"][:MOST],
        deployments=[one["name"] for one in (await page.api.get("/api/v1/deployments"))["data"]],
        whose=WHOSE,
        units=UNITS,
        tokens=TOKENS,
        refused=refused.message if refused else "",
        fault=field_at_fault(refused) if refused else "",
        form=form,
        typed=typed or {},
    )
