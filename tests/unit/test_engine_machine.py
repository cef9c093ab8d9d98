"""How an engine lives: its states, and the wait between two attempts."""

from hypothesis import given
from hypothesis import strategies as st

from primeur.core.engine import ENGINE, STOPPED, WAITING, is_stable, restart_delay_s


def test_only_stopped_is_an_end() -> None:
    """Every other state leads somewhere, and all can come to an end."""
    assert ENGINE.ends == {STOPPED}
    reached = {STOPPED}
    for _ in ENGINE.states:
        reached |= {state for (state, _), after in ENGINE.moves.items() if after in reached}
    assert reached == ENGINE.states


def test_a_broken_engine_waits() -> None:
    """From every working state, breaking leads back to waiting."""
    assert {ENGINE.after(state, "break") for state in ("starting", "loading", "ready")} == {WAITING}


@given(st.integers(1, 1000))
def test_the_wait_doubles_and_has_an_end(failures: int) -> None:
    """Never shorter than the first wait, never longer than the longest, never shorter than the one before."""
    wait = restart_delay_s(failures, 0.25, 60)
    assert 0.25 <= wait <= 60
    assert wait <= restart_delay_s(failures + 1, 0.25, 60)


def test_a_stable_run_is_forgiven() -> None:
    """Who has served for a minute starts with a clean sheet."""
    assert is_stable(61, 60)
    assert not is_stable(59, 60)
