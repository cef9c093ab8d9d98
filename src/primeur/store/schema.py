"""Every table. Ids are text (``dep_...``), times are UTC milliseconds, money is nanos."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts only INTEGER keys by itself; PostgreSQL needs 64 bits.
_Sequence = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[str]:
    return Column("id", String(64), primary_key=True)


def _made() -> Column[int]:
    return Column("created_ms", BigInteger, nullable=False)


# --- governance ---------------------------------------------------------------------------------------------------

organisations = Table("organisations", metadata, _id(), Column("name", String(200), nullable=False), _made())

projects = Table(
    "projects",
    metadata,
    _id(),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("keeps_prompts", Boolean, nullable=False, default=False),
    Column("rpm", Integer),
    Column("tpm", Integer),
    Column("concurrency", Integer),
    _made(),
    UniqueConstraint("organisation_id", "name"),
)

members = Table(
    "members",
    metadata,
    _id(),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("role", String(64), nullable=False),
    _made(),
)

keys = Table(
    "keys",
    metadata,
    _id(),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("hint", String(16), nullable=False),
    Column("role", String(64), nullable=False),
    Column("rpm", Integer),
    Column("tpm", Integer),
    Column("concurrency", Integer),
    Column("deployments", Text),
    Column("expires_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    _made(),
    UniqueConstraint("project_id", "name"),
)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("member_id", ForeignKey("members.id"), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("member_id", ForeignKey("members.id"), nullable=False),
    _made(),
    Column("expires_ms", BigInteger, nullable=False),
)

# --- what happened ------------------------------------------------------------------------------------------------

events = Table(
    "events",
    metadata,
    Column("sequence", _Sequence, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", String(64), nullable=False, index=True),
    Column("actor", String(64), nullable=False),
    Column("data", Text, nullable=False),
)

# --- registry -----------------------------------------------------------------------------------------------------

models = Table(
    "models",
    metadata,
    _id(),
    Column("name", String(200), nullable=False, unique=True),
    Column("retired_ms", BigInteger),
    _made(),
)

versions = Table(
    "versions",
    metadata,
    _id(),
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
    _made(),
    UniqueConstraint("model_id", "number"),
    UniqueConstraint("model_id", "digest"),
)

providers = Table(
    "providers",
    metadata,
    _id(),
    Column("name", String(200), nullable=False, unique=True),
    Column("kind", String(64), nullable=False),
    Column("settings", Text, nullable=False),
    _made(),
)

deployments = Table(
    "deployments",
    metadata,
    _id(),
    Column("name", String(200), nullable=False, unique=True),
    Column("embeddings_by", String(200)),
    _made(),
)

revisions = Table(
    "revisions",
    metadata,
    _id(),
    Column("deployment_id", ForeignKey("deployments.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("version_id", ForeignKey("versions.id")),
    Column("engine", String(64)),
    Column("provider_id", ForeignKey("providers.id")),
    Column("upstream_model", String(256)),
    Column("settings", Text, nullable=False),
    Column("share", Integer, nullable=False),
    _made(),
    UniqueConstraint("deployment_id", "number"),
)

aliases = Table(
    "aliases",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("deployment_id", ForeignKey("deployments.id", ondelete="CASCADE"), nullable=False),
)

# --- metering -----------------------------------------------------------------------------------------------------

prices = Table(
    "prices",
    metadata,
    _id(),
    Column("deployment", String(200), nullable=False, index=True),
    Column("currency", String(8), nullable=False),
    Column("input_nanos", BigInteger, nullable=False),
    Column("cached_nanos", BigInteger, nullable=False),
    Column("output_nanos", BigInteger, nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    _made(),
)

requests = Table(
    "requests",
    metadata,
    _id(),
    Column("at_ms", BigInteger, nullable=False),
    Column("route", String(32), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("status", Integer, nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("deployment", String(200), nullable=False),
    Column("revision_id", String(64), nullable=False),
    Column("provider", String(200), nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("counted_by", String(16), nullable=False),
    Column("cost_nanos", BigInteger),
    Column("currency", String(8)),
    Column("price_id", String(64)),
    Column("streamed", Boolean, nullable=False),
    Column("first_token_us", BigInteger),
    Column("duration_us", BigInteger, nullable=False),
    Column("overhead_us", BigInteger, nullable=False),
    Column("error_code", String(64)),
    Column("error_message", Text),
    Column("address", String(64), nullable=False),
    Column("prompt", Text),
    Column("answer", Text),
    Index("ix_requests_project_at", "project_id", "at_ms"),
    Index("ix_requests_at", "at_ms"),
)

journal_cursors = Table(
    "journal_cursors",
    metadata,
    Column("journal", String(64), primary_key=True),
    Column("segment", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
)

# --- archive: what a caller asked us to keep ----------------------------------------------------------------------

files = Table(
    "files",
    metadata,
    _id(),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("filename", Text, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("digest", String(80), nullable=False),
    Column("expires_ms", BigInteger),
    _made(),
    Index("ix_files_project", "project_id", "created_ms"),
)

uploads = Table(
    "uploads",
    metadata,
    _id(),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("filename", Text, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("mime_type", String(200), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("file_seconds", BigInteger),
    Column("file_id", String(64)),
    Column("expires_ms", BigInteger, nullable=False),
    _made(),
)

upload_parts = Table(
    "upload_parts",
    metadata,
    _id(),
    Column("upload_id", ForeignKey("uploads.id", ondelete="CASCADE"), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("digest", String(80), nullable=False),
    _made(),
)

batches = Table(
    "batches",
    metadata,
    _id(),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("endpoint", String(64), nullable=False),
    Column("input_file_id", String(64), nullable=False),
    Column("output_file_id", String(64)),
    Column("error_file_id", String(64)),
    Column("total", Integer, nullable=False),
    Column("completed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("times", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("runner", String(64)),
    Column("runner_until_ms", BigInteger),
    _made(),
    Index("ix_batches_project", "project_id", "created_ms"),
)

batch_lines = Table(
    "batch_lines",
    metadata,
    Column("batch_id", ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("custom_id", Text, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
)

responses = Table(
    "responses",
    metadata,
    _id(),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("previous_id", String(64)),
    Column("conversation_id", String(64)),
    Column("state", String(16), nullable=False),
    Column("input_items", Text, nullable=False),
    Column("body", Text, nullable=False),
    _made(),
    Index("ix_responses_project", "project_id", "created_ms"),
)

response_items = Table(
    "response_items",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("response_id", ForeignKey("responses.id", ondelete="CASCADE"), primary_key=True),
)

conversations = Table(
    "conversations",
    metadata,
    _id(),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("annotations", Text, nullable=False),
    _made(),
)

conversation_items = Table(
    "conversation_items",
    metadata,
    Column("sequence", _Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("item", Text, nullable=False),
    _made(),
    UniqueConstraint("conversation_id", "id"),
)
