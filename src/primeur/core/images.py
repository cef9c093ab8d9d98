"""Images in a chat: where they are, and what their bytes say they are; pure."""

import base64
import binascii
import re
from typing import Any

from primeur.core.errors import BadRequest
from primeur.core.wire import AnyRequest, ChatRequest

IMAGE_LIMIT = 20 << 20
"""Bytes of one image."""
IMAGES_MOST = 16
"""In one request."""

Part = tuple[str, dict[str, Any]]

_DATA = re.compile(r"data:(image/[a-z+.-]{1,20});base64,", re.IGNORECASE)
_BEGINNINGS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF87a", "image/gif"),
               (b"GIF89a", "image/gif"))  # fmt: skip


def has_images(fields: AnyRequest) -> bool:
    """Whether a request has parts other than text; asked of every request, so it is quick."""
    if not isinstance(fields, ChatRequest):
        return False
    for message in fields.messages:
        content = message.content
        if type(content) is list:
            for part in content:
                if part.get("type") != "text":
                    return True
    return False


def image_parts(body: dict[str, Any]) -> list[Part]:
    """Give every image of a decoded chat body: the path of its URL, and the object that has it under ``url``.

    Raises:
        BadRequest: an image without a URL, or too many.
    """
    found: list[Part] = []
    for number, message in enumerate(body.get("messages") or ()):
        content = message.get("content")
        for place, part in enumerate(content if isinstance(content, list) else ()):
            if part.get("type") != "image_url" and "image_url" not in part:
                continue
            path = f"messages[{number}].content[{place}].image_url"
            if isinstance(part.get("image_url"), str):
                part["image_url"] = {"url": part["image_url"]}
            holder = part.get("image_url")
            if not isinstance(holder, dict) or not isinstance(holder.get("url"), str):
                raise BadRequest(f"{path} must be an object with a url", param=path)
            found.append((f"{path}.url", holder))
    if len(found) > IMAGES_MOST:
        raise BadRequest(f"a request has at most {IMAGES_MOST} images; this one has {len(found)}", param="messages")
    return found


def check_data_url(url: str, path: str) -> None:
    """Look at an image that is in the request itself.

    Raises:
        BadRequest: no image of a kind that models read, not base64, or too large.
    """
    begins = _DATA.match(url)
    if begins is None:
        raise BadRequest("an image in a request is data:image/png;base64,... (or jpeg, gif, webp)", param=path)
    text = url[begins.end() :]
    if len(text) > IMAGE_LIMIT // 3 * 4 + 4:
        raise BadRequest(f"an image has at most {IMAGE_LIMIT >> 20} MiB", param=path, code="image_too_large")
    try:
        kind_of(base64.b64decode(text, validate=True), path)
    except binascii.Error:
        raise BadRequest("the image is not base64", param=path, code="invalid_base64_image") from None


def kind_of(data: bytes, path: str) -> str:
    """Give the media type that the bytes have, whatever somebody says.

    Raises:
        BadRequest: none that models read.
    """
    for beginning, kind in _BEGINNINGS:
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise BadRequest("there is no PNG, JPEG, GIF or WebP image there", param=path, code="invalid_image_format")


def data_url(data: bytes, path: str) -> str:
    """Write an image as it is handed on.

    Raises:
        BadRequest: as `kind_of`.
    """
    return f"data:{kind_of(data, path)};base64,{base64.b64encode(data).decode()}"
