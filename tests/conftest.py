"""Fixtures that every floor of tests shares."""

import hashlib
import os
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from shutil import copyfile

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, make_url, text

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
def seed(record_property: Callable[[str, object], None]) -> int:
    """How the dice of a test that kills at random fall; told at the end, and chosen by ``PRIMEUR_TEST_SEED``."""
    chosen = int(os.environ.get("PRIMEUR_TEST_SEED") or random.SystemRandom().randrange(2**32))
    record_property("seed", chosen)
    return chosen


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the seeds, so that a run can be repeated."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            if (
                isinstance(report, pytest.TestReport)
                and report.when == "call"
                and "seed" in dict(report.user_properties)
            ):
                terminalreporter.write_line(
                    f"seed {dict(report.user_properties)['seed']}: {report.nodeid} {report.outcome}"
                )


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def entropy() -> CountedEntropy:
    return CountedEntropy()


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with all tables, made once for each worker: a copy takes a hundredth of the time."""
    path = tmp_path_factory.mktemp("tables") / "primeur.db"
    Store(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database, once of each kind: empty, and for a test that takes `store` too with all tables."""
    filled = "store" in request.fixturenames
    if request.param == "postgresql":
        return _fresh_postgres("primeur", filled=filled)
    path = tmp_path / "primeur.db"
    if filled:
        copyfile(request.getfixturevalue("tables"), path)
    return f"sqlite:///{path}"


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


def _fresh_postgres(name: str, *, filled: bool = False) -> str:
    url = os.environ.get("PRIMEUR_TEST_POSTGRES")
    if not url:
        pytest.skip(
            "set PRIMEUR_TEST_POSTGRES=postgresql+psycopg://... of a role that may create databases "
            "to run this on PostgreSQL"
        )
    if filled:
        return _new_database(url, name, _postgres_tables(url))
    return _new_database(url, name, "template0")


@cache
def _postgres_tables(url: str) -> str:
    """Make the database with all tables that others are copied from; gives its name."""
    Store(_new_database(url, "tables", "template0")).close()
    return _named("tables")


def _new_database(url: str, name: str, copied_from: str) -> str:
    """Make it anew; gives its URL."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"drop database if exists {_named(name)} with (force)"))
        connection.execute(text(f"create database {_named(name)} template {copied_from}"))
    engine.dispose()
    return make_url(url).set(database=_named(name)).render_as_string(hide_password=False)


def _named(name: str) -> str:
    """Of one worker of pytest-xdist, so that they do not sweep each other's tables away."""
    return f"primeur_{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test with real processes, browsers and clocks is tried once more before it counts as failed."""
    for item in items:
        if {"e2e", "contract"} & set(item.path.parts):
            item.add_marker(pytest.mark.flaky(reruns=1))
