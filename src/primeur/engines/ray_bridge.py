"""The child process of the ray engine: deploys the application, and passes requests from loopback to the cluster.

Run as ``python -m primeur.engines.ray_bridge PLAN`` by the engine host. A request that a lost node or replica has not
begun to answer is sent again; nothing is sent twice once a byte of its answer has left.
"""

import asyncio
import secrets
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

import httpx2
import msgspec
import ray
import uvloop
from ray import serve

from primeur.engines import ray_llm_app
from primeur.engines.child import Orders, fatal, read_orders, watch_owner
from primeur.engines.http_face import Face, Load, Refused, Request, Slow
from primeur.engines.ray_app import build
from primeur.engines.ray_plan import OwnEngine, RayPlan, ServeLlm

_TRIES = 5
_PAUSE_S = 0.2
_SILENCE_S = 300.0
_LOOK_S = 0.25
_MOST_CONNECTIONS = 1024
_MOST_ANSWER_BYTES = 64 << 20


@dataclass(slots=True)
class Cluster:
    """The application as the bridge sees it.

    Attributes:
        ready: it serves.
        fault: why it never will; empty while it may.
    """

    plan: RayPlan
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    ready: bool = False
    fault: str = ""

    def deploy(self, broken: Callable[[], object]) -> None:
        """Deploy, in place of what an earlier bridge has deployed; older plans of the same revision go.

        Args:
            broken: called when the cluster did not take it.
        """
        try:
            ray.init(
                address=self.plan.settings.address, namespace="primeur", log_to_driver=False, logging_level="error"
            )
            # Only a cluster without Serve gets these; otherwise `proxy` says where its own proxy answers.
            parts = urlsplit(self.plan.settings.proxy)
            serve.start(http_options={"host": parts.hostname, "port": parts.port or 80})
            for name in serve.status().applications:
                if name.startswith(self.plan.family) and name != self.plan.application:
                    serve.delete(name, _blocking=False)
            self._put_up(self.plan.application)
        except Exception as error:  # noqa: BLE001 (Ray raises its own kinds; all of them mean the same here)
            self.fault = f"the cluster did not take the application: {' '.join(str(error).split())[:500]}"
            broken()
        else:
            self.ready = True

    def _put_up(self, name: str) -> None:
        match self.plan.work:
            case OwnEngine() as own:
                serve.run(build(own, self.plan.settings, self.key), name=name, route_prefix=f"/{name}")
            case ServeLlm() as llm:
                ray.cloudpickle.register_pickle_by_value(ray_llm_app)
                task = ray.remote(num_cpus=0)(ray_llm_app.put_up)
                if why := ray.get(task.remote(llm.config, llm.doors, name, self.key)):
                    raise RuntimeError(why)

    def remove(self) -> None:
        """Take the application away."""
        if self.ready:
            serve.delete(self.plan.application)
        ray.shutdown()


@dataclass(frozen=True, slots=True)
class Bridge:
    """Answers the gateway's requests out of the cluster."""

    orders: Orders
    cluster: Cluster
    client: httpx2.AsyncClient

    def respond(self, request: Request) -> bytes | Slow:
        """Find what is asked for.

        Raises:
            Refused: not ready, or a wrong key.
        """
        if request.path == "/health":
            if not self.cluster.ready:
                raise Refused(503, "the cluster is starting the application")
            return b'{"status":"ok"}'
        if request.key != self.orders.key:
            raise Refused(401, "wrong key", "invalid_api_key")
        return _Crossing(self, request)


@dataclass(slots=True)
class _Crossing:
    """One request on its way to the cluster and back."""

    bridge: Bridge
    request: Request
    begun: bool = False

    async def play(self, face: Face) -> None:
        """Send it, again if nobody has begun to answer."""
        for left in reversed(range(_TRIES)):
            try:
                if await self._try(face, last=not left):
                    return
            except httpx2.TransportError as error:
                if self.begun:
                    face.hang_up()
                    return
                if not left:
                    raise Refused(502, f"the cluster does not answer: {error}", "cluster_lost") from None
            await asyncio.sleep(_PAUSE_S * (_TRIES - left))

    async def _try(self, face: Face, *, last: bool) -> bool:
        cluster, request = self.bridge.cluster, self.request
        headers = {"content-type": "application/json", "authorization": f"Bearer {cluster.key}"}
        path = f"/{cluster.plan.application}{request.path}"
        async with self.bridge.client.stream(request.method, path, content=request.body, headers=headers) as reply:
            if reply.status_code >= 500 and not last:
                return False
            if not reply.headers.get("content-type", "").startswith("text/event-stream"):
                body = await _whole(reply)
                face.write_whole(reply.status_code, body)
                return True
            async for piece in reply.aiter_bytes():
                if not self.begun:
                    self.begun = True
                    head = "content-type: text/event-stream\r\ntransfer-encoding: chunked"
                    await face.write(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode())
                if piece:
                    await face.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await face.write(b"0\r\n\r\n")
        return True


async def _whole(reply: httpx2.Response) -> bytes:
    body = bytearray()
    async for piece in reply.aiter_bytes():
        body += piece
        if len(body) > _MOST_ANSWER_BYTES:
            raise Refused(502, f"the cluster's answer is longer than {_MOST_ANSWER_BYTES} bytes", "answer_too_long")
    return bytes(body)


async def serve_bridge(orders: Orders, cluster: Cluster) -> None:
    """Serve until told to end, then finish what is under way."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(which, told.set)
    limits = httpx2.Limits(max_connections=_MOST_CONNECTIONS, max_keepalive_connections=_MOST_CONNECTIONS)
    timeout = httpx2.Timeout(_SILENCE_S, connect=5.0)
    async with httpx2.AsyncClient(
        base_url=cluster.plan.settings.proxy, timeout=timeout, limits=limits, trust_env=False
    ) as client:
        bridge, load = Bridge(orders, cluster, client), Load()
        await loop.create_server(lambda: Face(bridge.respond, load), "127.0.0.1", orders.port, backlog=2048)
        broken = partial(loop.call_soon_threadsafe, told.set)
        threading.Thread(target=cluster.deploy, args=(broken,), daemon=True, name="deploy").start()
        await told.wait()
        for _ in range(int(orders.grace_s / _LOOK_S)):
            if not load.busy:
                break
            await asyncio.sleep(_LOOK_S)


def main() -> None:
    """Deploy and serve until told to end."""
    orders = read_orders()
    watch_owner(orders)
    try:
        cluster = Cluster(msgspec.json.decode(sys.argv[1].encode(), type=RayPlan))
    except (IndexError, msgspec.DecodeError) as error:
        fatal(f"the bridge did not start: {error}")
    uvloop.run(serve_bridge(orders, cluster))
    if cluster.fault:
        fatal(cluster.fault)
    cluster.remove()


if __name__ == "__main__":
    main()
