"""What openvino, vllm and a foreign llama.cpp are started with, and what they refuse before anything is."""

import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

import primeur.weights
from primeur.core.chat import Ask, Endpoint, Route, Target
from primeur.core.errors import SetupError, UnsupportedParameter
from primeur.core.ports import Engine, EngineOrder, Launch
from primeur.core.wire import ChatRequest
from primeur.engines.llamacpp import ENGINE as LLAMACPP
from primeur.engines.openvino import ENGINE as OPENVINO
from primeur.engines.program import ProgramPlan
from primeur.engines.ray import ENGINE as RAY
from primeur.engines.ray_plan import RayPlan, ServeLlm
from primeur.engines.transformers import ENGINE as TRANSFORMERS
from primeur.engines.vllm import ENGINE as VLLM
from primeur.engines.vllm import translate
from primeur.engines.weights import folder_memory_bytes

STARTER = Path(primeur.weights.__file__).parent / "starter.gguf"
MINILM = STARTER.with_name("minilm.gguf")


def order(weights: Path | None, **settings: object) -> EngineOrder:
    """An order for a machine of four cores."""
    return EngineOrder("rev", "m", weights, settings, 4, 8 << 30, Path("/nowhere"), frozenset({sys.executable}))


def program(launch: Launch) -> ProgramPlan:
    """The program inside the warden's one argument."""
    return msgspec.json.decode(launch.argv[3].encode(), type=ProgramPlan)


def test_another_llama_server_gets_the_same_plan() -> None:
    """Threads, context and slots are flags, the key is not."""
    plan = program(LLAMACPP.plan(order(STARTER, server=sys.executable, slots=2, context_tokens=256)))
    words = dict(zip(plan.argv[1:], plan.argv[2:], strict=False))
    assert words["--ctx-size"] == "512"
    assert words["--parallel"] == "2"
    assert words["--threads"] == "3"
    assert words["--port"] == "{port}"
    assert "--api-key" not in plan.argv


def test_a_program_that_nobody_listed_is_refused() -> None:
    """Whoever may deploy may not run any program of the machine."""
    for path in ("llama-server", "/bin/sh"):
        with pytest.raises(SetupError, match="PRIMEUR_ENGINE_PROGRAMS"):
            LLAMACPP.plan(order(STARTER, server=path))


def folder(tmp_path: Path) -> Path:
    """A folder that looks like weights."""
    (tmp_path / "config.json").write_text("{}")
    return tmp_path


def test_vllm_is_told_everything_on_its_command_line(tmp_path: Path) -> None:
    """What was set is a flag or a variable; what was not is left to vLLM."""
    settings = {"python": sys.executable, "context_tokens": 2048, "cpu_cache_gib": 1, "eager": True}
    plan = program(VLLM.plan(order(folder(tmp_path), **settings)))
    assert plan.argv[:3] == (sys.executable, "-m", "vllm.entrypoints.openai.api_server")
    assert plan.argv[plan.argv.index("--max-model-len") + 1] == "2048"
    assert "--enforce-eager" in plan.argv
    assert "--max-num-seqs" not in plan.argv
    assert plan.environment["VLLM_CPU_KVCACHE_SPACE"] == "1"
    assert plan.environment["HF_HUB_OFFLINE"] == "1"


def test_vllm_needs_a_folder_and_an_interpreter(tmp_path: Path) -> None:
    """Both are named when they are missing."""
    with pytest.raises(SetupError, match="safetensors folder"):
        VLLM.plan(order(STARTER, python=sys.executable))
    with pytest.raises(SetupError, match="PRIMEUR_ENGINE_PROGRAMS"):
        VLLM.plan(order(folder(tmp_path), python="python3"))


@pytest.mark.parametrize("engine", [LLAMACPP, TRANSFORMERS], ids=lambda engine: engine.name)
def test_another_form_of_weights_is_told_with_who_runs_it(engine: Engine, tmp_path: Path) -> None:
    """A folder for llama.cpp, a file for transformers: by the model's name, not by where the store keeps it."""
    wrong = folder(tmp_path) if engine is LLAMACPP else STARTER
    with pytest.raises(SetupError, match=r"and m is .*; take the engine (transformers or vllm|llamacpp)"):
        engine.plan(order(wrong))


def test_openvino_refuses_what_it_cannot_read() -> None:
    """Weights of vectors, an unknown setting and too long a context, each in one line."""
    pytest.importorskip("openvino_genai")
    with pytest.raises(SetupError, match="bert"):
        OPENVINO.plan(order(MINILM))
    with pytest.raises(SetupError, match="no setting 'lora'"):
        OPENVINO.plan(order(STARTER, lora=[]))
    with pytest.raises(SetupError, match="was made for"):
        OPENVINO.plan(order(STARTER, context_tokens=1 << 20))
    assert OPENVINO.plan(order(STARTER)).context_tokens <= 4096


def test_ray_plans_with_the_inner_engine() -> None:
    """What the inner engine refuses is refused; every difference makes another application."""
    pytest.importorskip("ray")
    first = RAY.plan(order(STARTER, engine_settings={"context_tokens": 256}, max_replicas=3))
    other = RAY.plan(order(STARTER, engine_settings={"context_tokens": 512}, max_replicas=3))
    assert first.context_tokens == 256
    assert first.argv != other.argv
    with pytest.raises(SetupError, match="no setting 'speed'"):
        RAY.plan(order(STARTER, engine_settings={"speed": 1}))
    with pytest.raises(SetupError, match="above 'max_replicas'"):
        RAY.plan(order(STARTER, min_replicas=2))
    with pytest.raises(SetupError, match="a replica runs"):
        RAY.plan(order(STARTER, engine="ray"))


