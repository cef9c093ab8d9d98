"""Names, paths and which revisions run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import BadRequest
from primeur.registry.rules import Standing, check_name, revisions_to_run, stored_path

standings = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 2)), max_size=8, unique_by=lambda pair: pair[0]).map(
    lambda pairs: [Standing(f"rev_{number}", number, share) for number, share in pairs]
)


@pytest.mark.parametrize("name", ["starter", "gpt-4.1", "org/model:7b", "a"])
def test_usual_names_are_allowed(name):
    """What people call models can be used."""
    assert check_name(name, "model") == name


@pytest.mark.parametrize("name", ["", "../etc", "a b", "-x", "a\n", "x" * 200, "é", "a/"])
def test_names_that_break_a_url_are_refused(name):
    """The refusal says which characters are allowed."""
    with pytest.raises(BadRequest, match="use letters, digits"):
        check_name(name, "model")


def test_weights_lie_under_their_digest():
    """Folders by the first two digits keep directories small."""
    assert stored_path("sha256:" + "ab" * 32, "gguf") == f"store/sha256/ab/{'ab' * 32}.gguf"


def test_a_new_revision_leaves_the_old_one_up_until_it_is_ready():
    """Then the old one goes."""
    both = [Standing("rev_1", 1, 0), Standing("rev_2", 2, 1)]
    assert revisions_to_run(both, lambda one: one == "rev_1") == ["rev_2", "rev_1"]
    assert revisions_to_run(both, lambda one: one == "rev_2") == ["rev_2"]


def test_a_second_bad_revision_keeps_the_one_that_works():
    """The newest of the others is worth nothing if it is not ready."""
    three = [Standing("rev_1", 1, 0), Standing("rev_2", 2, 0), Standing("rev_3", 3, 1)]
    assert revisions_to_run(three, lambda one: one == "rev_1") == ["rev_3", "rev_1"]


@given(standings, st.sets(st.integers(1, 50)))
def test_deploying_never_takes_away_what_could_answer(revisions, ready):
    """If any revision is ready, one that is ready runs; at most one without a share does."""
    names = {f"rev_{number}" for number in ready}
    chosen = revisions_to_run(revisions, names.__contains__)
    if names & {one.id for one in revisions}:
        assert names & set(chosen)
    assert sum(one.share == 0 and one.id in chosen for one in revisions) <= 1
