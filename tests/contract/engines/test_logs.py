"""Logs of engine processes: none grows without end, and there are not more and more of them."""

import os
from pathlib import Path

from primeur.engines.logs import bound_log, forget_logs, last_words


def write(folder: Path, name: str, age_s: int, text: str = "fatal: no such device\n") -> Path:
    """A log that was written to so long ago, with what was cut from it before."""
    path = folder / f"{name}.log"
    for one in (path, path.with_suffix(".old")):
        one.write_text(text)
        os.utime(one, (1_000_000 - age_s,) * 2)
    return path


def test_the_newest_logs_of_processes_that_ended_are_kept(tmp_path: Path) -> None:
    """Those of processes that run stay, however old they are."""
    logs = [write(tmp_path, f"rev_{age}", age) for age in range(5)]
    replica = write(tmp_path, "rev_9.2", 9)
    (tmp_path / "rev_4.json").write_text("{}")
    forget_logs(tmp_path, {"rev_4", "rev_9.2"}, most=2)
    assert [path.exists() for path in (*logs, replica)] == [True, True, False, False, True, True]
    assert not logs[2].with_suffix(".old").exists()
    assert (tmp_path / "rev_4.json").exists()
    forget_logs(tmp_path / "missing", ())


def test_a_log_is_cut_and_keeps_its_end_beside_it(tmp_path: Path) -> None:
    """What a process said last is still found."""
    path = write(tmp_path, "rev_1", 0, "first\n" * 10 + "fatal: out of memory\n")
    assert last_words(path) == "out of memory"
    bound_log(path, max_bytes=16)
    assert path.stat().st_size == 0
    assert path.with_suffix(".old").read_text().endswith("out of memory\n")
