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
    lost = visit.house.limiter.lost
    return json_answer({"status": "ready"} | ({"limits": f"each process gives its share: {lost}"} if lost else {}))


async def metrics(visit: Visit) -> Answer:
    """Prometheus text format; of all processes together."""
    family = visit.house.family
    text = generate_latest() if family is None else await family.metrics()
    return Answer(200, text, content_type=CONTENT_TYPE_LATEST.encode())


DOORS = (
    Door("GET", "/healthz", healthz, "Is the process alive", permission=None),
    Door("GET", "/readyz", readyz, "Can it serve", permission=None),
    Door("GET", "/metrics", metrics, "Prometheus metrics", permission="metrics:read"),
)
