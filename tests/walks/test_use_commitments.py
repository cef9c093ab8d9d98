"""Commitments are used, used up, amended and cancelled; the API, the export and the worker say the same."""

import csv
import io

import pytest

from primeur.broker.source_rows import add_sheet
from primeur.broker.supply import Product, Sheet
from primeur.core.usage import Usage, UsageEvent
from primeur.metering.rows import keep_usage
from primeur.walks.exhaust_commitments import exhaust_used

HOUR_MS = 3_600_000


@pytest.fixture
async def agreed(deal, founded, clock):
    """Ten units of a hundred tokens a minute for a day, of the partner, whose right was offered them."""
    sheet = Sheet((Product("gpu", unit_tokens_per_minute=100),))
    founded.store.transact_now(lambda tx: add_sheet(tx, "partner", sheet, 0, clock.ms))
    await deal("rights", {"name": "first", "holder": "partner", "arrangements": {"policy": {"units": 10}}})
    terms = {"units": 10, "unit_price_nanos": 600_000_000, "start_ms": clock.ms, "term_ms": 24 * HOUR_MS, "sku": "gpu"}
    request = await deal("capacity/requests", {"ceiling": terms})
    await deal(f"capacity/requests/{request['id']}/offers", {})
    (commitment,) = (await deal("capacity/commitments", method="GET"))["data"]
    return commitment


def serve(founded, number, at_ms, tokens, provider="partner"):
    event = UsageEvent(
        id=f"req_{number}", at_ms=at_ms, route="chat", outcome="completed", status=200, project_id="prj_x",
        key_id="key_1", deployment="chat", provider=provider, usage=Usage(tokens, 0, 0),
    )  # fmt: skip
    founded.store.transact_now(lambda tx: keep_usage(tx, [event]))


async def test_what_its_provider_serves_uses_a_commitment_up(deal, agreed, founded, clock):
    """Others' requests and those before its term do not; the worker exhausts what has nothing left."""
    begin = agreed["paper"]["terms"]["start_ms"]
    assert (agreed["state"], agreed["use"]) == ("Active", {"tokens": 0, "of_tokens": 1_440_000, "percent": 0})
    for number, (at_ms, tokens, provider) in enumerate([
        (begin - 1, 5, "partner"), (begin + 5, 1_439_999, "partner"), (begin + 6, 9, "other"),
    ]):  # fmt: skip
        serve(founded, number, at_ms, tokens, provider)
    clock.ms += 3 * HOUR_MS
    assert await exhaust_used(founded) == 0
    one = await deal(f"capacity/commitments/{agreed['id']}", method="GET")
    assert (one["state"], one["use"]["tokens"], one["use"]["percent"]) == ("Active", 1_439_999, 99)
    serve(founded, 9, begin + 2 * HOUR_MS, 2)
    assert await exhaust_used(founded) == 1
    assert await exhaust_used(founded) == 0
    one = await deal(f"capacity/commitments/{agreed['id']}", method="GET")
    assert (one["state"], one["use"]["percent"], one["due_ms"]) == ("Exhausted", 100, None)


async def test_an_amendment_supersedes_and_what_was_used_stays_with_the_old_one(deal, agreed, founded, clock):
    """The same key twice is one amendment; what cannot be agreed is refused and changes nothing."""
    begin = agreed["paper"]["terms"]["start_ms"]
    clock.ms += HOUR_MS
    serve(founded, 1, begin + 5, 700)
    path = f"capacity/commitments/{agreed['id']}/amend"
    more = {"terms": agreed["paper"]["terms"] | {"units": 11}}
    assert "request more capacity" in (await deal(path, more, status=(409,)))["error"]["message"]
    await deal(path, {"terms": agreed["paper"]["terms"]}, status=(400,))
    await deal(path, {"terms": agreed["paper"]["terms"], "colour": 1}, status=(400,))
    ask = {"terms": agreed["paper"]["terms"] | {"units": 6}, "key": "less"}
    made = await deal(path, ask)
    assert await deal(path, ask) == made
    assert (made["state"], made["paper"]["replaces"]) == ("Active", agreed["id"])
    clock.ms += HOUR_MS
    serve(founded, 2, clock.ms - 5, 40)
    found = {one["id"]: one for one in (await deal("capacity/commitments", method="GET"))["data"]}
    assert {one["state"]: one["use"]["tokens"] for one in found.values()} == {"Superseded": 700, "Active": 40}
    assert found[made["id"]]["use"]["of_tokens"] == 6 * 100 * 60 * 23
    request = await deal(f"capacity/requests/{agreed['request']}", method="GET")
    assert (request["paper"]["committed"], request["paper"]["cancelled"]) == (6, 4)


async def test_the_export_says_the_life_cycle_and_the_use(client, deal, agreed, founded, clock):
    """FOCUS 1.4's word, tokens as quantity, and what was used in a column of ours."""
    clock.ms += HOUR_MS
    serve(founded, 1, clock.ms - 5, 77)
    assert (await deal(f"capacity/commitments/{agreed['id']}/cancel", {}))["state"] == "Canceled"
    await deal(f"capacity/commitments/{agreed['id']}/cancel", {}, status=(409,))
    text = (await client.get("/api/v1/focus", params={"dataset": "contract-commitment"})).text
    (line,) = csv.DictReader(io.StringIO(text))
    assert (line["ContractCommitmentLifecycleStatus"], line["ContractCommitmentCategory"]) == ("Canceled", "Usage")
    assert (line["ContractCommitmentUnit"], line["x_ConsumedTokens"]) == ("Tokens", "77")
    assert (line["ContractCommitmentCost"], line["ContractCommitmentQuantity"]) == ("6.000000000", "1440000")
