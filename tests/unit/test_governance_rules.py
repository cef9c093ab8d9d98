"""Keys, roles and permissions."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, NotAuthenticated, NotPermitted
from primeur.governance import rules

PEPPER = b"p" * 32
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
MEMBER = Caller("key_1", "prj_1", "org_1", "app", rules.roles["member"])


@given(st.binary(min_size=28, max_size=28))
def test_every_key_has_the_form_that_a_search_finds(secret):
    """A key is its prefix and 43 url-safe characters, and passes its own check."""
    key = rules.spell(rules.KEY_PREFIX, lambda _: secret)
    assert len(key) == 46
    assert rules.KEY_PATTERN.fullmatch(key)
    assert rules.is_spelled(key)


@given(st.binary(min_size=28, max_size=28), st.integers(3, 45), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(secret, place, letter):
    """A typing mistake is told from a key of another house."""
    key = rules.spell(rules.KEY_PREFIX, lambda _: secret)
    wrong = key[:place] + letter + key[place + 1 :]
    assert rules.is_spelled(wrong) == (wrong == key)


@given(st.text())
def test_any_text_can_be_asked_for(text):
    """Whatever a caller sends as a key has a digest and a verdict, never an exception."""
    assert len(rules.digest_key(text, PEPPER)) == 32
    assert rules.is_spelled(text) in {True, False}


def test_a_digest_depends_on_the_pepper():
    """A stolen table of digests is of no use without the pepper."""
    assert rules.digest_key("pk_x", PEPPER) != rules.digest_key("pk_x", b"q" * 32)


def test_the_operator_key_is_the_same_at_every_start():
    """Whoever reads the data folder finds the same key as the service."""
    assert rules.operator_key(PEPPER) == rules.operator_key(PEPPER)
    assert rules.is_spelled(rules.operator_key(PEPPER))


def test_a_permission_lets_its_caller_pass():
    """A member may ask models for answers."""
    rules.check(MEMBER, "inference", "starter", 0)


def test_a_missing_permission_is_named():
    """The refusal says what may not be done and which permission it takes."""
    with pytest.raises(NotPermitted, match=r"may not create, change and revoke keys \(keys:write\)"):
        rules.check(MEMBER, "keys:write", None, 0)


def test_a_key_expires_at_its_time():
    """One millisecond before it still holds."""
    caller = dataclasses.replace(MEMBER, expires_ms=1000)
    rules.check(caller, "inference", None, 999)
    with pytest.raises(NotAuthenticated, match="has expired"):
        rules.check(caller, "inference", None, 1000)


def test_a_key_for_one_deployment_may_not_use_another():
    """The refusal names the deployment."""
    caller = dataclasses.replace(MEMBER, deployments=frozenset({"starter"}))
    rules.check(caller, "inference", "starter", 0)
    with pytest.raises(NotPermitted, match="'other'"):
        rules.check(caller, "inference", "other", 0)


def test_nobody_hands_out_more_than_they_have():
    """A member cannot make an owner's key."""
    rules.check_grant(MEMBER, "member", rules.permissions_of("member"))
    with pytest.raises(NotPermitted, match="keys:write"):
        rules.check_grant(MEMBER, "owner", rules.permissions_of("owner"))


def test_an_unknown_role_is_answered_with_those_there_are():
    """The person sees what to choose from."""
    with pytest.raises(BadRequest, match="owner, admin, operator, billing, auditor, member"):
        rules.permissions_of("king")


def test_roles_use_only_permissions_that_are_described():
    """The table of roles and the table of permissions agree."""
    assert all(granted <= set(rules.PERMISSIONS) for granted in rules.roles.values())


def test_only_some_see_every_project():
    """A member sees their own project, an auditor all."""
    assert rules.visible_project(MEMBER) == "prj_1"
    assert rules.visible_project(dataclasses.replace(MEMBER, permissions=rules.roles["auditor"])) is None


def test_an_organisation_of_its_own_roles_finds_them():
    """They are looked for after those that every house has."""
    custom = {"help-desk": frozenset({"members:read"}), "owner": frozenset()}
    assert rules.permissions_of("help-desk", custom) == {"members:read"}
    assert rules.permissions_of("owner", custom) == rules.roles["owner"]


@pytest.mark.parametrize("role", list(rules.roles))
def test_no_role_of_a_tenant_touches_what_all_share(role):
    """Whatever is not named as a tenant's is shut to them, permissions of tomorrow included."""
    granted = rules.permissions_of(role, home=False)
    shared = ("models:write", "deployments:write", "providers:", "prices:write", "audit:", "metrics:", "house", "orga")
    assert [word for word in granted if word.startswith(shared) and word != "organisation"] == []


@given(st.sets(st.sampled_from(sorted(rules.PERMISSIONS))), st.sets(st.sampled_from(sorted(rules.PERMISSIONS))))
def test_a_grant_passes_exactly_when_the_giver_has_all_of_it(theirs, given_away):
    """Whatever both are."""
    caller = dataclasses.replace(MEMBER, permissions=frozenset(theirs))
    if given_away <= theirs:
        rules.check_grant(caller, "x", frozenset(given_away))
    else:
        with pytest.raises(NotPermitted):
            rules.check_grant(caller, "x", frozenset(given_away))
