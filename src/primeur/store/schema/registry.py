"""Tables of the room registry: models, versions, providers, deployments."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from primeur.store.schema.base import identity, made, metadata

models = Table(
    "models",
    metadata,
    identity(),
    Column("name", String(200), nullable=False, unique=True),
    Column("retired_ms", BigInteger),
    Column("default_version", Integer),
    made(),
)

versions = Table(
    "versions",
    metadata,
    identity(),
    Column("model_id", ForeignKey("models.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("digest", String(80), nullable=False),
    Column("format", String(32), nullable=False),
    Column("path", Text),
    Column("size_bytes", BigInteger),
    Column("licence", String(200)),
    Column("origin", Text),
    Column("card", Text),
    Column("context_tokens", Integer),
    Column("parameters", BigInteger),
    Column("quantisation", String(32)),
    Column("architecture", String(64)),
    Column("memory_bytes", BigInteger),
    Column("provider_id", ForeignKey("providers.id")),
    Column("upstream_model", String(256)),
    Column("languages", Text),
    Column("retires_ms", BigInteger),
    Column("noticed_days", Integer),
    made(),
    UniqueConstraint("model_id", "number"),
    UniqueConstraint("model_id", "digest"),
)

providers = Table(
    "providers",
    metadata,
    identity(),
    Column("name", String(200), nullable=False, unique=True),
    Column("kind", String(64), nullable=False),
    Column("settings", Text, nullable=False),
    made(),
)

deployments = Table(
    "deployments",
    metadata,
    identity(),
    Column("name", String(200), nullable=False, unique=True),
    Column("embeddings_by", String(200)),
    made(),
)

deployment_terms = Table(
    "deployment_terms",
    metadata,
    Column("deployment_id", ForeignKey("deployments.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(16)),
    Column("reserved_tpm", Integer),
    Column("upgrade", String(40), nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    identity(),
    Column("deployment_id", ForeignKey("deployments.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("version_id", ForeignKey("versions.id")),
    Column("engine", String(64)),
    Column("provider_id", ForeignKey("providers.id")),
    Column("upstream_model", String(256)),
    Column("settings", Text, nullable=False),
    Column("share", Integer, nullable=False),
    Column("scaling", Text),
    made(),
    UniqueConstraint("deployment_id", "number"),
)

aliases = Table(
    "aliases",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("deployment_id", ForeignKey("deployments.id", ondelete="CASCADE"), nullable=False),
)

engine_measurements = Table(
    "engine_measurements",
    metadata,
    identity(),
    Column("version_id", ForeignKey("versions.id"), nullable=False, index=True),
    Column("engine", String(64), nullable=False),
    Column("machine", Text, nullable=False),
    Column("levels", Text, nullable=False),
    made(),
    UniqueConstraint("version_id", "engine", "machine"),
)

version_memory = Table(
    "version_memory",
    metadata,
    Column("version_id", ForeignKey("versions.id"), primary_key=True),
    Column("engine", String(64), primary_key=True),
    Column("launch", String(64), primary_key=True),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("shared_bytes", BigInteger, nullable=False),
    Column("computed_bytes", BigInteger),
    Column("measured_ms", BigInteger, nullable=False),
)

roll_outs = Table(
    "roll_outs",
    metadata,
    identity(),
    Column("deployment_id", ForeignKey("deployments.id", ondelete="CASCADE"), nullable=False),
    Column("revision_id", ForeignKey("revisions.id", ondelete="CASCADE"), nullable=False),
    Column("baseline_id", ForeignKey("revisions.id", ondelete="CASCADE"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("step", Integer, nullable=False),
    Column("policy", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("evidence", Text),
    Column("scores", Text),
    made(),
    Index("ix_roll_outs_deployment", "deployment_id", "created_ms"),
)

scaling_decisions = Table(
    "scaling_decisions",
    metadata,
    identity(),
    Column("deployment_id", ForeignKey("deployments.id", ondelete="CASCADE"), nullable=False),
    Column("revision_id", ForeignKey("revisions.id", ondelete="CASCADE"), nullable=False),
    Column("place", String(64), nullable=False),
    Column("before", Integer, nullable=False),
    Column("replicas", Integer, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("newest", Boolean, nullable=False),
    made(),
    Index("ix_scaling_decisions_newest", "newest", "place"),
    Index("ix_scaling_decisions_deployment", "deployment_id", "created_ms"),
)

target_faults = Table(
    "target_faults",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("revision_id", String(64), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("code", String(64), nullable=False),
    Index("ix_target_faults_revision_at", "revision_id", "at_ms"),
)

shadow_answers = Table(
    "shadow_answers",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("revision_id", String(64), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    Column("failed", Boolean, nullable=False),
    Column("first_token_us", BigInteger),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cost_nanos", BigInteger),
    Index("ix_shadow_answers_revision_at", "revision_id", "at_ms"),
)
