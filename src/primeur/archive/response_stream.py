"""A chat's answer as bytes, whole or as events, turned into a response's; one for each answer; pure.

Source: OpenAI API 2.3.0, ``ResponseStreamEvent``.
"""

from collections.abc import Callable, Iterable

import msgspec

from primeur.archive.replies import ResponseWriter, write_event
from primeur.archive.response_wire import ResponseObject
from primeur.archive.wire import Json
from primeur.core.errors import PrimeurError, TargetFailed
from primeur.core.sse import event_data, split_events


class ResponseStream:
    """Reads blocks of the chat's events and gives the response's; the event that ends them is `last`'s."""

    def __init__(self, response: ResponseObject, new_id: Callable[[str], str], now_ms: Callable[[], int]) -> None:
        """*response*: as `primeur.archive.asks.blank_response` gives it; *now_ms*: the clock, UTC milliseconds."""
        self._writer = ResponseWriter(response, new_id)
        self._now_ms = now_ms
        self._begun = self._ended = False

    @property
    def response(self) -> ResponseObject:
        """As it stands."""
        return self._writer.response

    def whole(self, body: bytes) -> ResponseObject:
        """Give the response to a whole answer.

        Raises:
            TargetFailed: it is no chat's.
        """
        self._writer.take(_object(body))
        self._writer.finish(self._now_ms())
        return self._writer.response

    def feed(self, block: bytes) -> bytes:
        """Give the events that *block* turns into; a fault in it, or of it, is the last thing that is told."""
        told = [] if self._begun else self._writer.begin()
        self._begun = True
        try:
            for event in split_events(block):
                data = event_data(event)
                if data and not self._ended:
                    told += self._end() if data == b"[DONE]" else self._writer.take(_object(data))
        except TargetFailed as fault:
            self._ended = True
            told += self._writer.fail(fault)
        return _bytes(told)

    def last(self, fault: PrimeurError | None = None) -> bytes:
        """Give what ends the stream; *fault*: why the response could not be stored."""
        last = [] if self._ended else self._end()
        return _bytes([*last, self._writer.last_event() if fault is None else self._writer.broken(fault)])

    def _end(self) -> list[Json]:
        self._ended = True
        return self._writer.finish(self._now_ms())


def _object(data: bytes) -> Json:
    try:
        return msgspec.json.decode(data, type=Json)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TargetFailed(f"the target's answer cannot be read: {error}") from None


def _bytes(events: Iterable[Json]) -> bytes:
    return b"".join(map(write_event, events))
