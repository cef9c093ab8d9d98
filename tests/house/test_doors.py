"""Every door says what it is, and every event can be looked up."""

import typing
from pathlib import Path

import pytest

from primeur.core import events
from primeur.gateway import openapi
from primeur.gateway.table import DOORS, Table
from primeur.governance.rules import PERMISSIONS, roles

EVENTS = {kind.__name__: kind for kind in typing.get_args(events.AnyEvent)}
OPEN = {"/healthz", "/readyz", "/api/openapi.json", "/api/docs", "/api/v1/capacity/answers/{token}"}
NAMES = [f"{door.method} {door.path}" for door in DOORS]
SOURCE = Path(__file__).parents[2] / "src" / "primeur"
DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("door", DOORS, ids=NAMES)
def test_every_door_says_what_it_takes(door):
    """A permission that exists, unless it is one of the few that are open; a bound; a summary."""
    assert door.permission in PERMISSIONS or (door.permission is None and door.path in OPEN)
    assert 0 < door.body_limit <= 1 << 40
    assert door.summary
    assert not door.summary.endswith(".")


@pytest.mark.parametrize("door", [door for door in DOORS if door.permission == "inference" and door.takes])
def test_whatever_makes_an_engine_work_is_metered(door):
    """Nothing is answered for free by mistake."""
    assert door.meter == "usage"


@pytest.mark.parametrize("door", [door for door in DOORS if door.path.startswith("/api/v1/")])
def test_every_management_door_that_writes_tells_its_event(door):
    """And those that read tell none."""
    if door.method == "GET":
        assert door.tells is None
    elif door.path != "/api/v1/apply":
        assert door.tells in EVENTS


def test_no_two_doors_are_the_same():
    """A path and a method lead to one handler."""
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("door", DOORS, ids=NAMES)
def test_the_table_finds_every_door(door):
    """Also where a placeholder stands."""
    path = "/".join("x" if part[:1] == "{" else part for part in door.path.split("/"))
    assert Table().find(door.method, path, {}).door is door


def test_every_permission_is_held_by_somebody():
    """And no door asks for one that nobody has."""
    held = frozenset().union(*roles.values())
    assert held == set(PERMISSIONS)


@pytest.mark.parametrize("kind", EVENTS.values(), ids=list(EVENTS))
def test_every_event_says_what_it_tells(kind):
    """In its own words."""
    assert kind.__doc__
    assert kind.__doc__ != events.Event.__doc__


def test_every_event_is_told_on_the_page_of_a_walk():
    """Where one can read when it happens."""
    pages = " ".join(path.read_text("utf-8") for path in (DOCS / "walks").glob("*.md"))
    assert [name for name in EVENTS if f"`{name}`" not in pages] == []


def test_the_table_of_roles_is_the_one_in_force():
    """What the documentation promises is what the rules say."""
    page = (DOCS / "rooms" / "governance.md").read_text("utf-8")
    for word, means in PERMISSIONS.items():
        cells = " | ".join("yes" if word in granted else "" for granted in roles.values())
        assert f"| `{word}`: {means} | {cells} |" in page


def test_every_operation_has_its_own_name():
    """Client generators make a function of each."""
    document = openapi.describe(DOORS)
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))
