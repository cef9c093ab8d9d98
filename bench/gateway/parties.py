"""Whoever is measured: how each is started, reached and ended; the mock upstream, nginx and what they share."""

import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.gateway.measure import end, family, wait_until

UPSTREAM_MODEL = "bench-upstream"
MODEL = "bench"


@dataclass
class Party:
    """One gateway, or the upstream itself.

    Attributes:
        version: as it tells it itself.
        setup: in which state it is measured, in words: what is on, what is off.
        path, headers, model: how it wants to be asked.
        process: started by us; None when it is another party's.
        pids_fixed: the processes that count; the whole family of *process* when empty.
    """

    name: str
    version: str
    setup: str
    port: int
    path: str = "/v1/chat/completions"
    headers: Mapping[str, str] = field(default_factory=dict)
    model: str = MODEL
    process: subprocess.Popen[bytes] | None = None
    upstream_ports: tuple[int, ...] = ()

    @property
    def pids(self) -> list[int]:
        """The processes whose processor time and memory count."""
        return family(self.process.pid) if self.process else []

    def stop(self) -> None:
        """End it."""
        end(self.process)


class Mock:
    """The mock upstream, on as many ports as there are parties and targets."""

    def __init__(self, ports: list[int]) -> None:
        """Start it."""
        command = [sys.executable, "-m", "bench.gateway.mock", *map(str, ports)]
        self.ports = ports
        self.process = subprocess.Popen(command)
        wait_until(lambda: is_open(ports[-1]), "the mock upstream starts")

    def control(self, words: str) -> str:
        """Steer it; see `bench.gateway.mock`."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[0]}/control/{words}") as answer:
            return answer.read().decode()

    def party(self) -> Party:
        """The upstream asked directly."""
        version = f"Python {sys.version.split()[0]}"
        return Party("direct", version, "the mock upstream itself", self.ports[0], model=UPSTREAM_MODEL)

    def stop(self) -> None:
        """End it."""
        end(self.process)


_NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 20000; }}
http {{
  access_log off; client_body_buffer_size 64k; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 1000000000;
  upstream mock {{ server 127.0.0.1:{upstream}; keepalive 2048; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
}}
"""


def start_nginx(folder: Path, upstream: int) -> Party:
    """A plain reverse proxy, one worker, connections kept on both sides: the ceiling."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, upstream=upstream), "utf-8")
    told = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
    wait_until(lambda: is_open(port), "nginx starts")
    version = re.sub(r".*nginx/", "", told).strip()
    return Party("nginx", version, "plain reverse proxy, 1 worker", port, model=UPSTREAM_MODEL, process=process)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
