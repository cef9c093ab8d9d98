"""What a process needs and whether it fits: never less than was measured, never by another's settings alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.unit.test_llamacpp_settings import HEAD, plan

from primeur.core.errors import Conflict
from primeur.engines.llamacpp_settings import LlamaSettings, computed_bytes
from primeur.registry.memory import Holding, Need, Seen, check_memory, fitting, grew, held_by, need_of, size

MIB, GIB = 1 << 20, 1 << 30
amounts = some.integers(0, 64 * GIB)
sights = some.lists(
    some.builds(
        Seen, some.sampled_from(["llamacpp", "openvino"]), some.sampled_from("abc"), amounts,
        some.integers(0, GIB), some.none() | amounts,
    ),
    max_size=6,
    unique_by=lambda one: (one.engine, one.launch),
)  # fmt: skip
holdings = some.lists(
    some.builds(Holding, some.sampled_from(["chat", "vectors"]), some.sampled_from("wx"), amounts, some.just(0))
    | some.builds(Holding, some.just("chat"), some.just("w"), some.integers(GIB, 2 * GIB), some.integers(0, GIB)),
    max_size=6,
)


def computed(context: int, slots: int, kind: str = "f16") -> int:
    """What llama.cpp's adapter computes."""
    settings = {"context_tokens": context, "slots": slots, "cache_type": kind}
    made = computed_bytes(LlamaSettings(**settings), plan(memory=1 << 50, **settings), HEAD, 0)
    assert made is not None
    return made


@given(some.integers(64, 16_000), some.integers(1, 255), some.sampled_from(["f32", "f16", "q8_0", "q4_0"]))
def test_more_context_and_more_slots_never_need_less(context, slots, kind):
    """Whatever was measured of other settings."""
    now = computed(context, slots, kind)
    assert now <= computed(context + 1, slots, kind)
    assert now <= computed(context, slots + 1, kind)
    seen = [Seen("llamacpp", "other", 150 * MIB, computed_bytes=100 * MIB)]
    small, large = need_of("llamacpp", "a", now, seen), need_of("llamacpp", "b", computed(context, slots + 1), seen)
    assert small is not None
    assert large is not None
    assert kind != "f16" or small.memory_bytes <= large.memory_bytes


@given(sights, some.sampled_from("abcd"), some.none() | amounts)
def test_never_less_than_was_measured_of_just_this_or_than_is_computed(seen, launch, floor):
    """Exactly this is measured; all else is called an estimate."""
    need = need_of("llamacpp", launch, floor, seen)
    exact = [one for one in seen if (one.engine, one.launch) == ("llamacpp", launch)]
    if need is None:
        assert floor is None
        assert not [one for one in seen if one.engine == "llamacpp"]
        return
    assert need.memory_bytes >= max([floor or 0, *(one.memory_bytes for one in exact)])
    assert need.measured == bool(exact)


def test_what_was_measured_of_other_settings_is_taken_over_with_the_difference():
    """The default's 146 MiB, of which 100 were computed, say that 46 come beside whatever is computed."""
    seen = [Seen("llamacpp", "default", 146 * MIB, 4 * MIB, 100 * MIB)]
    need = need_of("llamacpp", "256 x 16384", 8196 * MIB, seen)
    assert need == Need(8242 * MIB, 4 * MIB, computed_bytes=8196 * MIB)
    assert need_of("openvino", "256 x 16384", 8196 * MIB, seen) == Need(8196 * MIB, computed_bytes=8196 * MIB)
    assert need_of("ray", "x", None, seen) is None


def test_the_program_itself_is_known_from_other_weights():
    """The least that was seen beside what was computed: PyTorch alone holds 400 MiB, whatever it loads."""
    seen = [
        Seen("transformers", n, held, 0, floor) for n, held, floor in (("a", 420, 20), ("b", 900, 300), ("c", 7, None))
    ]
    assert need_of("transformers", "d", 50, [], seen) == Need(450, computed_bytes=50)
    assert need_of("transformers", "d", 50, seen[1:2], seen) == Need(650, computed_bytes=50)


@given(holdings, holdings)
def test_what_is_held_grows_with_who_holds_and_shares_once(some_of_them, more):
    """No process takes anything away; together they hold no more than each for itself."""
    first, both = sum(held_by(some_of_them).values()), sum(held_by([*some_of_them, *more]).values())
    assert first <= both <= sum(one.memory_bytes for one in [*some_of_them, *more])


def test_processes_of_the_same_weights_hold_them_once():
    """By whoever maps the most of them."""
    twice = [Holding("old", "w", 14, 10), Holding("new", "w", 15, 10), Holding("other", "v", 3, 2)]
    assert held_by(twice) == {"new": 15, "old": 4, "other": 3}


def test_a_refusal_says_what_is_needed_what_is_free_who_holds_the_rest_and_what_to_do():
    """An estimate is called one."""
    need = Need(8242 * MIB, computed_bytes=8196 * MIB)
    running = [Holding("starter", "s", 146 * MIB), Holding("minilm", "m", 80 * MIB)]
    with pytest.raises(Conflict) as caught:
        check_memory([Holding("chat", "s", need.memory_bytes)], need, running, 8250 * MIB)
    assert caught.value.code == "memory_exceeded"
    assert caught.value.message == (
        "it needs 8.0 GiB by an estimate (8.0 GiB of weights and cache, 46.0 MiB seen beside them before; "
        "its first load measures it), and of 8.1 GiB 7.8 GiB are free; the rest is held by starter 146.0 MiB, "
        "minilm 80.0 MiB. Lower the settings that take memory, such as slots and context_tokens, choose smaller "
        "weights, or remove a deployment; what runs is left as it is"
    )
    with pytest.raises(Conflict, match=r"2 replicas need .* as was measured with these settings, .*nothing else"):
        check_memory([Holding("chat", "s", GIB)] * 2, Need(GIB, measured=True), [], GIB)


@given(some.lists(holdings, min_size=1, max_size=1), amounts, amounts)
def test_what_is_let_in_fits(running, needed, memory):
    """And what is refused does not."""
    fits = sum(held_by(running[0]).values()) + needed <= memory
    asked, need = [Holding("new", "another", needed)], Need(needed)
    if fits:
        check_memory(asked, need, running[0], memory)
    elif needed:
        with pytest.raises(Conflict):
            check_memory(asked, need, running[0], memory)


def test_memory_has_room_for_replicas_that_share_weights():
    """The first holds all of it, the others their own part; there may be room for none."""
    assert fitting(None, 0, 100) is None
    assert (fitting(Need(30), 20, 100), fitting(Need(30), 90, 100)) == (2, 0)
    assert fitting(Need(30, 20), 20, 100) == 6


def test_a_twentieth_more_is_news():
    assert grew(1, None)
    assert (grew(105, 100), grew(106, 100)) == (False, True)


def test_sizes_are_written_in_their_unit():
    assert [size(n) for n in (0, 2048, 3 * MIB, GIB * 3 // 2)] == ["0 KiB", "2 KiB", "3.0 MiB", "1.5 GiB"]
