"""OpenAI's inference routes: models, chat, completions, embeddings."""

from typing import Any

import msgspec

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Deployment, Route, Served
from primeur.core.ports import Standing
from primeur.core.wire import AnyRequest, ChatRequest, CompletionRequest, EmbeddingRequest
from primeur.core.wishes import read_sharing, take_wishes
from primeur.gateway.doors import MIB, Door
from primeur.gateway.lines import guarded, sunset
from primeur.gateway.problems import refusal_headers
from primeur.gateway.visit import Answer, Handler, Headers, Visit, decode, json_answer
from primeur.registry.routing import unknown_model
from primeur.walks.complete import Completion, complete

_INFERENCE_LIMIT = 32 * MIB


def make_ask(visit: Visit, route: Route, body: bytes, kind: type[AnyRequest]) -> Ask:
    """Check a body in OpenAI's wire form and make an ask of it.

    Raises:
        BadRequest: names the fault's path, or header and body ask for two things.
    """
    body, fields, sharing = take_wishes(body, decode(body, kind), sharing_header(visit))
    return Ask(
        id=visit.id,
        route=route,
        body=body,
        fields=fields,
        arrived_ms=visit.arrived_ms,
        arrived_us=visit.arrived_us,
        address=visit.address,
        sharing=sharing,
    )


def sharing_header(visit: Visit) -> str:
    """Give who may serve, as the header says it; raises as `read_sharing`."""
    return read_sharing(visit.headers.get(b"x-primeur-sharing", b"").decode("latin-1"))


def completion_headers(completion: Completion) -> Headers:
    """Who served, at what overhead, and how much is left."""
    headers = serving_headers(completion.served, completion.overhead_us, completion.standing)
    if completion.verdicts:
        headers.append((b"x-primeur-guard", guarded(completion.verdicts)))
    return headers


def serving_headers(served: Served, overhead_us: int, standing: Standing) -> Headers:
    """As `completion_headers`."""
    return [
        (b"x-primeur-deployment", served.deployment.encode()),
        (b"x-primeur-revision", served.target.revision_id.encode()),
        (b"x-primeur-provider", served.target.provider.encode()),
        *([] if served.target.ends_ms is None else [(b"sunset", sunset(served.target.ends_ms))]),
        (b"x-primeur-overhead-us", str(overhead_us).encode()),
        *_placed_headers(served),
        *_standing_headers(standing),
    ]


def _placed_headers(served: Served) -> Headers:
    """What the caller got, and why it is not the holder of the right."""
    placed = served.placed
    if placed is None:
        return []
    headers: Headers = [(b"x-primeur-right", placed.right_id.encode()), (b"x-primeur-sharing", placed.sharing.encode())]
    if placed.refusal is not None:
        headers += refusal_headers(placed.refusal, placed.evidence)
    return headers


def _standing_headers(standing: Standing) -> Headers:
    headers: Headers = []
    for what, limit, left, reset_ms in (
        (b"requests", standing.requests_limit, standing.requests_left, standing.requests_reset_ms),
        (b"tokens", standing.tokens_limit, standing.tokens_left, standing.tokens_reset_ms),
    ):
        if limit is not None:
            headers += [
                (b"x-ratelimit-limit-" + what, str(limit).encode()),
                (b"x-ratelimit-remaining-" + what, str(left).encode()),
                (b"x-ratelimit-reset-" + what, f"{reset_ms / 1000:g}s".encode()),
            ]
    return headers


def with_deployment(body: bytes, name: str | None) -> bytes:
    """Azure names the deployment in the path; the body's model, if any, does not count there.

    Raises:
        BadRequest: the body is not a JSON object.
    """
    if name is None:
        return body
    data = decode(body, dict[str, Any])
    return msgspec.json.encode({**data, "model": name})


async def _infer(visit: Visit, route: Route, kind: type[AnyRequest]) -> Answer:
    ask = make_ask(visit, route, with_deployment(visit.body, visit.params.get("deployment")), kind)
    completion = await complete(visit.house, visit.caller, ask)
    headers = completion_headers(completion)
    if completion.events is not None:
        return Answer(200, headers=headers, content_type=b"text/event-stream; charset=utf-8", stream=completion.events)
    return Answer(200, completion.body or b"", headers)


async def chat(visit: Visit) -> Answer:
    """``POST /v1/chat/completions``."""
    return await _infer(visit, Route.CHAT, ChatRequest)


async def completions(visit: Visit) -> Answer:
    """``POST /v1/completions``."""
    return await _infer(visit, Route.COMPLETIONS, CompletionRequest)


async def embeddings(visit: Visit) -> Answer:
    """``POST /v1/embeddings``."""
    return await _infer(visit, Route.EMBEDDINGS, EmbeddingRequest)


INFERENCE: dict[Handler, tuple[Route, type[AnyRequest]]] = {
    chat: (Route.CHAT, ChatRequest),
    completions: (Route.COMPLETIONS, CompletionRequest),
    embeddings: (Route.EMBEDDINGS, EmbeddingRequest),
}
"""What each of these doors asks a target for; the short way reads it (gateway/express.py)."""


def _seen_by(caller: Caller, deployments: dict[str, Deployment]) -> dict[str, Deployment]:
    allowed = caller.deployments
    return {name: found for name, found in deployments.items() if allowed is None or found.name in allowed}


def _model(name: str, deployment: Deployment) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": deployment.created_ms // 1000,
        "owned_by": deployment.targets[0].provider if deployment.targets else "primeur",
    }


async def list_models(visit: Visit) -> Answer:
    """``GET /v1/models``: what this key may name."""
    seen = _seen_by(visit.caller, dict(visit.house.board.now.deployments))
    return json_answer({"object": "list", "data": [_model(name, seen[name]) for name in sorted(seen)]})


async def get_model(visit: Visit) -> Answer:
    """``GET /v1/models/{model}``."""
    name = visit.params["model"]
    seen = _seen_by(visit.caller, dict(visit.house.board.now.deployments))
    if name not in seen:
        raise unknown_model(name)
    return json_answer(_model(name, seen[name]))


DOORS = (
    Door(
        "POST",
        "/v1/chat/completions",
        chat,
        "Answer a chat",
        permission="inference",
        meter="usage",
        body_limit=_INFERENCE_LIMIT,
        takes=ChatRequest,
    ),
    Door(
        "POST",
        "/v1/completions",
        completions,
        "Continue a text",
        permission="inference",
        meter="usage",
        body_limit=_INFERENCE_LIMIT,
        takes=CompletionRequest,
    ),
    Door(
        "POST",
        "/v1/embeddings",
        embeddings,
        "Turn texts into vectors",
        permission="inference",
        meter="usage",
        body_limit=_INFERENCE_LIMIT,
        takes=EmbeddingRequest,
    ),
    Door("GET", "/v1/models", list_models, "List what can be named as model", permission="inference"),
    Door("GET", "/v1/models/{model}", get_model, "Show one model", permission="inference"),
)
