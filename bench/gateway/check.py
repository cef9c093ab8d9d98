"""After the load: every request is in the books exactly once, and limits held."""

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

from bench.gateway.house import Primeur
from bench.gateway.load import request_bytes
from bench.gateway.measure import wait_until
from bench.gateway.parties import Mock, Party

_RPM, _ASKED, _CONCURRENCY = 120, 400, 4


def check_books(house: Primeur, mock: Mock, heard: int) -> dict[str, Any]:
    """Compare what the targets saw with the table ``requests``.

    Args:
        heard: answers that the load clients counted.
    """
    seen = [word for port in house.ports for word in mock.control(f"ids/{port}").split()]
    wait_until(lambda: _served(house)[0] >= len(seen), "the books hold every request", 180)
    rows, completed = _served(house)
    kept = {row[0] for row in house.rows("select id from requests where outcome != 'refused'")}
    # A caller who hangs up at once may be in the books though the target never read the request.
    answered = {row[0] for row in house.rows("select id from requests where outcome = 'completed'")}
    unpaid = house.rows("select count(*) from requests where outcome = 'completed' and coalesce(cost_nanos, 0) = 0")[0][
        0
    ]
    found = {
        "seen_by_targets": len(seen),
        "seen_twice_by_targets": len(seen) - len(set(seen)),
        "rows": rows,
        "completed": completed,
        "heard_by_clients": heard,
        "seen_but_not_in_the_books": len(set(seen) - kept),
        "answered_but_not_seen": len(answered - set(seen)),
        "hung_up_before_they_were_seen": len(kept - answered - set(seen)),
        "without_a_cost": unpaid,
    }
    once = len(seen) == len(set(seen)) and set(seen) <= kept and answered <= set(seen)
    exact = once and len(kept) == rows and completed >= heard and not unpaid
    return {**found, "exact": exact}


def check_limits(house: Primeur, party: Party) -> dict[str, Any]:
    """Ask more than a key may, in requests a minute and in requests at once."""
    return asyncio.run(_check_limits(house, party))


async def _check_limits(house: Primeur, party: Party) -> dict[str, Any]:
    slow = _as(party, house.make_key("bench-rpm", rpm=_RPM))
    began_s = time.monotonic()
    answers = await asyncio.gather(*(_ask(slow) for _ in range(_ASKED)))
    allowed = _RPM + int((time.monotonic() - began_s) * _RPM / 60) + 1
    narrow = _as(party, house.make_key("bench-concurrency", concurrency=_CONCURRENCY))
    at_once = await asyncio.gather(*(_ask(narrow, stream=True) for _ in range(8 * _CONCURRENCY)))
    small = _as(party, house.make_key("bench-tpm", tpm=2000))
    tokens = await asyncio.gather(*(_ask(small) for _ in range(16)))
    held = {
        "rpm": {"limit": _RPM, "asked": _ASKED, "answered": answers.count(200), "refused": answers.count(429)},
        "concurrency": {"limit": _CONCURRENCY, "asked": 8 * _CONCURRENCY, "answered": at_once.count(200)},
        "tpm": {"limit": 2000, "asked": 16, "answered": tokens.count(200), "tokens_each": 316},
    }
    good = _RPM <= answers.count(200) <= allowed and answers.count(200) + answers.count(429) == _ASKED
    return {**held, "held": good and at_once.count(200) == _CONCURRENCY and 1 <= tokens.count(200) <= 2000 // 316}


def _served(house: Primeur) -> tuple[int, int]:
    query = "select count(*), sum(outcome = 'completed') from requests where outcome != 'refused'"
    ((rows, completed),) = house.rows(query)
    return rows, completed or 0


def _as(party: Party, key: str) -> Party:
    return replace(party, headers={"authorization": f"Bearer {key}"})


async def _ask(party: Party, *, stream: bool = False) -> int:
    """One request on a connection of its own; gives the status once the answer is whole."""
    reader, writer = await asyncio.open_connection("127.0.0.1", party.port)
    writer.write(request_bytes(party, stream=stream).replace(b"\r\n", b"\r\nconnection: close\r\n", 1))
    answer = await reader.read(-1)
    writer.close()
    status = int(answer[9:12])
    if status == 429:
        assert "error" in json.loads(answer.partition(b"\r\n\r\n")[2])
    return status
