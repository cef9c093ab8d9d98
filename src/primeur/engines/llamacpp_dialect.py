"""How llama.cpp's OpenAI face differs from OpenAI's own; bytes pass untouched where it does not."""

from primeur.core.chat import OPENAI_PATHS, Ask, Dialect, Target, Translation
from primeur.core.wire import ChatRequest, CompletionRequest
from primeur.engines import llamacpp_chat, llamacpp_text
from primeur.engines.llamacpp_checks import REFUSES, check

SAMPLERS = frozenset(
    (
        *("top_k", "min_p", "typical_p", "repeat_penalty", "repeat_last_n", "mirostat", "mirostat_tau", "mirostat_eta"),
        *("grammar", "ignore_eos", "cache_prompt", "lora", "chat_template_kwargs"),
    )
)


def translate(ask: Ask, target: Target) -> Translation | None:
    """Check an ask, and open a translation when its bytes cannot pass as they are.

    Raises:
        UnsupportedParameter, BadRequest: something that llama.cpp would ignore.
    """
    check(ask, target)
    fields = ask.fields
    if isinstance(fields, ChatRequest) and llamacpp_chat.needs_translation(fields, target):
        return llamacpp_chat.ChatTranslation(ask, fields, target)
    if isinstance(fields, CompletionRequest) and llamacpp_text.needs_translation(fields):
        return llamacpp_text.TextTranslation(ask, fields, target)
    return None


DIALECT = Dialect(
    name="llamacpp",
    paths=OPENAI_PATHS,
    refuses=REFUSES,
    accepts=SAMPLERS,
    reads_model=False,
    one_answer_each=True,
    # It answers 500 when a text whose vector is wanted is longer than the context.
    too_long=("is too large to process",),
    translate=translate,
)
