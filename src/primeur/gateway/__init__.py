"""HTTP in: dialects, doors and problems; translates, nothing else."""
