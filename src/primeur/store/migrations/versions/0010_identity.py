"""Members of several projects, custom roles, scopes of keys, sessions with limits, settings."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0041"


def upgrade() -> None:
    text, ms = sa.String(length=64), sa.BigInteger()
    op.create_table(
        "memberships",
        sa.Column("member_id", text, nullable=False),
        sa.Column("project_id", text, nullable=False),
        sa.Column("role", text, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_memberships_member_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_memberships_project_id")),
        sa.PrimaryKeyConstraint("member_id", "project_id", name=op.f("pk_memberships")),
    )
    op.create_table(
        "roles",
        sa.Column("organisation_id", text, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("created_ms", ms, nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_roles_organisation_id")),
        sa.PrimaryKeyConstraint("organisation_id", "name", name=op.f("pk_roles")),
    )
    op.create_table(
        "sign_in_settings",
        sa.Column("organisation_id", text, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_sign_in_settings_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_sign_in_settings")),
    )
    with op.batch_alter_table("organisations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_home", sa.Boolean(), nullable=False, server_default=sa.false()))
    # Until now there was one organisation, the one that the first start founded.
    op.execute("update organisations set is_home = true")
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=16), nullable=False, server_default="person"))
        batch_op.add_column(sa.Column("state", sa.String(length=16), nullable=False, server_default="active"))
        batch_op.add_column(sa.Column("user_name", sa.String(length=254), nullable=True))
        batch_op.add_column(sa.Column("external_id", sa.String(length=254), nullable=True))
        batch_op.add_column(sa.Column("password", sa.Text(), nullable=True))
        batch_op.create_unique_constraint(
            batch_op.f("uq_members_organisation_id_user_name"), ["organisation_id", "user_name"]
        )
    with op.batch_alter_table("keys", schema=None) as batch_op:
        batch_op.add_column(sa.Column("routes", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("networks", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("member_id", text, nullable=True))
        batch_op.add_column(sa.Column("old_digest", sa.LargeBinary(length=32), nullable=True))
        batch_op.add_column(sa.Column("old_until_ms", ms, nullable=True))
        batch_op.add_column(sa.Column("used_ms", ms, nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_keys_member_id"), "members", ["member_id"], ["id"])
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("id", text, nullable=True))
        batch_op.add_column(sa.Column("project_id", text, nullable=True))
        batch_op.add_column(sa.Column("method", sa.String(length=16), nullable=False, server_default="link"))
        batch_op.add_column(sa.Column("seen_ms", ms, nullable=True))
        batch_op.add_column(sa.Column("address", text, nullable=False, server_default=""))
        batch_op.add_column(sa.Column("agent", sa.String(length=200), nullable=False, server_default=""))
        batch_op.create_foreign_key(batch_op.f("fk_sessions_project_id"), "projects", ["project_id"], ["id"])
    # A session of before has no name and no known last use; its member signs in again.
    op.execute("delete from sessions")
