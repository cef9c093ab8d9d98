"""Plan a simulation of procurement: the market, the right, the simulated parties and what goes wrong."""

from dataclasses import dataclass

from primeur.broker.buying import Market
from primeur.broker.rights import DAY_MS, HOUR_MS, Mode, Right
from primeur.core.errors import BadRequest

HOLDER, THIRD = "holder", "third"
# Far enough from zero for requests to be opened before the trace begins.
ORIGIN_MS = 1000 * DAY_MS


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the simulator; prices are per unit and hour.

    Attributes:
        holder_share: what the holder has, as a share of the mean demand.
        unit_work_per_s: work tokens a second of one unit; None is a hundredth of the mean demand.
    """

    block_days: int = 1
    on_demand_price: float = 1.0
    holder_price: float = 0.6
    third_price: float = 0.55
    holder_share: float = 0.6
    mode: Mode = Mode.FIRST_OFFER
    response_hours: float = 72.0
    answer_hours: float = 24.0
    tolerance_percent: int = 0
    lookback_days: int = 7
    output_weight: float = 1.0
    unit_work_per_s: float | None = None
    silent_every: int = 0
    duplicates: bool = False
    price_change_day: int | None = None
    outage_days: tuple[int, int] | None = None

    def check(self) -> None:
        """Refuse what cannot be simulated.

        Raises:
            BadRequest: names the option.
        """
        if not 1 <= self.block_days <= 400 or not 1 <= self.lookback_days <= 400:
            raise BadRequest("--block-days and --lookback-days must be 1 to 400")
        if not 0 < self.response_hours <= 8760 or not 0 <= self.answer_hours <= 8760:
            raise BadRequest("--response-hours must be above 0, --answer-hours 0 or more, both at most 8760")
        if not 0 <= self.holder_share <= 1000 or not 0 < self.output_weight <= 1e6 or self.tolerance_percent < 0:
            raise BadRequest("--holder-share and --tolerance must be zero or more, --output-weight above zero")
        if self.unit_work_per_s is not None and not 0 < self.unit_work_per_s < 1e15:
            raise BadRequest("--unit must be above zero")


@dataclass(frozen=True, slots=True)
class Plan:
    """How procurement is replayed.

    Attributes:
        block_days: how long a commitment runs.
        lookback_days: how much recent demand the policy looks at.
        answer_ms: how long the holder takes to answer.
        right: the right it holds; its response period is how early a request is opened.
        silent_every: the answer to each so many-th offer comes after its deadline; 0 is none.
        duplicates: every command is told twice.
        price_change_day: from this day on the third party asks *price_factor* times its bid; None is never.
        outage_days: days on which the holder has no free capacity to offer, (first, after the last).
    """

    block_days: int
    right: Right
    lookback_days: int = 7
    answer_ms: int = 24 * HOUR_MS
    silent_every: int = 0
    duplicates: bool = False
    price_change_day: int | None = None
    price_factor: float = 1.2
    outage_days: tuple[int, int] | None = None


def market_of(asked: Asked, mean_units: float, *, freely: bool = False) -> Market:
    """Say what each party is paid: its own price *freely*, or what the right makes of it.

    With a first offer, the holder is offered at least what a third party will be paid, less the tolerance, so that no
    second offer is needed. To match, it is paid the third party's price, and takes nothing below its own.
    """
    units = int(asked.holder_share * mean_units)
    prices = (asked.on_demand_price, asked.holder_price, asked.third_price)
    if freely:
        return Market(*prices, units)
    if asked.mode is Mode.MATCH:
        units_at_bid = units if asked.third_price >= asked.holder_price else 0
        return Market(asked.on_demand_price, asked.third_price, asked.third_price, units_at_bid, asked.holder_price)
    least = asked.third_price * 100 / (100 + asked.tolerance_percent)
    return Market(asked.on_demand_price, max(asked.holder_price, least), asked.third_price, units)


def right_of(asked: Asked) -> Right:
    """Write the right that is simulated; in force throughout."""
    response_ms = max(1, round(asked.response_hours * HOUR_MS))
    return Right(
        "simulated",
        1,
        "buyer",
        HOLDER,
        0,
        ORIGIN_MS * 2 + 10_000 * DAY_MS,
        mode=asked.mode,
        response_ms=response_ms,
        reoffer_ms=response_ms,
        tolerance_percent=asked.tolerance_percent,
    )
