"""What uploads, batches and responses need to be run and found again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "response_items",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("response_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["response_id"], ["responses.id"], name=op.f("fk_response_items_response_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", "response_id", name=op.f("pk_response_items")),
    )
    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.add_column(sa.Column("file_seconds", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.add_column(sa.Column("runner", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("runner_until_ms", sa.BigInteger(), nullable=True))
        batch_op.create_index("ix_batches_project", ["project_id", "created_ms"], unique=False)
