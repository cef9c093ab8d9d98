"""The simulated Azure OpenAI resource: finds the route, checks the key, admits, and says or breaks its answer."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec

from primeur.core.chat import OPENAI_PATHS, Route
from primeur.core.ports import Clock
from primeur.providers.sim_behaviour import Behaviour, Bucket, SimSettings, strikes
from primeur.providers.sim_bodies import DONE, stream_head, stream_tail, stream_tokens, whole_answer
from primeur.providers.sim_http import Connection, Request
from primeur.providers.sim_offers import OfferDesk
from primeur.providers.sim_wire import Plan, SimRefusal, make_plan, most_tokens, read_request

Sleep = Callable[[float], Awaitable[None]]
_ROUTES = {path: route for route, path in OPENAI_PATHS.items()}
_BAD_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
    "active subscription and use a correct regional API endpoint for your resource."
)
_NO_DEPLOYMENT = "The API deployment for this resource does not exist."
_THROTTLED = "The provisioned capacity of this deployment is used up. Please retry after {0} milliseconds."


class Counters(msgspec.Struct):
    """What the simulator did since it started.

    Attributes:
        cancelled: clients that hung up before their answer was whole.
        output_tokens: tokens of answers that were begun, whether or not they were read to their end.
    """

    requests: int = 0
    answered: int = 0
    throttled: int = 0
    refused: int = 0
    struck: int = 0
    cancelled: int = 0
    in_flight: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    utilisation: float = 0.0


@dataclass(slots=True)
class SimApp:
    """The resource: what it is told, what it did, and how it answers."""

    settings: SimSettings
    clock: Clock
    sleep: Sleep = asyncio.sleep
    shut: Callable[[float], None] = lambda _seconds: None
    behaviour: Behaviour = field(init=False)
    behaviour_until_us: int | None = field(init=False, default=None)
    counters: Counters = field(init=False, default_factory=Counters)
    bucket: Bucket = field(init=False, default_factory=Bucket)
    desk: OfferDesk = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the behaviour of the settings."""
        self.desk = OfferDesk(self.clock, self.settings.offer_secret, self.sleep)
        self.behave(self.settings.behaviour)

    def behave(self, behaviour: Behaviour) -> None:
        """Behave so from the next request on."""
        self.behaviour = behaviour
        lasts_s = behaviour.outage_s
        self.behaviour_until_us = None if lasts_s is None else self.clock.monotonic_us() + int(lasts_s * 1e6)
        if behaviour.outage == "refuse" and lasts_s is not None:
            self.shut(lasts_s)

    def behaves(self) -> Behaviour:
        """Tell the behaviour in force; an outage with a length ends by itself."""
        if self.behaviour_until_us is not None and self.clock.monotonic_us() >= self.behaviour_until_us:
            self.behaviour = msgspec.structs.replace(self.behaviour, outage="none", outage_s=None)
            self.behaviour_until_us = None
        return self.behaviour

    async def answer(self, request: Request, reply: Connection) -> None:
        """Answer one request."""
        try:
            if request.path == "/sim/offers" and request.method == "POST":
                # Who sends a notice has no key: its signature says who it is.
                self.desk.take(request.headers, request.body, self.behaves())
                reply.whole(200, b"{}")
                return
            self._check_key(request)
            if request.path.startswith("/sim/"):
                self._control(request, reply)
                return
            route, deployment = self._find(request)
            await self._serve(route, deployment, request, reply)
        except SimRefusal as refusal:
            self.counters.refused += 1
            reply.whole(refusal.status, refusal.body, _retry_headers(refusal.retry_after_ms))

    def _check_key(self, request: Request) -> None:
        if self.settings.key is None:
            return
        bearer = request.headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        given = request.headers.get(b"api-key") or bearer
        if not hmac.compare_digest(given, self.settings.key.encode()):
            raise SimRefusal(401, "401", _BAD_KEY)

    def _control(self, request: Request, reply: Connection) -> None:
        if request.path == "/sim/counters" and request.method == "GET":
            self.counters.utilisation = self.bucket.utilisation(self.behaves(), self.clock.monotonic_us())
            reply.whole(200, msgspec.json.encode(self.counters))
        elif request.path == "/sim/offers" and request.method == "GET":
            reply.whole(200, msgspec.json.encode({"data": list(self.desk.told)}))
        elif request.path == "/sim/behaviour" and request.method in {"GET", "PUT"}:
            if request.method == "PUT":
                self.behave(_read_behaviour(request.body))
            reply.whole(200, msgspec.json.encode(self.behaves()))
        else:
            raise SimRefusal(404, "404", "Resource not found")

    def _find(self, request: Request) -> tuple[Route, str | None]:
        if request.method != "POST":
            raise SimRefusal(404, "404", "Resource not found")
        if request.path.startswith("/openai/v1/"):
            route = _ROUTES.get(request.path.removeprefix("/openai/v1"))
            deployment = None
        else:
            deployment, _, rest = request.path.removeprefix("/openai/deployments/").partition("/")
            dated = request.path.startswith("/openai/deployments/") and "api-version" in request.query
            route = _ROUTES.get(f"/{rest}") if dated else None
        if route is None:
            raise SimRefusal(404, "404", "Resource not found")
        return route, deployment

    async def _serve(self, route: Route, deployment: str | None, request: Request, reply: Connection) -> None:
        behaviour = self.behaves()
        self.counters.requests += 1
        struck = strikes(self.counters.requests, behaviour.share)
        if struck and behaviour.outage != "none":
            await self._fail(behaviour, reply)
            return
        ask = read_request(route, request.body, deployment)
        if self.settings.deployments and ask.model not in self.settings.deployments:
            raise SimRefusal(404, "DeploymentNotFound", _NO_DEPLOYMENT)
        plan = make_plan(ask, behaviour, self.clock.now_ms() // 1000, self.settings.dimensions)
        most = most_tokens(ask)
        estimate = plan.input_tokens + (plan.output_tokens if most is None else most)
        self._admit(behaviour, estimate)
        self.counters.in_flight += 1
        self.counters.input_tokens += plan.input_tokens
        self.counters.output_tokens += plan.output_tokens
        try:
            await self._say(plan, behaviour if struck else msgspec.structs.replace(behaviour, fault="none"), reply)
            self.counters.answered += 1
        except asyncio.CancelledError:
            self.counters.cancelled += 1
            raise
        finally:
            self.counters.in_flight -= 1
            self.bucket.correct(plan.input_tokens + plan.output_tokens - estimate)

    def _admit(self, behaviour: Behaviour, tokens: int) -> None:
        wait_ms = self.bucket.admit(behaviour, tokens, self.clock.monotonic_us())
        if wait_ms:
            self.counters.throttled += 1
            raise SimRefusal(429, "429", _THROTTLED.format(wait_ms), retry_after_ms=wait_ms)

    async def _fail(self, behaviour: Behaviour, reply: Connection) -> None:
        self.counters.struck += 1
        if behaviour.outage == "unavailable":
            raise SimRefusal(503, "ServiceUnavailable", "The service is temporarily unable to process your request.")
        if behaviour.outage == "hang":
            await reply.hang()
        reply.reset()

    async def _say(self, plan: Plan, behaviour: Behaviour, reply: Connection) -> None:
        if behaviour.fault != "none":
            self.counters.struck += 1
        if behaviour.first_token_ms:
            await self.sleep(behaviour.first_token_ms / 1000)
        if plan.streams:
            await self._stream(plan, behaviour, reply)
            return
        if behaviour.tokens_per_s and plan.output_tokens:
            await self.sleep(plan.output_tokens / behaviour.tokens_per_s)
        _send_whole(whole_answer(plan), behaviour, reply)

    async def _stream(self, plan: Plan, behaviour: Behaviour, reply: Connection) -> None:
        promised = 1 << 20 if behaviour.fault == "wrong_length" else None
        reply.start_stream([(b"apim-request-id", plan.id.encode())], promised)
        if behaviour.fault == "none" and not behaviour.tokens_per_s:
            await reply.send(stream_head(plan) + b"".join(stream_tokens(plan)) + stream_tail(plan) + DONE)
            reply.end_stream()
            return
        chunked = promised is None
        await reply.send(stream_head(plan), chunked=chunked)
        for count, event in enumerate(stream_tokens(plan)):
            if behaviour.fault != "none" and count >= behaviour.fault_after_tokens:
                break
            await reply.send(event, chunked=chunked)
            if behaviour.tokens_per_s:
                await self.sleep(1 / behaviour.tokens_per_s)
        await _finish(plan, behaviour, reply)


def _read_behaviour(body: bytes) -> Behaviour:
    try:
        return msgspec.json.decode(body, type=Behaviour)
    except msgspec.MsgspecError as error:
        raise SimRefusal(400, "BadRequest", str(error)) from None


def _retry_headers(retry_after_ms: int | None) -> list[tuple[bytes, bytes]]:
    if retry_after_ms is None:
        return []
    return [(b"retry-after-ms", b"%d" % retry_after_ms), (b"retry-after", b"%d" % -(-retry_after_ms // 1000))]


def _send_whole(body: bytes, behaviour: Behaviour, reply: Connection) -> None:
    if behaviour.fault == "none":
        reply.whole(200, body)
    elif behaviour.fault == "bad_json":
        reply.whole(200, body[:-1] + b",,")
    elif behaviour.fault == "giant_event":
        reply.whole(200, body[:-1] + b',"padding":"' + b"x" * behaviour.giant_bytes + b'"}')
    else:
        reply.whole(200, body[: len(body) // 2], missing=len(body))
        reply.close()


async def _finish(plan: Plan, behaviour: Behaviour, reply: Connection) -> None:
    if behaviour.fault in {"cut", "wrong_length"}:
        # A chunked body without its last chunk, or fewer bytes than promised: the client must notice.
        reply.close()
        return
    if behaviour.fault == "bad_json":
        await reply.send(b'data: {"choices":[{"index":0,"delta":{"content":\n\n')
    if behaviour.fault == "giant_event":
        await reply.send(b'data: {"choices":[],"padding":"' + b"x" * behaviour.giant_bytes + b'"}\n\n')
    await reply.send(stream_tail(plan) + DONE)
    reply.end_stream()
