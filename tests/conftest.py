"""Fixtures that every floor of tests shares."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, make_url
from sqlalchemy.schema import CreateSchema, DropSchema

from primeur.store.database import Store

# No test asserts a duration: on a busy machine a good example may take long.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


class FrozenClock:
    """A clock that moves when it is told to; its monotonic side ticks 60 ms at each look, so that waits end."""

    def __init__(self, ms: int = 1_790_000_000_000) -> None:
        self.ms = ms
        self.us = 0

    def now_ms(self) -> int:
        return self.ms

    def monotonic_us(self) -> int:
        self.us += 60_000
        return self.us


class CountedEntropy:
    """Dice that fall the same way in every run, and never the same way twice in one."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, n: int, /) -> bytes:
        self.count += 1
        return hashlib.shake_256(str(self.count).encode()).digest(n)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def entropy() -> CountedEntropy:
    return CountedEntropy()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once of each kind."""
    return f"sqlite:///{tmp_path / 'primeur.db'}" if request.param == "sqlite" else _fresh_postgres()


@pytest.fixture
def postgres_url() -> str:
    """An empty PostgreSQL database."""
    return _fresh_postgres("alone")


@pytest.fixture
def second_url(database_url: str, tmp_path: Path) -> str:
    """Another empty database of the same kind."""
    return f"sqlite:///{tmp_path / 'second.db'}" if database_url.startswith("sqlite") else _fresh_postgres("second")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A fresh database, once on each kind."""
    made = Store(database_url)
    yield made
    made.close()


def _fresh_postgres(name: str = "primeur") -> str:
    url = os.environ.get("PRIMEUR_TEST_POSTGRES")
    if not url:
        pytest.skip("set PRIMEUR_TEST_POSTGRES=postgresql+psycopg://... to an empty database to run this on PostgreSQL")
    # A schema for each worker of pytest-xdist, so that they do not sweep each other's tables away.
    schema = f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(DropSchema(schema, cascade=True, if_exists=True))
        connection.execute(CreateSchema(schema))
    engine.dispose()
    found = make_url(url).update_query_dict({"options": f"-csearch_path={schema}"})
    return found.render_as_string(hide_password=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test with real processes, browsers and clocks is tried once more before it counts as failed."""
    for item in items:
        if {"e2e", "contract"} & set(item.path.parts):
            item.add_marker(pytest.mark.flaky(reruns=1))
