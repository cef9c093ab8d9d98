"""Every command is on the page of the command line."""

import subprocess
import sys
from pathlib import Path

import typer

from primeur.cli import make_app

PAGE = (Path(__file__).parents[2] / "docs" / "command_line.md").read_text("utf-8")
app = make_app()


def test_every_command_is_documented():
    """By its group and its name."""
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        assert f"`primeur {name}" in PAGE, name
    for group in app.registered_groups:
        (line,) = (line for line in PAGE.splitlines() if line.startswith(f"| `primeur {group.name} "))
        for command in group.typer_instance.registered_commands:
            name = command.name or command.callback.__name__
            assert name in line, (group.name, name)


def test_every_command_says_what_it_does():
    """And every list can be read by programs."""
    groups: list[typer.Typer] = [group.typer_instance for group in app.registered_groups]
    for command in [*app.registered_commands, *(one for group in groups for one in group.registered_commands)]:
        assert command.callback.__doc__
        if command.name == "list":
            assert "as_json" in command.callback.__annotations__


def test_a_command_does_not_load_the_whole_program():
    """Listing keys needs no database, no server and no adapters."""
    heavy = {"primeur.app", "alembic", "uvicorn", "xllamacpp", "torch"}
    look = f"import sys; from primeur.cli import make_app; make_app(); print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_command_loads_no_other():
    """Also by a wrong name everything is there, for the help that follows."""
    look = "import sys; from primeur.cli import make_app; make_app('keys'); print('primeur.cli.rights' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
    assert [group.name for group in make_app("keys").registered_groups] == ["keys"]
    assert len(make_app("kezs").registered_groups) == len(app.registered_groups) > 30
