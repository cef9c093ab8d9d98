"""OpenVINO as an engine: the same GGUF files, faster prompts and more streams at once on x86 processors.

Needs the extra ``primeur[openvino]``. What it reads: F16, Q8_0 and Q4_0 files with a byte-level BPE vocabulary, of the
architectures that openvino-genai builds from GGUF.
"""

import sys
from importlib.util import find_spec
from typing import Annotated

import msgspec

from primeur.core.chat import OPENAI_PATHS, Ask, Dialect, Route, Target, Translation
from primeur.core.errors import SetupError
from primeur.core.gguf import GgufHead
from primeur.core.ports import EngineOrder, Launch
from primeur.engines import llamacpp_dialect
from primeur.engines.settings import convert_settings
from primeur.engines.token_checks import TOKEN_REFUSES, check
from primeur.engines.weights import gguf_of

DEFAULT_CONTEXT_TOKENS = 4096
# On processors the pipeline keeps its cache in 8 bits; it begins small and grows, to one full context at least.
_CACHE_ELEMENT_BYTES = 1
_QUANTISATIONS = frozenset({"F16", "Q8_0", "Q4_0"})
_ARCHITECTURES = frozenset({"llama", "qwen2", "qwen3"})


class OpenVinoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a revision may set.

    Attributes:
        threads: processor threads; all cores but one by default.
        context_tokens: prompt and answer of one request together; by default the model's own, at most 4096.
        slots: requests worked on at the same time; more wait in line.
        batch_tokens: prompt tokens worked on in one step.
    """

    threads: Annotated[int, msgspec.Meta(ge=1, le=1024)] | None = None
    context_tokens: Annotated[int, msgspec.Meta(ge=64, le=1 << 24)] | None = None
    slots: Annotated[int, msgspec.Meta(ge=1, le=256)] = 32
    batch_tokens: Annotated[int, msgspec.Meta(ge=16, le=1 << 16)] = 512


class OpenVinoPlan(msgspec.Struct, frozen=True):
    """Everything the child process needs to know, decided; travels as its one JSON argument."""

    model: str
    weights: str
    threads: int
    context_tokens: int
    slots: int
    batch_tokens: int


def translate(ask: Ask, target: Target) -> Translation | None:
    """Check an ask, then read it as for llama.cpp, whose flavour of the wire the process speaks.

    Raises:
        UnsupportedParameter, BadRequest: something that the engine would ignore.
    """
    check(ask, "openvino")
    return llamacpp_dialect.translate(ask, target)


class OpenVino:
    """Plans OpenVINO servers; fits `primeur.core.ports.Engine`."""

    name = "openvino"
    dialect = Dialect(
        name="openvino",
        paths=OPENAI_PATHS,
        refuses=TOKEN_REFUSES,
        accepts=frozenset({"top_k", "min_p", "repeat_penalty", "ignore_eos", "chat_template_kwargs"}),
        reads_model=False,
        one_answer_each=True,
        translate=translate,
    )

    def plan(self, order: EngineOrder) -> Launch:
        """Check weights and settings and say how to start; starts nothing.

        Raises:
            SetupError: the extra is not installed, unknown setting (named), weights that it cannot read.
        """
        if find_spec("openvino_genai") is None:
            raise SetupError(
                "the engine openvino needs openvino-genai; install it with: pip install 'primeur[openvino]'"
            )
        weights, head = gguf_of(order, self.name)
        settings = convert_settings("openvino", order.settings, OpenVinoSettings)
        _check_weights(head, order.model)
        plan = OpenVinoPlan(
            model=order.model,
            weights=str(weights),
            threads=settings.threads or max(1, order.cores - 1),
            context_tokens=_context(settings, head, order.model),
            slots=settings.slots,
            batch_tokens=settings.batch_tokens,
        )
        return Launch(
            argv=(sys.executable, "-m", "primeur.engines.openvino_server", msgspec.json.encode(plan).decode()),
            routes=frozenset({Route.CHAT, Route.COMPLETIONS}),
            # Its telemetry asks for consent and would send; a service that runs by itself sends nothing.
            environment={"OPENVINO_TELEMETRY_CONSENT": "0"},
            context_tokens=plan.context_tokens,
            features=_features(head),
            slots=settings.slots,
            memory_bytes=head.size_bytes + plan.context_tokens * head.cache_elements_per_token * _CACHE_ELEMENT_BYTES,
        )


def _check_weights(head: GgufHead, weights: str) -> None:
    if head.kind == "adapter":
        raise SetupError(
            f"{weights} is a LoRA adapter, which openvino ignores on GGUF weights; merge it, or use llamacpp"
        )
    if head.architecture not in _ARCHITECTURES:
        known = ", ".join(sorted(_ARCHITECTURES))
        raise SetupError(f"{weights} is a {head.architecture}; openvino reads {known}; use llamacpp")
    if head.quantisation not in _QUANTISATIONS:
        known = ", ".join(sorted(_QUANTISATIONS))
        raise SetupError(f"{weights} is {head.quantisation}; openvino reads {known}; use llamacpp")
    if head.metadata.get("tokenizer.ggml.model") != "gpt2":
        raise SetupError(f"{weights} has no byte-level BPE vocabulary, which openvino needs; use llamacpp")


def _context(settings: OpenVinoSettings, head: GgufHead, weights: str) -> int:
    trained = head.context_tokens
    if settings.context_tokens and trained and settings.context_tokens > trained:
        raise SetupError(
            f"openvino setting 'context_tokens' is {settings.context_tokens} and {weights} was made for {trained};"
            " set it to that or less",
            param="context_tokens",
        )
    return settings.context_tokens or min(trained or DEFAULT_CONTEXT_TOKENS, DEFAULT_CONTEXT_TOKENS)


def _features(head: GgufHead) -> frozenset[str]:
    found = {"json_schema"}
    if head.chat_template and "developer" in head.chat_template:
        found.add("developer")
    return frozenset(found)


ENGINE = OpenVino()
