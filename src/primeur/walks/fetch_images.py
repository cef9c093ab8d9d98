"""Bring images by URL here and hand them on in the request: no engine or provider reads a URL that a caller chose."""

import asyncio
from typing import Any

import msgspec

from primeur.core.chat import Ask
from primeur.core.errors import BadRequest, EgressRefused, PrimeurError
from primeur.core.guards import Images
from primeur.core.images import IMAGE_LIMIT, check_data_url, data_url, has_images, image_parts
from primeur.walks.house import House

_TIMEOUT_S = 10.0
_REDIRECTS = 3
_TOGETHER = 48 << 20


async def fetch_images(house: House, ask: Ask, how: Images) -> Ask:
    """Give *ask* with every image in it.

    Args:
        how: ``fetch``, or ``refuse`` where a guard takes only images that are in the request.

    Raises:
        BadRequest: an image that cannot be had, may not be fetched, is none, or is too large; *param* is its path.
    """
    if not has_images(ask.fields):
        return ask
    body: dict[str, Any] = msgspec.json.decode(ask.body)
    far = []
    for path, holder in image_parts(body):
        if holder["url"][:5].lower() == "data:":
            check_data_url(holder["url"], path)
        elif how == "refuse":
            words = "this deployment takes images in the request only: send data:image/...;base64,..."
            raise BadRequest(words, param=path, code="image_url_refused")
        else:
            far.append((path, holder))
    if not far:
        return ask
    found = await asyncio.gather(*(_fetch(house, holder["url"], path) for path, holder in far))
    if sum(map(len, found)) > _TOGETHER:
        raise BadRequest(f"the images have more than {_TOGETHER >> 20} MiB together", param="messages")
    for (_, holder), url in zip(far, found, strict=True):
        holder["url"] = url
    made = msgspec.json.encode(body)
    return msgspec.structs.replace(ask, body=made, fields=msgspec.json.decode(made, type=type(ask.fields)))


async def _fetch(house: House, url: str, path: str) -> str:
    accepts = [(b"accept", b"image/png, image/jpeg, image/webp, image/gif")]
    try:
        answer = await house.errands.run(
            "GET", url, headers=accepts, timeout_s=_TIMEOUT_S, limit_bytes=IMAGE_LIMIT, redirects=_REDIRECTS
        )
    except EgressRefused as refused:
        raise BadRequest(refused.message, param=path, code=refused.code) from None
    except BadRequest as error:
        raise BadRequest(error.message, param=path, code=error.code) from None
    except PrimeurError as error:
        raise BadRequest(f"the image could not be had: {error.message}", param=path, code="invalid_image_url") from None
    if answer.status != 200:
        words = f"the image could not be had: its server answered {answer.status}"
        raise BadRequest(words, param=path, code="invalid_image_url")
    return data_url(answer.body, path)
