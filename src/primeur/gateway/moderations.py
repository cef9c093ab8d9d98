"""``/v1/moderations``: answered by a guard, once one is configured."""

from primeur.archive.wire import CreateModeration
from primeur.core.errors import NotFound
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit


async def create_moderation(visit: Visit) -> Answer:
    """Say that nothing here can judge content; an empty verdict would read as "harmless".

    Raises:
        NotFound: always, until a guard is configured.
    """
    asked = visit.read(CreateModeration)
    raise NotFound(
        f"no guard is configured, so nothing here can moderate as {asked.model!r}; an operator must add a guard",
        param="model",
        code="no_guard_configured",
    )


DOORS = (
    Door(
        "POST",
        "/v1/moderations",
        create_moderation,
        "Judge content with the configured guard",
        "inference",
        meter="usage",
        takes=CreateModeration,
    ),
)
