"""How many replicas a revision shall have, and what was decided about it."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0063"


def upgrade() -> None:
    with op.batch_alter_table("revisions") as batch:
        batch.add_column(sa.Column("scaling", sa.Text(), nullable=True))
    op.create_table(
        "scaling_decisions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("deployment_id", sa.String(length=64), nullable=False),
        sa.Column("revision_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("replicas", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("newest", sa.Boolean(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.id"],
            ondelete="CASCADE",
            name=op.f("fk_scaling_decisions_deployment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revisions.id"], ondelete="CASCADE", name=op.f("fk_scaling_decisions_revision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scaling_decisions")),
    )
    op.create_index("ix_scaling_decisions_newest", "scaling_decisions", ["newest", "place"], unique=False)
    op.create_index(
        "ix_scaling_decisions_deployment", "scaling_decisions", ["deployment_id", "created_ms"], unique=False
    )
