"""Tiers of a distribution as a document (TOML): what is written, checked and turned into a `Waterfall`; pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any

import msgspec

from primeur.core.errors import BadRequest
from primeur.ledger.rules.waterfall import Tier, Waterfall

_LARGEST = 10**24
_FINEST = -30
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Until(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tier ends when *party* has received *has* in all."""

    party: Text
    has: str


class TierSaid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares by party, as ``75%``, ``0.75`` or ``3/4``."""

    shares: dict[Text, str]
    until: Until | None = None


class Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that a party ever receives, and who gets what it would have got *then*."""

    most: str
    then: Text


class Tiers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A distribution.

    Attributes:
        base: the column that is distributed.
        parties: in the order of rounding; the last one that shares takes what is left of a cent.
    """

    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    parties: Annotated[list[Text], msgspec.Meta(min_length=1, max_length=100)]
    tiers: Annotated[list[TierSaid], msgspec.Meta(min_length=1, max_length=100)]
    base: Text = "profit"
    caps: dict[Text, Cap] = {}
    carry_losses: bool = True
    minimum_distribution: str = "0"


def read_tiers(name: str, document: Mapping[str, Any]) -> tuple[Tiers, Waterfall]:
    """Turn a document into tiers.

    Raises:
        BadRequest: an unknown key, a missing one, shares that do not sum to 1, a party that is none: says where.
    """
    try:
        said = msgspec.convert(document, Tiers)
    except msgspec.ValidationError as error:
        raise BadRequest(f"{name}: {error}; see docs/rooms/ledger.md for the form") from None
    made = Waterfall(
        said.parties,
        [_tier(f"{name}: tier {number}", tier) for number, tier in enumerate(said.tiers, 1)],
        {party: read_cents(f"{name}: caps.{party}.most", cap.most) for party, cap in said.caps.items()},
        {party: cap.then for party, cap in said.caps.items()},
        carries_losses=said.carry_losses,
        minimum=read_cents(f"{name}: minimum_distribution", said.minimum_distribution),
    )
    if made.minimum < 0 or any(cap < 0 for cap in made.caps.values()):
        raise BadRequest(f"{name}: caps and minimum_distribution must be zero or more")
    _check_parties(name, said)
    _check_ends(name, made)
    return said, made


def read_cents(where: str, text: str) -> int:
    """Read an exact amount of money in cents.

    Raises:
        BadRequest: no number, finer than a cent, or beyond reason.
    """
    try:
        amount = Decimal(text.strip().replace("_", "x"))
    except InvalidOperation:
        raise BadRequest(f"{where} is {text[:40]!r}; write an amount such as 1000000.00") from None
    if not amount.is_finite() or amount.adjusted() > 24 or _exponent(amount) < _FINEST:
        raise BadRequest(f"{where} is {text[:40]!r}; amounts are below {_LARGEST:.0e}")
    cents = Fraction(amount) * 100
    if cents.denominator != 1:
        raise BadRequest(f"{where} is {text[:40]!r}, finer than a cent; round it first")
    return int(cents)


def read_share(where: str, text: str) -> Fraction:
    """Read a share: ``75%``, ``0.75`` or ``3/4``.

    Raises:
        BadRequest: no number, or not from 0 to 1.
    """
    digits, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        # An exponent could ask for a number without end.
        share = Fraction("" if len(digits) > 60 or "e" in digits.lower() else digits) / (100 if percent else 1)
    except (ValueError, ZeroDivisionError):
        raise BadRequest(f"{where} is {text[:40]!r}; write a share such as 20%, 0.2 or 1/5") from None
    if not 0 <= share <= 1:
        raise BadRequest(f"{where} is {text[:40]!r}; a share is from 0 to 100%")
    return share


def show_cents(cents: int) -> str:
    """Write cents as an amount: ``-12.05``."""
    sign, whole = "-" if cents < 0 else "", abs(cents)
    return f"{sign}{whole // 100}.{whole % 100:02d}"


def _exponent(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _tier(where: str, said: TierSaid) -> Tier:
    shares = {party: read_share(f"{where}, shares.{party}", share) for party, share in said.shares.items()}
    if sum(shares.values()) != 1:
        raise BadRequest(f"{where}: its shares sum to {sum(shares.values())}; they must sum to 1")
    if said.until is None:
        return Tier(shares)
    has = read_cents(f"{where}, until.has", said.until.has)
    if has <= 0 or not shares.get(said.until.party):
        raise BadRequest(f"{where} never ends: {said.until.party!r} has no share in it, or until.has is not above zero")
    return Tier(shares, (said.until.party, has))


def _check_parties(name: str, said: Tiers) -> None:
    if len(set(said.parties)) != len(said.parties):
        raise BadRequest(f"{name}: a party is named twice in parties")
    named: list[str] = [*said.caps, *(cap.then for cap in said.caps.values())]
    for tier in said.tiers:
        named += tier.shares
    for party in named:
        if party not in said.parties:
            raise BadRequest(f"{name}: {party!r} is not among parties; add it there")
    for party in said.caps:
        seen: list[str] = []
        taker = party
        while taker in said.caps:
            if taker in seen:
                raise BadRequest(f"{name}: what {party!r} would get beyond its cap goes round in a circle; end it")
            seen.append(taker)
            taker = said.caps[taker].then


def _check_ends(name: str, made: Waterfall) -> None:
    *earlier, last = _untils(made.tiers)
    if last is not None:
        raise BadRequest(f"{name}: the last tier must not end; take its until away or add a tier behind it")
    for number, until in enumerate(earlier, 1):
        if until is None:
            raise BadRequest(f"{name}: tier {number} never ends, so that those behind it are never reached; give until")
        party, has = until
        if made.caps.get(party, has) < has:
            raise BadRequest(f"{name}: tier {number} never ends, because the cap of {party!r} is below until.has")


def _untils(tiers: Sequence[Tier]) -> list[tuple[str, int] | None]:
    return [tier.until for tier in tiers]
