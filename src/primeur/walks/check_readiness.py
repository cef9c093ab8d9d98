"""Say what the house is still waiting for."""

from primeur.walks.house import House


def check_readiness(house: House) -> list[str]:
    """One line for each deployment that is on its way up; empty when the house is ready.

    An engine that broke is retried with back-off; waiting for it would keep everything else out of service.
    """
    limiter = house.limiter
    if limiter.lost and not limiter.shares_when_lost:
        return [f"limits: {limiter.lost}; nothing that is limited is let in"]
    deployments = {deployment.name: deployment for deployment in house.board.now.deployments.values()}
    return [f"{name}: {deployment.pending}" for name, deployment in sorted(deployments.items()) if deployment.coming]
