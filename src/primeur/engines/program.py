"""The child process around a server that is not ours: starts it, watches our owner, lets it finish, ends it.

Run as ``python -m primeur.engines.program PLAN`` by the engine host. The program gets its port as an argument and its
key by environment, so that no key can be read from the list of processes.
"""

import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping

import msgspec

from primeur.engines.child import Orders, fatal, read_orders, watch_owner

PORT = "{port}"
_IDLE_CHECK_S = 0.2
_MOST_METRICS_BYTES = 4 << 20
_END_S = 10.0


class ProgramPlan(msgspec.Struct, frozen=True):
    """What to run.

    Attributes:
        argv: program and arguments, no shell; ``{port}`` stands for the port.
        key_variable: environment variable in which the program reads the key that it must ask for.
        busy_metrics: how the names of those numbers at ``/metrics`` begin that are above zero while it works.
    """

    argv: tuple[str, ...]
    key_variable: str
    busy_metrics: str
    environment: Mapping[str, str] = {}


def is_busy(orders: Orders, prefix: str) -> bool:
    """Whether a server works on a request or has one waiting, by its metrics; False when it does not say."""
    connection = http.client.HTTPConnection("127.0.0.1", orders.port, timeout=2)
    try:
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {orders.key}", "Connection": "close"})
        lines = connection.getresponse().read(_MOST_METRICS_BYTES).decode("utf-8", "replace").splitlines()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    counts = [line.rsplit(" ", 1)[1] for line in lines if line.startswith(prefix)]
    return any(float(count) > 0 for count in counts)


def wait_until_idle(orders: Orders, prefix: str) -> None:
    """Wait until nothing is being worked on, for as long as the orders allow."""
    patience = threading.Event()
    for _ in range(int(orders.grace_s / _IDLE_CHECK_S)):
        if not is_busy(orders, prefix):
            return
        patience.wait(_IDLE_CHECK_S)


def start(plan: ProgramPlan, orders: Orders) -> "subprocess.Popen[bytes]":
    """Start the program.

    Raises:
        OSError: it is missing or cannot be run.
    """
    argv = [word.replace(PORT, str(orders.port)) for word in plan.argv]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRIMEUR_ENGINE_")}
    return subprocess.Popen(argv, env={**environment, **plan.environment, plan.key_variable: orders.key})  # noqa: S603 (no shell; the operator named the program)


def _tell_end(program: "subprocess.Popen[bytes]", told: threading.Event) -> None:
    program.wait()
    told.set()


def main() -> None:
    """Run the program until told to end."""
    orders, told = read_orders(), threading.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        signal.signal(which, lambda *_: told.set())
    watch_owner(orders)
    try:
        plan = msgspec.json.decode(sys.argv[1].encode(), type=ProgramPlan)
        program = start(plan, orders)
    except (IndexError, msgspec.DecodeError, OSError) as error:
        fatal(f"the program did not start: {error}")
    threading.Thread(target=_tell_end, args=(program, told), daemon=True, name="program").start()
    told.wait()
    if program.poll() is not None:
        fatal(f"{plan.argv[0]} ended with status {program.returncode}; the lines above are its own")
    wait_until_idle(orders, plan.busy_metrics)
    program.terminate()
    try:
        program.wait(_END_S)
    except subprocess.TimeoutExpired:
        program.kill()


if __name__ == "__main__":
    main()
