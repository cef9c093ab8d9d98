"""From words to status codes and error bodies, in the form each face's official clients understand.

Sources: OpenAI API reference, "Error codes"; Azure OpenAI REST reference, "Error response"; Anthropic API, "Errors".
"""

import math
from typing import Any

import msgspec

from primeur.core import errors
from primeur.core.statuses import kind_of, status_of
from primeur.gateway.visit import Answer, Face, Headers

_SCIM_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
_SCIM_TYPES = {"invalidFilter", "invalidSyntax", "invalidValue", "invalidPath", "noTarget", "mutability"}
_AZURE_CODES = {401: "401", 403: "403", 429: "429", 404: "404", 413: "413"}

_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "invalid_request_error",
    410: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}


def problem(error: errors.PrimeurError, face: Face) -> Answer:
    """Write *error* for the clients of *face*."""
    status = status_of(error)
    body = {"azure": _azure, "anthropic": _anthropic, "scim": _scim}.get(face, _openai)(error, status)
    kind = b"application/scim+json" if face == "scim" else b"application/json"
    return Answer(status, msgspec.json.encode(body), _headers(error), content_type=kind)


def _openai(error: errors.PrimeurError, status: int) -> dict[str, Any]:
    kind = kind_of(error)
    if isinstance(error, errors.OverLimit) and "token" in error.code:
        kind = "tokens"
    if isinstance(error, errors.OverBudget):
        kind = error.code
    code = "rate_limit_exceeded" if status == 429 and kind != error.code else error.code
    return {"error": {"message": error.message, "type": kind, "param": error.param, "code": code}}


def _azure(error: errors.PrimeurError, status: int) -> dict[str, Any]:
    code = "DeploymentNotFound" if isinstance(error, errors.UnknownModel) else _AZURE_CODES.get(status, error.code)
    fault: dict[str, Any] = {"code": code, "message": error.message}
    if status == 400:
        fault |= {"type": "invalid_request_error", "param": error.param}
    return {"error": fault}


def _anthropic(error: errors.PrimeurError, status: int) -> dict[str, Any]:
    return {"type": "error", "error": {"type": _ANTHROPIC_TYPES.get(status, "api_error"), "message": error.message}}


def refusal_headers(reason: str, evidence: str) -> Headers:
    """Why the holder of a right does not serve, and what was measured."""
    # Evidence may name a provider; only visible ASCII can stand in a header.
    plain = evidence.encode("ascii", "replace")
    return [(b"x-primeur-refusal", reason.encode()), (b"x-primeur-refusal-evidence", plain)]


def _scim(error: errors.PrimeurError, status: int) -> dict[str, Any]:
    """Source: RFC 7644, 3.12."""
    kind = {"scimType": "uniqueness"} if error.code == "uniqueness" else {}
    if status == 400 and error.code in _SCIM_TYPES:
        kind = {"scimType": error.code}
    kind |= {"invalid_json": {"scimType": "invalidSyntax"}, "invalid_type": {"scimType": "invalidValue"}}.get(
        error.code, {}
    )
    return {"schemas": [_SCIM_ERROR], "status": str(status), "detail": error.message, **kind}


def _headers(error: errors.PrimeurError) -> Headers:
    wait_ms = error.retry_after_ms
    if wait_ms or isinstance(error, errors.OverLimit | errors.TargetBusy):
        # OpenAI's clients would try an exhausted budget again and again.
        again = [(b"x-should-retry", b"false")] if isinstance(error, errors.OverBudget) else []
        return [
            *again,
            (b"retry-after-ms", str(wait_ms).encode()),
            (b"retry-after", str(math.ceil(wait_ms / 1000)).encode()),
            *(refusal_headers(error.reason, error.evidence) if isinstance(error, errors.HolderBusy) else ()),
        ]
    if isinstance(error, errors.WrongMethod):
        return [(b"allow", ", ".join(error.allowed).encode())]
    if isinstance(error, errors.NotAuthenticated):
        return [(b"www-authenticate", b'Bearer realm="primeur"')]
    return []
