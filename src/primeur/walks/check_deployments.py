"""See that names lead to deployments."""

from collections.abc import Iterable

from primeur.registry import deployment_rows as rows
from primeur.store.database import Tx


def check_deployments(tx: Tx, names: Iterable[str] | None) -> None:
    """Let names of deployments and aliases pass.

    Raises:
        NotFound: one leads nowhere; says which.
    """
    if names is not None:
        for name in names:
            real_deployment(tx, name)


def real_deployment(tx: Tx, name: str) -> rows.DeploymentRow:
    """Give the deployment of this name, id or alias.

    Raises:
        NotFound: there is none.
    """
    return rows.find_deployment(tx, rows.list_aliases(tx).get(name, name))
