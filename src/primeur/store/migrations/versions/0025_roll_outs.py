"""Roll-outs, and faults of targets that another target covered."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "roll_outs",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("deployment_id", sa.String(length=64), nullable=False),
        sa.Column("revision_id", sa.String(length=64), nullable=False),
        sa.Column("baseline_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("scores", sa.Text(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"], ["deployments.id"], name=op.f("fk_roll_outs_deployment_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revisions.id"], name=op.f("fk_roll_outs_revision_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["baseline_id"], ["revisions.id"], name=op.f("fk_roll_outs_baseline_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roll_outs")),
    )
    op.create_index("ix_roll_outs_deployment", "roll_outs", ["deployment_id", "created_ms"])
    op.create_table(
        "target_faults",
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("revision_id", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("request_id", "revision_id", name=op.f("pk_target_faults")),
    )
    op.create_index("ix_target_faults_revision_at", "target_faults", ["revision_id", "at_ms"])
    op.create_index("ix_requests_revision_at", "requests", ["revision_id", "at_ms"])
