"""Tables of the room archive: what a caller asked us to keep."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from primeur.store.schema.base import Sequence, identity, made, metadata

files = Table(
    "files",
    metadata,
    identity(),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("filename", Text, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("digest", String(80), nullable=False),
    Column("expires_ms", BigInteger),
    made(),
    Index("ix_files_project", "project_id", "created_ms"),
)

uploads = Table(
    "uploads",
    metadata,
    identity(),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("filename", Text, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("mime_type", String(200), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("file_seconds", BigInteger),
    Column("file_id", String(64)),
    Column("expires_ms", BigInteger, nullable=False),
    made(),
)

upload_parts = Table(
    "upload_parts",
    metadata,
    identity(),
    Column("upload_id", ForeignKey("uploads.id", ondelete="CASCADE"), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("digest", String(80), nullable=False),
    made(),
)

batches = Table(
    "batches",
    metadata,
    identity(),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("endpoint", String(64), nullable=False),
    Column("input_file_id", String(64), nullable=False),
    Column("output_file_id", String(64)),
    Column("error_file_id", String(64)),
    Column("total", Integer, nullable=False),
    Column("completed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("times", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("runner", String(64)),
    Column("runner_until_ms", BigInteger),
    made(),
    Index("ix_batches_project", "project_id", "created_ms"),
)

batch_lines = Table(
    "batch_lines",
    metadata,
    Column("batch_id", ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("custom_id", Text, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
)

responses = Table(
    "responses",
    metadata,
    identity(),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("previous_id", String(64)),
    Column("conversation_id", String(64)),
    Column("state", String(16), nullable=False),
    Column("input_items", Text, nullable=False),
    Column("body", Text, nullable=False),
    made(),
    Index("ix_responses_project", "project_id", "created_ms"),
)

response_items = Table(
    "response_items",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("response_id", ForeignKey("responses.id", ondelete="CASCADE"), primary_key=True),
)

conversations = Table(
    "conversations",
    metadata,
    identity(),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("annotations", Text, nullable=False),
    made(),
)

conversation_items = Table(
    "conversation_items",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("item", Text, nullable=False),
    made(),
    UniqueConstraint("conversation_id", "id"),
)
