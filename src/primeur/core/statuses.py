"""Which status each word of `primeur.core.errors` has for whoever speaks HTTP, and OpenAI's type for it; pure.

Source: OpenAI API reference, "Error codes".
"""

from primeur.core import errors

# The first match counts: narrower words stand before wider ones.
_STATUS: tuple[tuple[type[errors.PrimeurError], int, str], ...] = (
    (errors.TooLarge, 413, "invalid_request_error"),
    (errors.BadRequest, 400, "invalid_request_error"),
    (errors.NotAuthenticated, 401, "invalid_request_error"),
    (errors.NotPermitted, 403, "invalid_request_error"),
    (errors.NotFound, 404, "invalid_request_error"),
    (errors.WrongMethod, 405, "invalid_request_error"),
    (errors.Conflict, 409, "invalid_request_error"),
    (errors.VersionRetired, 410, "invalid_request_error"),
    (errors.OverLimit, 429, "requests"),
    (errors.SetupError, 400, "invalid_request_error"),
    (errors.TargetBusy, 429, "requests"),
    (errors.TargetTimedOut, 504, "server_error"),
    (errors.TargetFailed, 502, "server_error"),
    (errors.NotReady, 503, "server_error"),
)


def status_of(error: errors.PrimeurError) -> int:
    """Give the status that makes the official clients raise the right class."""
    return next((status for word, status, _ in _STATUS if isinstance(error, word)), 500)


def kind_of(error: errors.PrimeurError) -> str:
    """Give the ``type`` that OpenAI's error bodies carry."""
    return next((kind for word, _, kind in _STATUS if isinstance(error, word)), "server_error")
