"""Parties that lend capacity; one adapter per file."""
