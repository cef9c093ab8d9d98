"""What every page needs: the templates, the words, the session's API, and one place to draw with them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from primeur.console import show
from primeur.console.api import Api, ApiClient, ApiRefusal, Json, SignedOut
from primeur.console.assets import Assets
from primeur.console.session import comes_from_us, drop_session, form_is_ours, form_token, preference, session_of
from primeur.console.words import LANGUAGES, Words, choose_language, read_words
from primeur.walks.house import House

THEMES = ("system", "light", "dark")
_FIELDS_MOST = 64
_FIELD_BYTES_MOST = 256 * 1024


@dataclass
class Desk:
    """The console's own tools, made once."""

    house: House
    client: ApiClient
    assets: Assets = field(default_factory=Assets)
    words: Mapping[str, Words] = field(default_factory=lambda: {name: read_words(name) for name in LANGUAGES})
    templates: Environment = field(
        default_factory=lambda: Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
    )


class Page:
    """One request for a page, with everything to answer it."""

    def __init__(self, desk: Desk, request: Request) -> None:
        """Read language, theme and session from *request*."""
        self.desk = desk
        self.request = request
        self.session = session_of(request)
        self.words = desk.words[
            choose_language(preference(request, "language"), request.headers.get("accept-language", ""))
        ]
        theme = preference(request, "theme")
        self.theme = theme if theme in THEMES else "system"
        self.api = Api(desk.client, self.session)
        self.me: Json = {}

    @property
    def is_fragment(self) -> bool:
        """Whether htmx asks for a part of the page only."""
        return self.request.headers.get("hx-request") == "true"

    def say(self, key: str, **values: object) -> str:
        """Words in the person's language."""
        return self.words.say(key, **values)

    def draw(self, template: str, status: int = 200, **values: Any) -> Response:
        """Fill in a template."""
        found = self.desk.templates.get_template(template)
        return HTMLResponse(found.render(self._common() | values), status, headers={"vary": "hx-request, cookie"})

    def go(self, address: str) -> Response:
        """Send the browser elsewhere; htmx follows a header, not a redirect, when the whole page must change."""
        if self.is_fragment:
            return Response(status_code=204, headers={"hx-redirect": address})
        return RedirectResponse(address, 303)

    async def form(self) -> FormData | None:
        """Read a posted form; None when it was not sent from a page of this session."""
        posted = await self.request.form(max_files=0, max_fields=_FIELDS_MOST, max_part_size=_FIELD_BYTES_MOST)
        ours = form_is_ours(self.desk.house.place.pepper, self.session, posted.get("csrf"))
        return posted if ours and comes_from_us(self.request) else None

    def _common(self) -> dict[str, Any]:
        language = self.words.language
        unknown = self.words.say("unit.price_unknown")
        return {
            "t": self.words.say,
            "knows": self.words.has,
            "language": language,
            "languages": LANGUAGES,
            "theme": self.theme,
            "asset": self.desk.assets.url,
            "path": self.request.url.path,
            "me": self.me,
            "may": set(self.me.get("permissions", ())).__contains__,
            "live_words": self.words.live,
            "csrf": form_token(self.desk.house.place.pepper, self.session),
            "count": lambda number: show.count(number, language),
            "money": lambda nanos, currency: show.money(nanos, currency, language, unknown),
            "price": lambda nanos, currency: show.price_per_million(nanos, currency, language, unknown),
            "size": lambda octets: show.size(octets, language),
            "decimal": lambda number, places: show.decimal(number, places, language),
            "duration": lambda microseconds: show.duration(microseconds, language),
            "moment": show.moment,
            "iso": show.iso,
        }


View = Callable[[Page], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def view(desk: Desk, answer: View, *, signed_in: bool = True) -> Endpoint:
    """Turn a function of a page into an endpoint; refusals of the API become words on a page."""

    async def endpoint(request: Request) -> Response:
        page = Page(desk, request)
        if signed_in and not page.session:
            return page.go("/sign-in")
        try:
            if signed_in:
                page.me = await page.api.get("/api/v1/me")
            return await answer(page)
        except SignedOut:
            gone = page.go("/sign-in?ended=1")
            drop_session(gone, request)
            return gone
        except ApiRefusal as refusal:
            return refuse(page, refusal)

    return endpoint


def refuse(page: Page, refusal: ApiRefusal) -> Response:
    """Say what the API refused, as a whole page or as a notice in the page."""
    # The API's 404 of a thing is told with the page's own status; its 5xx is not ours.
    status = refusal.status if refusal.status < 500 else 502
    template = "notice.html" if page.is_fragment else "refused.html"
    return page.draw(template, status, title=page.say("problem.title"), message=refusal.message, code=refusal.code)
