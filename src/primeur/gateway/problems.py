"""From words to status codes and error bodies, in the form each face's official clients understand.

Sources: OpenAI API reference, "Error codes"; Azure OpenAI REST reference, "Error response"; Anthropic API, "Errors".
"""

import math
from typing import Any

import msgspec

from primeur.core import errors
from primeur.gateway.visit import Answer, Face, Headers

# The first match counts: narrower words stand before wider ones.
_STATUS: tuple[tuple[type[errors.PrimeurError], int, str], ...] = (
    (errors.TooLarge, 413, "invalid_request_error"),
    (errors.BadRequest, 400, "invalid_request_error"),
    (errors.NotAuthenticated, 401, "invalid_request_error"),
    (errors.NotPermitted, 403, "invalid_request_error"),
    (errors.NotFound, 404, "invalid_request_error"),
    (errors.WrongMethod, 405, "invalid_request_error"),
    (errors.Conflict, 409, "invalid_request_error"),
    (errors.OverLimit, 429, "requests"),
    (errors.SetupError, 400, "invalid_request_error"),
    (errors.TargetBusy, 429, "requests"),
    (errors.TargetTimedOut, 504, "server_error"),
    (errors.TargetFailed, 502, "server_error"),
    (errors.NotReady, 503, "server_error"),
)

_AZURE_CODES = {401: "401", 403: "403", 429: "429", 404: "404", 413: "413"}

_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}


def status_of(error: errors.PrimeurError) -> int:
    """The status that makes the official clients raise the right class."""
    return next((status for kind, status, _ in _STATUS if isinstance(error, kind)), 500)


def problem(error: errors.PrimeurError, face: Face) -> Answer:
    """Write *error* for the clients of *face*."""
    status = status_of(error)
    body = {"azure": _azure, "anthropic": _anthropic}.get(face, _openai)(error, status)
    return Answer(status, msgspec.json.encode(body), _headers(error))


def _openai(error: errors.PrimeurError, status: int) -> dict[str, Any]:
    kind = next((kind for word, _, kind in _STATUS if isinstance(error, word)), "server_error")
    if isinstance(error, errors.OverLimit) and "token" in error.code:
        kind = "tokens"
    code = "rate_limit_exceeded" if status == 429 else error.code
    return {"error": {"message": error.message, "type": kind, "param": error.param, "code": code}}


def _azure(error: errors.PrimeurError, status: int) -> dict[str, Any]:
    code = "DeploymentNotFound" if isinstance(error, errors.UnknownModel) else _AZURE_CODES.get(status, error.code)
    fault: dict[str, Any] = {"code": code, "message": error.message}
    if status == 400:
        fault |= {"type": "invalid_request_error", "param": error.param}
    return {"error": fault}


def _anthropic(error: errors.PrimeurError, status: int) -> dict[str, Any]:
    return {"type": "error", "error": {"type": _ANTHROPIC_TYPES.get(status, "api_error"), "message": error.message}}


def _headers(error: errors.PrimeurError) -> Headers:
    if isinstance(error, errors.OverLimit | errors.TargetBusy):
        wait_ms = error.retry_after_ms
        return [
            (b"retry-after-ms", str(wait_ms).encode()),
            (b"retry-after", str(math.ceil(wait_ms / 1000)).encode()),
        ]
    if isinstance(error, errors.WrongMethod):
        return [(b"allow", ", ".join(error.allowed).encode())]
    if isinstance(error, errors.NotAuthenticated):
        return [(b"www-authenticate", b'Bearer realm="primeur"')]
    return []
