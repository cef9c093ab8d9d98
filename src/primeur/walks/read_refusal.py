"""Read why a target did not answer: the caller's fault, the target's, or ours."""

from collections.abc import Mapping
from typing import Any

import msgspec

from primeur.core.chat import Target
from primeur.core.errors import BadRequest, ContextTooLong, PrimeurError, TargetBusy, TargetFailed
from primeur.core.ports import Reply
from primeur.core.reading import NOT_JSON

_BODY_LIMIT = 256 * 1024
_DEFAULT_RETRY_MS = 1000
_SECRET_LENGTH = 8
_LONGEST_RETRY_MS = 3_600_000
_CONTEXT_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"})
_CALLERS_FAULT = frozenset({400, 404, 409, 413, 415, 422})


async def read_refusal(reply: Reply, target: Target) -> PrimeurError:
    """Turn a target's error answer into one of our words; the answer is read to its end."""
    return refusal(reply.status, reply.headers, await reply.read(_BODY_LIMIT), target)


def refusal(status: int, headers: Mapping[bytes, bytes], body: bytes, target: Target) -> PrimeurError:
    """As `read_refusal`, for an answer that is already there."""
    fault = _fault_in(body)
    said = _without_secrets(
        str(fault.get("message") or body[:300].decode(errors="replace") or f"status {status}"), target
    )
    if status in {429, 503} and (b"retry-after" in headers or b"retry-after-ms" in headers):
        return TargetBusy(f"{target.provider} is busy: {said}", retry_after_ms=_retry_after_ms(headers))
    if status == 429:
        return TargetBusy(f"{target.provider} is busy: {said}", retry_after_ms=_DEFAULT_RETRY_MS)
    if status in {401, 403}:
        return TargetFailed(
            f"{target.provider} refused our credentials ({status}); an operator must check them",
            code="upstream_refused",
        )
    code, param = str(fault.get("code") or ""), fault.get("param")
    if _is_too_long({code, str(fault.get("type") or "")}, said, target):
        return ContextTooLong(said, param=param if isinstance(param, str) else None)
    if status not in _CALLERS_FAULT:
        return TargetFailed(f"{target.provider} failed with status {status}: {said}")
    return BadRequest(said, param=param if isinstance(param, str) else None, code=code if not code.isdigit() else None)


def _without_secrets(said: str, target: Target) -> str:
    """Take out what we sent to be let in, should the target repeat it."""
    for _, value in target.endpoint.headers:
        for word in value.decode("latin-1").split():
            if len(word) >= _SECRET_LENGTH:
                said = said.replace(word, "[secret]")
    return said


def _is_too_long(codes: set[str], said: str, target: Target) -> bool:
    return bool(codes & _CONTEXT_CODES) or any(words in said for words in target.dialect.too_long)


def _fault_in(body: bytes) -> dict[str, Any]:
    try:
        data = msgspec.json.decode(body)
    except NOT_JSON:
        return {}
    fault = data.get("error", data) if isinstance(data, dict) else {}
    return fault if isinstance(fault, dict) else {"message": str(fault)}


def _retry_after_ms(headers: Mapping[bytes, bytes]) -> int:
    for name, factor in ((b"retry-after-ms", 1), (b"retry-after", 1000)):
        try:
            return min(_LONGEST_RETRY_MS, max(1, round(float(headers[name]) * factor)))
        except (KeyError, ValueError, OverflowError):
            continue
    return _DEFAULT_RETRY_MS
