"""What both databases have in common, whatever they are given."""

import contextlib

import pytest

from primeur.core.errors import BadRequest
from primeur.metering.log_rows import Search, search_requests


@pytest.mark.parametrize("search", [Search(status=1 << 63), Search(text="\x00"), Search(deployment="\x00")])
def test_what_cannot_be_stored_is_the_callers_fault(store, search):
    """One database finds nothing, the other cannot even look; neither breaks."""
    with contextlib.suppress(BadRequest):
        assert store.read_now(lambda tx: search_requests(tx, search)) == ([], None)
