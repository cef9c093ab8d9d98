"""Checkpoints, exports, and refusals that cannot fill the log."""

import msgspec
import pytest

from primeur.core.chain import GENESIS, Entry
from primeur.core.errors import BadRequest
from primeur.governance.audit_forms import as_cef, as_json_line
from primeur.governance.checkpoint_rules import check_checkpoint, fingerprint, public_key, sign_checkpoint
from primeur.governance.refusal_rules import Refusals, Refused

SECRET, OTHER = b"s" * 32, b"o" * 32
ENTRY = Entry(
    sequence=7, at_ms=1000, kind="KeyCreated", actor="a=b|c\\d", organisation_id="org", address="::1", request_id="req",
    before=None, after='{"line":"a\\nb"}', data='{"name":"x=y"}', previous=GENESIS, hash="h",
)  # fmt: skip


def test_a_checkpoint_is_checked_against_a_key_that_was_kept():
    """Whatever is changed in it, and whoever else signed it."""
    made = sign_checkpoint(SECRET, 5, "ab", 9)
    check_checkpoint(made, public_key(SECRET))
    for wrong in (
        msgspec.structs.replace(made, sequence=6),
        msgspec.structs.replace(made, hash="ac"),
        msgspec.structs.replace(made, at_ms=10),
        msgspec.structs.replace(made, signature="AAAA"),
        msgspec.structs.replace(made, signature="not base 64"),
        sign_checkpoint(OTHER, 5, "ab", 9),
    ):
        with pytest.raises(BadRequest, match="entry"):
            check_checkpoint(wrong, public_key(SECRET))
    assert len(fingerprint(public_key(SECRET))) == 16


def test_cef_escapes_what_it_gives_a_meaning():
    """One line, whatever stands in the event."""
    line = as_cef(ENTRY, "1|0").decode()
    assert line.startswith("CEF:0|Primeur|Primeur|1\\|0|KeyCreated|Key created|3|rt=1000 externalId=7 ")
    assert "suser=a\\=b|c\\\\d " in line
    assert 'msg={"name":"x\\=y"}' in line
    assert line.count("\n") == 1


def test_a_json_line_can_be_read_back():
    """Every field, so that it verifies elsewhere too."""
    assert msgspec.json.decode(as_json_line(ENTRY, ""), type=Entry) == ENTRY


def refused(number: int) -> Refused:
    return Refused("unknown", "", f"10.0.0.{number}", "GET /", "invalid_api_key", "no")


def test_the_first_of_its_kind_is_told_at_once_and_the_rest_as_a_number():
    """Every minute anew."""
    board = Refusals()
    assert [board.note(refused(1), 1000 + ms) for ms in (0, 1, 2)] == [True, False, False]
    assert board.due(60_999) == []
    assert board.due(61_000) == [(refused(1), 2)]
    assert board.note(refused(1), 61_001) is True


def test_a_flood_from_everywhere_is_one_kind():
    """Nobody fills the log by changing addresses."""
    board = Refusals()
    told = sum(board.note(refused(number), 5) for number in range(5000))
    assert told == 1000
    [(many, times)] = board.due(70_000)
    assert (many.address, times) == ("many", 3999)
