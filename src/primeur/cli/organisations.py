"""``primeur organisations``, ``roles``, ``sessions`` and ``sign-in``: tenants, and how their people come in."""

import json
from pathlib import Path
from typing import Annotated

import typer

from primeur.cli.client import connect, one
from primeur.cli.members import print_link
from primeur.cli.show import AsJson, DataDir, moment, print_json, print_list, print_thing, say
from primeur.core.errors import BadRequest

commands = typer.Typer(help="Organisations: tenants that share the house and see nothing of each other.")
roles = typer.Typer(help="Roles: what every house has, and an organisation's own.")
sessions = typer.Typer(help="Sessions: who is signed in to the console.")
sign_in = typer.Typer(help="How the people of an organisation sign in.")
RoleName = Annotated[str, typer.Argument(help="Name of the role.")]


@commands.command("list")
def list_organisations(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List organisations."""
    with connect(data_dir) as api:
        found = api.get("organisations")["data"]
    columns = {
        "name": lambda each: each["name"],
        "id": lambda each: each["id"],
        "runs the house": lambda each: each["home"],
        "made": lambda each: moment(each["created_ms"]),
    }
    print_list(found, columns, as_json=as_json, nothing="There are no organisations.")


@commands.command("create")
def create_organisation(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    owner: Annotated[str, typer.Option(help="Name of its first owner.")] = "owner",
    user_name: Annotated[str | None, typer.Option(help="What the owner signs in with.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add an organisation and print its owner's one-time link, which holds for seven days."""
    with connect(data_dir) as api:
        made = api.post("organisations", {"name": name, "owner": owner, "user_name": user_name})
        print_link(api, made, as_json=as_json)


@roles.command("list")
def list_roles(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List roles and what they may do."""
    with connect(data_dir) as api:
        found = api.get("roles")["data"]
    columns = {
        "name": lambda each: each["name"],
        "own": lambda each: each["own"],
        "may": lambda each: each["permissions"],
    }
    print_list(found, columns, as_json=as_json, nothing="There are no roles.")


@roles.command("set")
def set_role(
    name: RoleName,
    permissions: Annotated[list[str], typer.Argument(help="Such as members:read; none that you have not.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make or change a role of the organisation's own."""
    with connect(data_dir) as api:
        print_thing(api.put(one("roles", name), {"permissions": permissions}), as_json=as_json)


@roles.command("remove")
def remove_role(name: RoleName, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Give up a role that nobody has any more."""
    with connect(data_dir) as api:
        gone = api.delete(one("roles", name))
    if as_json:
        print_json(gone)
    else:
        say(f"The role {gone['name']} is no more.")


@sessions.command("list")
def list_sessions(
    member: Annotated[str, typer.Option(help="Whose, by name or id.")] = "all",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List who is signed in."""
    with connect(data_dir) as api:
        found = api.get("sessions", member=member)["data"]
    columns = {
        "member": lambda each: each["member"],
        "id": lambda each: each["id"],
        "by": lambda each: each["method"],
        "from": lambda each: each["address"],
        "opened": lambda each: moment(each["created_ms"]),
        "last used": lambda each: moment(each["seen_ms"]),
    }
    print_list(found, columns, as_json=as_json, nothing="Nobody is signed in.")


@sessions.command("end")
def end_session(
    session: Annotated[str, typer.Argument(help="Id of the session.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """End a session at once."""
    with connect(data_dir) as api:
        gone = api.delete(one("sessions", session))
    if as_json:
        print_json(gone)
    else:
        say(f"The session {gone['id']} has ended.")


@sign_in.command("show")
def show_sign_in(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show how people sign in."""
    with connect(data_dir) as api:
        print_thing(api.get("sign-in"), as_json=as_json)


@sign_in.command("set")
def set_sign_in(
    file: Annotated[Path, typer.Argument(help="JSON, as `primeur sign-in show --json` prints it.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Set how people sign in, from a file."""
    try:
        settings = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadRequest(f"{file} cannot be read as JSON ({error})") from None
    with connect(data_dir) as api:
        print_thing(api.put("sign-in", settings), as_json=as_json)
