"""Memory is measured by what was started: a version with other settings needs another amount."""

import sqlalchemy as sa
from alembic import op

revision = "0083"
down_revision = "0082"


def upgrade() -> None:
    op.create_table(
        "version_memory",
        sa.Column("version_id", sa.String(64), nullable=False),
        sa.Column("engine", sa.String(64), nullable=False),
        sa.Column("launch", sa.String(64), nullable=False),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("shared_bytes", sa.BigInteger(), nullable=False),
        sa.Column("computed_bytes", sa.BigInteger(), nullable=True),
        sa.Column("measured_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name=op.f("fk_version_memory_version_id")),
        sa.PrimaryKeyConstraint("version_id", "engine", "launch", name=op.f("pk_version_memory")),
    )
