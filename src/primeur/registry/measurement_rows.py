"""How fast each engine was with a version on a machine: the newest measurement counts."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select

from primeur.registry.engine_choice import Measured
from primeur.store.database import Tx
from primeur.store.schema import engine_measurements


@dataclass(frozen=True, slots=True)
class Measurement:
    """One engine, one version, one machine."""

    id: str
    version_id: str
    machine: str
    measured: Measured
    created_ms: int


def keep_measurement(tx: Tx, measurement: Measurement) -> None:
    """Keep a measurement in place of an earlier one of the same engine, version and machine."""
    c, measured = engine_measurements.c, measurement.measured
    same = (c.version_id == measurement.version_id) & (c.engine == measured.engine) & (c.machine == measurement.machine)
    tx.execute(delete(engine_measurements).where(same))
    levels = [[n, measured.tokens_per_s[n], measured.first_token_ms.get(n)] for n in sorted(measured.tokens_per_s)]
    tx.execute(
        insert(engine_measurements).values(
            id=measurement.id,
            version_id=measurement.version_id,
            engine=measured.engine,
            machine=measurement.machine,
            levels=json.dumps(levels),
            created_ms=measurement.created_ms,
        )
    )


def list_measurements(tx: Tx, version_id: str) -> list[Measurement]:
    """Give what is known of a version, by machine and engine."""
    c = engine_measurements.c
    query = select(engine_measurements).where(c.version_id == version_id).order_by(c.machine, c.engine)
    return [
        Measurement(row.id, row.version_id, row.machine, _measured(row), row.created_ms) for row in tx.execute(query)
    ]


def _measured(row: Any) -> Measured:
    levels = json.loads(row.levels)
    speeds = {count: tokens for count, tokens, _ in levels}
    return Measured(row.engine, speeds, {count: first for count, _, first in levels if first is not None})
