"""The command group ``train``: light to import, clear when its extra is missing."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from primeur.cli import train
from primeur.core.errors import SetupError


def test_the_group_lists_its_commands():
    """Each command has a line of help."""
    said = CliRunner().invoke(train.commands, ["--help"]).output
    assert all(name in said for name in ("pretrain", "export", "convert-bert"))


def test_a_missing_extra_is_named():
    """What to install is in the message."""
    with pytest.raises(SetupError, match=r"needs no_such_library; install it with: pip install 'primeur\[train\]'"):
        train.load("no_such_library")


def test_the_group_loads_no_training_library():
    """The default installation has none of them, and the service starts without waiting for them."""
    code = "import sys, primeur.cli.train; print({'torch', 'numpy', 'gguf', 'tokenizers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"
