"""What a provider supplies, as a party: zones, products, prices, capacity, data terms; and where it may serve."""

from dataclasses import dataclass

from primeur.core.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Product:
    """One product in one zone.

    Attributes:
        committed_tokens_per_minute, on_demand_tokens_per_minute: what we hold there, and what may be had beside it; 0
            for both is *not told*, which counts as no limit.
        unit_price_nanos: for one unit and hour, committed.
        unit_tokens_per_minute: what one unit does; 0 is *not told*, and then no commitment of it is ever used up.
        token_price_nanos: for one token on demand, by which others are tried in turn.
    """

    sku: str
    zone: str = ""
    committed_tokens_per_minute: int = 0
    on_demand_tokens_per_minute: int = 0
    unit_price_nanos: int = 0
    unit_tokens_per_minute: int = 0
    token_price_nanos: int = 0
    currency: str = "EUR"

    @property
    def tokens_per_minute(self) -> int:
        """All of it; 0 is not told."""
        return self.committed_tokens_per_minute + self.on_demand_tokens_per_minute


@dataclass(frozen=True, slots=True)
class Sheet:
    """A version of what a provider supplies.

    Attributes:
        data_terms: what it promises of data, such as ``eu-only`` or ``no-training``; a request may ask for one of them.
    """

    products: tuple[Product, ...] = ()
    data_terms: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse a sheet that contradicts itself.

        Raises:
            BadRequest: a product twice in a zone, or an amount below zero.
        """
        names = [(one.sku, one.zone) for one in self.products]
        if len(set(names)) < len(names):
            raise BadRequest("a product stands twice in a zone; write it once", param="products")
        for one in self.products:
            amounts = (one.committed_tokens_per_minute, one.on_demand_tokens_per_minute, one.unit_tokens_per_minute)
            if min(*amounts, one.unit_price_nanos, one.token_price_nanos) < 0:
                raise BadRequest(f"product {one.sku!r} has an amount below zero", param="products")

    def product(self, sku: str, zone: str) -> Product | None:
        """Give a product; where no zone is said, the first of its name."""
        return next((one for one in self.products if one.sku == sku and zone in {"", one.zone}), None)


@dataclass(frozen=True, slots=True)
class Source:
    """A provider that may serve a deployment, and from what.

    Attributes:
        provider: a declared provider, or the name of an engine that a revision of the deployment runs on.
        upstream_model: what to ask for there; None where a revision of the deployment is at this provider already.
        sku, zone: the product of the provider's sheet that it is served from.
        tokens_per_minute: the slice of that product's capacity which is this deployment's; None is all of it.
        data_policy: what requests to this deployment ask of whoever serves them; said at any of its sources.
        patience_ms: how long its requests can wait for their answers to be done.
    """

    deployment: str
    provider: str
    upstream_model: str | None = None
    sku: str = ""
    zone: str = ""
    tokens_per_minute: int | None = None
    data_policy: str | None = None
    patience_ms: int | None = None

    def __post_init__(self) -> None:
        """Refuse what nobody could serve from.

        Raises:
            BadRequest: no capacity at all, or no time.
        """
        if self.tokens_per_minute is not None and self.tokens_per_minute < 1:
            raise BadRequest("a slice of capacity is at least 1 token a minute; leave it out for all of it")
        if self.patience_ms is not None and not 1 <= self.patience_ms <= 3_600_000:
            raise BadRequest("patience is 1 to 3600000 ms", param="patience_ms")
