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
    false,
)

from primeur.store.schema.base import identity, limited, made, metadata

organisations = Table(
    "organisations",
    metadata,
    identity(),
    Column("name", String(200), nullable=False),
    Column("is_home", Boolean, nullable=False, server_default=false()),
    made(),
)

projects = Table(
    "projects",
    metadata,
    identity(),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("keeps_prompts", Boolean, nullable=False, default=False),
    *limited(),
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
    Column("kind", String(16), nullable=False, server_default="person"),
    Column("state", String(16), nullable=False, server_default="active"),
    Column("user_name", String(254)),
    Column("external_id", String(254)),
    Column("password", Text),
    made(),
    UniqueConstraint("organisation_id", "user_name"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("member_id", ForeignKey("members.id"), primary_key=True),
    Column("project_id", ForeignKey("projects.id"), primary_key=True),
    Column("role", String(64), nullable=False),
)

roles = Table(
    "roles",
    metadata,
    Column("organisation_id", ForeignKey("organisations.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("permissions", Text, nullable=False),
    made(),
)

groups = Table(
    "groups",
    metadata,
    identity(),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("external_id", String(254)),
    Column("changed_ms", BigInteger, nullable=False),
    made(),
    UniqueConstraint("organisation_id", "name"),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", ForeignKey("groups.id"), primary_key=True),
    Column("member_id", ForeignKey("members.id"), primary_key=True),
)

# What an identity provider says of a person beyond what a member has, as it said it.
scim_users = Table(
    "scim_users",
    metadata,
    Column("member_id", ForeignKey("members.id"), primary_key=True),
    Column("document", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

sign_in_settings = Table(
    "sign_in_settings",
    metadata,
    Column("organisation_id", ForeignKey("organisations.id"), primary_key=True),
    Column("document", Text, nullable=False),
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
    *limited(),
    Column("deployments", Text),
    Column("routes", Text),
    Column("networks", Text),
    Column("member_id", ForeignKey("members.id")),
    Column("old_digest", LargeBinary(32)),
    Column("old_until_ms", BigInteger),
    Column("used_ms", BigInteger),
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
    Column("id", String(64)),
    Column("project_id", ForeignKey("projects.id")),
    Column("method", String(16), nullable=False, server_default="link"),
    Column("seen_ms", BigInteger),
    Column("address", String(64), nullable=False, server_default=""),
    Column("agent", String(200), nullable=False, server_default=""),
)

# What a sign-in that is under way must answer; each is used once.
sign_in_challenges = Table(
    "sign_in_challenges",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("address", String(64), nullable=False),
    Column("document", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    made(),
)

# Wrong attempts to sign in, by name and by address, as every process of this house sees them.
sign_in_tries = Table(
    "sign_in_tries",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)

openid_identities = Table(
    "openid_identities",
    metadata,
    Column("organisation_id", ForeignKey("organisations.id"), primary_key=True),
    Column("issuer", String(500), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("member_id", ForeignKey("members.id"), nullable=False),
)

passkeys = Table(
    "passkeys",
    metadata,
    identity(),
    Column("member_id", ForeignKey("members.id"), nullable=False),
    Column("name", String(100), nullable=False),
    Column("credential", LargeBinary(1023), nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
    made(),
)
