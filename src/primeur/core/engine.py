"""How an engine process lives: its states, and how long to wait before it is started again."""

from primeur.core.machine import Machine

# Between two attempts; the reason and the remaining wait are in the detail.
WAITING = "waiting"
# The process exists and does not answer yet.
STARTING = "starting"
# It answers, and says that its weights are being read.
LOADING = "loading"
# It serves.
READY = "ready"
# It gets no new requests and finishes those it has.
DRAINING = "draining"
# It broke several times in a row; tried again every minute, for a person to look at.
FAILED = "failed"
# Its process is gone and none is wanted.
STOPPED = "stopped"

ENGINE = Machine(
    "engine",
    {
        (WAITING, "start"): STARTING,
        (FAILED, "start"): STARTING,
        (STARTING, "load"): LOADING,
        (STARTING, "serve"): READY,
        (LOADING, "serve"): READY,
        (STARTING, "break"): WAITING,
        (LOADING, "break"): WAITING,
        (READY, "break"): WAITING,
        (WAITING, "give_up"): FAILED,
        (STARTING, "drain"): DRAINING,
        (LOADING, "drain"): DRAINING,
        (READY, "drain"): DRAINING,
        (WAITING, "stop"): STOPPED,
        (FAILED, "stop"): STOPPED,
        (DRAINING, "stop"): STOPPED,
    },
)

FAILURES_UNTIL_FAILED = 6


def restart_delay_s(failures: int, first_s: float, most_s: float) -> float:
    """Seconds to wait after *failures* in a row: *first_s*, doubled each time, at most *most_s*."""
    return min(most_s, first_s * 2.0 ** min(max(failures - 1, 0), 32))


def is_stable(served_s: float, most_s: float) -> bool:
    """Whether a process that served for *served_s* seconds has earned a fresh count of failures."""
    return served_s >= most_s
