"""The management API as pages call it: in process, over the same doors as everybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import msgspec

from primeur.console.session import COOKIE

ApiClient = httpx2.AsyncClient
Json = dict[str, Any]


class SignedOut(Exception):
    """The session is unknown, expired or ended; the person signs in again."""


@dataclass
class ApiRefusal(Exception):
    """The API said no.

    Attributes:
        code: its stable name, such as ``not_found``.
        param: the field at fault, when it named one.
    """

    status: int
    message: str
    code: str = ""
    param: str | None = None


class Api:
    """The API in the name of one session."""

    def __init__(self, client: ApiClient, session: str) -> None:
        """Speak for *session*."""
        self._client = client
        self._headers = {
            "cookie": f"{COOKIE}={session}",
            "x-primeur-console": "1",
            "origin": str(client.base_url).rstrip("/"),
        }

    async def get(self, path: str, query: Mapping[str, Any] | None = None) -> Json:
        """Read one thing or one list.

        Raises:
            SignedOut: no such session.
            ApiRefusal: any other refusal.
        """
        asked = {key: value for key, value in (query or {}).items() if value not in (None, "")}
        return _read(await self._client.get(path, params=asked, headers=self._headers))

    async def text(self, path: str, query: Mapping[str, Any]) -> bytes:
        """Read a document as it is; raises as `get`."""
        reply = await self._client.get(path, params=dict(query), headers=self._headers)
        if reply.status_code >= 400:
            _read(reply)
        return reply.content

    async def post(self, path: str, body: Json | None = None) -> Json:
        """Make or change something; raises as `get`."""
        return _read(await self._client.post(path, json=body or {}, headers=self._headers))

    async def put(self, path: str, body: Json) -> Json:
        """Replace something; raises as `get`."""
        return _read(await self._client.put(path, json=body, headers=self._headers))

    async def patch(self, path: str, body: Json) -> Json:
        """Change some fields; raises as `get`."""
        return _read(await self._client.patch(path, json=body, headers=self._headers))

    async def delete(self, path: str) -> Json:
        """Take something away; raises as `get`."""
        return _read(await self._client.delete(path, headers=self._headers))


def _read(reply: httpx2.Response) -> Json:
    if reply.status_code == 401:
        raise SignedOut
    body = _decode(reply.content)
    if reply.status_code >= 400:
        error = body.get("error")
        found = error if isinstance(error, dict) else {}
        raise ApiRefusal(
            reply.status_code,
            str(found.get("message") or reply.reason_phrase),
            str(found.get("code") or ""),
            found.get("param"),
        )
    return body


def _decode(content: bytes) -> Json:
    try:
        found = msgspec.json.decode(content) if content else {}
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {"data": found}
