"""Every door of the management API."""

from primeur.gateway.admin import deployments, engines, keys, models, prices, projects, providers, series, status, usage
from primeur.gateway.doors import Door

DOORS: tuple[Door, ...] = (
    *status.DOORS,
    *projects.DOORS,
    *keys.DOORS,
    *models.DOORS,
    *engines.DOORS,
    *providers.DOORS,
    *deployments.DOORS,
    *prices.DOORS,
    *usage.DOORS,
    *series.DOORS,
)
