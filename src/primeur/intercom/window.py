"""A gateway process's end: engines, limits and metrics are the parent's, who is asked for them."""

from collections.abc import Callable, Mapping

import msgspec

from primeur.core.ports import EngineOrder, EngineState, Launch
from primeur.core.scaling import Load
from primeur.intercom.peer import Peer

_states = msgspec.msgpack.Decoder(dict[str, EngineState])
_loads = msgspec.msgpack.Decoder(dict[str, Load])
_COMING = EngineState("waiting", "the parent process has not said yet how this engine is doing")


class FarHost:
    """Implements `primeur.core.ports.EngineHost` where the engines are another process's."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """*changed* is called whenever an engine is doing otherwise than before."""
        self._changed = changed
        self._found: dict[str, EngineState] = {}

    def hear(self, body: bytes) -> None:
        """Take up what the parent says."""
        self._found = _states.decode(body)
        self._changed()

    def want(self, launches: Mapping[str, tuple[EngineOrder, Launch]]) -> None:
        """The parent wants what the database says, and so do we."""

    def state(self, revision_id: str) -> EngineState:
        """See the port."""
        return self._found.get(revision_id, _COMING)

    async def aclose(self, *, keep_running: bool = False) -> None:
        """They are not ours to end."""


class FarFamily:
    """Implements `primeur.core.ports.Family`: asks the parent for what all processes have to say together."""

    def __init__(self, parent: Peer) -> None:
        """*parent*: on the other end of our socket."""
        self._parent = parent

    async def metrics(self) -> bytes:
        """See the port."""
        return await self._parent.call("metrics")

    async def loads(self) -> dict[str, Load]:
        """See the port."""
        return _loads.decode(await self._parent.call("all_loads"))
