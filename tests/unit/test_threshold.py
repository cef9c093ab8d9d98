"""The console is built when it is first asked, once, and again after it could not be."""

import asyncio
import subprocess
import sys
from collections.abc import MutableMapping
from typing import Any

import pytest

from primeur.gateway.asgi import App, Receive, Scope, Send
from primeur.gateway.threshold import Threshold

LATE = ("cryptography", "httpx2", "jinja2", "starlette", "sqlalchemy.dialects.postgresql")


async def _receive() -> MutableMapping[str, Any]:
    return {}


async def _ask(app: App) -> list[str]:
    sent: list[str] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["type"])

    await app({"type": "http"}, _receive, send)
    return sent


async def _answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "answered"})


async def test_many_first_comers_have_it_built_once() -> None:
    built: list[int] = []

    def build() -> App:
        built.append(1)
        return _answer

    app = Threshold(build)
    assert await asyncio.gather(*(_ask(app) for _ in range(8))) == [["answered"]] * 8
    assert await _ask(app) == ["answered"]
    assert built == [1]


async def test_who_comes_after_a_fault_has_it_built_again() -> None:
    built: list[int] = []

    def build() -> App:
        built.append(1)
        if len(built) == 1:
            raise OSError("no templates")
        return _answer

    app = Threshold(build)
    with pytest.raises(OSError, match="no templates"):
        await _ask(app)
    assert await _ask(app) == ["answered"]


def test_a_service_starts_without_what_few_ask_for() -> None:
    code = (
        f"import sys, primeur.cli.serve, primeur.cli.server;print(*[name for name in {LATE!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.split()
