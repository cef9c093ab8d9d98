"""Many rows at once: whatever they say alike, each is there as it was given."""

import random
from typing import Any

from primeur.store.bulk import insert_rows

COLUMNS = ("kind", "place", "code", "number", "body")


def rows(dice: random.Random, alike: int) -> list[tuple[Any, ...]]:
    """Rows of a batch of any length, with nothing in some, whose first *alike* columns say the same."""
    made = []
    same = ("usage", None, 7)
    for number in range(dice.choice([1, 2, 3, 64, 257, 1500])):
        own = (dice.choice(["usage", "other", "it's", ""]), dice.choice([None, 1, 2]), dice.choice([7, 8]))
        made.append((*same[:alike], *own[alike:], number, dice.choice([b"\0\xff", b""])))
    return made


def test_rows_are_kept_as_they_are_given(store) -> None:
    binary = "BYTEA" if store.read_now(lambda tx: tx.dialect.name) == "postgresql" else "BLOB"
    dice = random.Random(5)
    for alike in range(4):
        for _ in range(4):
            given = rows(dice, alike)

            def keep(tx, given=given) -> list[tuple[Any, ...]]:
                tx.exec_driver_sql(f"CREATE TABLE many (kind TEXT, place INT, code INT, number INT, body {binary})")
                insert_rows(tx, "many", COLUMNS, [value for row in given for value in row])
                found = tx.exec_driver_sql(
                    "SELECT kind, place, code, number, body FROM many ORDER BY number"
                ).fetchall()
                tx.exec_driver_sql("DROP TABLE many")
                return [tuple(row) for row in found]

            assert store.transact_now(keep) == given


def test_rows_that_say_the_same_throughout_are_kept_all(store) -> None:
    def keep(tx) -> Any:
        tx.exec_driver_sql("CREATE TABLE alike (kind TEXT, place INT)")
        insert_rows(tx, "alike", ("kind", "place"), ["usage", 1] * 300)
        found = tx.exec_driver_sql("SELECT kind, place, count(*) FROM alike GROUP BY kind, place").fetchall()
        tx.exec_driver_sql("DROP TABLE alike")
        return [tuple(row) for row in found]

    assert store.transact_now(keep) == [("usage", 1, 300)]
