"""The verbs: one story per file."""
