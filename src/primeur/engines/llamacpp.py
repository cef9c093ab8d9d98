"""llama.cpp as an engine: any GGUF file, served by llama.cpp's own server in a child process (``xllamacpp``)."""

import sys
from pathlib import Path

import msgspec

from primeur.core.chat import Dialect, Route
from primeur.core.errors import SetupError
from primeur.core.gguf import GgufHead, read_gguf_file
from primeur.core.ports import EngineOrder, Launch
from primeur.engines.llamacpp_dialect import DIALECT
from primeur.engines.llamacpp_flags import llama_server_argv
from primeur.engines.llamacpp_settings import LlamaPlan, LlamaSettings, computed_bytes, plan_llama
from primeur.engines.llamacpp_text import SUFFIX_FEATURE
from primeur.engines.program import ProgramPlan
from primeur.engines.settings import check_program, convert_settings
from primeur.engines.weights import gguf_of


class LlamaCpp:
    """Plans llama.cpp servers; fits `primeur.core.ports.Engine`."""

    name = "llamacpp"
    dialect: Dialect = DIALECT

    def plan(self, order: EngineOrder) -> Launch:
        """Check weights and settings and say how to start; starts nothing.

        Raises:
            SetupError: unknown setting (named), bad value, missing, truncated or foreign weights.
        """
        _, head = gguf_of(order, self.name)
        settings = convert_settings("llamacpp", order.settings, LlamaSettings)
        adapters = sum(_check_adapter(adapter.path, head) for adapter in settings.lora)
        plan = plan_llama(settings, head, order)
        return Launch(
            argv=argv_of(plan, settings.server and check_program(order, self.name, "server", settings.server)),
            routes=frozenset({Route.EMBEDDINGS} if plan.embeddings else {Route.CHAT, Route.COMPLETIONS}),
            context_tokens=plan.context_tokens,
            features=features(plan, head),
            slots=plan.slots,
            memory_bytes=computed_bytes(settings, plan, head, adapters),
        )


def argv_of(plan: LlamaPlan, server: str | None) -> tuple[str, ...]:
    """Give the child process: our own build's, or *server* with the same plan as flags."""
    if server is None:
        return (sys.executable, "-m", "primeur.engines.llamacpp_server", msgspec.json.encode(plan).decode())
    program = ProgramPlan(llama_server_argv(plan, server), "LLAMA_API_KEY", "llamacpp:requests_")
    return (sys.executable, "-m", "primeur.engines.program", msgspec.json.encode(program).decode())


def features(plan: LlamaPlan, head: GgufHead) -> frozenset[str]:
    """What these weights can do beyond the route, see `primeur.core.chat.Target`."""
    if plan.embeddings:
        return frozenset()
    found = {"json_schema", "grammar"}
    template = plan.chat_template or head.chat_template or ""
    found |= {word for word in ("tools", "developer", "reasoning_effort") if word in template}
    if head.fim_tokens:
        found |= {"suffix", SUFFIX_FEATURE + " ".join(head.fim_tokens)}
    if plan.lora:
        found.add("lora")
    return frozenset(found)


def _check_adapter(path: str, head: GgufHead) -> int:
    """Give the adapter's size in bytes, if it goes with the weights."""
    adapter = read_gguf_file(Path(path))
    if adapter.kind != "adapter":
        raise SetupError(f"{path} is not a LoRA adapter but a {adapter.kind}; export one in GGUF form", param="lora")
    if adapter.architecture != head.architecture:
        raise SetupError(f"{path} was made for {adapter.architecture}, not for {head.architecture}", param="lora")
    return adapter.size_bytes


ENGINE = LlamaCpp()
