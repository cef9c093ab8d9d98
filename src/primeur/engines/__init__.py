"""Programs that make tokens and vectors from weights; one adapter per file."""
