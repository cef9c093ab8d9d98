"""Serves a `Stepper` over HTTP until told to end, then finishes what is under way."""

import asyncio
import signal

import uvloop

from primeur.engines.child import Orders, fatal
from primeur.engines.http_face import Face, Load
from primeur.engines.token_face import TokenFace
from primeur.engines.token_loop import TokenLoop
from primeur.engines.token_maker import Stepper

_LOOK_S = 0.05


def run(orders: Orders, stepper: Stepper, model: str, context_tokens: int) -> None:
    """Serve *stepper* on the port of *orders*; ends the process when the stepper breaks."""
    try:
        uvloop.run(_serve(orders, stepper, model, context_tokens))
    except OSError as error:
        fatal(f"the port {orders.port} cannot be used: {error}")


async def _serve(orders: Orders, stepper: Stepper, model: str, context_tokens: int) -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(which, told.set)
    maker, load = TokenLoop(stepper, told.set), Load()
    face = TokenFace(model, orders.key, context_tokens, stepper.words, maker)
    await loop.create_server(lambda: Face(face.respond, load), "127.0.0.1", orders.port, backlog=2048)
    await told.wait()
    for _ in range(int(orders.grace_s / _LOOK_S)):
        if not load.busy:
            break
        await asyncio.sleep(_LOOK_S)
