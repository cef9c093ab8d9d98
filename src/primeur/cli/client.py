"""How every command speaks the management API: to a named service, to the one of the data folder, or in process."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import httpx2
import msgspec

from primeur.cli.reach import find_running, named_service, read_secret
from primeur.config import read_settings
from primeur.core.errors import CallerError, PrimeurError, SetupError
from primeur.core.reading import NOT_JSON
from primeur.governance.rules import operator_key

Json = Any
_TIMEOUT_S = 120.0
_IN_PROCESS = "http://in-process"


class Refused(CallerError):
    """The API said no, in its own words."""


class Api:
    """The management API; every method gives the decoded answer or raises."""

    def __init__(self, runner: asyncio.Runner, client: httpx2.AsyncClient) -> None:
        """Speak through *client*, on *runner*'s loop."""
        self._runner, self._client = runner, client

    @property
    def url(self) -> str | None:
        """Where the service answers; None when it does not run."""
        url = str(self._client.base_url).rstrip("/")
        return None if url == _IN_PROCESS else url

    def get(self, path: str, **query: Any) -> Json:
        """Read; parameters that are None or empty are not asked."""
        return self._ask("GET", path, params={key: value for key, value in query.items() if value not in {None, ""}})

    def post(self, path: str, body: Json) -> Json:
        """Make something."""
        return self._ask("POST", path, json=body)

    def put(self, path: str, body: Json) -> Json:
        """Make or replace something."""
        return self._ask("PUT", path, json=body)

    def patch(self, path: str, body: Json) -> Json:
        """Change some of it."""
        return self._ask("PATCH", path, json=body)

    def delete(self, path: str) -> Json:
        """Take something away."""
        return self._ask("DELETE", path)

    def send(self, path: str, content: AsyncIterable[bytes], size: int, **query: str) -> Json:
        """Send a file of *size* bytes."""
        headers = {"content-length": str(size), "content-type": "application/octet-stream"}
        return self._ask("PUT", path, params=query, content=content, headers=headers, timeout=None)

    def download(self, path: str, file: BinaryIO, method: str = "GET", **query: str) -> int:
        """Write what the API gives into *file* as it comes; gives how many bytes that were."""
        return self._runner.run(self._download(method, path, file, query))

    async def _download(self, method: str, path: str, file: BinaryIO, query: dict[str, str]) -> int:
        size = 0
        try:
            async with self._client.stream(method, f"/api/v1/{path}", params=query, timeout=None) as answer:
                if answer.status_code >= 400:
                    await answer.aread()
                    _read(answer, str(self._client.base_url))
                async for piece in answer.aiter_bytes():
                    size += file.write(piece)
        except httpx2.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise PrimeurError(f"{self._client.base_url} does not answer ({reason}); is the service running?") from None
        return size

    def _ask(self, method: str, path: str, **options: Any) -> Json:
        return self._runner.run(self._exchange(method, path, options))

    async def _exchange(self, method: str, path: str, options: dict[str, Any]) -> Json:
        try:
            answer = await self._client.request(method, f"/api/v1/{path}", **options)
        except httpx2.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise PrimeurError(f"{self._client.base_url} does not answer ({reason}); is the service running?") from None
        return _read(answer, str(self._client.base_url))


def one(noun: str, name: str) -> str:
    """Give the path of one thing; a slash in its name survives the server's own decoding."""
    return f"{noun}/{quote(quote(name, safe=''), safe='') if '/' in name else quote(name, safe='')}"


@contextmanager
def connect(data_dir: Path | None) -> Iterator[Api]:
    """Reach the API: a named data folder, else ``PRIMEUR_URL`` with ``PRIMEUR_KEY``, else ``PRIMEUR_DATA_DIR``.

    A data folder is reached through the service that runs on it, and in process when none does.

    Raises:
        SetupError: no key for a named service, or no usable data folder.
    """
    with asyncio.Runner() as runner:
        reach = _remote() if data_dir is None and os.environ.get("PRIMEUR_URL") else _local(data_dir)
        client = runner.run(reach.__aenter__())
        try:
            yield Api(runner, client)
        finally:
            runner.run(reach.__aexit__(None, None, None))


@asynccontextmanager
async def _remote() -> AsyncIterator[httpx2.AsyncClient]:
    service = named_service()
    async with _http(service.url, service.key) as client:
        yield client


@asynccontextmanager
async def _local(data_dir: Path | None) -> AsyncIterator[httpx2.AsyncClient]:
    settings = read_settings(data_dir=data_dir)
    named = data_dir is not None or "PRIMEUR_DATA_DIR" in os.environ
    if not named and not (settings.data_dir / "secret").exists():
        raise SetupError(
            f"nothing runs here: there is no {settings.data_dir}; "
            "start with `primeur up`, or set PRIMEUR_URL and PRIMEUR_KEY"
        )
    running = await asyncio.to_thread(find_running, settings.data_dir)
    if running is not None:
        key = operator_key(read_secret(settings.data_dir))
        async with _http(running.url, key, verify=running.tls if running.cert else True) as client:
            yield client
        return
    # Only this path needs the whole program; the others stay quick without it.
    from primeur.cli.in_process import open_in_process  # noqa: PLC0415

    async with open_in_process(settings) as (app, key), _http(_IN_PROCESS, key, app) as client:
        yield client


def _http(url: str, key: str, app: Any = None, *, verify: ssl.SSLContext | bool = True) -> httpx2.AsyncClient:
    transport = None if app is None else httpx2.ASGITransport(app)
    headers = {"authorization": f"Bearer {key}"}
    try:
        return httpx2.AsyncClient(
            base_url=url,
            headers=headers,
            transport=transport,
            timeout=_TIMEOUT_S,
            trust_env=app is None,
            verify=verify,
        )
    except (httpx2.InvalidURL, ValueError) as error:
        raise SetupError(f"{url!r} is no address of a service ({error}); write http://HOST:PORT") from None


def _read(answer: httpx2.Response, url: str) -> Json:
    try:
        body = msgspec.json.decode(answer.content) if answer.content else None
    except NOT_JSON:
        raise PrimeurError(
            f"{url} answered {answer.status_code} and not as a Primeur does; check PRIMEUR_URL"
        ) from None
    if answer.status_code < 400:
        return body
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    words = message or f"{url} answered {answer.status_code}"
    raise (Refused if answer.status_code < 500 else PrimeurError)(words)
