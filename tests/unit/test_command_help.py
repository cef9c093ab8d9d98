"""Every command tells what it does."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from primeur.cli import make_app

# What the command line's own writer takes for a style: it vanishes, or the help fails.
STYLE = re.compile(r"\[[a-z/]", re.IGNORECASE)


def commands(command: Any, *names: str) -> Iterator[tuple[str, Any]]:
    """Every command and group, by the words it is called with."""
    yield " ".join(names), command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, *names, name)


def test_help_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Of each command, and of each thing it is asked with."""
    for words, command in commands(get_command(make_app()), "primeur"):
        told = command.get_help(command.make_context(words, [], resilient_parsing=True)) + capsys.readouterr().out
        assert "Usage:" in told, words
        for one in command.params:
            assert not STYLE.search(getattr(one, "help", None) or ""), (words, one.name)
