"""FOCUS: every rule of the columns that the specification says, over CSV and Parquet.

The official validator knows FOCUS 1.0 alone and needs libraries older than ours, so its rules for these columns are
said here: which must be there, of what type, which may be null, and which values are allowed.
"""

import csv
import io
import re
from datetime import datetime
from decimal import Decimal

import pytest
from pyarrow import parquet

from primeur.billing.credit_rows import add_grant
from primeur.billing.rules.credits import Grant
from primeur.core.usage import Usage, UsageEvent
from primeur.metering.rows import keep_usage

DAY_MS, FIRST = 86_400_000, 20_600 * 86_400_000
MUST = {
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart",
    "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit",
    "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
}  # fmt: skip
NUMBERS = {"BilledCost", "ContractedCost", "EffectiveCost", "ListCost", "PricingQuantity", "ConsumedQuantity",
           "ListUnitPrice", "ContractedUnitPrice", "ContractCommitmentCost"}  # fmt: skip
ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeClass": {"", "Correction"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "PricingCategory": {"Standard", "Dynamic", "Committed", "Other"},
    "ServiceCategory": {"AI and Machine Learning", "Compute", "Other"},
    "ServiceSubcategory": {"Generative AI", "Other (AI and Machine Learning)"},
    "ContractCommitmentCategory": {"Spend", "Usage"},
}
MAY_BE_NULL = {"ChargeClass", "ContractCommitmentQuantity", "ContractCommitmentUnit"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def check(lines: list[dict[str, str]], must: set[str]) -> None:
    """Raise at the first cell that FOCUS does not allow."""
    for line in lines:
        assert must <= line.keys()
        for name, text in line.items():
            assert re.fullmatch(r"(x_)?[A-Z][A-Za-z]+", name), name
            assert text or name in MAY_BE_NULL, name
            if name in NUMBERS:
                assert re.fullmatch(r"-?\d+(\.\d+)?", text), (name, text)
            if name.endswith(("PeriodStart", "PeriodEnd")):
                assert TIME.fullmatch(text), (name, text)
            assert text in ALLOWED.get(name, {text}), (name, text)
        assert re.fullmatch("[A-Z]{3}", line["BillingCurrency"])
        starts = [name for name in line if name.endswith("PeriodStart")]
        assert all(line[name] < line[name.replace("Start", "End")] for name in starts)


@pytest.fixture
async def used(client, founded):
    """Two days of requests, one without a price; a credit."""

    def event(number, at_ms, cost, currency):
        return UsageEvent(
            id=f"req_{number}", at_ms=at_ms, route="chat", outcome="completed", status=200, project_id="prj_x",
            key_id="key_1", deployment="=gpt", usage=Usage(100, 0, 20), cost_nanos=cost, currency=currency,
        )  # fmt: skip

    events = [event(1, FIRST, 7, "EUR"), event(2, FIRST + 5, 4, "EUR"), event(3, FIRST, None, None),
              event(4, FIRST + DAY_MS, 10**9, "EUR")]  # fmt: skip
    grant = Grant("crd_1", "provider:rack", "Compute credits", "commitment", "EUR", 5 * 10**9, 1, FIRST, FIRST, None)
    await founded.store.transact(lambda tx: (keep_usage(tx, events), add_grant(tx, grant)))
    return client


async def test_cost_and_usage_follows_the_specification(used):
    """Costs are exact, what has no price is left out, and a cost is its unit price by its quantity."""
    lines = list(csv.DictReader(io.StringIO((await used.get("/api/v1/focus")).text)))
    check(lines, MUST)
    assert [line["BilledCost"] for line in lines] == ["0.000000011", "1.000000000"]
    for line in lines:
        product = Decimal(line["ListUnitPrice"]) * Decimal(line["PricingQuantity"])
        assert abs(product - Decimal(line["ListCost"])) < Decimal("1e-9")
    day = {"from_ms": FIRST + DAY_MS, "to_ms": FIRST + 2 * DAY_MS}
    assert len((await used.get("/api/v1/focus", params=day)).text.splitlines()) == 2


async def test_contract_commitments_follow_the_specification(used):
    """What was paid ahead at a provider is one."""
    ask = {"dataset": "contract-commitment"}
    lines = list(csv.DictReader(io.StringIO((await used.get("/api/v1/focus", params=ask)).text)))
    check(lines, {"ContractCommitmentId", "ContractCommitmentCategory", "ContractId", "BillingCurrency"})
    assert [line["ContractCommitmentCost"] for line in lines] == ["5.000000000"]


async def test_parquet_says_the_same(used):
    """With types of its own."""
    answer = await used.get("/api/v1/focus", params={"form": "parquet"})
    rows = parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    assert [row["BilledCost"] for row in rows] == [Decimal("0.000000011"), Decimal(1)]
    assert all(isinstance(row["ChargePeriodStart"], datetime) for row in rows)


@pytest.mark.parametrize("wrong", [{"from_ms": 5}, {"form": "xml"}, {"dataset": "x"}, {"since": 1}])
async def test_what_is_asked_wrongly_is_named(used, wrong):
    """And nothing is exported."""
    answer = await used.get("/api/v1/focus", params=wrong)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, next(iter(wrong)))
