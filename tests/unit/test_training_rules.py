"""Recipes: what is refused and why, and how the learning rate moves."""

from pathlib import Path

import msgspec
import pytest

from primeur.training import rules

STARTER = Path(__file__).parents[2] / "recipes" / "starter.toml"


STAGES = [
    rules.Stage("read", 2_785_280),
    rules.Stage("talk", 3_440_640, dialogue_share=0.85, answers_only=True, decay_from=0.3),
]


@pytest.fixture
def recipe():
    """The starter's recipe, with stages of the test's own."""
    return msgspec.structs.replace(rules.read_recipe(STARTER.read_text("utf-8")), stages=STAGES)


def change(text: str, old: str, new: str) -> str:
    """The starter's recipe with one entry changed."""
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seed = 1789", "sed = 1789", "unknown field `sed`"),
        ("layers = 8", 'layers = "8"', "$.shape.layers"),
        ("heads = 3", "heads = 5", "shape.width must divide by shape.heads"),
        ("size = 4096", "size = 99", "vocabulary.size must be 300 to 65535"),
        ("batch_tokens = 8192", "batch_tokens = 5000", "optimiser.batch_tokens must be a multiple"),
        ("dialogues = 70_000", "dialogues = 0", "needs 'dialogues' above 0"),
        ('name = "primeur-starter"', 'name = "primeur-starter', "not TOML"),
    ],
)
def test_a_wrong_recipe_is_refused_by_the_entry(old, new, words):
    """The message names the entry, so that it can be found."""
    with pytest.raises(rules.RecipeFault) as fault:
        rules.read_recipe(change(STARTER.read_text("utf-8"), old, new))
    assert words in fault.value.message


def test_the_rate_climbs_holds_and_falls(recipe):
    """Warm-up first, the decay at the end of the last stage, and never below the floor."""
    steps = sum(rules.count_steps(stage, recipe.optimiser) for stage in recipe.stages)
    shares = [rules.rate_share(recipe, step) for step in range(steps + 1)]
    assert shares[0] < shares[10] < shares[100] == 1.0
    assert shares[steps // 2] > shares[-2] > shares[-1] == recipe.optimiser.final_share


def test_steps_are_found_in_their_stage(recipe):
    """Each step belongs to one stage; past the end there is none."""
    first = rules.count_steps(recipe.stages[0], recipe.optimiser)
    assert rules.locate(recipe, first - 1) == (0, first - 1)
    assert rules.locate(recipe, first) == (1, 0)
    assert rules.locate(recipe, 10**9) == (len(recipe.stages), 0)


def test_tokens_are_counted_by_stage(recipe):
    """A run stopped in its second stage says so."""
    first = rules.count_steps(recipe.stages[0], recipe.optimiser)
    spent = rules.tokens_by_stage(recipe, first + 2)
    assert list(spent.values()) == [first * 8192, 2 * 8192]


def test_the_digest_changes_with_any_entry(recipe):
    """Two recipes that differ anywhere have two digests."""
    other = msgspec.structs.replace(recipe, seed=recipe.seed + 1)
    assert rules.digest(recipe) == rules.digest(recipe) != rules.digest(other)


def test_parameters_are_counted_as_torch_would(recipe):
    """The starter's size, as its weights file tells it."""
    assert rules.count_parameters(recipe.shape, recipe.vocabulary.size) == 3_935_424


def test_an_endless_loss_is_an_infinite_perplexity():
    """A diverged run is reported, not an overflow."""
    assert rules.perplexity(1000.0) == float("inf")
    assert rules.bits_per_byte(0.6931471805599453, 1.0) == pytest.approx(1.0)
