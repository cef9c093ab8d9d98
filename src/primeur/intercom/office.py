"""The parent's end: it owns the engines, writes the rows, and keeps the counts for its gateway processes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from primeur.core.ports import EngineState
from primeur.core.scaling import Load, add_loads
from primeur.intercom.metrics import add_up
from primeur.intercom.peer import Peer

_loads = msgspec.msgpack.Decoder(dict[str, Load])
Exchange = Callable[[str, bytes], bytes]
_METRICS_TIMEOUT_S = 2.0


class Office:
    """What the parent does for its gateway processes.

    Attributes:
        peers: those that are there, by name.
        serving: by process, requests of people in flight.
        loads: by process, what it has under way for each revision.
    """

    def __init__(
        self,
        exchange: Exchange,
        forget: Callable[[str], None],
        own_metrics: Callable[[], bytes],
        own_loads: Callable[[], Mapping[str, Load]],
    ) -> None:
        """Answer for others.

        Args:
            exchange: answers claims of a process on shared limits.
            forget: told the name of a process that is gone.
            own_loads: what the parent itself has under way, by revision.
        """
        self._exchange, self._forget, self._own_metrics = exchange, forget, own_metrics
        self._own_loads = own_loads
        self.peers: dict[str, Peer] = {}
        self.serving: dict[str, int] = {}
        self.loads: dict[str, dict[str, Load]] = {}
        self._ready: set[str] = set()
        self._changed = asyncio.Event()
        self._states = msgspec.msgpack.encode({})

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> Peer:
        """Take a process in whose socket this is."""
        peer = Peer(reader, writer, self._handlers(), name)
        self.peers[name] = peer
        return peer

    async def part(self, name: str) -> None:
        """A process is gone."""
        peer = self.peers.pop(name, None)
        if peer is not None:
            # First of all: what is still on its way from it must not be taken up afterwards.
            await peer.aclose()
        self.serving.pop(name, None)
        self.loads.pop(name, None)
        self._ready.discard(name)
        self._forget(name)

    async def until_ready(self, names: Sequence[str]) -> None:
        """Wait until all of these processes listen."""
        while not self._ready.issuperset(names):
            self._changed.clear()
            await self._changed.wait()

    async def tell_engines(self, states: Mapping[str, EngineState]) -> None:
        """Tell every process how the engines are doing, when that has changed."""
        told = msgspec.msgpack.encode(states)
        if told != self._states:
            self._states = told
            await self._tell_all("engines", told)

    async def metrics(self) -> bytes:
        """Everybody's metrics as one."""
        texts = await self._tell_all("metrics", b"", timeout_s=_METRICS_TIMEOUT_S)
        return add_up([self._own_metrics(), *texts])

    async def _tell_all(self, method: str, body: bytes, *, timeout_s: float = 5.0) -> list[bytes]:
        calls = [peer.call(method, body, timeout_s=timeout_s) for peer in list(self.peers.values())]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        # Whoever is on the way out misses nothing that it still needs.
        return [answer for answer in answers if isinstance(answer, bytes)]

    def _handlers(self) -> Mapping[str, Callable[[Peer, bytes], Awaitable[bytes]]]:
        return {
            "all_loads": self._all_loads,
            "claims": self._claims,
            "engines": self._engines,
            "loads": self._take_loads,
            "metrics": self._metrics,
            "ready": self._is_ready,
            "serving": self._serving,
        }

    async def _all_loads(self, _peer: Peer, _body: bytes) -> bytes:
        return msgspec.msgpack.encode(add_loads(self._own_loads(), *self.loads.values()))

    async def _claims(self, peer: Peer, body: bytes) -> bytes:
        return self._exchange(peer.name, body)

    async def _engines(self, _peer: Peer, _body: bytes) -> bytes:
        return self._states

    async def _metrics(self, _peer: Peer, _body: bytes) -> bytes:
        return await self.metrics()

    async def _is_ready(self, peer: Peer, _body: bytes) -> bytes:
        self._ready.add(peer.name)
        self._changed.set()
        return b""

    async def _take_loads(self, peer: Peer, body: bytes) -> bytes:
        self.loads[peer.name] = _loads.decode(body)
        return b""

    async def _serving(self, peer: Peer, body: bytes) -> bytes:
        self.serving[peer.name] = int.from_bytes(body, "little")
        return b""
