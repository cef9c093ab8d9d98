"""Organisations, projects, keys and sign-in links on both databases."""

import dataclasses

import pytest

from primeur.core.caller import Limits
from primeur.core.errors import Conflict, NotAuthenticated, NotFound
from primeur.governance import member_rows, rows
from primeur.governance.sign_in_rows import Session, add_link, add_session, list_sessions, remove_session, use_link

ORGANISATION = rows.Organisation("org_1", "default", 1, is_home=True)
PROJECT = rows.Project("prj_1", "org_1", "default", keeps_prompts=False, limits=Limits(rpm=5), created_ms=2)
MEMBER = member_rows.Member("mem_1", "org_1", "prj_1", "owner", "owner", 3)
KEY = rows.Key("key_1", "prj_1", "app", b"d" * 32, "pk_a...z", "member", Limits(10, 20, 3), 4, ("starter",), 99)


def found(tx):
    rows.add_organisation(tx, ORGANISATION)
    rows.add_project(tx, PROJECT)
    member_rows.add_member(tx, MEMBER)
    rows.add_key(tx, KEY)


def test_what_is_kept_comes_back_as_it_was(store):
    """Limits, deployments and times included."""
    store.transact_now(found)
    assert store.read_now(rows.first_organisation) == ORGANISATION
    assert store.read_now(rows.list_projects) == [PROJECT]
    assert store.read_now(member_rows.list_members) == [MEMBER]
    assert store.read_now(rows.list_keys) == [KEY]


def test_a_key_is_found_by_name_and_by_id(store):
    """A missing one says where to look."""
    store.transact_now(found)
    assert store.read_now(lambda tx: rows.find_key(tx, "app")) == KEY
    assert store.read_now(lambda tx: rows.find_key(tx, "key_1", "prj_1")) == KEY
    with pytest.raises(NotFound, match="primeur keys list"):
        store.read_now(lambda tx: rows.find_key(tx, "app", "prj_2"))


def test_a_name_belongs_to_one_key_of_a_project(store):
    """The second one is refused and the transaction can go on."""
    store.transact_now(found)

    def again(tx):
        with pytest.raises(Conflict, match="'app' already"):
            rows.add_key(tx, dataclasses.replace(KEY, id="key_2", digest=b"e" * 32))
        rows.add_key(tx, dataclasses.replace(KEY, id="key_2", digest=b"e" * 32, name="other"))

    store.transact_now(again)
    assert [key.name for key in store.read_now(rows.list_keys)] == ["app", "other"]


def test_a_revoked_key_stays_as_it_is(store):
    """Changing it afterwards is refused."""
    store.transact_now(found)
    store.transact_now(lambda tx: rows.change_key(tx, dataclasses.replace(KEY, revoked_ms=50)))
    with pytest.raises(Conflict, match="is revoked"):
        store.transact_now(lambda tx: rows.change_key(tx, KEY))


def test_a_project_changes_its_limits(store):
    """And keeps its id and age."""
    store.transact_now(found)
    changed = dataclasses.replace(PROJECT, keeps_prompts=True, limits=Limits())
    store.transact_now(lambda tx: rows.change_project(tx, changed))
    assert store.read_now(lambda tx: rows.find_project(tx, "default")) == changed


def test_a_sign_in_link_works_once(store):
    """The second time says how to get another."""
    store.transact_now(found)
    store.transact_now(lambda tx: add_link(tx, b"l" * 32, "mem_1", 100))
    assert store.transact_now(lambda tx: use_link(tx, b"l" * 32, 50)) == "mem_1"
    with pytest.raises(NotAuthenticated, match="primeur sign-in-link"):
        store.transact_now(lambda tx: use_link(tx, b"l" * 32, 51))


def test_a_sign_in_link_grows_old(store):
    """At its time it is worth nothing."""
    store.transact_now(found)
    store.transact_now(lambda tx: add_link(tx, b"l" * 32, "mem_1", 100))
    with pytest.raises(NotAuthenticated):
        store.transact_now(lambda tx: use_link(tx, b"l" * 32, 100))


def test_sessions_end_by_time_and_by_hand(store):
    """What has ended is not listed."""
    store.transact_now(found)
    store.transact_now(lambda tx: add_session(tx, Session(b"s" * 32, "mem_1", 10, 100)))
    assert [one.member_id for one in store.read_now(lambda tx: list_sessions(tx, 99))] == ["mem_1"]
    assert store.read_now(lambda tx: list_sessions(tx, 100)) == []
    assert store.transact_now(lambda tx: remove_session(tx, b"s" * 32))
    assert not store.transact_now(lambda tx: remove_session(tx, b"s" * 32))
