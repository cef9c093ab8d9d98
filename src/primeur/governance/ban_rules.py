"""Who has tried too often to sign in: each name and each address waits longer with every wrong attempt; pure."""

from collections import OrderedDict
from dataclasses import dataclass, field

FREE_TRIES = {"name": 5, "address": 20}
_FIRST_WAIT_MS, _LONGEST_WAIT_MS = 1000, 15 * 60_000
_FORGOTTEN_MS = 60 * 60_000
_KNOWN_LIMIT = 10_000


@dataclass(slots=True)
class Tries:
    """Wrong attempts of one name or address."""

    count: int = 0
    last_ms: int = 0
    until_ms: int = 0


@dataclass(slots=True)
class Bans:
    """Wrong attempts; ten thousand names and addresses at most, the longest quiet ones are forgotten first."""

    known: OrderedDict[str, Tries] = field(default_factory=OrderedDict)

    def wait_ms(self, whose: tuple[str, ...], now_ms: int) -> int:
        """Milliseconds that *whose* (``name:...``, ``address:...``) has to wait; 0: may try."""
        found = [self.known[one].until_ms - now_ms for one in whose if one in self.known]
        return max([0, *found])

    def wrong(self, whose: tuple[str, ...], now_ms: int) -> list[tuple[str, int]]:
        """Count a wrong attempt; gives who has to wait from now on, and how long."""
        banned = []
        for one in whose:
            tries = self.known.pop(one, None)
            if tries is None or tries.last_ms + _FORGOTTEN_MS < now_ms:
                tries = Tries()
            tries.count, tries.last_ms = tries.count + 1, now_ms
            beyond = tries.count - FREE_TRIES[one.partition(":")[0]]
            if beyond >= 0:
                wait_ms = min(_LONGEST_WAIT_MS, _FIRST_WAIT_MS << min(beyond, 20))
                tries.until_ms = now_ms + wait_ms
                banned.append((one, wait_ms))
            self.known[one] = tries
            while len(self.known) > _KNOWN_LIMIT:
                self.known.popitem(last=False)
        return banned

    def right(self, name: str) -> None:
        """Forget the wrong attempts of a name that has been let in; its address stays as it is."""
        self.known.pop(name, None)
