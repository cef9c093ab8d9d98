"""How well-known servers differ from OpenAI's own wire: a table, with the page each difference was read on.

A parameter that a server would ignore in silence is refused here by name, so that nobody is answered by less than was
asked for. A parameter that a server itself refuses with a clear error needs no entry.
"""

from collections.abc import Mapping

from primeur.core.chat import OPENAI_PATHS, Ask, Dialect, Route, Target
from primeur.core.errors import UnsupportedParameter
from primeur.core.wire import ChatRequest

_OTHER = "leave it out, or use a deployment on another server"


def _refuse(server: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names, f"{server} does not honour it; {_OTHER}")


def check_groq(ask: Ask, _target: Target) -> None:
    """Refuse the two things that Groq's table of parameters cannot say: several answers, and named speakers.

    Raises:
        UnsupportedParameter: ``n`` above 1, or a message with a name.
    """
    fields = ask.fields
    if not isinstance(fields, ChatRequest):
        return
    if fields.n is not None and fields.n > 1:
        raise UnsupportedParameter("n: Groq gives one answer a request; send several requests", param="n")
    for index, message in enumerate(fields.messages):
        if message.name is not None:
            where = f"messages[{index}].name"
            raise UnsupportedParameter(f"{where}: Groq does not know names; leave it out", param=where)


def check_open_server(ask: Ask, _target: Target) -> None:
    """Refuse what open servers would leave undone in silence, where it depends on the value.

    Raises:
        UnsupportedParameter: ``store`` is true, or ``modalities`` asks for more than text.
    """
    if isinstance(ask.fields, ChatRequest):
        if ask.fields.store:
            raise UnsupportedParameter("store: this server keeps no answers; leave it out", param="store")
        if set(ask.fields.modalities or ()) - {"text"}:
            raise UnsupportedParameter("modalities: this server answers in text; leave it out", param="modalities")


# Parts of OpenAI's service that change an answer. vLLM, llama.cpp and Ollama take unknown fields and do nothing.
_SERVICE = ("audio", "function_call", "functions", "moderation", "prediction", "verbosity", "web_search_options")

OPENAI = Dialect(name="openai", paths=OPENAI_PATHS)

# https://docs.vllm.ai/en/stable/serving/openai_compatible_server/: "suffix parameter is not supported"; the samplers
# are listed under "Extra parameters" of its completions and chat APIs.
VLLM = Dialect(
    name="vllm",
    paths=OPENAI_PATHS,
    refuses={Route.CHAT: _refuse("vLLM", *_SERVICE), Route.COMPLETIONS: _refuse("vLLM", "suffix")},
    accepts=frozenset({"top_k", "min_p", "repeat_penalty", "ignore_eos", "chat_template_kwargs"}),
    renames={"repeat_penalty": "repetition_penalty"},
    translate=check_open_server,
    # Measured on vLLM 0.32, which has no code for it.
    too_long=("maximum context length is",),
)

# https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md for the samplers; that ``echo`` and
# ``suffix`` are ignored in silence, and that plain completions give log-probabilities in the chat form, was measured.
LLAMACPP = Dialect(
    name="llamacpp",
    paths=OPENAI_PATHS,
    refuses={
        Route.CHAT: _refuse("llama.cpp's server", *_SERVICE),
        Route.COMPLETIONS: _refuse("llama.cpp's server", "suffix", "echo", "best_of", "logprobs"),
    },
    accepts=frozenset(
        {
            *("top_k", "min_p", "typical_p", "repeat_penalty", "repeat_last_n", "ignore_eos", "cache_prompt"),
            *("mirostat", "mirostat_tau", "mirostat_eta", "grammar", "lora", "chat_template_kwargs"),
        }
    ),
    translate=check_open_server,
)

# https://docs.ollama.com/api/openai-compatibility: the request fields without a tick, except `user`, which only labels.
OLLAMA = Dialect(
    name="ollama",
    paths=OPENAI_PATHS,
    refuses={
        Route.CHAT: _refuse("Ollama", *_SERVICE, "tool_choice", "logit_bias", "n"),
        Route.COMPLETIONS: _refuse("Ollama", "best_of", "echo", "logit_bias", "n"),
    },
    translate=check_open_server,
)

# https://docs.mistral.ai/api (ChatCompletionRequest): `random_seed` and `max_tokens`, no log-probabilities or bias.
# Unknown fields are refused, `stream_options` too; usage comes with the last chunk unasked (TabbyML/tabby#4082).
MISTRAL = Dialect(
    name="mistral",
    paths=OPENAI_PATHS,
    refuses={Route.CHAT: _refuse("Mistral", "logit_bias", "logprobs", "top_logprobs")},
    renames={"seed": "random_seed", "max_completion_tokens": "max_tokens"},
    streams_usage=False,
)

# https://console.groq.com/docs/openai, "Currently Unsupported OpenAI Features".
GROQ = Dialect(
    name="groq",
    paths=OPENAI_PATHS,
    refuses={Route.CHAT: _refuse("Groq", "logprobs", "top_logprobs", "logit_bias")},
    translate=check_groq,
)

SERVERS: Mapping[str, Dialect] = {dialect.name: dialect for dialect in (OPENAI, VLLM, LLAMACPP, OLLAMA, MISTRAL, GROQ)}

# What each server serves when a declaration does not say; Groq and Mistral have no plain completions.
SERVER_ROUTES: Mapping[str, frozenset[Route]] = {
    **dict.fromkeys(SERVERS, frozenset(Route)),
    "mistral": frozenset({Route.CHAT, Route.EMBEDDINGS}),
    "groq": frozenset({Route.CHAT}),
}
