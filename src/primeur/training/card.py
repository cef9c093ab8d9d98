"""The model card, made from what a run recorded, in plain words."""

from collections.abc import Sequence

import msgspec

from primeur.training.rules import Recipe, bits_per_byte, digest


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was measured on a finished (or stopped) run; kept as ``run.json`` beside its weights.

    Attributes:
        tokens_by_stage: tokens trained on, by stage.
        text_tokens: tokens in one pass over the training text.
        seconds: wall-clock time of training, pauses left out.
        held_out_loss: nats per token on documents that were never trained on.
        answer_loss: nats per answered token on freshly drawn dialogues.
        bytes_per_token: of the held-out text.
        by_position: perplexity of held-out text read in one long context, by first position of a stretch.
        probes: questions and the model's own greedy answers, as they came.
    """

    parameters: int
    tokens_by_stage: dict[str, int]
    text_tokens: int
    text_bytes: dict[str, int]
    dialogues: int
    seconds: float
    machine: str
    held_out_loss: float
    held_out_perplexity: float
    bytes_per_token: float
    answer_loss: float
    by_position: dict[str, float] = {}
    probes: list[tuple[str, str]] = []


LIMITS = """\
This is a very small model. It was made so that a fresh installation has something real to run, not to be right.

- It knows almost nothing about the world: no news, no people, no capitals, no history.
- It can't reason, plan, write programs, stories or essays, and can't follow instructions it was not drilled in.
- Its definitions, translations and sums are often wrong. Check everything.
- It does not call tools; definitions of tools are accepted and read as text.
- Its French is weaker than its English; it knows no other language.
- It may invent words and repeat itself, above all on questions unlike the drills below.
- It has had no safety training beyond small talk about its own limits.
- Nothing it says is canned: every answer is generated from these weights."""

DRILLS = """\
The dialogues are made by rule from the sources: meanings, kinds, opposites and examples from WordNet; names of
countries, languages, currencies, days, months and emoji in English and French from CLDR; what modules and commands
do from their documentation; first paragraphs of help pages; small sums; spelling, counting and repeating;
finding one entry in a short list; who has what in a short story; greetings and questions about itself; and questions
outside of all this, answered with "I do not know"."""


def write_card(recipe: Recipe, measured: Measured) -> str:
    """Markdown from the recipe and the measurements; nothing is rounded up."""
    sections = [
        f"# {recipe.name}",
        introduce(recipe, measured),
        "## What it can't do",
        LIMITS,
        "## Figures",
        list_figures(recipe, measured),
        "## Long prompts",
        describe_length(recipe, measured),
        "## Data",
        list_sources(recipe, measured),
        DRILLS,
        "## Recipe",
        list_recipe(recipe, measured),
        "\n".join(f"- {remark}" for remark in recipe.remarks),
        "## Probes",
        "Greedy answers of these very weights, as they came, good or bad.",
        list_probes(measured),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def introduce(recipe: Recipe, measured: Measured) -> str:
    """What it is, in a sentence."""
    return (
        f"A Llama of {measured.parameters:,} parameters, trained from scratch by `primeur train pretrain`. "
        f"Weights under {recipe.licence}."
    )


def list_figures(recipe: Recipe, measured: Measured) -> str:
    """The numbers a reader asks for first."""
    trained = sum(measured.tokens_by_stage.values())
    rows = [
        ("parameters", f"{measured.parameters:,}"),
        ("vocabulary", f"{recipe.vocabulary.size:,} byte-level BPE tokens"),
        ("languages", ", ".join(recipe.languages)),
        ("tokens trained on", f"{trained:,} (one pass over the text is {measured.text_tokens:,})"),
        (
            "held-out perplexity",
            f"{measured.held_out_perplexity:.1f} per token of {measured.bytes_per_token:.2f} bytes",
        ),
        ("held-out bits per byte", f"{bits_per_byte(measured.held_out_loss, measured.bytes_per_token):.2f}"),
        ("answer loss", f"{measured.answer_loss:.3f} nats per token, on dialogues drawn anew from the same rules"),
        ("training time", f"{measured.seconds / 60:.0f} minutes on {measured.machine}"),
    ]
    return table(("figure", "value"), rows)


def describe_length(recipe: Recipe, measured: Measured) -> str:
    """How far it was trained to look, and what longer prompts do to it."""
    shape = recipe.shape
    words = (
        f"It was trained on windows of {shape.sequence} tokens; in {recipe.optimiser.skip_share:.0%} of them positions "
        f"jump, so that distances up to {shape.context:,} were seen. It accepts {shape.context:,} tokens, "
        f"but answers after long prompts are worse."
    )
    if not measured.by_position:
        return words
    rows = [(place, f"{value:.1f}") for place, value in measured.by_position.items()]
    return words + " Perplexity of held-out text read in one go:\n\n" + table(("positions", "perplexity"), rows)


def list_sources(recipe: Recipe, measured: Measured) -> str:
    """Every package read, its licence and whose work it is."""
    rows = [
        (
            source.package,
            source.language,
            source.licence,
            source.credit,
            f"{measured.text_bytes.get(f'{source.package}/{source.language}', 0) / 1e6:.1f}",
        )
        for source in recipe.sources
    ]
    names = ("unicode-cldr-core", "en, fr", "Unicode-DFS-2016", "Unicode, Inc. (names in dialogues)", "")
    return table(("Debian package", "language", "licence", "credit", "MB of prose"), [*rows, names])


def list_recipe(recipe: Recipe, measured: Measured) -> str:
    """What it takes to make these weights again."""
    stages = [(name, f"{tokens:,}") for name, tokens in measured.tokens_by_stage.items()]
    return f"Recipe digest (SHA-256): `{digest(recipe)}`. Dialogues made: {measured.dialogues:,}.\n\n" + table(
        ("stage", "tokens"), stages
    )


def list_probes(measured: Measured) -> str:
    """Questions and answers side by side."""
    return table(("asked", "answered"), measured.probes) if measured.probes else "None were recorded."


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table; bars and line ends inside cells are made harmless."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", "<br>") for cell in line) + " |" for line in lines
    )
