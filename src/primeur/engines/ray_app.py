"""What runs in the cluster: a replica starts its engine on the node it is on, and passes requests to it.

Loaded by Ray's workers, so it imports nothing that they lack: Ray, Starlette, httpx2 and the standard library.
"""

import asyncio
import contextlib
import fcntl
import hmac
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from primeur.engines.ray_plan import OwnEngine, RaySettings

_LOAD_S = 600.0
_LOOK_S = 0.1
_SILENCE_S = 300.0
_END_S = 30.0
_ORPHAN_S = 6.0
_MOST_CONNECTIONS = 1024


class Replica:
    """One engine process on one node."""

    async def __init__(  # type: ignore[misc]  # Serve awaits it
        self, argv: tuple[str, ...], environment: Mapping[str, str], health: str, key: str
    ) -> None:
        """Start the engine and wait until it is ready; *key*: what requests must carry."""
        self._key = key
        secret = secrets.token_urlsafe(32)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        # A replica that is killed cannot end its engine; the engine sees that nobody holds this lock any more.
        self._owner = tempfile.NamedTemporaryFile(prefix="primeur-")  # noqa: SIM115 (held for the replica's life)
        fcntl.flock(self._owner, fcntl.LOCK_EX)
        orders = {
            "PRIMEUR_ENGINE_PORT": str(port),
            "PRIMEUR_ENGINE_KEY": secret,
            "PRIMEUR_ENGINE_OWNER": self._owner.name,
            "PRIMEUR_ENGINE_ORPHAN_S": str(_ORPHAN_S),
        }
        # The interpreter of this node, not of the machine that planned.
        command = [sys.executable, *argv[1:]]
        self._engine = subprocess.Popen(command, env={**os.environ, **environment, **orders})  # noqa: ASYNC220, S603
        limits = httpx2.Limits(max_connections=_MOST_CONNECTIONS, max_keepalive_connections=_MOST_CONNECTIONS)
        self._client = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"authorization": f"Bearer {secret}"},
            timeout=httpx2.Timeout(_SILENCE_S, connect=5.0),
            limits=limits,
            trust_env=False,
        )
        await self._wait(health)

    async def _wait(self, health: str) -> None:
        for _ in range(int(_LOAD_S / _LOOK_S)):
            self.check_health()
            with contextlib.suppress(httpx2.TransportError):
                if (await self._client.get(health)).status_code == 200:
                    return
            await asyncio.sleep(_LOOK_S)
        message = f"the engine was not ready after {_LOAD_S:g} s"
        raise RuntimeError(message)

    def check_health(self) -> None:
        """Tell Serve that the engine is gone, so that the replica is replaced.

        Raises:
            RuntimeError: it has ended.
        """
        if self._engine.poll() is not None:
            message = f"the engine ended with status {self._engine.returncode}"
            raise RuntimeError(message)

    async def __call__(self, request: Request) -> Response:
        """Pass a request to the engine; the cluster's proxy is open to its network, so the key is asked for here."""
        said = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(said.encode(), self._key.encode()):
            return JSONResponse({"error": {"message": "wrong key", "code": "invalid_api_key"}}, 401)
        path = request.url.path.removeprefix(request.scope.get("root_path", ""))
        asked = self._client.build_request(
            request.method, path, content=await request.body(), headers={"content-type": "application/json"}
        )
        reply = await self._client.send(asked, stream=True)
        kept = {name: reply.headers[name] for name in ("content-type", "retry-after-ms") if name in reply.headers}
        return StreamingResponse(_pieces(reply), reply.status_code, headers=kept)

    async def __del__(self) -> None:
        """End the engine; what is under way has been drained by Serve."""
        self._engine.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._engine.wait, _END_S)
        self._engine.kill()


async def _pieces(reply: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in reply.aiter_raw():
            yield piece
    finally:
        await reply.aclose()


def build(own: OwnEngine, settings: RaySettings, key: str) -> Any:
    """Make the Serve application of an engine of ours; *key* is what its replicas ask for."""
    deployment = serve.deployment(
        Replica,
        name="engine",
        ray_actor_options={"num_cpus": settings.replica_cpus, "num_gpus": settings.replica_gpus},
        max_ongoing_requests=_MOST_CONNECTIONS,
        health_check_period_s=2,
        health_check_timeout_s=10,
        graceful_shutdown_timeout_s=settings.drain_s,
        autoscaling_config=settings.autoscaling(),
    )
    return deployment.bind(own.argv, dict(own.environment), own.health_path, key)
