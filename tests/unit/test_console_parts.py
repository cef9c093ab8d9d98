"""Pure parts of the console: forms, the log's days, usage as CSV and as plots, files from elsewhere."""

import hashlib
import re
from pathlib import Path

import pytest
from starlette.datastructures import FormData
from starlette.requests import Request

from primeur.console.api import ApiRefusal
from primeur.console.assets import FOLDER, digest_folder
from primeur.console.paging import day_ms
from primeur.console.session import comes_from_us, form_is_ours, form_token
from primeur.console.views.access import read_sign_in, write_groups
from primeur.console.views.keys import read_new_key, state_of
from primeur.console.views.usage import step_of, to_csv

DAY_MS = 86_400_000
VENDOR = FOLDER / "vendor"


def _request(**headers):
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw})


def _line(**given):
    counted = ("requests", "failed", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "unpriced")
    return dict.fromkeys(counted, 0) | {"name": "n", "label": "n", "costs": {}} | given


def test_a_form_token_belongs_to_one_session():
    """Another session's token, another house's, or none are refused."""
    token = form_token(b"p" * 32, "ps_one")
    assert form_is_ours(b"p" * 32, "ps_one", token)
    assert not any(form_is_ours(*other, token) for other in ((b"p" * 32, "ps_two"), (b"q" * 32, "ps_one")))
    assert not form_is_ours(b"p" * 32, "ps_one", None)


def test_a_form_sent_from_another_site_is_not_ours():
    """The browser names where a form comes from."""
    assert comes_from_us(_request(host="a:8080", origin="http://a:8080"))
    assert not comes_from_us(_request(host="a:8080", origin="http://evil.example"))
    assert not comes_from_us(_request(host="a:8080", origin="null"))
    assert not comes_from_us(_request(host="a:8080", sec_fetch_site="cross-site"))
    assert comes_from_us(_request(host="a:8080"))


def test_empty_fields_of_a_new_key_are_no_limit():
    """Only what was typed is sent."""
    form = FormData([("name", " reports "), ("role", "member"), ("rpm", "60"), ("tpm", ""), ("days", "30")])
    assert read_new_key(form, 0) == {"name": "reports", "role": "member", "rpm": 60, "expires_ms": 30 * DAY_MS}


def test_deployments_are_named_only_when_some_are_chosen():
    """Several boxes make a list."""
    form = FormData([("name", "a"), ("deployment", "x"), ("deployment", "y"), ("days", "11")])
    assert read_new_key(form, 0) == {"name": "a", "role": "member", "deployments": ["x", "y"]}


def test_a_limit_that_is_no_number_is_named():
    """The person is told which field."""
    with pytest.raises(ApiRefusal, match="whole number") as refused:
        read_new_key(FormData([("name", "a"), ("tpm", "many")]), 0)
    assert refused.value.param == "tpm"


def test_a_key_is_active_until_it_expires_or_is_revoked():
    """Revoked wins over expired."""
    keys = [(None, None), (None, 10), (None, 11), (5, 5)]
    shown = [state_of({"revoked_ms": revoked, "expires_ms": expires}, 10) for revoked, expires in keys]
    assert shown == ["active", "expired", "active", "revoked"]


def test_a_day_begins_and_ends_in_utc():
    """The end of a day is the beginning of the next."""
    assert day_ms("1970-01-02") == DAY_MS
    assert day_ms("1970-01-02", end=True) == 2 * DAY_MS
    assert day_ms("yesterday") is None


def test_usage_as_csv_keeps_nanos_and_guards_formulas():
    """Nothing is rounded, and no label is run by a spreadsheet."""
    text = to_csv([_line(label="=1+1", requests=2, costs={"EUR": 5}), _line(label="b", unpriced=1)], "key")
    header, first, second = text.splitlines()
    assert header.endswith(",unpriced,cost_nanos_EUR")
    assert first.startswith("'=1+1,n,2,")
    assert first.endswith(",0,5")
    assert second.endswith(",1,")


@pytest.mark.parametrize(("days", "steps"), [(1, 48), (7, 28), (30, 30), (90, 90), (4000, 10)])
def test_a_plot_has_some_steps_and_not_too_many(days, steps):
    """The longer the time, the longer its steps."""
    assert days * DAY_MS // step_of(days * DAY_MS) == steps


def test_every_vendored_file_is_the_one_that_was_taken_in():
    """THIRD_PARTY.md lists each file with its digest and its licence text."""
    listed = (Path(__file__).parents[2] / "THIRD_PARTY.md").read_text("utf-8")
    rows = re.findall(r"^\| `([^`]+)` \|.*\| `([^`]+)` \| `([0-9a-f]{64})` \|$", listed, re.MULTILINE)
    assert all((VENDOR / licence).is_file() for _, licence, _ in rows)
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.suffix in {".js", ".css", ".woff2"}
    }
    assert {name: digest for name, _, digest in rows} == found


def test_the_address_of_static_files_changes_with_their_contents(tmp_path):
    """A browser may keep a file for good, because another file has another address."""
    (tmp_path / "a.js").write_text("one")
    before = digest_folder(tmp_path)
    (tmp_path / "a.js").write_text("two")
    assert digest_folder(tmp_path) != before


def test_settings_of_signing_in_are_read_and_a_secret_that_is_not_typed_stays():
    """Groups are a line each; without an issuer there is no provider."""
    typed = {"idle_minutes": "60", "most_minutes": "600", "groups": "cn=ai,ou=x = member @ default\n\naudit = auditor"}
    known = {"openid_connect": {"client_secret": "sealed:1"}}
    body = read_sign_in(FormData(typed | {"issuer": "https://id.example.org", "client_id": "p"}), known)
    assert body["openid_connect"]["client_secret"] == "sealed:1"
    assert (body["passwords"], body["idle_minutes"]) == (False, 60)
    assert body["groups"][0] == {"group": "cn=ai,ou=x", "role": "member", "project": "default"}
    assert write_groups(body["groups"]) == "cn=ai,ou=x = member @ default\naudit = auditor"
    assert "openid_connect" not in read_sign_in(FormData(typed), known)
    for wrong in ({"groups": "audit"}, {"idle_minutes": "soon"}):
        with pytest.raises(ApiRefusal):
            read_sign_in(FormData(typed | wrong), known)


def test_scopes_of_a_key_are_read_from_the_form():
    """Routes that are ticked, networks parted by commas or spaces."""
    form = FormData([("name", "k"), ("route", "chat"), ("route", "files"), ("networks", "10.0.0.0/8, 192.0.2.7")])
    body = read_new_key(form, 0)
    assert (body["routes"], body["networks"]) == (["chat", "files"], ["10.0.0.0/8", "192.0.2.7"])
