"""The simulated resource as a command."""

import os
import re
import signal
import subprocess
import sys

import httpx2
import pytest

COMMAND = [sys.executable, "-c", "from primeur.cli.simulate import commands; commands()", "provider"]

pytestmark = pytest.mark.e2e


def test_a_simulated_provider_runs_until_it_is_stopped():
    """It says where it listens, asks for its key, behaves as its options say, and ends without a word."""
    options = ["--port", "0", "--key", "env:SIM_KEY", "--capacity", "600", "--deployment", "north"]
    environment = os.environ | {"SIM_KEY": "k-1"}
    with subprocess.Popen([*COMMAND, *options], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        address = re.search(r"http://\S+", run.stdout.readline().decode())[0]
        behaviour = httpx2.get(f"{address}/sim/behaviour", headers={"api-key": "k-1"}).json()
        stranger = httpx2.get(f"{address}/sim/behaviour")
        run.send_signal(signal.SIGINT)
        try:
            assert run.wait(10) in {0, 130, -signal.SIGINT}
        finally:
            run.kill()
        complaint = run.stderr.read().decode()
    assert behaviour["capacity_tokens_per_minute"] == 600
    assert stranger.status_code == 401
    assert "Traceback" not in complaint
