"""How one route of one deployment is served, worked out once and kept for as long as a snapshot is in force; pure."""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from operator import attrgetter
from typing import Any
from zlib import crc32

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Deployment, Route, Target
from primeur.core.wire import ChatRequest, CompletionRequest, EmbeddingRequest
from primeur.registry.routing import (
    BEYOND_OPENAI,
    Busy,
    lot_of,
    nobody,
    order_targets,
    spread,
    team_up,
    unknown_model,
)

_KINDS = {Route.CHAT: ChatRequest, Route.COMPLETIONS: CompletionRequest, Route.EMBEDDINGS: EmbeddingRequest}


class Way:
    """The deployment that answers a name on one route, and its targets in every order in which they may be tried.

    Attributes:
        name: the deployment that the caller named; the one to be allowed.
        deployment: the one that answers: another, where embeddings are made elsewhere.
        placed: a right concerns it, so that it may take time to let a request in.
        stencils: by revision, replica and negotiated price, what `primeur.walks.stencil` works out when first asked.
    """

    def __init__(self, name: str, deployment: Deployment, route: Route) -> None:
        """Work out what asks without a rare parameter need."""
        self.name, self.deployment = name, deployment
        self.placed = deployment.placing is not None
        self.stencils: dict[tuple[str, int, str], Any] = {}
        able = [target for target in deployment.targets if route in target.routes]
        rare = {name for target in able for name in target.dialect.refuses.get(route, ())} | BEYOND_OPENAI
        watched = sorted(rare & set(_KINDS[route].__struct_fields__))
        # One call reads all of them; a getter of one name would give no tuple, so there are always two or more.
        self._rare = attrgetter(*watched, *watched[:1]) if watched else None
        self._unsaid = (None,) * (len(watched) + 1)
        teams = team_up(able)
        self._ends = list(accumulate(team[0].share for team in teams))
        self._total = self._ends[-1] if teams else 0
        self._orders = [[one, *(other for other in teams if other is not one)] for one in teams]
        self._able, self._teams = able, teams
        # The order of targets is always the same where no revision has several replicas.
        self._plain = [[team[0] for team in order] for order in self._orders] if len(teams) == len(able) else None

    def order(self, ask: Ask, key_id: str = "", busy: Busy = nobody) -> list[Target]:
        """Give the targets that can honour every parameter in the order in which they are to be tried.

        Args:
            busy: tells how many requests an endpoint has under way; of replicas, the one with the fewest is tried.

        Raises:
            NotReady, BadRequest, UnsupportedParameter: see `primeur.registry.routing.order_targets`.
        """
        if not self._able or (self._rare is not None and self._rare(ask.fields) != self._unsaid):
            return order_targets(self.deployment, ask, lot_of(self.deployment.sticky, ask, key_id), busy)
        if len(self._able) == 1 or (self._total == 0 and self._plain is not None):
            return self._able
        lot = crc32(lot_of(self.deployment.sticky, ask, key_id).encode())
        drawn = bisect_right(self._ends, lot % self._total) if self._total else 0
        return self._plain[drawn] if self._plain is not None else spread(self._orders[drawn], lot, busy)


def find_way(deployments: Mapping[str, Deployment], route: Route, name: str) -> Way:
    """Find who answers *name* on *route*.

    Raises:
        UnknownModel: no such name.
    """
    found = deployments.get(name)
    if found is None:
        raise unknown_model(name)
    answering = found
    if route is Route.EMBEDDINGS and found.embeddings_by is not None:
        answering = deployments.get(found.embeddings_by, found)
    return Way(found.name, answering, route)


def check_allowed(way: Way, caller: Caller, ask: Ask) -> None:
    """Let *caller* use *way*.

    Raises:
        UnknownModel: not for this caller; reads as if there were no such name.
    """
    if caller.deployments is not None and way.name not in caller.deployments:
        raise unknown_model(ask.model)
