"""Says whether the locked requirements still fit pyproject.toml, without asking a registry."""

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
_PIN = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z0-9,_-]+\])?==(\S+)", re.MULTILINE | re.IGNORECASE)


def pins(name: str) -> dict[str, str]:
    """Versions by name, as locked in ``requirements/NAME.txt``."""
    return {canonicalize_name(n): v for n, v in _PIN.findall((ROOT / "requirements" / f"{name}.txt").read_text())}


def faults(wanted: list[str], locked: dict[str, str]) -> list[str]:
    """Requirements that the lock does not hold or holds at a version outside their range."""
    asked = [Requirement(line) for line in wanted]
    return [str(one) for one in asked if not one.specifier.contains(locked.get(canonicalize_name(one.name), "0"))]


def main() -> None:
    """Exit with 1 and the names of what does not fit."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    default, dev = pins("default"), pins("dev")
    wrong = faults(project["dependencies"], default)
    wrong += faults(project["optional-dependencies"]["dev"], dev)
    extras = pins("extras")
    wrong += faults([one for name in ("openvino", "ray") for one in project["optional-dependencies"][name]], extras)
    wrong += [f"{name}: {v} and {dev.get(name)}" for name, v in default.items() if dev.get(name) != v]
    wrong += [f"{name}: {v} and {dev[name]}" for name, v in extras.items() if dev.get(name, v) != v]
    if wrong:
        sys.exit(f"requirements/ does not fit pyproject.toml ({'; '.join(wrong)}); run `make lock`")


if __name__ == "__main__":
    main()
