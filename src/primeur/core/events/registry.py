"""What can happen to models, providers and deployments."""

from primeur.core.events.base import Event


class VersionRegistered(Event, frozen=True):
    """A model has a new immutable version."""

    model: str
    version_id: str
    digest: str


class VersionChanged(Event, frozen=True):
    """Something else is said of a version: licence, origin, languages, card, or the day on which it ends.

    Attributes:
        fields: what is said anew.
    """

    model: str
    number: int
    fields: list[str]


class DefaultVersionSet(Event, frozen=True):
    """Another version of a model is meant when none is named; null is the newest."""

    model: str
    number: int | None


class RetirementNear(Event, frozen=True):
    """A version ends soon, and everybody is told.

    Attributes:
        days: before its end; 0: it has ended.
        retires_ms: UTC milliseconds.
        deployments: those that run it, with what becomes of each.
    """

    model: str
    number: int
    days: int
    retires_ms: int
    deployments: dict[str, str]


class DeploymentUpgraded(Event, frozen=True):
    """A deployment moves to another version of its model by itself; its roll-out judges it.

    Attributes:
        policy: a `primeur.registry.upgrades.Upgrade`.
        reason: in words.
    """

    deployment: str
    revision_id: str
    before: int
    after: int
    policy: str
    reason: str


class UpgradeFailed(Event, frozen=True):
    """A deployment could not be given the version that its policy wants; it is tried again.

    Attributes:
        reason: in words.
    """

    deployment: str
    number: int
    reason: str


class TermsSet(Event, frozen=True):
    """A deployment has other terms: its type, what is reserved for it, and how it is upgraded."""

    deployment: str
    kind: str | None
    reserved_tpm: int | None
    upgrade: str


class MemoryMeasured(Event, frozen=True):
    """An engine was seen to hold so much memory while it served a version; the most so far of just this launch.

    Attributes:
        launch: digest of how it was started, see `primeur.core.ports.Launch.digest`.
    """

    version_id: str
    memory_bytes: int
    engine: str = ""
    launch: str = ""


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
    VersionChanged
    | DefaultVersionSet
    | RetirementNear
    | DeploymentUpgraded
    | UpgradeFailed
    | TermsSet
    | WeightsCollected
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
