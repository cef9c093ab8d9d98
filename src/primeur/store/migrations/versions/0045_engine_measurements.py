"""How fast each engine was with a version on a machine."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "engine_measurements",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version_id", sa.String(length=64), nullable=False),
        sa.Column("engine", sa.String(length=64), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("levels", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name=op.f("fk_engine_measurements_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engine_measurements")),
        sa.UniqueConstraint(
            "version_id", "engine", "machine", name=op.f("uq_engine_measurements_version_id_engine_machine")
        ),
    )
    op.create_index("ix_engine_measurements_version_id", "engine_measurements", ["version_id"], unique=False)
