"""Books of capacity with their commands and papers; sources and sheets of providers; refusals in the request log."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "capacity_books",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("arrangements", sa.Text(), nullable=False),
        sa.Column("now_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capacity_books")),
        sa.UniqueConstraint("name", name=op.f("uq_capacity_books_name")),
    )
    op.create_table(
        "capacity_commands",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("book_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["capacity_books.id"], name=op.f("fk_capacity_commands_book_id")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_capacity_commands")),
        sa.UniqueConstraint("book_id", "key", name=op.f("uq_capacity_commands_book_id_key")),
    )
    op.create_table(
        "capacity_papers",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("book_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("request_id", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.String(length=64), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["capacity_books.id"], name=op.f("fk_capacity_papers_book_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capacity_papers")),
    )
    op.create_index("ix_capacity_papers_kind", "capacity_papers", ["kind", "created_ms"])
    op.create_index("ix_capacity_papers_due", "capacity_papers", ["due_ms"])
    op.create_table(
        "sources",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("deployment", sa.String(length=200), nullable=False),
        sa.Column("provider", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint("deployment", "provider", name=op.f("uq_sources_deployment_provider")),
    )
    op.create_table(
        "provider_sheets",
        sa.Column("provider", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "version", name=op.f("pk_provider_sheets")),
    )
    op.add_column("requests", sa.Column("refusal", sa.String(length=16), nullable=True))
    op.add_column("requests", sa.Column("right_id", sa.String(length=64), nullable=True))
    op.add_column("requests", sa.Column("evidence", sa.Text(), nullable=True))
    refused = sa.text("refusal IS NOT NULL")
    op.create_index("ix_requests_refusal", "requests", ["at_ms"], sqlite_where=refused, postgresql_where=refused)
