"""Images by URL are brought here or refused; addresses that nobody may reach are not reached by a picture either."""

import base64
from dataclasses import replace

import msgspec
import pytest

from primeur.core.chat import Ask, Route
from primeur.core.egress import read_egress
from primeur.core.errors import BadRequest, TargetFailed
from primeur.core.images import IMAGE_LIMIT
from primeur.core.ports import Fetched
from primeur.core.wire import ChatRequest
from primeur.relay.errand import PooledErrands
from primeur.walks.fetch_images import fetch_images

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
INLINE = "data:image/png;base64," + base64.b64encode(PNG).decode()
PUBLIC = read_egress((), own_machine=False)


def ask(*urls):
    parts = [{"type": "image_url", "image_url": {"url": url, "detail": "low"}} for url in urls]
    body = {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "see"}, *parts]}]}
    text = msgspec.json.encode(body)
    return Ask("req_1", Route.CHAT, text, msgspec.json.decode(text, type=ChatRequest), 0, 0)


def urls_of(found):
    return [part["image_url"]["url"] for part in found.fields.messages[0].content[1:]]


class PaperErrands:
    """Fetches what a test says."""

    def __init__(self, body=PNG, status=200, fault=None):
        self.answer, self.fault, self.went = Fetched(status, {}, body), fault, []

    async def run(self, method, url, _body=b"", **bounds):
        self.went.append((method, url, bounds))
        if self.fault is not None:
            raise self.fault
        return self.answer


async def test_an_image_by_url_goes_on_in_the_request(house):
    """As what its bytes are; those in the request stay as they are."""
    errands = PaperErrands()
    found = await fetch_images(replace(house, errands=errands), ask("https://a.example/x.jpg", INLINE), "fetch")
    assert urls_of(found) == [INLINE, INLINE]
    assert found.fields.messages[0].content[1]["image_url"]["detail"] == "low"
    assert msgspec.json.decode(found.body)["messages"][0]["content"][1]["image_url"]["url"] == INLINE
    [(method, url, bounds)] = errands.went
    assert (method, url, bounds["limit_bytes"], bounds["redirects"]) == (
        "GET",
        "https://a.example/x.jpg",
        IMAGE_LIMIT,
        3,
    )


async def test_a_request_without_images_is_left_alone(house):
    """The same object."""
    plain = ask()
    assert await fetch_images(house, plain, "refuse") is plain


@pytest.mark.parametrize(
    ("errands", "code"),
    [
        (PaperErrands(b"<html>"), "invalid_image_format"),
        (PaperErrands(status=404), "invalid_image_url"),
        (PaperErrands(fault=TargetFailed("too long")), "invalid_image_url"),
        (PaperErrands(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "invalid_image_format"),
    ],
)
async def test_what_cannot_be_had_is_refused_with_its_place(house, errands, code):
    """In the caller's own body."""
    with pytest.raises(BadRequest) as refused:
        await fetch_images(replace(house, errands=errands), ask("https://a.example/x"), "fetch")
    assert (refused.value.code, refused.value.param) == (code, "messages[0].content[1].image_url.url")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/x.png", "https://[::1]/x.png",
        "https://[::ffff:169.254.169.254]/", "https://10.0.0.1/x", "https://0.0.0.0/", "http://a.example/x.png",
        "https://2130706433/", "https://192.168.1.1:8443/x",
    ],
)  # fmt: skip
async def test_no_picture_leads_inside(house, url):
    """Loopback, metadata, private: whatever way they are written; plain http neither."""
    with pytest.raises(BadRequest) as refused:
        await fetch_images(replace(house, errands=PooledErrands(PUBLIC)), ask(url), "fetch")
    assert refused.value.code in {"egress_refused", "invalid_request", "invalid_image_url"}


async def test_a_name_that_leads_inside_is_judged_by_where_it_leads(house):
    """The name is resolved once, and the address that is judged is the one that is connected to."""
    with pytest.raises(BadRequest, match="loopback") as refused:
        await fetch_images(replace(house, errands=PooledErrands(PUBLIC)), ask("https://localhost:8443/"), "fetch")
    assert refused.value.code == "egress_refused"


@pytest.mark.parametrize(
    "url",
    ["data:text/html;base64,AAAA", "data:image/png;base64,!!!!", "data:image/png;base64,AAAA", "data:image/png,x",
     "data:image/png;base64," + "A" * (IMAGE_LIMIT // 3 * 4 + 8), "ftp://a.example/x", "file:///etc/passwd"],
)  # fmt: skip
async def test_an_image_in_the_request_must_be_one(house, url):
    """Of a kind that models read, and of a size."""
    with pytest.raises(BadRequest):
        await fetch_images(replace(house, errands=PooledErrands(PUBLIC)), ask(url), "fetch")


async def test_there_are_only_so_many(house):
    """Nothing is fetched of a request with too many."""
    errands = PaperErrands()
    with pytest.raises(BadRequest, match="at most 16"):
        await fetch_images(replace(house, errands=errands), ask(*["https://a.example/"] * 17), "fetch")
    assert errands.went == []


async def test_a_guard_may_take_no_urls(house):
    """Then the image must be in the request."""
    with pytest.raises(BadRequest, match="in the request only"):
        await fetch_images(house, ask("https://a.example/"), "refuse")
