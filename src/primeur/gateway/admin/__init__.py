"""The management API under ``/api/v1``: one file per noun; translates, nothing else."""
