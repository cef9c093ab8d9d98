"""The part of ``primeur deployments`` that moves traffic from one revision to the next."""

from typing import Annotated, Any

import msgspec
import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, moment, print_json, print_list, say

Name = Annotated[str, typer.Argument(help="Name, id or alias of the deployment.")]
Reason = Annotated[str, typer.Option(help="Why, for the event log.")]


def add_roll_outs(commands: typer.Typer) -> None:
    """Add the commands to the group ``deployments``."""
    commands.command("roll-outs")(list_roll_outs)
    commands.command("traffic")(divide_traffic)
    commands.command("promote")(promote)
    commands.command("pause")(pause)
    commands.command("resume")(resume)
    commands.command("roll-back")(roll_back)


def read_policy(text: str) -> Any:
    """Read a policy written as JSON.

    Raises:
        BadParameter: it is no JSON object.
    """
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise typer.BadParameter(f"{text!r} is no JSON object ({error}); write '{{\"steps\": [5, 25, 50]}}'") from None


def read_shadow(text: str | None) -> dict[str, int]:
    """Read the part of the requests to copy: ``10%`` or ``10``.

    Raises:
        BadParameter: it is no percentage.
    """
    if text is None:
        return {}
    number = text.removesuffix("%").strip()
    if not number.isdecimal() or not 1 <= int(number) <= 100:
        raise typer.BadParameter(f"--shadow takes a percentage from 1% to 100%, not {text!r}")
    return {"shadow": int(number)}


def list_roll_outs(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List a deployment's roll-outs and what the judge says."""
    with connect(data_dir) as api:
        found = api.get(one("deployments", name) + "/roll-outs")["data"]
    print_list(found, _COLUMNS, as_json=as_json, nothing="It has had no roll-out: one revision answers everybody.")
    if found and found[0]["verdict"] and not as_json:
        say("")
        print_list(found[0]["verdict"]["findings"], _FINDINGS, as_json=False, nothing="Nothing has been seen yet.")


def divide_traffic(
    name: Name,
    shares: Annotated[list[str], typer.Argument(help="REVISION=PERCENT, adding up to 100.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Divide traffic between revisions by hand."""
    asked: dict[str, int] = {}
    for share in shares:
        number, _, percent = share.partition("=")
        if not (number.isdigit() and percent.isdigit()):
            raise typer.BadParameter(f"{share!r} is not REVISION=PERCENT")
        asked[number] = int(percent)
    with connect(data_dir) as api:
        found = api.put(one("deployments", name) + "/traffic", {"shares": asked})
    if as_json:
        print_json(found)
    else:
        say(f"{name}: " + ", ".join(f"revision {number} has {share} %" for number, share in found["shares"].items()))


def promote(name: Name, reason: Reason = "", data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Give the new revision all of the traffic."""
    _move(name, "promote", reason, data_dir, as_json=as_json)


def pause(name: Name, reason: Reason = "", data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Leave the traffic as it is; nothing is judged."""
    _move(name, "pause", reason, data_dir, as_json=as_json)


def resume(name: Name, reason: Reason = "", data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Go on judging."""
    _move(name, "resume", reason, data_dir, as_json=as_json)


def roll_back(name: Name, reason: Reason = "", data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Give all of the traffic to the revision before."""
    _move(name, "roll_back", reason, data_dir, as_json=as_json)


def _move(name: str, move: str, reason: str, data_dir: DataDir, *, as_json: bool) -> None:
    with connect(data_dir) as api:
        found = api.post(one("deployments", name) + "/roll-out", {"move": move, "reason": reason})
    if as_json:
        print_json(found)
    else:
        rest = f"revision {found['revision']} has {found['share']} %, revision {found['baseline']} the rest"
        say(f"{name} is {found['state']}: {rest}")


def _threshold(metric: str, value: float | None) -> str | None:
    """What slow, dear or bad is, in a unit that says itself."""
    if value is None:
        return None
    times = {"first_token": "ms to the first", "speed": "ms a token"}
    if metric in times:
        return f"{value / 1000:.4g} {times[metric]}"
    # A shortfall is what exceeds, so the judge keeps scores with the sign turned round.
    return f"{value:.0f} nanos a request" if metric == "cost" else f"a score below {-value:.4g}"


_COLUMNS = {
    "revision": lambda each: each["revision"],
    "before": lambda each: each["baseline"],
    "state": lambda each: each["state"],
    "share": lambda each: f"{each['share']} %",
    "copied": lambda each: each["shadow"] and f"{each['shadow']['percent']} %, {each['shadow']['answers']} answers",
    "verdict": lambda each: each["verdict"] and f"{each['verdict']['answer']}: {each['verdict']['reason']}",
    "since": lambda each: moment(each["since_ms"]),
}
_FINDINGS = {
    "watched": lambda each: each["metric"],
    "new": lambda each: f"{each['canary_rate']:.2%} of {each['canary']}",
    "before": lambda each: f"{each['baseline_rate']:.2%} of {each['baseline']}",
    "above": lambda each: _threshold(each["metric"], each["threshold"]),
    "evidence": lambda each: f"{each['e_value']:.3g} of {each['limit']:.3g}",
}
