"""Probes and metrics: what machines ask."""

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from primeur.core.errors import NotReady
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.walks.check_readiness import check_readiness


async def healthz(_visit: Visit) -> Answer:
    """Alive: the process answers."""
    return json_answer({"status": "ok"})


async def readyz(visit: Visit) -> Answer:
    """Ready: every engine that should run either serves or has failed for a stated reason."""
    waiting = check_readiness(visit.house)
    if waiting:
        raise NotReady("; ".join(waiting))
    return json_answer({"status": "ready"})


async def metrics(_visit: Visit) -> Answer:
    """Prometheus text format."""
    return Answer(200, generate_latest(), content_type=CONTENT_TYPE_LATEST.encode())


DOORS = (
    Door("GET", "/healthz", healthz, "Is the process alive", permission=None),
    Door("GET", "/readyz", readyz, "Can it serve", permission=None),
    Door("GET", "/metrics", metrics, "Prometheus metrics", permission="metrics:read"),
)
