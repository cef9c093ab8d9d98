"""Prices whose steps count a month's quantities, and the pictures in prompts."""

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0069"


def upgrade() -> None:
    op.add_column("rates", sa.Column("per", sa.String(length=8), nullable=False, server_default="request"))
    op.add_column("requests", sa.Column("images", sa.Integer(), nullable=False, server_default="0"))
