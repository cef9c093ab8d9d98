"""Remembers: the tables, the transactions, the journal."""
