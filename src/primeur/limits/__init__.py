"""Live counters for rates and holds; one file each."""
