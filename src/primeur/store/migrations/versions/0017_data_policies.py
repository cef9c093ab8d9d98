"""What becomes of a project's data."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0035"


def upgrade() -> None:
    op.create_table(
        "data_policies",
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("keep_days", sa.Integer(), nullable=True),
        sa.Column("masks", sa.Text(), nullable=False),
        sa.Column("zones", sa.Text(), nullable=True),
        sa.Column("trains", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_data_policies_project_id")),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_data_policies")),
    )
