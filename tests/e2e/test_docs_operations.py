"""What the pages for operators tell people to type, typed as it stands, in order, on a house of its own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from primeur import weights

ROOT = Path(__file__).parents[2]
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TOML = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECRETS = {"AZURE_KEY": "azure", "CLOUD_KEY": "cloud"}


@pytest.mark.parametrize(
    "page",
    ["docs/quickstart/platform.md", "docs/quickstart/finance.md", "docs/command_line.md"],
    ids=lambda p: Path(p).stem,
)
def test_every_command_of_a_page_works(house_of_its_own, tmp_path, monkeypatch, page):
    """All but `make up`, which is how whoever runs this came here."""
    house, text = house_of_its_own, (ROOT / page).read_text("utf-8")
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    house.start()
    for name in ("something.gguf", "tiny.gguf"):
        shutil.copy(Path(weights.__file__).parent / "starter.gguf", tmp_path / name)
    (tmp_path / "tiny.md").write_text("# Tiny\n")
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    (tmp_path / "primeur.toml").write_text("".join(TOML.findall(text)))
    typed = "".join(block for block in SHELL.findall(text) if "make up" not in block)
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", typed],
        cwd=tmp_path,
        env={**os.environ, "PATH": programs, "PRIMEUR_DATA_DIR": str(house.folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert typed.count("primeur ") >= 4
