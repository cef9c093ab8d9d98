"""What a change says, field by field: a new value, or nothing at all."""

from typing import TypeVar

from msgspec import UnsetType

T = TypeVar("T")


def given(value: T | UnsetType, otherwise: T) -> T:
    """Give *value* where one was given; null counts as given."""
    return otherwise if isinstance(value, UnsetType) else value
