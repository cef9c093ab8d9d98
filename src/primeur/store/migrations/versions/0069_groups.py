"""Groups that an identity provider keeps, and what it says of people."""

import sqlalchemy as sa
from alembic import op

revision = "0069"
down_revision = "0026"


def upgrade() -> None:
    text, ms = sa.String(length=64), sa.BigInteger()
    op.create_table(
        "groups",
        sa.Column("id", text, nullable=False),
        sa.Column("organisation_id", text, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("external_id", sa.String(length=254), nullable=True),
        sa.Column("changed_ms", ms, nullable=False),
        sa.Column("created_ms", ms, nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_groups_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("organisation_id", "name", name=op.f("uq_groups_organisation_id_name")),
    )
    op.create_table(
        "group_members",
        sa.Column("group_id", text, nullable=False),
        sa.Column("member_id", text, nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_group_members_group_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_group_members_member_id")),
        sa.PrimaryKeyConstraint("group_id", "member_id", name=op.f("pk_group_members")),
    )
    op.create_table(
        "scim_users",
        sa.Column("member_id", text, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("changed_ms", ms, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_scim_users_member_id")),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_scim_users")),
    )
