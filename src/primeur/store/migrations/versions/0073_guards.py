"""Guards on deployments."""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0068"


def upgrade() -> None:
    op.create_table(
        "guards",
        sa.Column("deployment_id", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"], ["deployments.id"], name=op.f("fk_guards_deployment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("deployment_id", name=op.f("pk_guards")),
    )
