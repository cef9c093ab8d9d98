"""What may be kept, for how long, and how uploads and batches move."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.archive.rules import (
    BATCH,
    BATCH_FILE_MS,
    PROJECT_BYTES,
    UPLOAD,
    Page,
    check_assembly,
    check_filename,
    check_purpose,
    check_room,
    expiry_of,
    read_expiry,
    read_page,
)
from primeur.core.errors import BadRequest, Conflict, TooLarge


@pytest.mark.parametrize("machine", [UPLOAD, BATCH])
def test_every_state_but_the_ends_leads_to_an_end(machine):
    """Nothing that is begun stays unfinished for ever."""
    reached = set(machine.ends)
    for _ in machine.states:
        reached |= {state for (state, _), after in machine.moves.items() if after in reached}
    assert reached == machine.states


def test_a_finished_upload_takes_no_move():
    """The error says what is possible."""
    with pytest.raises(Conflict, match="a upload that is completed cannot cancel; possible: nothing"):
        UPLOAD.after("completed", "cancel")


def test_a_page_is_read_from_a_query():
    """Limit, order and cursor."""
    query = {"limit": "5", "order": "asc", "after": "file_1"}
    assert read_page(query, default=20, most=100) == Page(5, newest_first=False, after="file_1")
    assert read_page({}, default=20, most=100) == Page(20, newest_first=True, after=None)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "٣"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"order": "up"}, "order"),
        ({"after": "a\x00b"}, "after"),
        ({"before": "file_1"}, "before"),
    ],
)
def test_a_page_that_cannot_be_is_refused_by_name(query, param):
    """Nothing in a query is ignored."""
    with pytest.raises(BadRequest) as caught:
        read_page(query, default=20, most=100)
    assert caught.value.param == param


def test_a_batch_file_lives_a_month_and_others_until_deleted():
    """Unless its caller says otherwise."""
    assert expiry_of("batch", None, 5) == 5 + BATCH_FILE_MS
    assert expiry_of("user_data", None, 5) is None
    assert expiry_of("user_data", 3600, 5) == 5 + 3_600_000


def test_an_expiry_is_read_from_a_form():
    """Seconds after creation, and only after creation."""
    assert read_expiry({}) is None
    assert read_expiry({"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}) == 3600
    for fields in (
        {"expires_after[anchor]": "used_at", "expires_after[seconds]": "3600"},
        {"expires_after[anchor]": "created_at", "expires_after[seconds]": "60"},
        {"expires_after[anchor]": "created_at"},
    ):
        with pytest.raises(BadRequest, match="expires_after"):
            read_expiry(fields)


def test_a_purpose_must_be_one_that_callers_may_name():
    """The house's own purpose is not among them."""
    assert check_purpose("batch") == "batch"
    with pytest.raises(BadRequest, match="one of assistants, batch"):
        check_purpose("batch_output")


@given(st.text())
def test_a_kept_name_has_no_folders_and_can_be_printed(name):
    """Whatever a client sends."""
    try:
        kept = check_filename(name)
    except BadRequest:
        return
    assert kept.isprintable()
    assert 1 <= len(kept) <= 255
    assert not set(kept) & {"/", "\\"}


def test_a_project_keeps_no_more_than_it_may():
    """The limit counts what is there already."""
    check_room(PROJECT_BYTES - 10, 10)
    with pytest.raises(TooLarge, match="delete files first"):
        check_room(PROJECT_BYTES - 10, 11)


def test_parts_must_be_what_was_announced():
    """Size first, then the checksum, in either case of letters."""
    check_assembly(3, [1, 2], "AB" * 16, "ab" * 16)
    with pytest.raises(BadRequest, match="the parts are 3 bytes; the upload announced 4"):
        check_assembly(4, [1, 2], None, "")
    with pytest.raises(BadRequest, match="md5 of the parts"):
        check_assembly(3, [1, 2], "00" * 16, "ab" * 16)
