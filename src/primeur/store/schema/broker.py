"""Tables of the room broker: rights, what parties said, what follows from it, and what providers supply."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from primeur.store.schema.base import Sequence, identity, made, metadata

# A book for each right, and one for what no right covers; whoever writes in a book holds its row.
capacity_books = Table(
    "capacity_books",
    metadata,
    identity(),
    Column("name", String(200), nullable=False, unique=True),
    Column("arrangements", Text, nullable=False),
    Column("now_ms", BigInteger, nullable=False),
    made(),
)

capacity_commands = Table(
    "capacity_commands",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("book_id", ForeignKey("capacity_books.id"), nullable=False),
    Column("key", String(200), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("actor", String(64), nullable=False),
    UniqueConstraint("book_id", "key"),
)

capacity_papers = Table(
    "capacity_papers",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("book_id", ForeignKey("capacity_books.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("request_id", String(200), nullable=False),
    Column("state", String(32), nullable=False),
    Column("due_ms", BigInteger),
    Column("delivery_id", String(64)),
    Column("body", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    made(),
    Index("ix_capacity_papers_kind", "kind", "created_ms"),
    Index("ix_capacity_papers_due", "due_ms"),
)

sources = Table(
    "sources",
    metadata,
    identity(),
    Column("deployment", String(200), nullable=False),
    Column("provider", String(200), nullable=False),
    Column("body", Text, nullable=False),
    made(),
    UniqueConstraint("deployment", "provider"),
)

provider_sheets = Table(
    "provider_sheets",
    metadata,
    Column("provider", String(200), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("from_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    made(),
)

# The newest hundred; figures and drawing are JSON.
simulations = Table(
    "simulations",
    metadata,
    identity(),
    Column("kind", String(16), nullable=False),
    Column("trace", String(200), nullable=False),
    Column("figures", Text, nullable=False),
    Column("drawing", Text, nullable=False),
    made(),
)
