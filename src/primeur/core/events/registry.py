"""What can happen to models, providers and deployments."""

from primeur.core.events.base import Event


class VersionRegistered(Event, frozen=True):
    """A model has a new immutable version."""

    model: str
    version_id: str
    digest: str


class MemoryMeasured(Event, frozen=True):
    """An engine was seen to hold so much memory while it served a version; the most so far."""

    version_id: str
    memory_bytes: int


class ModelRetired(Event, frozen=True):
    """A model is not offered for new deployments any more."""

    model: str


class ProviderAdded(Event, frozen=True):
    """A provider is known, or its settings were replaced."""

    provider: str
    kind: str


class ProviderRemoved(Event, frozen=True):
    """A provider was taken out; no deployment named it."""

    provider: str


class RevisionDeployed(Event, frozen=True):
    """A deployment points at a new revision."""

    deployment: str
    revision_id: str


class RollOutBegan(Event, frozen=True):
    """A new revision waits for its share of the traffic.

    Attributes:
        policy: how it is to be judged, as JSON.
    """

    deployment: str
    roll_out_id: str
    revision_id: str
    baseline_id: str
    policy: str


class RollOutMoved(Event, frozen=True):
    """A roll-out took a step, by itself or by hand.

    Attributes:
        move: a move of `primeur.registry.roll_outs.ROLL_OUT`.
        share: percent of the traffic that the new revision has now.
        reason: in words.
        evidence: what the judge had seen, as JSON; empty when nobody judged.
    """

    deployment: str
    roll_out_id: str
    move: str
    state: str
    share: int
    reason: str
    evidence: str = ""


class TrafficMoved(Event, frozen=True):
    """Somebody divided a deployment's traffic by hand.

    Attributes:
        shares: percent by the revision's number.
    """

    deployment: str
    shares: dict[str, int]


class ScoresReported(Event, frozen=True):
    """An evaluation of both revisions of a roll-out was handed in.

    Attributes:
        items: how many scores for each.
    """

    deployment: str
    roll_out_id: str
    items: int


class ReplicasDecided(Event, frozen=True):
    """Another number of replicas of a revision shall run on one machine.

    Attributes:
        place: name of the data folder whose engines are meant.
        before, replicas: how many ran, and how many shall run.
        reason: ``bounds``, ``asked``, ``idle``, ``load`` or ``memory``; *detail* says it in words.
        evidence: what was seen, as JSON.
    """

    deployment: str
    revision_id: str
    place: str
    before: int
    replicas: int
    reason: str
    detail: str
    evidence: str


class DeploymentRemoved(Event, frozen=True):
    """A deployment's name is free again."""

    deployment: str


class AliasSet(Event, frozen=True):
    """A second name leads to a deployment."""

    alias: str
    deployment: str


class AliasRemoved(Event, frozen=True):
    """A second name is free again."""

    alias: str


class EngineMeasured(Event, frozen=True):
    """It is known how fast an engine is with a version on a machine."""

    version_id: str
    engine: str
    machine: str


class MasterKeyRotated(Event, frozen=True):
    """A new master key seals secrets from now on; those that there were are sealed anew."""

    key_id: str
    secrets: int


class WeightsCollected(Event, frozen=True):
    """Weights that nothing named any more were removed from the store."""

    path: str
    size_bytes: int


RegistryEvent = (
    WeightsCollected
    | MasterKeyRotated
    | EngineMeasured
    | VersionRegistered
    | MemoryMeasured
    | ModelRetired
    | ProviderAdded
    | ProviderRemoved
    | RevisionDeployed
    | RollOutBegan
    | RollOutMoved
    | TrafficMoved
    | ScoresReported
    | ReplicasDecided
    | DeploymentRemoved
    | AliasSet
    | AliasRemoved
)
