"""Legs are found by their account."""

from alembic import op

revision = "0080"
down_revision = "0057"


def upgrade() -> None:
    op.create_index("ix_legs_account", "legs", ["account_id", "number"])
