"""All that can happen to configuration, in past tense: the append-only log that followers read from a cursor.

A file for each room; `AnyEvent` is their union.
"""

from primeur.core.events.archive import (
    ArchiveEvent,
    BatchMoved,
    ConversationChanged,
    ConversationCreated,
    ConversationDeleted,
    FileDeleted,
    FileKept,
    ResponseDeleted,
    UploadMoved,
)
from primeur.core.events.base import (
    Event,
)
from primeur.core.events.billing import (
    AlertTargetAdded,
    AlertTargetRemoved,
    BillingEvent,
    BudgetReached,
    CreditGranted,
    CustomerAdded,
    CustomerChanged,
    InvoiceIssued,
    InvoiceMoved,
    IssuerSet,
    MailAbandoned,
    PlanAdded,
    PlanRemoved,
    SubscriptionMoved,
)
from primeur.core.events.broker import (
    BidSealed,
    BrokerEvent,
    CapacityRequestMoved,
    CommitmentMoved,
    OfferMoved,
    ReleaseMoved,
    RightArranged,
    RightMoved,
    SheetSet,
    SourceRemoved,
    SourceSet,
)
from primeur.core.events.data import (
    DataEvent,
    DataPolicySet,
    PersonErased,
    ProjectExported,
    TrainingDataTaken,
)
from primeur.core.events.governance import (
    AccessRefused,
    CheckpointMade,
    GovernanceEvent,
    HouseFounded,
    KeyChanged,
    KeyCreated,
    KeyRevoked,
    KeyRotated,
    MemberSignedIn,
    MemberSignedOut,
    ProjectChanged,
    ProjectCreated,
    SignInLinkMade,
)
from primeur.core.events.limits import (
    BudgetRemoved,
    BudgetSet,
    LimitsEvent,
    LimitsSet,
    SharedLimitsFound,
    SharedLimitsLost,
)
from primeur.core.events.metering import (
    MeteringEvent,
    PriceSet,
)
from primeur.core.events.registry import (
    AliasRemoved,
    AliasSet,
    DeploymentRemoved,
    EngineMeasured,
    MasterKeyRotated,
    ModelRetired,
    ProviderAdded,
    ProviderRemoved,
    RegistryEvent,
    RevisionDeployed,
    RollOutBegan,
    RollOutMoved,
    ScoresReported,
    TrafficMoved,
    VersionRegistered,
    WeightsCollected,
)
from primeur.core.events.webhooks import (
    WebhookAbandoned,
    WebhookEvent,
    WebhookRetried,
)

AnyEvent = (
    ArchiveEvent
    | BillingEvent
    | BrokerEvent
    | DataEvent
    | GovernanceEvent
    | LimitsEvent
    | MeteringEvent
    | RegistryEvent
    | WebhookEvent
)

__all__ = [
    "AccessRefused",
    "AlertTargetAdded",
    "AlertTargetRemoved",
    "AliasRemoved",
    "AliasSet",
    "AnyEvent",
    "BatchMoved",
    "BidSealed",
    "BudgetReached",
    "BudgetRemoved",
    "BudgetSet",
    "CapacityRequestMoved",
    "CheckpointMade",
    "CommitmentMoved",
    "ConversationChanged",
    "ConversationCreated",
    "ConversationDeleted",
    "CreditGranted",
    "CustomerAdded",
    "CustomerChanged",
    "DataPolicySet",
    "DeploymentRemoved",
    "EngineMeasured",
    "Event",
    "FileDeleted",
    "FileKept",
    "HouseFounded",
    "InvoiceIssued",
    "InvoiceMoved",
    "IssuerSet",
    "KeyChanged",
    "KeyCreated",
    "KeyRevoked",
    "KeyRotated",
    "LimitsSet",
    "MailAbandoned",
    "MasterKeyRotated",
    "MemberSignedIn",
    "MemberSignedOut",
    "ModelRetired",
    "OfferMoved",
    "PersonErased",
    "PlanAdded",
    "PlanRemoved",
    "PriceSet",
    "ProjectChanged",
    "ProjectCreated",
    "ProjectExported",
    "ProviderAdded",
    "ProviderRemoved",
    "ReleaseMoved",
    "ResponseDeleted",
    "RevisionDeployed",
    "RightArranged",
    "RightMoved",
    "RollOutBegan",
    "RollOutMoved",
    "ScoresReported",
    "SharedLimitsFound",
    "SharedLimitsLost",
    "SheetSet",
    "SignInLinkMade",
    "SourceRemoved",
    "SourceSet",
    "SubscriptionMoved",
    "TrafficMoved",
    "TrainingDataTaken",
    "UploadMoved",
    "VersionRegistered",
    "WebhookAbandoned",
    "WebhookRetried",
    "WeightsCollected",
]
