"""Tables of the room billing: who pays, for which plan, with which credits, and what was invoiced."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from primeur.store.schema.base import identity, limited, made, metadata, paper

_STANDING = text("corrects IS NULL AND state <> 'credited'")

issuers = Table(
    "issuers",
    metadata,
    Column("code", String(16), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("address", Text, nullable=False),
    Column("tax_id", String(64), nullable=False),
    Column("due_days", Integer, nullable=False),
    made(),
)

customers = Table(
    "customers",
    metadata,
    identity(),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("project_id", ForeignKey("projects.id")),
    Column("name", String(200), nullable=False, unique=True),
    Column("address", Text, nullable=False),
    Column("tax_id", String(64), nullable=False),
    Column("email", String(320), nullable=False),
    Column("currency", String(8), nullable=False),
    Column("language", String(8), nullable=False),
    made(),
)

plans = Table(
    "plans",
    metadata,
    identity(),
    Column("name", String(200), nullable=False),
    Column("currency", String(8), nullable=False),
    Column("fee_nanos", BigInteger, nullable=False),
    Column("included_tokens", BigInteger, nullable=False),
    Column("overage_nanos", BigInteger),
    Column("deployments", Text),
    *limited(),
    Column("seats", Integer),
    Column("seat_fee_nanos", BigInteger),
    Column("trial_days", Integer, nullable=False),
    Column("removed_ms", BigInteger),
    made(),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    identity(),
    Column("customer_id", ForeignKey("customers.id"), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("trial_ends_ms", BigInteger),
    Column("ends_ms", BigInteger),
    made(),
)

subscription_terms = Table(
    "subscription_terms",
    metadata,
    Column("subscription_id", ForeignKey("subscriptions.id"), primary_key=True),
    Column("from_ms", BigInteger, primary_key=True),
    Column("to_ms", BigInteger),
    Column("plan_id", ForeignKey("plans.id"), nullable=False, index=True),
    Column("seats", Integer, nullable=False),
    Column("trial", Boolean, nullable=False),
)

# A holder is a customer's id, or a provider as ``provider:NAME``.
grants = Table(
    "grants",
    metadata,
    identity(),
    Column("holder", String(210), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("currency", String(8), nullable=False),
    Column("nanos", BigInteger, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    made(),
)

grant_burns = Table(
    "grant_burns",
    metadata,
    Column("grant_id", ForeignKey("grants.id"), primary_key=True),
    Column("paper_id", String(64), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("day_ms", BigInteger, primary_key=True),
    Column("nanos", BigInteger, nullable=False),
    made(),
)

invoices = Table(
    "invoices",
    metadata,
    *paper(),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("seller", Text, nullable=False),
    Column("buyer", Text, nullable=False),
    Column("corrects", String(64)),
    Column("due_ms", BigInteger, nullable=False),
    # A month has one standing paper for each customer; those that correct another one are beside it.
    # (On PostgreSQL too, by its migration; to say so here would load that dialect, 3 MB, everywhere.)
    Index(
        "uq_invoices_standing",
        "customer_id",
        "period",
        unique=True,
        sqlite_where=_STANDING,
    ),
)

# Allocated in the transaction that makes an invoice final, so that no number is lost.
number_series = Table(
    "number_series",
    metadata,
    Column("issuer", String(16), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

budget_alerts = Table(
    "budget_alerts",
    metadata,
    Column("budget_id", String(64), primary_key=True),
    Column("threshold", String(8), primary_key=True),
    Column("period_ms", BigInteger, primary_key=True),
    Column("scope", String(220), nullable=False),
    Column("name", String(200), nullable=False),
    Column("currency", String(8), nullable=False),
    Column("limit_nanos", BigInteger, nullable=False),
    Column("spent_nanos", BigInteger, nullable=False),
    made(),
)

alert_targets = Table(
    "alert_targets",
    metadata,
    identity(),
    Column("kind", String(16), nullable=False),
    Column("address", Text, nullable=False),
    Column("language", String(8), nullable=False),
    made(),
)

mails = Table(
    "mails",
    metadata,
    identity(),
    Column("recipient", String(320), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("fault", Text),
    made(),
    Index("ix_mails_state_next", "state", "next_ms"),
)

# What requests earned, cost and shared by UTC day, summed up from the ledger's own legs as far as the cursor says.
money_days = Table(
    "money_days",
    metadata,
    Column("day_ms", BigInteger, primary_key=True),
    Column("side", String(8), primary_key=True),
    Column("account", String(500), primary_key=True),
    Column("project_id", String(64), primary_key=True),
    Column("deployment", String(200), primary_key=True),
    Column("provider", String(200), primary_key=True),
    Column("model", String(200), primary_key=True),
    Column("currency", String(8), primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("nanos", BigInteger, nullable=False),
)

money_cursors = Table(
    "money_cursors",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("number", BigInteger, nullable=False),
)

# Papers of those whom we owe: providers and partners. Their numbers count in series of their own.
statements = Table(
    "statements",
    metadata,
    *paper(),
    Column("party", String(200), nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("booked_nanos", BigInteger, nullable=False),
    Column("ahead_nanos", BigInteger, nullable=False),
    UniqueConstraint("kind", "party", "currency", "period"),
)
