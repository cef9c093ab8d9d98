"""What can happen to people's data."""

from primeur.core.events.base import Event


class DataPolicySet(Event, frozen=True):
    """What becomes of a project's data changed: how long it is kept, how it is masked, where it may go."""

    project_id: str
    trains: bool


class PersonErased(Event, frozen=True):
    """What a person said and was told was erased; *subject* is a keyed digest of how requests named them."""

    subject: str
    requests: int
    responses: int
    conversations: int


class ProjectExported(Event, frozen=True):
    """Somebody took a copy of everything that a project owns."""

    project_id: str


class TrainingDataTaken(Event, frozen=True):
    """Somebody took the kept exchanges of a project that opted in, to train with."""

    project_id: str


DataEvent = DataPolicySet | PersonErased | ProjectExported | TrainingDataTaken
