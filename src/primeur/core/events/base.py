"""What every event is."""

import msgspec


class Event(msgspec.Struct, frozen=True, tag=True):
    """Something that happened; stored with its time, its actor and a sequence number."""
