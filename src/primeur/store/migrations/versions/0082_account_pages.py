"""An account's legs are found by pages of the chain, a row for each page, instead of by an index over all legs."""

import sqlalchemy as sa
from alembic import op

revision = "0082"
down_revision = "0081"


def upgrade() -> None:
    op.create_table(
        "account_pages",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("page", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "page", name=op.f("pk_account_pages")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "insert into account_pages (account_id, page, amount) "
        "select account_id, number / 1000, sum(amount) from legs group by account_id, number / 1000"
    )
    op.create_index("ix_account_pages_page", "account_pages", ["page"])
    op.drop_index("ix_legs_account", "legs")
