"""Versions that a provider holds, when versions end, and on which terms a deployment serves."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0053"


def upgrade() -> None:
    with op.batch_alter_table("models", schema=None) as batch_op:
        batch_op.add_column(sa.Column("default_version", sa.Integer(), nullable=True))
    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("provider_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("upstream_model", sa.String(length=256), nullable=True))
        batch_op.add_column(sa.Column("languages", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("retires_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("noticed_days", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_versions_provider_id"), "providers", ["provider_id"], ["id"])
    op.create_table(
        "deployment_terms",
        sa.Column("deployment_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=True),
        sa.Column("reserved_tpm", sa.Integer(), nullable=True),
        sa.Column("upgrade", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"], ["deployments.id"], name=op.f("fk_deployment_terms_deployment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("deployment_id", name=op.f("pk_deployment_terms")),
    )
