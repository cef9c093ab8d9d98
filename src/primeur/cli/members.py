"""``primeur members`` and ``service-accounts``: who is in the organisation, and in which projects."""

from typing import Annotated, Any

import typer

from primeur.cli.client import Api, connect, one
from primeur.cli.show import AsJson, DataDir, moment, print_json, print_list, print_thing, say
from primeur.core.errors import BadRequest

commands = typer.Typer(help="Members: people who sign in.")
service_accounts = typer.Typer(help="Service accounts: identities that own keys and sign in nowhere.")
Name = Annotated[str, typer.Argument(help="Name, user name or id.")]
NewName = Annotated[str, typer.Argument(help="What to call it.")]
Role = Annotated[str, typer.Option(help="What they may do.")]
Project = Annotated[str | None, typer.Option(help="Where they are at home, by name or id.")]

_COLUMNS = {
    "name": lambda each: each["name"],
    "id": lambda each: each["id"],
    "signs in as": lambda each: each["user_name"],
    "role": lambda each: each["role"],
    "projects": lambda each: len(each["projects"]),
    "state": lambda each: each["state"],
    "made": lambda each: moment(each["created_ms"]),
}


@commands.command("list")
def list_members(
    organisation: Annotated[str, typer.Option(help="Another organisation, for whoever runs the house.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the people of an organisation."""
    _list(data_dir, "person", organisation, as_json=as_json)


@commands.command("invite")
def invite_member(
    name: NewName,
    role: Role = "member",
    user_name: Annotated[str | None, typer.Option(help="What they sign in with, such as an e-mail address.")] = None,
    project: Project = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make somebody a member and print their one-time link, which holds for seven days."""
    ask = {"name": name, "role": role, "user_name": user_name, "project": project}
    with connect(data_dir) as api:
        made = api.post("members", ask)
        print_link(api, made, as_json=as_json)


@commands.command("passkeys")
def list_passkeys(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List what a member signs in with."""
    with connect(data_dir) as api:
        found = api.get(f"{one('members', name)}/passkeys")["data"]
    columns = {
        "name": lambda each: each["name"],
        "id": lambda each: each["id"],
        "made": lambda each: moment(each["created_ms"]),
        "last used": lambda each: moment(each["used_ms"]),
    }
    print_list(found, columns, as_json=as_json, nothing="There are no passkeys.")


@commands.command("remove-passkey")
def remove_passkey(
    name: Name,
    passkey: Annotated[str, typer.Argument(help="Id of the passkey.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove a passkey, for example of a device that was lost."""
    with connect(data_dir) as api:
        gone = api.delete(f"{one('members', name)}/{one('passkeys', passkey)}")
    if as_json:
        print_json(gone)
    else:
        say(f"The passkey {gone['name']} is no more.")


@commands.command("groups")
def list_groups(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the groups that an identity provider keeps."""
    with connect(data_dir) as api:
        found = api.get("groups")["data"]
    columns = {
        "name": lambda each: each["name"],
        "id": lambda each: each["id"],
        "members": lambda each: len(each["members"]),
    }
    print_list(found, columns, as_json=as_json, nothing="There are no groups.")


@commands.command("show")
def show_member(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show a member."""
    with connect(data_dir) as api:
        print_thing(api.get(one("members", name)), as_json=as_json)


@commands.command("change")
def change_member(
    name: Name,
    role: Annotated[str | None, typer.Option(help="What they may do.")] = None,
    user_name: Annotated[str | None, typer.Option(help="What they sign in with.")] = None,
    project: Annotated[str | None, typer.Option(help="The role holds in this project, not at home.")] = None,
    leave: Annotated[str | None, typer.Option(help="A project to take them out of.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change what a member is, at home or in one more project."""
    with connect(data_dir) as api:
        if leave is not None:
            found = api.delete(f"{one('members', name)}/{one('projects', leave)}")
        elif project is not None and role is not None:
            found = api.put(f"{one('members', name)}/{one('projects', project)}", {"role": role})
        else:
            change = {field: value for field, value in (("role", role), ("user_name", user_name)) if value is not None}
            if not change or project is not None:
                raise BadRequest("say what to change: --role, --user-name, --project with --role, or --leave")
            found = api.patch(one("members", name), change)
    print_thing(found, as_json=as_json)


@commands.command("disable")
def disable_member(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Let a member sign in no more: sessions end at once, keys of theirs stop working."""
    with connect(data_dir) as api:
        print_thing(api.patch(one("members", name), {"state": "disabled"}), as_json=as_json)


@commands.command("enable")
def enable_member(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Let a disabled member sign in again."""
    with connect(data_dir) as api:
        print_thing(api.patch(one("members", name), {"state": "active"}), as_json=as_json)


@commands.command("remove")
def remove_member(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Remove a member for good; their name stays in the log."""
    _remove(data_dir, name, as_json=as_json)


@service_accounts.command("list")
def list_accounts(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List service accounts."""
    _list(data_dir, "service", "", as_json=as_json)


@service_accounts.command("create")
def create_account(
    name: NewName, role: Role = "member", project: Project = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Make a service account; `primeur keys create NAME --member ACCOUNT` gives it a key."""
    ask = {"name": name, "role": role, "project": project, "kind": "service"}
    with connect(data_dir) as api:
        print_thing(api.post("members", ask), as_json=as_json)


@service_accounts.command("remove")
def remove_account(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Remove a service account; its keys stop working."""
    _remove(data_dir, name, as_json=as_json)


def print_link(api: Api, made: dict[str, Any], *, as_json: bool) -> None:
    """Print a one-time link of somebody new."""
    link = (api.url or "http://127.0.0.1:8080").rstrip("/") + made["path"]
    if as_json:
        print_json(made | {"url": link})
    else:
        say(link)


def _list(data_dir: Any, kind: str, organisation: str, *, as_json: bool) -> None:
    with connect(data_dir) as api:
        found = [each for each in api.get("members", organisation=organisation)["data"] if each["kind"] == kind]
    print_list(found, _COLUMNS, as_json=as_json, nothing="There is nobody that this key may see.")


def _remove(data_dir: Any, name: str, *, as_json: bool) -> None:
    with connect(data_dir) as api:
        gone = api.delete(one("members", name))
    if as_json:
        print_json(gone)
    else:
        say(f"{gone['name']} is removed.")
