"""The ledger: accounts with their balances, transactions newest first with an account's running balance."""

from starlette.responses import Response

from primeur.console.desk import Page
from primeur.console.paging import ROWS, asked_for, day_ms, paged

FILTERS = ("text", "account", "currency", "book", "kind", "from", "to", "before")


async def show_ledger(page: Page) -> Response:
    """List transactions, newest first, and the accounts to choose from."""
    asked = asked_for(page, FILTERS)
    plain = {name: asked[name] for name in ("text", "account", "currency", "kind", "before") if asked[name]}
    query = {
        **plain,
        "book": asked["book"] or "requests",
        "from_ms": day_ms(asked["from"]),
        "to_ms": day_ms(asked["to"], end=True),
        "limit": ROWS,
    }
    found = await page.api.get("/api/v1/ledger/transactions", query)
    values = {"transactions": found["data"], **paged("/ledger", asked, found)}
    if page.is_fragment:
        return page.draw("ledger_rows.html", **values)
    accounts = (await page.api.get("/api/v1/ledger/accounts"))["data"]
    return page.draw("ledger.html", **values, accounts=accounts)
