"""Other gateways, each installed as its users install it, in a folder of its own under ``.cache/bench``.

What a peer is spared is said in `Party.setup`: none of them writes a usage record here, Primeur does.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench.gateway.measure import wait_until
from bench.gateway.parties import MODEL, UPSTREAM_MODEL, Party, free_port, is_open

LITELLM = "litellm[proxy]==1.100.0"
TENSORZERO = "tensorzero==2026.6.0"
PORTKEY = "@portkey-ai/gateway@1.15.2"

_LITELLM = """
model_list:
{models}
litellm_settings: {{ request_timeout: 60, telemetry: false }}
general_settings: {{ master_key: sk-bench }}
router_settings: {{ routing_strategy: simple-shuffle }}
"""
_LITELLM_MODEL = """  - model_name: {model}
    litellm_params: {{ model: openai/{upstream}, api_base: "http://127.0.0.1:{port}/v1", api_key: sk-none }}
"""
_TENSORZERO = """
[gateway]
observability.enabled = false
[models.{model}]
routing = [{names}]
{providers}
"""
_TENSORZERO_PROVIDER = """[models.{model}.providers.p{port}]
type = "openai"
model_name = "{upstream}"
api_base = "http://127.0.0.1:{port}/v1/"
api_key_location = "none"
"""
# TensorZero's gateway comes as a container; its Python package carries the same gateway, served on a port of its own.
_TENSORZERO_RUN = """
import sys, threading, openai, tensorzero
client = openai.OpenAI(api_key="none")
tensorzero.patch_openai_client(client, config_file=sys.argv[1], async_setup=False)
print(client.base_url, flush=True)
threading.Event().wait()
"""


def start_litellm(folder: Path, ports: tuple[int, ...]) -> Party:
    """One worker, master key, three targets; no database, so no virtual keys, limits or spend log."""
    python = _venv(folder, [LITELLM])
    models = "".join(_LITELLM_MODEL.format(model=MODEL, upstream=UPSTREAM_MODEL, port=port) for port in ports)
    (folder / "config.yaml").write_text(_LITELLM.format(models=models), "utf-8")
    port = free_port()
    command = [str(python.with_name("litellm")), "--config", str(folder / "config.yaml"), "--port", str(port)]
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    process = _start([*command, "--host", "127.0.0.1", "--num_workers", "1"], folder, environment)
    _wait(process, port, "LiteLLM")
    headers = {"authorization": "Bearer sk-bench"}
    setup = "1 worker, master key, 3 targets; no database: no limits, no usage record"
    return Party("LiteLLM", _version(python, "litellm"), setup, port, headers=headers, process=process)


def start_portkey(folder: Path, ports: tuple[int, ...]) -> Party:
    """The open-source gateway: no keys, no limits, no usage record; one target, named by headers."""
    package = folder / "node_modules" / "@portkey-ai" / "gateway"
    if not package.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PORTKEY]
        subprocess.run(install, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    port = free_port()
    command = ["node", str(package / "build" / "start-server.js"), "--headless", f"--port={port}"]
    process = _start(command, folder, {**os.environ, "NODE_ENV": "production"})
    _wait(process, port, "Portkey")
    headers = {
        "authorization": "Bearer none",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"http://127.0.0.1:{ports[0]}/v1",
    }
    version = json.loads((package / "package.json").read_bytes())["version"]
    setup = "1 process, 1 target; no keys, no limits, no usage record"
    return Party(
        "Portkey", version, setup, port, headers=headers, model=UPSTREAM_MODEL, process=process, upstream_ports=ports
    )


def start_tensorzero(folder: Path, ports: tuple[int, ...]) -> Party:
    """The gateway inside its Python package, observability off: no usage record, no limits."""
    python = _venv(folder, [TENSORZERO, "openai"])
    providers = "".join(_TENSORZERO_PROVIDER.format(model=MODEL, upstream=UPSTREAM_MODEL, port=port) for port in ports)
    names = ", ".join(f'"p{port}"' for port in ports)
    config = _TENSORZERO.format(model=MODEL, names=names, providers=providers)
    (folder / "tensorzero.toml").write_text(config, "utf-8")
    out = folder / "out.log"
    process = _start([str(python), "-c", _TENSORZERO_RUN, str(folder / "tensorzero.toml")], folder, dict(os.environ))
    wait_until(lambda: process.poll() is not None or b"http://" in out.read_bytes(), "TensorZero starts")
    said = [line for line in out.read_text("utf-8").splitlines() if line.startswith("http://")]
    if not said:
        raise RuntimeError(f"TensorZero ended by itself; see {out}")
    port, _, path = said[0].partition("//")[2].partition(":")[2].partition("/")
    return Party(
        "TensorZero",
        _version(python, "tensorzero"),
        "1 process, 3 targets; no keys, no limits, no usage record",
        int(port),
        path=f"/{path.strip('/')}/chat/completions",
        model=f"tensorzero::model_name::{MODEL}",
        process=process,
    )


PEERS: dict[str, Callable[[Path, tuple[int, ...]], Party]] = {
    "tensorzero": start_tensorzero,
    "portkey": start_portkey,
    "litellm": start_litellm,
}


def _venv(folder: Path, packages: list[str]) -> Path:
    python = folder / "bin" / "python"
    if not (folder / ".installed").is_file():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "-q", "--only-binary", ":all:", *packages]
        subprocess.run(install, check=True)
        (folder / ".installed").touch()
    return python


def _start(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    out = (folder / "out.log").open("wb")
    with out:
        return subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=folder)


def _wait(process: subprocess.Popen[bytes], port: int, name: str) -> None:
    wait_until(lambda: process.poll() is not None or is_open(port), f"{name} starts")
    if process.poll() is not None:
        raise RuntimeError(f"{name} ended by itself with status {process.returncode}")


def _version(python: Path, package: str) -> str:
    ask = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
