"""Passkeys, identities at OpenID providers, challenges of sign-ins that are under way, and wrong attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0066"


def upgrade() -> None:
    text, ms = sa.String(length=64), sa.BigInteger()
    op.create_table(
        "sign_in_challenges",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("address", text, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("expires_ms", ms, nullable=False),
        sa.Column("created_ms", ms, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_challenges")),
    )
    op.create_table(
        "sign_in_tries",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_ms", ms, nullable=False),
        sa.Column("until_ms", ms, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_tries")),
    )
    op.create_table(
        "openid_identities",
        sa.Column("organisation_id", text, nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("member_id", text, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_openid_identities_organisation_id")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_openid_identities_member_id")),
        sa.PrimaryKeyConstraint("organisation_id", "issuer", "subject", name=op.f("pk_openid_identities")),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", text, nullable=False),
        sa.Column("member_id", text, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("credential", sa.LargeBinary(length=1023), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", ms, nullable=False),
        sa.Column("used_ms", ms, nullable=True),
        sa.Column("created_ms", ms, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_passkeys_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential", name=op.f("uq_passkeys_credential")),
    )
