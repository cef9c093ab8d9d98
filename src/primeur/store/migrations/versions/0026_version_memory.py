"""How much memory a version was seen to need."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0036"


def upgrade() -> None:
    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("memory_bytes", sa.BigInteger(), nullable=True))
