"""The newest answers of a revision are found without reading all the others."""

from alembic import op

revision = "0084"
down_revision = "0083"


def upgrade() -> None:
    op.create_index("ix_requests_revision_at", "requests", ["revision_id", "outcome", "at_ms"])
