"""Tables of the room governance: who calls."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from primeur.store.schema.base import identity, made, metadata

organisations = Table("organisations", metadata, identity(), Column("name", String(200), nullable=False), made())

projects = Table(
    "projects",
    metadata,
    identity(),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("keeps_prompts", Boolean, nullable=False, default=False),
    Column("rpm", Integer),
    Column("tpm", Integer),
    Column("concurrency", Integer),
    Column("rpd", Integer),
    Column("tpd", BigInteger),
    made(),
    UniqueConstraint("organisation_id", "name"),
)

members = Table(
    "members",
    metadata,
    identity(),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("role", String(64), nullable=False),
    made(),
)

keys = Table(
    "keys",
    metadata,
    identity(),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("hint", String(16), nullable=False),
    Column("role", String(64), nullable=False),
    Column("rpm", Integer),
    Column("tpm", Integer),
    Column("concurrency", Integer),
    Column("rpd", Integer),
    Column("tpd", BigInteger),
    Column("deployments", Text),
    Column("expires_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    made(),
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
    made(),
    Column("expires_ms", BigInteger, nullable=False),
)
