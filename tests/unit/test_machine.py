"""How much memory there is to plan with."""

import os
from pathlib import Path

import pytest

from primeur.config import read_settings
from primeur.core.errors import SetupError
from primeur.machine import memory_here


def test_a_container_has_what_it_was_given(tmp_path: Path) -> None:
    """No limit is the machine's own memory, in the words of both versions of control groups."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = tmp_path / "memory.max"
    for said, found in (("max\n", whole), (f"{1 << 62}\n", whole), ("1048576\n", 1 << 20)):
        limit.write_text(said)
        assert memory_here([limit, tmp_path / "missing"]) == found


def test_memory_to_plan_with_is_a_setting() -> None:
    """Other programs of the machine need some, too."""
    assert read_settings(environment={"PRIMEUR_MEMORY_MIB": "16384"}).memory_mib == 16_384
    assert read_settings(environment={}).memory_mib is None
    for wrong in ("16G", "0", "-1"):
        with pytest.raises(SetupError, match="PRIMEUR_MEMORY_MIB"):
            read_settings(environment={"PRIMEUR_MEMORY_MIB": wrong})
