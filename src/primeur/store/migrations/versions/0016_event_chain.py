"""The event log becomes a chain that can only grow; rows that are there already are chained as they stand."""

import json
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0020"

_WORDS = "the event log can only grow"
_SQLITE = ("update", "delete")
_FUNCTION = f"""
create function refuse_event_change() returns trigger language plpgsql as $$
begin raise exception '{_WORDS}'; end $$
"""
_TRIGGERS = (
    "create trigger events_stay before update or delete on events for each row",
    "create trigger events_stay_all before truncate on events for each statement",
)


def upgrade() -> None:
    with op.batch_alter_table("events") as batch_op:
        for name in ("organisation_id", "address", "request_id"):
            batch_op.add_column(sa.Column(name, sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("before", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("after", sa.Text(), nullable=True))
        for name in ("previous", "hash"):
            batch_op.add_column(sa.Column(name, sa.String(length=64), nullable=False, server_default=""))
    _chain()
    with op.batch_alter_table("events") as batch_op:
        for name in ("organisation_id", "address", "request_id", "previous", "hash"):
            batch_op.alter_column(name, server_default=None)
    op.create_index("ix_events_at", "events", ["at_ms"], unique=False)
    _shut()


def _chain() -> None:
    tx = op.get_bind()
    rows = tx.execute(sa.text("select sequence, at_ms, kind, actor, data from events order by sequence")).all()
    change = sa.text("update events set sequence = :now, previous = :previous, hash = :hash where sequence = :was")
    previous = "0" * 64
    # Numbers that a failed transaction left out are closed up: from now on a gap means a removed row.
    for now, (was, at_ms, kind, actor, data) in enumerate(rows, 1):
        said = ["primeur-event-1", now, at_ms, kind, actor, "", "", "", None, None, data, previous]
        made = sha256(json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
        tx.execute(change, {"now": now, "was": was, "previous": previous, "hash": made})
        previous = made


def _shut() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_FUNCTION)
        for trigger in _TRIGGERS:
            op.execute(f"{trigger} execute function refuse_event_change()")
        return
    for change in _SQLITE:
        op.execute(
            f"create trigger events_no_{change} before {change} on events begin select raise(abort, '{_WORDS}'); end"
        )
