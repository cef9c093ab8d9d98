"""Every table, a file for each room. Ids are text (``dep_...``), times are UTC milliseconds, money is nanos."""

from primeur.store.schema.archive import (
    batch_lines,
    batches,
    conversation_items,
    conversations,
    files,
    response_items,
    responses,
    upload_parts,
    uploads,
)
from primeur.store.schema.base import (
    metadata,
)
from primeur.store.schema.billing import (
    alert_targets,
    budget_alerts,
    customers,
    grant_burns,
    grants,
    invoices,
    issuers,
    mails,
    number_series,
    plans,
    subscription_terms,
    subscriptions,
)
from primeur.store.schema.broker import (
    capacity_books,
    capacity_commands,
    capacity_papers,
    provider_sheets,
    sources,
)
from primeur.store.schema.data_policies import (
    data_policies,
)
from primeur.store.schema.governance import (
    keys,
    members,
    memberships,
    organisations,
    projects,
    roles,
    sessions,
    sign_in_links,
    sign_in_settings,
)
from primeur.store.schema.happened import (
    events,
)
from primeur.store.schema.ledger import (
    accounts,
    balances,
    legs,
    transactions,
)
from primeur.store.schema.limits import (
    budgets,
    scope_limits,
)
from primeur.store.schema.metering import (
    journal_cursors,
    prices,
    rates,
    requests,
    shares,
)
from primeur.store.schema.registry import (
    aliases,
    deployments,
    engine_measurements,
    models,
    providers,
    revisions,
    roll_outs,
    target_faults,
    versions,
)
from primeur.store.schema.webhooks import (
    webhook_deliveries,
)

__all__ = [
    "accounts",
    "alert_targets",
    "aliases",
    "balances",
    "batch_lines",
    "batches",
    "budget_alerts",
    "budgets",
    "capacity_books",
    "capacity_commands",
    "capacity_papers",
    "conversation_items",
    "conversations",
    "customers",
    "data_policies",
    "deployments",
    "engine_measurements",
    "events",
    "files",
    "grant_burns",
    "grants",
    "invoices",
    "issuers",
    "journal_cursors",
    "keys",
    "legs",
    "mails",
    "members",
    "memberships",
    "metadata",
    "models",
    "number_series",
    "organisations",
    "plans",
    "prices",
    "projects",
    "provider_sheets",
    "providers",
    "rates",
    "requests",
    "response_items",
    "responses",
    "revisions",
    "roles",
    "roll_outs",
    "scope_limits",
    "sessions",
    "shares",
    "sign_in_links",
    "sign_in_settings",
    "sources",
    "subscription_terms",
    "subscriptions",
    "target_faults",
    "transactions",
    "upload_parts",
    "uploads",
    "versions",
    "webhook_deliveries",
]
