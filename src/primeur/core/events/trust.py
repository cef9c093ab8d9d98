"""What can happen at a deployment's guard."""

from primeur.core.events.base import Event


class GuardSet(Event, frozen=True):
    """A deployment's guard looks for other things from now on."""

    deployment: str
    rules: int


class GuardRemoved(Event, frozen=True):
    """A deployment's guard was taken away."""

    deployment: str


class GuardDecided(Event, frozen=True):
    """A guard found something in a prompt or an answer; what it found is not told.

    Attributes:
        decision: ``allow``, ``mask`` or ``block``.
        rules: names of the rules, with how often each found something.
    """

    deployment: str
    stage: str
    decision: str
    rules: dict[str, int]
    project_id: str
    revision_id: str = ""


TrustEvent = GuardSet | GuardRemoved | GuardDecided
