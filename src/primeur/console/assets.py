"""Static files under an address that names their contents, and the headers that shut the page off from elsewhere."""

import hashlib
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = Path(__file__).parent / "static"

# Nothing from elsewhere, no inline script or style, no eval; data: and blob: pictures are attachments being looked at.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HTTPS_ONLY = "max-age=31536000"
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-permitted-cross-domain-policies": "none",
    # With no-referrer a browser would send our own forms with the origin "null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


def digest_folder(folder: Path = FOLDER) -> str:
    """Name the contents of every file below *folder*: 12 hexadecimal digits."""
    state = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        state.update(path.relative_to(folder).as_posix().encode() + b"\0")
        state.update(hashlib.sha256(path.read_bytes()).digest())
    return state.hexdigest()[:12]


class Assets:
    """Serves ``/static/{digest}/...`` to be kept for good, and the same without keeping under any older digest.

    A module that imports ``./tree.js`` stays inside its digest, so a page never mixes two releases.
    """

    def __init__(self) -> None:
        """Read the digest once; files do not change under a running process."""
        self.digest = digest_folder()
        self._files = StaticFiles(directory=FOLDER)

    def url(self, path: str) -> str:
        """The address of a file, such as ``css/base.css``."""
        return f"/static/{self.digest}/{path}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request below ``/static``."""
        root = scope.get("root_path", "")
        digest, _, rest = scope["path"].removeprefix(root).lstrip("/").partition("/")
        kept = "public, max-age=31536000, immutable" if digest == self.digest else "no-store"

        async def send_kept(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in {200, 304}:
                MutableHeaders(scope=message)["cache-control"] = kept
            await send(message)

        await self._files({**scope, "path": f"{root}/{rest}"}, receive, send_kept)


class Shut:
    """Adds the security headers to every answer of the console."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap *app*."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and mark its answer."""

        async def send_shut(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
                if scope["scheme"] == "https":
                    headers.setdefault("strict-transport-security", _HTTPS_ONLY)
            await send(message)

        await self._app(scope, receive, send_shut)
