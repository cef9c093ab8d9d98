"""Terms of capacity: what is offered, its hash, and when a third party would get more than the holder was offered."""

from dataclasses import asdict, dataclass
from hashlib import sha256

import msgspec

from primeur.core.errors import BadRequest

_FULL = 10_000


@dataclass(frozen=True, slots=True)
class Terms:
    """What a buyer offers for capacity; every field is material.

    Attributes:
        unit_price_nanos: nano-units of *currency* for one unit and hour.
        term_ms: how long the units are committed for, from *start_ms*.
        prepaid_percent: share of the price that is paid before.
        uptime_points: promised uptime in hundredths of a percent: 9990 is 99.9 %.
    """

    units: int
    unit_price_nanos: int
    start_ms: int
    term_ms: int
    prepaid_percent: int = 0
    uptime_points: int = 9990
    currency: str = "EUR"
    sku: str = ""
    zone: str = ""
    workload_class: str = ""

    def __post_init__(self) -> None:
        """Refuse what nobody can offer.

        Raises:
            BadRequest: names the field.
        """
        least = {"units": 1, "unit_price_nanos": 0, "start_ms": 0, "term_ms": 1, "prepaid_percent": 0}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise BadRequest(f"terms: {name} is {getattr(self, name)}; it must be at least {lowest}")
        if self.prepaid_percent > 100 or not 0 <= self.uptime_points <= _FULL:
            raise BadRequest("terms: prepaid_percent is 0 to 100 and uptime_points 0 to 10000")


def hash_terms(terms: Terms) -> str:
    """Give the fingerprint that a notice carries and an answer must name; any change of terms changes it."""
    return sha256(msgspec.json.encode(asdict(terms), order="sorted")).hexdigest()


def more_favourable(third: Terms, offered: Terms, tolerance_percent: int) -> list[str]:
    """List in what a third party would fare better than the holder was offered; empty is allowed.

    We buy and the holder supplies, so better means for the supplier: a higher price, a longer term, a larger
    prepayment, a looser promise of uptime; each beyond the tolerance. Another currency, product, zone, class or an
    earlier start was never offered at all.
    """
    scale = 100 + tolerance_percent
    better = [
        name
        for name in ("unit_price_nanos", "term_ms", "prepaid_percent")
        if getattr(third, name) * 100 > getattr(offered, name) * scale
    ]
    if (_FULL - third.uptime_points) * 100 > (_FULL - offered.uptime_points) * scale:
        better.append("uptime_points")
    same = ("currency", "sku", "zone", "workload_class")
    better.extend(name for name in same if getattr(third, name) != getattr(offered, name))
    if third.start_ms < offered.start_ms:
        better.append("start_ms")
    return better
