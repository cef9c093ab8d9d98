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
from primeur.registry.routing import BEYOND_OPENAI, lot_of, order_targets, unknown_model

_KINDS = {Route.CHAT: ChatRequest, Route.COMPLETIONS: CompletionRequest, Route.EMBEDDINGS: EmbeddingRequest}


class Way:
    """The deployment that answers a name on one route, and its targets in every order in which they may be tried.

    Attributes:
        name: the deployment that the caller named; the one to be allowed.
        deployment: the one that answers: another, where embeddings are made elsewhere.
        looks: a right or a guard concerns it, so that it may take time to let a request in.
        stencils: by revision, what `primeur.walks.stencil` works out of a target when it is first asked for.
    """

    def __init__(self, name: str, deployment: Deployment, route: Route) -> None:
        """Work out what asks without a rare parameter need."""
        self.name, self.deployment = name, deployment
        self.looks = deployment.placing is not None or deployment.guard is not None
        self.stencils: dict[str, Any] = {}
        able = [target for target in deployment.targets if route in target.routes]
        rare = {name for target in able for name in target.dialect.refuses.get(route, ())} | BEYOND_OPENAI
        watched = sorted(rare & set(_KINDS[route].__struct_fields__))
        # One call reads all of them; a getter of one name would give no tuple, so there are always two or more.
        self._rare = attrgetter(*watched, *watched[:1]) if watched else None
        self._unsaid = (None,) * (len(watched) + 1)
        self._ends = list(accumulate(target.share for target in able))
        self._total = self._ends[-1] if able else 0
        self._orders = [[one, *(other for other in able if other is not one)] for one in able]
        self._able = able

    def order(self, ask: Ask, key_id: str = "") -> list[Target]:
        """Give the targets that can honour every parameter in the order in which they are to be tried.

        Raises:
            NotReady, BadRequest, UnsupportedParameter: see `primeur.registry.routing.order_targets`.
        """
        if not self._able or (self._rare is not None and self._rare(ask.fields) != self._unsaid):
            return order_targets(self.deployment, ask, lot_of(self.deployment.sticky, ask, key_id))
        if self._total == 0 or len(self._able) == 1:
            return self._able
        lot = crc32(lot_of(self.deployment.sticky, ask, key_id).encode()) % self._total
        return self._orders[bisect_right(self._ends, lot)]


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