def test_ray_leaves_vllm_to_ray_serve_llm(tmp_path: Path) -> None:
    """Settings of vLLM become its arguments, what a replica needs is shared out, and the face is vLLM's."""
    pytest.importorskip("ray")
    inner = {"context_tokens": 512, "tensor_parallel": 2, "cpu_cache_gib": 1, "tool_parser": "hermes"}
    far = {"engine": "vllm", "engine_settings": inner, "replica_cpus": 3, "replica_gpus": 2, "max_replicas": 5}
    launch = RAY.plan(order(folder(tmp_path), **far))
    work = msgspec.json.decode(launch.argv[3].encode(), type=RayPlan).work
    assert isinstance(work, ServeLlm)
    assert work.doors == 2
    assert work.config["model_loading_config"] == {"model_id": "m", "model_source": str(tmp_path)}
    assert work.config["placement_group_config"] == {"bundles": [{"CPU": 1.5, "GPU": 1.0}] * 2}
    assert work.config["engine_kwargs"]["max_model_len"] == 512
    assert work.config["engine_kwargs"]["enable_auto_tool_choice"]
    assert work.config["runtime_env"]["env_vars"]["VLLM_CPU_KVCACHE_SPACE"] == "1"
    assert work.config["deployment_config"]["autoscaling_config"]["max_replicas"] == 5
    assert (launch.dialect, launch.replicates, "tools" in launch.features) == (VLLM.dialect, True, True)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"engine_settings": {"python": "/usr/bin/python3"}}, "leave 'python' out"),
        ({"engine_settings": {"speed": 1}}, "no setting 'speed'"),
        ({"engine_settings": {"tensor_parallel": 2}, "replica_gpus": 3}, "cannot be shared"),
    ],
)
def test_what_ray_serve_llm_could_not_do_is_refused(tmp_path: Path, said: dict[str, object], words: str) -> None:
    """By name, before anything runs; weights must be a folder."""
    pytest.importorskip("ray")
    with pytest.raises(SetupError, match=words):
        RAY.plan(order(folder(tmp_path), engine="vllm", **said))
    with pytest.raises(SetupError, match="safetensors folder"):
        RAY.plan(order(STARTER, engine="vllm"))


@pytest.mark.parametrize("choice", [None, "auto", "required", {"type": "function", "function": {"name": "paint"}}])
def test_vllm_has_tools_with_a_parser_alone(choice: object) -> None:
    """However they are chosen: without one, vLLM itself refuses all but ``none``."""
    tools = [{"type": "function", "function": {"name": "paint"}}]
    said = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "tools": tools, "tool_choice": choice}
    bare = Target("rev", "vllm", Endpoint("http", "127.0.0.1", 1), VLLM.dialect, "m", frozenset({Route.CHAT}))
    with pytest.raises(UnsupportedParameter, match="tool_parser"):
        translate(chat(said), bare)
    assert translate(chat(said), replace(bare, features=frozenset({"tools"}))) is None
    assert translate(chat(said | {"tool_choice": "none"}), bare) is None


def chat(said: dict[str, object]) -> Ask:
    """A request for a chat."""
    body = msgspec.json.encode(said)
    return Ask("req_1", Route.CHAT, body, msgspec.json.decode(body, type=ChatRequest), 0, 0)


def test_engines_compute_weights_and_cache_from_the_heads(tmp_path: Path) -> None:
    """The starter keeps 1,024 numbers a token, in two bytes each; a GPU's memory is not this machine's."""
    size = STARTER.stat().st_size
    wide = LLAMACPP.plan(order(STARTER, context_tokens=512, slots=4))
    assert wide.memory_bytes == size + 4 * 512 * 1024 * 2
    assert LLAMACPP.plan(order(MINILM)).memory_bytes == MINILM.stat().st_size
    (tmp_path / "model.safetensors").write_bytes(bytes(1000))
    config = {"num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 64}
    assert folder_memory_bytes(tmp_path, config | {"dtype": "bfloat16"}, "auto", 10) == 1000 + 10 * 2 * 2 * 2 * 16 * 2
    assert folder_memory_bytes(tmp_path, config | {"torch_dtype": "bfloat16"}, "float32", 0) == 2000
    cpu = VLLM.plan(order(folder(tmp_path), python=sys.executable, cpu_cache_gib=1))
    assert cpu.memory_bytes == 1000 + (1 << 30)
    assert VLLM.plan(order(folder(tmp_path), python=sys.executable)).memory_bytes is None


def test_a_launch_is_named_by_all_that_is_started() -> None:
    """Another slot, another cache or another thread is another launch."""
    ways = [{}, {"slots": 2}, {"cache_type": "q8_0"}, {"threads": 7}, {"context_tokens": 512}]
    assert len({LLAMACPP.plan(order(STARTER, **settings)).digest for settings in ways}) == len(ways)
    assert LLAMACPP.plan(order(STARTER)).digest == LLAMACPP.plan(order(STARTER)).digest
