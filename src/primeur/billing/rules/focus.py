"""Usage and credits in the words of FOCUS, the FinOps Open Cost and Usage Specification; pure.

Source: FOCUS 1.2, dataset Cost and Usage; FOCUS 1.3, dataset Contract Commitment, with the life-cycle words of 1.4.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from primeur.billing.rules.credits import Grant
from primeur.billing.rules.periods import DAY_MS, month_of

Kind = Literal["string", "decimal", "datetime"]
Cell = str | Decimal | datetime | None
Row = dict[str, Cell]
COST_AND_USAGE: Mapping[str, Kind] = {
    "BilledCost": "decimal", "BillingAccountId": "string", "BillingAccountName": "string",
    "BillingCurrency": "string", "BillingPeriodEnd": "datetime", "BillingPeriodStart": "datetime",
    "ChargeCategory": "string", "ChargeClass": "string", "ChargeDescription": "string", "ChargeFrequency": "string",
    "ChargePeriodEnd": "datetime", "ChargePeriodStart": "datetime", "ConsumedQuantity": "decimal",
    "ConsumedUnit": "string", "ContractedCost": "decimal", "ContractedUnitPrice": "decimal",
    "EffectiveCost": "decimal", "InvoiceIssuerName": "string", "ListCost": "decimal", "ListUnitPrice": "decimal",
    "PricingCategory": "string", "PricingQuantity": "decimal", "PricingUnit": "string", "ProviderName": "string",
    "PublisherName": "string", "ResourceId": "string", "ResourceName": "string", "ResourceType": "string",
    "ServiceCategory": "string", "ServiceName": "string", "ServiceSubcategory": "string", "SkuId": "string",
    "SkuPriceId": "string", "SubAccountId": "string", "SubAccountName": "string", "x_KeyId": "string",
    "x_Requests": "decimal",
}  # fmt: skip
CONTRACT_COMMITMENT: Mapping[str, Kind] = {
    "BillingCurrency": "string", "ContractCommitmentCategory": "string", "ContractCommitmentCost": "decimal",
    "ContractCommitmentDescription": "string", "ContractCommitmentId": "string",
    "ContractCommitmentLifecycleStatus": "string",
    "ContractCommitmentPeriodEnd": "datetime", "ContractCommitmentPeriodStart": "datetime",
    "ContractCommitmentQuantity": "decimal", "ContractCommitmentType": "string", "ContractCommitmentUnit": "string",
    "ContractId": "string", "ContractPeriodEnd": "datetime", "ContractPeriodStart": "datetime",
    "x_ConsumedTokens": "decimal",
}  # fmt: skip
# The finest price there is per token is a nano; a mean of prices is finer.
_UNIT_PRICE = Decimal("1e-15")
_NANO, _HOUR_MS = Decimal("1e-9"), 3_600_000
_NEVER_MS = 253_370_764_800_000


@dataclass(frozen=True, slots=True)
class CostSum:
    """What one key used of one deployment on one UTC day, where its price is known."""

    day_ms: int
    project_id: str
    key_id: str
    deployment: str
    provider: str
    currency: str
    requests: int
    tokens: int
    cost_nanos: int


@dataclass(frozen=True, slots=True)
class Payer:
    """Who a project is, and whose."""

    organisation_id: str
    organisation: str
    project: str


def cost_row(used: CostSum, payer: Payer, issuer: str) -> Row:
    """Write one row of Cost and Usage; the unit price is the mean of what the day's tokens cost."""
    cost, tokens, month = Decimal(used.cost_nanos).scaleb(-9), Decimal(used.tokens), month_of(used.day_ms)
    unit_price = (cost / tokens).quantize(_UNIT_PRICE) if tokens else Decimal(0)
    costs = dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), cost)
    return {
        **costs,
        "BillingAccountId": payer.organisation_id,
        "BillingAccountName": payer.organisation,
        "BillingCurrency": used.currency,
        "BillingPeriodStart": _time(month.from_ms),
        "BillingPeriodEnd": _time(month.to_ms),
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargeDescription": f"Tokens of {used.deployment}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": _time(used.day_ms),
        "ChargePeriodEnd": _time(used.day_ms + DAY_MS),
        "ConsumedQuantity": tokens,
        "ConsumedUnit": "Tokens",
        "ContractedUnitPrice": unit_price,
        "ListUnitPrice": unit_price,
        "InvoiceIssuerName": issuer,
        "PricingCategory": "Standard",
        "PricingQuantity": tokens,
        "PricingUnit": "Tokens",
        "ProviderName": issuer,
        "PublisherName": used.provider or issuer,
        "ResourceId": used.deployment,
        "ResourceName": used.deployment,
        "ResourceType": "Deployment",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Inference",
        "ServiceSubcategory": "Generative AI",
        "SkuId": used.deployment,
        "SkuPriceId": f"{used.deployment}/{used.currency}",
        "SubAccountId": used.project_id,
        "SubAccountName": payer.project,
        "x_KeyId": used.key_id,
        "x_Requests": Decimal(used.requests),
    }


