"""``primeur capacity``: request it, ask the holder, answer, commit."""

from typing import Annotated, Any

import typer

from primeur.broker.commands import Answer
from primeur.cli.client import connect, one
from primeur.cli.rights import read_span
from primeur.cli.serving import show_serving
from primeur.cli.show import AsJson, DataDir, moment, print_json, print_list, print_thing, say
from primeur.core.money import NANOS

commands = typer.Typer(help="Capacity: request it, ask the holder, answer, commit.")
commands.command("serving")(show_serving)
Request = Annotated[str, typer.Argument(help="Id of the request.")]
Offer = Annotated[str, typer.Argument(help="Id of the offer.")]
Commitment = Annotated[str, typer.Argument(help="Id of the commitment.")]
Units = Annotated[int, typer.Option(min=1, help="How many.")]
Price = Annotated[float, typer.Option(min=0, help="Per unit and hour.")]
Start = Annotated[int, typer.Option(help="When the units are used from, UTC milliseconds.")]
Term = Annotated[str, typer.Option(help="For how long, such as 7d.")]
Currency = Annotated[str, typer.Option(help="Of the price.")]
Sku = Annotated[str, typer.Option(help="The product.")]
Zone = Annotated[str, typer.Option(help="Where.")]
Workload = Annotated[str, typer.Option("--class", help="The workload's class, such as a deployment's name.")]
Key = Annotated[str | None, typer.Option(help="Idempotency key: the same twice is once.")]


def _terms(units: int, price: float, start_ms: int, term: str, **rest: str) -> dict[str, Any]:
    nanos = round(price * NANOS)
    return {"units": units, "unit_price_nanos": nanos, "start_ms": start_ms, "term_ms": read_span(term)} | rest


