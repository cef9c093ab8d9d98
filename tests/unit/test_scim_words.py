"""SCIM's filters and patches."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import BadRequest
from primeur.governance.scim_filters import matches
from primeur.governance.scim_patches import patched

ADA = {
    "userName": "Ada",
    "externalId": "A1",
    "active": True,
    "name": {"formatted": "Ada L."},
    "emails": [{"type": "work", "value": "a@example.org"}, {"type": "home", "value": "b@example.org"}],
    "meta": {"lastModified": "2026-01-02T00:00:00.000Z"},
}


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "ada"',
        'username sw "AD" and active eq true and name.formatted co "l."',
        'urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ada"',
        'not (userName eq "bob") and (active eq false or emails.value ew "EXAMPLE.org")',
        'emails[type eq "home" and value co "b@"]',
        'emails eq "b@example.org"',
        'meta.lastModified ge "2026-01-01T00:00:00Z" and title ne "x"',
        "name pr and not (nickName pr)",
        'externalId eq "A1" and not (externalId eq "a1")',
        r'userName ne "quo\"te and (brackets)"',
    ],
)
def test_a_filter_fits(text):
    """As RFC 7644 has them."""
    assert matches(text, ADA)
    assert not matches(f"not ({text})", ADA)


@pytest.mark.parametrize(
    "text", ["", "userName", "userName eq", "userName is 1", 'a eq "b" and', "(a pr", "a eq b", "(" * 50]
)
def test_what_is_no_filter_is_refused(text):
    """With what is missing."""
    with pytest.raises(BadRequest) as refused:
        matches(text, ADA)
    assert refused.value.code == "invalidFilter"


@given(st.text(alphabet='ab ()[]".eqandorpr\\', max_size=60))
def test_no_text_breaks_the_reader_of_filters(text):
    """A filter or a refusal."""
    with suppress(BadRequest):
        assert matches(text, ADA) in {True, False}


def test_members_are_added_once_and_removed_by_value():
    """In every form that identity providers send."""
    added = patched({"members": []}, [{"op": "add", "path": "members", "value": [{"value": "a"}, {"value": "b"}]}])
    again = patched(added, [{"op": "add", "path": "members", "value": [{"value": "a"}]}])
    assert again == added
    left = patched(again, [{"op": "remove", "path": "members", "value": [{"value": "a"}]}])
    assert left["members"] == [{"value": "b"}]
    assert patched(left, [{"op": "replace", "value": {"members": []}}])["members"] == []
    assert "members" not in patched(left, [{"op": "remove", "path": "members"}])
    assert added["members"] == [{"value": "a"}, {"value": "b"}]