@dataclass(frozen=True, slots=True)
class Capacity:
    """Capacity that a provider committed to.

    Attributes:
        status: FOCUS 1.4's life-cycle word.
        contract: the right it is under, or ``open``.
        to_ms: its end, or when another took its place or it was cancelled.
        tokens, of_tokens: what was used, and all that it stands for if that is known.
    """

    id: str
    provider: str
    contract: str
    status: str
    product: str
    units: int
    unit_price_nanos: int
    currency: str
    from_ms: int
    to_ms: int
    tokens: int
    of_tokens: int | None


def capacity_row(one: Capacity) -> Row:
    """Write one row of Contract Commitment: units for a term, in tokens where it is known what a unit does."""
    hours = Decimal(one.to_ms - one.from_ms) / _HOUR_MS
    begin, end = _time(one.from_ms), _time(one.to_ms)
    known = one.of_tokens is not None
    return {
        "BillingCurrency": one.currency,
        "ContractCommitmentCategory": "Usage",
        "ContractCommitmentCost": (one.units * one.unit_price_nanos * hours).scaleb(-9).quantize(_NANO),
        "ContractCommitmentDescription": f"{one.units} units of {one.product or 'capacity'} from {one.provider}",
        "ContractCommitmentId": one.id,
        "ContractCommitmentLifecycleStatus": one.status,
        "ContractCommitmentPeriodStart": begin,
        "ContractCommitmentPeriodEnd": end,
        "ContractCommitmentQuantity": Decimal(one.of_tokens or 0) if known else (one.units * hours).quantize(_NANO),
        "ContractCommitmentType": "capacity",
        "ContractCommitmentUnit": "Tokens" if known else "Unit-Hours",
        "ContractId": one.contract,
        "ContractPeriodStart": begin,
        "ContractPeriodEnd": end,
        "x_ConsumedTokens": Decimal(one.tokens),
    }


def commitment_row(grant: Grant, now_ms: int) -> Row:
    """Write one row of Contract Commitment: what was paid or given ahead; without an end it lasts until 9999."""
    to_ms = _NEVER_MS if grant.expires_ms is None else grant.expires_ms
    status = "Pending" if now_ms < grant.from_ms else "Active" if now_ms < to_ms else "Expired"
    begin, end = _time(grant.from_ms), _time(to_ms)
    return {
        "BillingCurrency": grant.currency,
        "ContractCommitmentCategory": "Spend",
        "ContractCommitmentCost": Decimal(grant.nanos).scaleb(-9),
        "ContractCommitmentDescription": grant.name,
        "ContractCommitmentId": grant.id,
        "ContractCommitmentLifecycleStatus": status,
        "ContractCommitmentPeriodStart": begin,
        "ContractCommitmentPeriodEnd": end,
        "ContractCommitmentQuantity": None,
        "ContractCommitmentType": grant.kind,
        "ContractCommitmentUnit": None,
        "ContractId": grant.holder,
        "ContractPeriodStart": begin,
        "ContractPeriodEnd": end,
        "x_ConsumedTokens": Decimal(0),
    }


def cell_text(value: Cell) -> str:
    """Write a value as FOCUS wants it in a text: decimals without exponent, times in UTC, null as nothing."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    # A spreadsheet takes a text that begins so for a formula.
    return f"'{value}" if value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
