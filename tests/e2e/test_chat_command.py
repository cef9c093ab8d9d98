"""`primeur chat` as people use it: through a pipe, and at a terminal."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest

COMMAND = [sys.executable, "-m", "primeur", "chat"]
PATIENCE_S = 30.0


@pytest.fixture
def surroundings(service, tmp_path):
    """The environment of a person with a key of their own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRIMEUR_")}
    ours = {"PRIMEUR_URL": service.url, "PRIMEUR_KEY": service.key, "XDG_STATE_HOME": str(tmp_path), "TERM": "xterm"}
    return {**kept, **ours}


def piped(question, *flags, environment):
    return subprocess.run(
        [*COMMAND, *flags], input=question, capture_output=True, text=True, env=environment, timeout=60, check=False
    )


class Terminal:
    """`primeur chat` at a terminal: what is typed, and what is seen."""

    def __init__(self, *flags, environment):
        self.seen = ""
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.execve(COMMAND[0], [*COMMAND, *flags], environment)  # noqa: S606 (nothing here comes from outside)

    def type(self, text, until):
        """Type, and wait until a pattern is seen in what comes after."""
        os.write(self.screen, text.encode())
        return self.read(until)

    def read(self, until):
        fresh, last = "", time.monotonic() + PATIENCE_S
        while not re.search(until, fresh):
            assert time.monotonic() < last, f"{until!r} was not seen in {fresh!r}"
            if select.select([self.screen], [], [], 0.2)[0]:
                try:
                    fresh += os.read(self.screen, 65536).decode(errors="replace")
                except OSError:
                    assert re.search(until, fresh), f"it ended: {fresh!r}"
        self.seen += fresh
        return fresh

    def end(self):
        """Wait for the end; gives the exit status."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.screen)
        return os.waitstatus_to_exitcode(status)


def test_a_pipe_gets_the_answer_and_nothing_else(surroundings):
    """Fit for scripts."""
    done = piped("hello world\n", "echo", environment=surroundings)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello world\n", "")


def test_json_tells_usage_and_who_served(surroundings):
    """For programs."""
    done = piped("one two three", "echo", "--json", "--max-tokens", "2", environment=surroundings)
    told = json.loads(done.stdout)
    assert (told["answer"], told["finish_reason"]) == ("one two", "length")
    assert told["usage"]["completion_tokens"] == 2
    assert told["primeur"]["deployment"] == "echo"


@pytest.mark.parametrize(
    ("flags", "change", "words"),
    [
        (["eco"], {}, "eco"),
        (["echo"], {"PRIMEUR_KEY": "pk_wrong"}, "key"),
        (["echo"], {"PRIMEUR_KEY": ""}, "PRIMEUR_KEY"),
        (["echo"], {"PRIMEUR_URL": "http://127.0.0.1:9"}, "is the service running"),
        (["echo"], {"PRIMEUR_URL": "", "PRIMEUR_DATA_DIR": "/nowhere"}, "primeur up"),
    ],
)
def test_what_goes_wrong_is_one_line(surroundings, flags, change, words):
    """Which thing, and what to do next; no traceback."""
    done = piped("hello", *flags, environment={**surroundings, **change})
    assert done.returncode in {1, 2}
    assert done.stdout == ""
    assert re.fullmatch(rf"primeur: [^\n]*{words}[^\n]*\n", done.stderr), done.stderr


def test_the_data_folder_is_enough_to_reach_the_service(service, surroundings):
    """Whoever can read the secret needs no key."""
    kept = {name: value for name, value in surroundings.items() if not name.startswith("PRIMEUR_")}
    done = piped("hello", "echo", environment={**kept, "PRIMEUR_DATA_DIR": str(service.folder)})
    assert (done.returncode, done.stdout) == (0, "hello\n")


def test_a_conversation_at_a_terminal(surroundings, tmp_path):
    """Ask, set, ask again, stop an answer, end; what was typed is kept for its owner alone."""
    terminal = Terminal("echo", environment=surroundings)
    terminal.read("> ")
    assert "hello world" in terminal.type("hello world\r", "first after.*\n[^\n]*> ")
    assert "system prompt set" in terminal.type("/system Be brief.\r", "> $")
    assert "hello world" in terminal.type("/retry\r", "cost unknown.*\n[^\n]*> ")
    terminal.type("[[token_ms=300]] one two three four five six seven eight\r", r"\none")
    assert "stopped" in terminal.type("\x03", "stopped.*\n[^\n]*> ")
    assert "there is no command" in terminal.type("/nonsense\r", "lists them.*\n[^\n]*> ")
    assert "Ctrl-D ends" in terminal.type("half a line\x03", "Ctrl-D ends.*\n[^\n]*> ")
    saved = tmp_path / "talk.md"
    terminal.type(f"/save {saved}\r", "messages are in.*\n[^\n]*> ")
    terminal.type("\x04", "\n")
    assert terminal.end() == 0
    assert "Be brief." in saved.read_text()
    history = tmp_path / "primeur" / "chat_history"
    assert "hello world" in history.read_text()
    assert history.stat().st_mode & 0o777 == 0o600


def test_a_stopped_answer_is_metered_as_cancelled(service, surroundings):
    """What was made until then is paid for."""
    terminal = Terminal("echo", environment={**surroundings, "PRIMEUR_KEY": service.make_key("stopper")})
    terminal.read("> ")
    terminal.type("[[token_ms=300]] stopped alpha beta gamma delta epsilon zeta eta\r", r"\nstopped alpha")
    terminal.type("\x03", "stopped.*\n[^\n]*> ")
    terminal.type("/exit\r", "exit")
    assert terminal.end() == 0

    def log():
        return service.manage("GET", "/requests?key=stopper")["data"]

    service.wait_until(log, "logged", seconds=20)
    (request,) = log()
    assert request["outcome"] == "cancelled"
    assert 0 < request["output_tokens"] < 20


def test_the_starter_answers(starter, surroundings):
    """Words out of real weights."""
    done = piped("Hello!", starter, "--temperature", "0", "--json", environment=surroundings)
    told = json.loads(done.stdout)
    assert told["answer"].strip()
    assert told["primeur"]["provider"] == "llamacpp"
