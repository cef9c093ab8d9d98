"""Lines of a batch: read from its input file, written into its output and error files; pure.

Source: OpenAI API reference, "The request input object" and "The request output object" of batches.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from primeur.archive.wire import BatchError, Json
from primeur.core.errors import BadRequest, PrimeurError
from primeur.core.reading import NOT_JSON, read_json
from primeur.core.statuses import kind_of, status_of

ENDPOINTS = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses")
INPUT_BYTES = 200 << 20
LINES = 50_000
LINE_BYTES = 8 << 20
FAULTS = 100


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    custom_id: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    method: Literal["POST"]
    url: str
    body: msgspec.Raw


class _Body(msgspec.Struct, frozen=True):
    model: Annotated[str, msgspec.Meta(min_length=1)]
    stream: bool | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One request of a batch; *number* counts from 1."""

    number: int
    custom_id: str
    model: str
    body: bytes


def read_line(number: int, text: bytes, endpoint: str) -> Line:
    """Read one line of an input file.

    Raises:
        BadRequest: says what is wrong; the line's number is for the caller to add.
    """
    if len(text) > LINE_BYTES:
        raise BadRequest(f"the line is longer than {LINE_BYTES} bytes", code="line_too_long")
    line = read_json(text, _Line)
    if not line.custom_id.isprintable():
        raise BadRequest("custom_id has characters that cannot be printed", param="custom_id", code="invalid_custom_id")
    if line.url != endpoint:
        raise BadRequest(f"url is {line.url!r}; the batch is for {endpoint}", param="url", code="invalid_url")
    try:
        body = read_json(bytes(line.body), _Body)
    except BadRequest as error:
        raise BadRequest(error.message, param=f"body.{error.param or ''}".rstrip("."), code=error.code) from None
    if body.stream:
        raise BadRequest("a batch does not stream; leave stream out", param="body.stream", code="invalid_stream")
    return Line(number, line.custom_id, body.model, bytes(line.body))


def fault_of(number: int, error: BadRequest) -> BatchError:
    """Tell of a faulty line."""
    return BatchError(code=error.code, message=error.message, param=error.param, line=number)


class LineResponse(msgspec.Struct, frozen=True):
    """What a line was answered; *body* is JSON as it came."""

    status_code: int
    request_id: str
    body: msgspec.Raw


class LineOutput(msgspec.Struct, frozen=True):
    """One line of an output or error file."""

    id: str
    custom_id: str
    response: LineResponse | None
    error: Json | None


# Why lines without an answer have none, by the state their batch ends in.
_UNANSWERED = {
    "expired": ("batch_expired", "This request could not be run before the completion window expired."),
    "cancelled": ("batch_cancelled", "This request was not run because the batch was cancelled."),
}


def write_line(custom_id: str, request_id: str, status: int, answer: str, end: str) -> bytes:
    """Write one line of an output file, or of an error file when it was not answered with 200.

    Args:
        status: HTTP status of the answer; 0 when the line was not run.
        answer: JSON of the answer's body.
        end: the state in which the batch ends.
    """
    line_id = f"batch_req_{request_id.removeprefix('req_')}"
    if status == 0:
        code, message = _UNANSWERED[end]
        output = LineOutput(line_id, custom_id, None, {"code": code, "message": message})
    else:
        response = LineResponse(status, request_id, msgspec.Raw(answer.encode()))
        output = LineOutput(line_id, custom_id, response, None)
    return msgspec.json.encode(output) + b"\n"


def problem_of(error: PrimeurError) -> tuple[int, bytes]:
    """Give the status and body that a caller of the endpoint itself would have got."""
    fault = {"message": error.message, "type": kind_of(error), "param": error.param, "code": error.code}
    return status_of(error), msgspec.json.encode({"error": fault})


def add_usage(total: dict[str, int], answer: str) -> None:
    """Add what one answer used to *total*, which is kept in the words of a batch's usage."""
    try:
        usage = msgspec.json.decode(answer, type=_Answer).usage
    except NOT_JSON:
        return
    given = _whole(usage, "prompt_tokens") + _whole(usage, "input_tokens")
    made = _whole(usage, "completion_tokens") + _whole(usage, "output_tokens")
    into = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    out = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    for name, count in (
        ("input_tokens", given),
        ("cached_tokens", _whole(into, "cached_tokens")),
        ("output_tokens", made),
        ("reasoning_tokens", _whole(out, "reasoning_tokens")),
    ):
        total[name] = total.get(name, 0) + count


def show_usage(total: dict[str, int]) -> Json:
    """Write a batch's usage as OpenAI's API shows it."""
    given, made = total.get("input_tokens", 0), total.get("output_tokens", 0)
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": total.get("cached_tokens", 0)},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": total.get("reasoning_tokens", 0)},
        "total_tokens": given + made,
    }


class _Answer(msgspec.Struct):
    usage: Json = msgspec.field(default_factory=dict)


def _whole(usage: Any, name: str) -> int:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) else 0
