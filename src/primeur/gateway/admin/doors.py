"""Every door of the management API."""

from primeur.gateway.admin import (
    audit,
    budgets,
    data,
    deployments,
    documents,
    engines,
    keys,
    limits,
    models,
    prices,
    projects,
    providers,
    roll_outs,
    series,
    status,
    usage,
)
from primeur.gateway.doors import Door

DOORS: tuple[Door, ...] = (
    *status.DOORS,
    *projects.DOORS,
    *keys.DOORS,
    *models.DOORS,
    *engines.DOORS,
    *providers.DOORS,
    *deployments.DOORS,
    *roll_outs.DOORS,
    *prices.DOORS,
    *budgets.DOORS,
    *limits.DOORS,
    *usage.DOORS,
    *series.DOORS,
    *audit.DOORS,
    *data.DOORS,
    *documents.DOORS,
)
