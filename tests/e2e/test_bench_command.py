"""`primeur bench` against a real service."""

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture
def bench(service):
    """Runs the command with a key of its own."""
    ours = {"PRIMEUR_URL": service.url, "PRIMEUR_KEY": service.key}

    def run(*flags):
        command = [sys.executable, "-m", "primeur", "bench", *flags]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **ours}
        )

    return run


def test_every_level_is_measured(bench):
    """Exactly so many tokens as were asked for."""
    done = bench(
        "echo", "--concurrency", "1,3", "--requests", "6", "--prompt-tokens", "20", "--output-tokens", "10", "--json"
    )
    levels = json.loads(done.stdout)
    assert [level["concurrency"] for level in levels] == [1, 3]
    assert all(level["requests"] == 6 and level["failed"] == 0 and level["output_tokens"] == 10 for level in levels)
    assert all(level["first_token_ms"]["p99"] >= level["first_token_ms"]["p50"] > 0 for level in levels)


def test_a_plot_is_drawn_in_the_terminal(bench):
    """All three measures."""
    done = bench("echo", "--concurrency", "1", "--requests", "2")
    assert done.returncode == 0
    for title in ("tokens a second", "first token, ms", "between tokens, ms"):
        assert title in done.stdout


def test_what_cannot_be_measured_is_one_line(bench):
    """With the reason of the service."""
    done = bench("nobody")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("primeur: nobody cannot be measured:")


def test_engines_are_measured_and_kept(bench, service):
    """The model runs on the engine for real, and the choice has a reason; an engine that is not there is named."""
    flags = ("--engines", "llamacpp,steam", "--concurrency", "1", "--output-tokens", "4", "--json")
    done = bench("engines", "starter", *flags, "--data-dir", str(service.folder))
    assert "steam: left out: there is no engine 'steam'" in " ".join(done.stderr.split())
    (measured,) = json.loads(done.stdout)
    assert (measured["engine"], measured["chosen"]) == ("llamacpp", True)
    assert measured["levels"][0]["tokens_per_s"] > 0
    assert "llamacpp" in measured["reason"]


def test_engines_need_a_key_that_may_deploy(bench):
    """Nothing measured is an error, not an empty table."""
    done = bench("engines", "starter", "--engines", "llamacpp")
    assert done.returncode == 2
    assert "no engine could be measured" in done.stderr
