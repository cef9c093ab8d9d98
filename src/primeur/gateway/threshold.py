"""Who comes first to the console has it built: a gateway that nobody looks at does without its memory."""

import asyncio
from collections.abc import Callable

from primeur.gateway.asgi import App, Receive, Scope, Send


class Threshold:
    """An ASGI application that is made when it is first asked."""

    def __init__(self, build: Callable[[], App]) -> None:
        """*build*: makes it; called in a thread, once, for that takes as long as hundreds of requests."""
        self._build = build
        self._app: App | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app = self._app
        if app is None:
            async with self._lock:
                if self._app is None:
                    self._app = await asyncio.to_thread(self._build)
                app = self._app
        await app(scope, receive, send)
