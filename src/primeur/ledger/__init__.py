"""Money in double entry: what happened, exactly, and never changed afterwards."""
