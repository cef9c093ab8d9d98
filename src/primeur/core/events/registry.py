"""What can happen to models, providers and deployments."""

from primeur.core.events.base import Event


class VersionRegistered(Event, frozen=True):
    """A model has a new immutable version."""

    model: str
    version_id: str
    digest: str


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


RegistryEvent = (
    MasterKeyRotated
    | EngineMeasured
    | VersionRegistered
    | ModelRetired
    | ProviderAdded
    | ProviderRemoved
    | RevisionDeployed
    | DeploymentRemoved
    | AliasSet
    | AliasRemoved
)
