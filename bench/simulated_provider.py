"""Measure the simulated provider: whole and streamed answers a second, its clients in the same process.

Run: PYTHONPATH=src python bench/simulated_provider.py
"""

import asyncio
import time

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from primeur.machine import SystemClock
from primeur.providers.sim_behaviour import SimSettings
from primeur.providers.sim_server import SimServer, build_app

CLIENTS, REQUESTS = 32, 200
PROMPT = [{"role": "user", "content": "Which way is north? " * 20}]
BODIES = {
    "whole, 16 tokens": {"model": "m", "messages": PROMPT, "max_tokens": 16},
    "streamed, 64 tokens": {"model": "m", "messages": PROMPT, "max_tokens": 64, "stream": True},
}


async def ask(port: int, body: bytes) -> None:
    """Send REQUESTS requests over one connection, one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = b"POST /openai/v1/chat/completions HTTP/1.1\r\nhost: sim\r\ncontent-length: %d\r\n\r\n" % len(body)
    for _ in range(REQUESTS):
        writer.write(head + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if b"chunked" in answer:
            await reader.readuntil(b"\r\n0\r\n\r\n")
        else:
            await reader.readexactly(int(answer.split(b"content-length: ")[1].split(b"\r\n")[0]))
    writer.close()


async def main() -> None:
    """Print a table."""
    server = SimServer(build_app(SimSettings(), SystemClock()))
    await server.start()
    table = Table("answer", "requests/s", "tokens/s")
    for name, fields in BODIES.items():
        body = msgspec.json.encode(fields)
        began = time.perf_counter()
        await asyncio.gather(*(ask(server.port, body) for _ in range(CLIENTS)))
        rate = CLIENTS * REQUESTS / (time.perf_counter() - began)
        table.add_row(name, f"{rate:,.0f}", f"{rate * int(str(fields['max_tokens'])):,.0f}")
    await server.stop()
    Console().print(table)


uvloop.run(main())
