"""What is bought or sold may have been paid ahead."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0010"


def upgrade() -> None:
    with op.batch_alter_table("rates") as batch_op:
        batch_op.add_column(sa.Column("prepaid", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("rates") as batch_op:
        batch_op.alter_column("prepaid", server_default=None)
