"""Prices by unit and partners' shares, kept with the moment from which they hold; never changed."""

from fractions import Fraction

import msgspec
from sqlalchemy import insert, select

from primeur.metering.rates import Rate, Share
from primeur.store.database import Tx
from primeur.store.schema import rates, shares


def add_rate(tx: Tx, rate: Rate) -> None:
    """Keep a rate; earlier ones stay, for what was charged at them."""
    values = {name: getattr(rate, name) for name in Rate.__struct_fields__}
    tx.execute(insert(rates).values(**values | {"units": msgspec.json.encode(rate.units).decode()}))


def list_rates(tx: Tx) -> list[Rate]:
    """Give every rate, the newest first."""
    names = Rate.__struct_fields__
    rows = tx.execute(select(rates).order_by(rates.c.from_ms.desc(), rates.c.id.desc()))
    return [Rate(**{name: getattr(row, name) for name in names} | {"units": _units(row.units)}) for row in rows]


def add_share(tx: Tx, share: Share) -> None:
    """Keep a share."""
    values = {name: getattr(share, name) for name in Share.__struct_fields__ if name != "part"}
    tx.execute(insert(shares).values(**values, numerator=share.part.numerator, denominator=share.part.denominator))


def list_shares(tx: Tx) -> list[Share]:
    """Give every share, the newest first."""
    names = [name for name in Share.__struct_fields__ if name != "part"]
    rows = tx.execute(select(shares).order_by(shares.c.from_ms.desc(), shares.c.id.desc()))
    return [
        Share(**{name: getattr(row, name) for name in names}, part=Fraction(row.numerator, row.denominator))
        for row in rows
    ]


def _units(text: str) -> dict[str, tuple[tuple[int, int], ...]]:
    return msgspec.json.decode(text, type=dict[str, tuple[tuple[int, int], ...]])
