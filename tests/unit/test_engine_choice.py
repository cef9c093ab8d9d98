"""The engine that suits a machine is chosen by what was measured there, and the reason says so."""

from hypothesis import given
from hypothesis import strategies as st

from primeur.registry.engine_choice import DEFAULT_ENGINE, Measured, choose_engine, default_engine

BOTH = frozenset({"llamacpp", "openvino"})


def measured(engine: str, alone: float, four: float) -> Measured:
    """An engine's figures at one and four streams."""
    return Measured(engine, {1: alone, 4: four}, {})


def test_the_one_that_serves_a_team_best_is_chosen() -> None:
    """At four streams, even if it is a little slower for one."""
    choice = choose_engine([measured("llamacpp", 80, 160), measured("openvino", 65, 270)], BOTH)
    assert choice.engine == "openvino"
    assert "openvino 270" in choice.reason


def test_a_person_alone_must_not_feel_it() -> None:
    """Less than half the best single stream is too slow, whatever a crowd would get."""
    assert choose_engine([measured("llamacpp", 80, 160), measured("openvino", 30, 900)], BOTH).engine == "llamacpp"


def test_what_is_not_installed_is_not_chosen() -> None:
    """An extra may have been taken out since."""
    found = [measured("llamacpp", 80, 160), measured("openvino", 65, 270)]
    assert choose_engine(found, frozenset({"llamacpp"})).engine == "llamacpp"


def test_without_figures_the_default_is_taken_and_told() -> None:
    """And the reason says what to type."""
    choice = choose_engine([], BOTH)
    assert (choice.engine, "bench engines" in choice.reason) == (DEFAULT_ENGINE, True)


def test_a_folder_has_an_engine_that_runs_folders() -> None:
    """Also where nothing was measured; what needs no weights has the usual one."""
    assert [default_engine(form) for form in ("gguf", "safetensors", None)] == ["llamacpp", "transformers", "llamacpp"]
    assert choose_engine([], BOTH, default_engine("safetensors")).engine == "transformers"


_figures = st.dictionaries(st.sampled_from([1, 2, 4, 16]), st.floats(1, 1e4), min_size=1)


@given(st.dictionaries(st.sampled_from(["llamacpp", "openvino", "vllm"]), _figures, min_size=1))
def test_the_choice_is_one_of_those_measured(found: dict[str, dict[int, float]]) -> None:
    """Whatever levels were measured."""
    choice = choose_engine([Measured(engine, speeds, {}) for engine, speeds in found.items()], frozenset(found))
    assert choice.engine in found