@commands.command("request")
def request_capacity(
    units: Units, price: Price, start_ms: Start, term: Term = "1d", currency: Currency = "EUR", sku: Sku = "",
    zone: Zone = "", workload: Workload = "", key: Key = None,
    ask_holder: Annotated[bool, typer.Option("--ask/--no-ask", help="Ask the holder at once.")] = True,
    data_dir: DataDir = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Request capacity at these terms at most; where a right covers it, its holder is asked first."""
    ceiling = _terms(units, price, start_ms, term, currency=currency, sku=sku, zone=zone, workload_class=workload)
    with connect(data_dir) as api:
        made = api.post("capacity/requests", {"ceiling": ceiling, "key": key})
        if ask_holder and made["paper"]["right_version"] is not None and made["state"] == "open":
            api.post(f"{one('capacity/requests', made['id'])}/offers", {"key": made["id"]})
            made = api.get(one("capacity/requests", made["id"]))
    _tell(made, as_json=as_json)


@commands.command("bid")
def seal_bid(
    request: Request, provider: Annotated[str, typer.Option(help="Who bids.")], units: Units, price: Price,
    start_ms: Start, term: Term = "1d", currency: Currency = "EUR", sku: Sku = "", zone: Zone = "",
    workload: Workload = "", data_dir: DataDir = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Seal a third party's bid, for a right to match."""
    terms = _terms(units, price, start_ms, term, currency=currency, sku=sku, zone=zone, workload_class=workload)
    with connect(data_dir) as api:
        _tell(
            api.post(f"{one('capacity/requests', request)}/bids", {"provider": provider, "terms": terms}),
            as_json=as_json,
        )


@commands.command("ask")
def ask_holder(request: Request, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Ask the holder for what is free of a request."""
    with connect(data_dir) as api:
        _tell(api.post(f"{one('capacity/requests', request)}/offers", {}), as_json=as_json)


@commands.command("answer")
def answer_offer(
    offer: Offer,
    answer: Annotated[Answer, typer.Argument(help="The holder's word.")],
    units: Annotated[int | None, typer.Option(min=1, help="How many are accepted; all by default.")] = None,
    counter_price: Annotated[float | None, typer.Option(help="With counter: the price that would be a yes.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Answer an offer in its holder's name, to the terms as they are now."""
    with connect(data_dir) as api:
        paper = api.get(one("capacity/offers", offer))["paper"]
        said: dict[str, Any] = {"answer": answer.value, "hash": paper["hash"], "units": units}
        if counter_price is not None:
            said["counter"] = paper["terms"] | {"unit_price_nanos": round(counter_price * NANOS)}
        _tell(api.post(f"{one('capacity/offers', offer)}/answer", said), as_json=as_json)


@commands.command("withdraw")
def withdraw_offer(offer: Offer, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Take an offer back; nothing is let go."""
    with connect(data_dir) as api:
        _tell(api.post(f"{one('capacity/offers', offer)}/withdraw", {}), as_json=as_json)


@commands.command("close")
def close_offer(
    offer: Offer,
    failed: Annotated[bool, typer.Option("--failed", help="It was not signed.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Sign an acceptance, where that is not done at once."""
    with connect(data_dir) as api:
        _tell(api.post(f"{one('capacity/offers', offer)}/close", {"failed": failed}), as_json=as_json)


@commands.command("commit")
def commit_third(
    request: Request, provider: Annotated[str, typer.Option(help="Who supplies.")], units: Units, price: Price,
    start_ms: Start, window: Annotated[str | None, typer.Option(help="The release that it uses.")] = None,
    term: Term = "1d", currency: Currency = "EUR", sku: Sku = "", zone: Zone = "", workload: Workload = "",
    data_dir: DataDir = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Commit with a third party on what the holder let go, or on what no right covers."""
    terms = _terms(units, price, start_ms, term, currency=currency, sku=sku, zone=zone, workload_class=workload)
    ask = {"request": request, "provider": provider, "terms": terms, "window": window}
    with connect(data_dir) as api:
        _tell(api.post("capacity/commitments", ask), as_json=as_json)


@commands.command("amend")
def amend_commitment(
    commitment: Commitment,
    units: Annotated[int | None, typer.Option(min=1, help="How many from now on; not more than before.")] = None,
    price: Annotated[float | None, typer.Option(min=0, help="Per unit and hour, from now on.")] = None,
    ends: Annotated[int | None, typer.Option("--end-ms", help="The new end, UTC milliseconds.")] = None,
    key: Key = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Agree on other terms: a new commitment supersedes this one; what is not said stays."""
    with connect(data_dir) as api:
        terms = api.get(one("capacity/commitments", commitment))["paper"]["terms"]
        given = {"units": units, "unit_price_nanos": None if price is None else round(price * NANOS),
                 "term_ms": None if ends is None else ends - terms["start_ms"]}  # fmt: skip
        changed = {name: value for name, value in given.items() if value is not None}
        if not changed:
            raise typer.BadParameter("say what changes: --units, --price or --end-ms")
        ask = {"terms": terms | changed, "key": key}
        _tell(api.post(f"{one('capacity/commitments', commitment)}/amend", ask), as_json=as_json)


@commands.command("end")
def cancel_commitment(commitment: Commitment, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """End a commitment before its term: it is cancelled, and so are its units."""
    with connect(data_dir) as api:
        _tell(api.post(f"{one('capacity/commitments', commitment)}/cancel", {}), as_json=as_json)


@commands.command("cancel")
def cancel_request(
    request: Request,
    unmet: Annotated[bool, typer.Option("--unmet", help="Nobody has it.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Give up what is left of a request."""
    with connect(data_dir) as api:
        _tell(api.post(f"{one('capacity/requests', request)}/cancel", {"unmet": unmet}), as_json=as_json)


@commands.command("requests")
def list_requests(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List requests, newest first."""
    columns = {name: _field(name) for name in ("units", "committed", "cancelled")}
    _list("requests", columns, data_dir, as_json=as_json)


@commands.command("offers")
def list_offers(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List offers with their deadlines, newest first."""
    columns = {
        "request": lambda each: each["request"],
        "units": lambda each: each["paper"]["terms"]["units"],
        "price": lambda each: f"{each['paper']['terms']['unit_price_nanos'] / NANOS:g}",
        "accepted": _field("accepted"),
        "answer by": lambda each: moment(each["due_ms"]),
    }
    _list("offers", columns, data_dir, as_json=as_json)


@commands.command("windows")
def list_windows(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List what holders let go, newest first."""
    columns = {
        "units": _field("units"),
        "consumed": _field("consumed"),
        "until": lambda each: moment(each["paper"]["expires_ms"]),
    }
    _list("windows", columns, data_dir, as_json=as_json)


@commands.command("commitments")
def list_commitments(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List what was agreed, newest first, each with what was used of it and what it cites."""
    columns = {
        "provider": _field("provider"),
        "units": lambda each: each["paper"]["terms"]["units"],
        "used": lambda each: _used(each["use"]),
        "offer": _field("offer"),
        "release": _field("release"),
    }
    _list("commitments", columns, data_dir, as_json=as_json)


def _used(use: dict[str, Any]) -> str:
    if use["of_tokens"] is None:
        return f"{use['tokens']} tokens"
    return f"{use['tokens']} of {use['of_tokens']} tokens ({use['percent']} %)"


def _field(name: str) -> Any:
    return lambda each: each["paper"][name]


def _list(noun: str, columns: dict[str, Any], data_dir: Any, *, as_json: bool) -> None:
    with connect(data_dir) as api:
        found = api.get(f"capacity/{noun}")["data"]
    own = {"id": lambda each: each["id"], "state": lambda each: each["state"]}
    print_list(
        found, own | columns, as_json=as_json, nothing=f"There are no {noun}; `primeur capacity request` begins."
    )


def _tell(paper: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(paper)
    else:
        say(f"The {paper['kind']} {paper['id']} is {paper['state']}.")
        print_thing(paper["paper"], as_json=False)
