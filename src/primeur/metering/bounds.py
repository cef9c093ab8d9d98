"""The most that a request can cost, for what is held against a budget; pure.

No token is shorter than a byte, so a prompt never has more tokens than its JSON has bytes, but for what a chat template
adds and for pictures that are named by their address. An answer ends where its stated length says; where none is
stated, `output_cap` is written into what the target is sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from primeur.core.chat import Ask, Target
from primeur.core.fan import answers_of
from primeur.core.price import Price
from primeur.core.usage import Usage
from primeur.core.wire import ChatRequest, CompletionRequest, Sampling
from primeur.metering.rates import Steps, Used

OUTPUT_CAP = 4096
TEMPLATE_TOKENS = 512
TOOLS_TOKENS = 1024
PICTURE_TOKENS = 16_384


@dataclass(frozen=True, slots=True)
class UnitPrice(Price):
    """A price by units: what a request comes to, and at most can; time on a GPU, not known before, is in neither.

    Attributes:
        dearest: nanos of the dearest tier of ``input``, ``output``, ``image`` and ``request``.
        units: see `primeur.metering.rates.Rate`, but for time on a GPU.
    """

    dearest: tuple[int, int, int, int]
    units: Mapping[str, Steps]

    def cost(self, usage: Usage, pictures: int) -> int:
        """See `Price.cost`; where nothing was made, nothing is owed."""
        return Used.of_answer(usage, pictures).cost(self.units) if usage.total_tokens else 0

    def most(self, read: int, written: int, pictures: int) -> int:
        """See `Price.most`."""
        of_input, of_output, of_image, of_request = self.dearest
        return read * of_input + written * of_output + pictures * of_image + of_request


def worst_cost(ask: Ask, targets: Sequence[Target], price: Price | None) -> int | None:
    """Give the nanos that *ask* can cost at most; None is unknown, for want of a price."""
    if price is None:
        return None
    context = _context(targets)
    prompts, output = _prompts_and_answers(ask)
    room = _input_bound(ask)
    if context is not None:
        room = min(room, context * prompts)
    longest = _stated(ask)
    if longest is None:
        longest = OUTPUT_CAP if context is None else min(OUTPUT_CAP, context)
    elif context is not None:
        longest = min(longest, context)
    # Some engines make one token even where none is asked for.
    longest = max(longest, 1)
    return price.most(room, longest * output, _pictures(ask))


def output_cap(ask: Ask, targets: Sequence[Target]) -> int | None:
    """Give the length at which an answer must be cut so that it costs no more than `worst_cost`; None: it cannot."""
    if not isinstance(ask.fields, Sampling) or _stated(ask) is not None:
        return None
    context = _context(targets)
    return OUTPUT_CAP if context is None or context > OUTPUT_CAP else None


def _stated(ask: Ask) -> int | None:
    fields = ask.fields
    if not isinstance(fields, Sampling):
        return 0
    longer = fields.max_completion_tokens if isinstance(fields, ChatRequest) else None
    return longer if longer is not None else fields.max_tokens


def _context(targets: Sequence[Target]) -> int | None:
    """The longest context of those that may answer; None when one of them did not say."""
    contexts = [target.context_tokens for target in targets]
    return None if None in contexts else max((one for one in contexts if one is not None), default=None)


def _prompts_and_answers(ask: Ask) -> tuple[int, int]:
    """How often the prompt may be read, and how many answers may be made."""
    fields = ask.fields
    if not isinstance(fields, Sampling):
        given = fields.input
        return (len(given) if isinstance(given, list) else 1), 0
    answers = answers_of(fields)
    best_of = fields.best_of if isinstance(fields, CompletionRequest) else None
    return answers, max(answers, answers // (fields.n or 1) * (best_of or 1))


def _input_bound(ask: Ask) -> int:
    fields = ask.fields
    bound = len(ask.body) + TEMPLATE_TOKENS
    if isinstance(fields, ChatRequest):
        bound += PICTURE_TOKENS * _pictures(ask) + (TOOLS_TOKENS if fields.tools else 0)
    return bound


def _pictures(ask: Ask) -> int:
    """At most: a text may say so too."""
    return ask.body.count(b'"image_url"')
