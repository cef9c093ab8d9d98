"""Every word has a status."""

import pytest

from primeur.core.errors import CallerError, PrimeurError, TargetFailed
from primeur.core.statuses import kind_of, status_of


def every_error(kind=PrimeurError):
    yield kind
    for narrower in kind.__subclasses__():
        # The command line makes words of its own out of answers; they have no status.
        if not narrower.__module__.startswith("primeur.cli"):
            yield from every_error(narrower)


@pytest.mark.parametrize("kind", list(every_error()), ids=lambda kind: kind.__name__)
def test_the_caller_s_faults_are_4xx_and_ours_are_5xx(kind):
    """A busy target is the one exception: clients wait for a 429, and so do ours."""
    status = status_of(kind.__new__(kind))
    if issubclass(kind, CallerError) and kind is not CallerError:
        assert 400 <= status < 500
    elif issubclass(kind, TargetFailed):
        assert status in {429, 502, 504}
    assert kind_of(kind.__new__(kind))
