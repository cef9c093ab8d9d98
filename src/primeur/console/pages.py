"""The console as an application: its addresses, and who answers them."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from primeur.console.api import ApiClient
from primeur.console.assets import Shut
from primeur.console.desk import Desk, Endpoint, Page, View, view
from primeur.console.views import (
    access,
    audit,
    bounds,
    capacity,
    chat,
    deployment,
    deployments,
    entrance,
    guards,
    keys,
    ledger,
    log,
    models,
    money,
    openid,
    papers,
    passkeys,
    people,
    prices,
    profile,
    simulations,
    usage,
)
from primeur.walks.house import House

_OPEN: tuple[tuple[str, str, View], ...] = (
    ("GET", "/sign-in", entrance.ask),
    ("POST", "/sign-in", entrance.open_typed_link),
    ("POST", "/sign-in-password", entrance.open_by_password),
    ("GET", "/sign-in/openid", openid.finish),
    ("GET", "/sign-in/openid/begin", openid.begin),
    ("GET", "/sign-in/openid/leave", openid.leave),
    ("POST", "/sign-in/passkey/begin", passkeys.begin),
    ("POST", "/sign-in/passkey", passkeys.finish),
    ("GET", "/sign-in/{token}", entrance.show_link),
    ("POST", "/sign-in/{token}", entrance.open_link),
    ("POST", "/preferences", entrance.keep),
)
_SIGNED_IN: tuple[tuple[str, str, View], ...] = (
    ("POST", "/sign-out", entrance.leave),
    ("GET", "/chat", chat.show_chat),
    ("GET", "/models", models.show_models),
    ("GET", "/deployments", deployments.show_deployments),
    ("GET", "/deployments/{deployment_id}", deployment.show_deployment),
    ("POST", "/deployments/{deployment_id}/roll-out", deployments.move_roll_out),
    ("GET", "/deployments/{deployment_id}/logs", deployment.show_logs),
    ("GET", "/guards", guards.show_guards),
    ("POST", "/guards", guards.add_rule),
    ("POST", "/guards/remove", guards.remove_rule),
    ("GET", "/capacity", capacity.show_capacity),
    ("GET", "/capacity/shares", capacity.show_shares),
    ("GET", "/simulations", simulations.show_simulations),
    ("GET", "/simulations/{simulation_id}", simulations.show_simulation),
    ("GET", "/keys", keys.show_keys),
    ("POST", "/keys", keys.create_key),
    ("POST", "/keys/{key_id}/revoke", keys.revoke_key),
    ("GET", "/bounds", bounds.show_bounds),
    ("POST", "/bounds/budget", bounds.set_budget),
    ("POST", "/bounds/budget/remove", bounds.remove_budget),
    ("POST", "/bounds/limits", bounds.set_limits),
    ("POST", "/keys/{key_id}/rotate", keys.rotate_key),
    ("GET", "/people", people.show_people),
    ("POST", "/people", people.invite),
    ("GET", "/people/{member_id}", people.show_person),
    ("POST", "/people/{member_id}", people.change),
    ("POST", "/people/{member_id}/state", people.set_state),
    ("POST", "/people/{member_id}/link", people.make_link),
    ("POST", "/people/{member_id}/remove", people.remove),
    ("POST", "/people/{member_id}/projects", people.join),
    ("POST", "/people/{member_id}/projects/{project_id}/leave", people.leave),
    ("POST", "/people/{member_id}/sessions/{session_id}/end", people.end_session),
    ("POST", "/people/{member_id}/passkeys/{passkey_id}/remove", people.remove_passkey),
    ("GET", "/access", access.show_access),
    ("POST", "/access/sign-in", access.set_sign_in),
    ("POST", "/access/roles", access.set_role),
    ("POST", "/access/roles/{role}/remove", access.remove_role),
    ("GET", "/profile", profile.show_profile),
    ("POST", "/profile/passkeys/{passkey_id}/rename", passkeys.rename),
    ("POST", "/profile/passkeys/{passkey_id}/remove", passkeys.remove),
    ("POST", "/profile/password", profile.change_password),
    ("POST", "/profile/project", profile.move),
    ("POST", "/profile/sessions/{session_id}/end", profile.end_session),
    ("GET", "/usage", usage.show_usage),
    ("GET", "/usage.csv", usage.export_usage),
    ("GET", "/money", money.show_margins),
    ("GET", "/money/what-if", money.suppose),
    ("GET", "/money/prices", prices.show_prices),
    ("POST", "/money/prices", prices.set_price),
    ("POST", "/money/prices/shares", prices.set_share),
    ("GET", "/money/papers", papers.show_papers),
    ("GET", "/money/papers/{kind}/{number}", papers.show_pdf),
    ("GET", "/ledger", ledger.show_ledger),
    ("GET", "/log", log.show_log),
    ("GET", "/audit", audit.show_audit),
    ("GET", "/audit/documents/{name}", audit.show_document),
    ("GET", "/log/{request_id}", log.show_request),
)


def build(house: House, api: ApiClient) -> Starlette:
    """Build the console over the API that *api* reaches."""
    desk = Desk(house, api)
    routes: list[Route | Mount] = [
        Route("/", _home),
        Route("/favicon.ico", _icon(desk)),
        Mount("/static", desk.assets),
    ]
    for doors, signed_in in ((_OPEN, False), (_SIGNED_IN, True)):
        routes += [
            Route(path, view(desk, answer, signed_in=signed_in), methods=[method]) for method, path, answer in doors
        ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Shut)],
        exception_handlers={404: _missing(desk)},
    )


async def _home(_request: Request) -> Response:
    return RedirectResponse("/chat", 303)


def _icon(desk: Desk) -> Endpoint:
    async def icon(_request: Request) -> Response:
        return RedirectResponse(desk.assets.url("logo.svg"), 303)

    return icon


def _missing(desk: Desk) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def missing(request: Request, _error: Exception) -> Response:
        page = Page(desk, request)
        return page.draw("missing.html", 404)

    return missing
