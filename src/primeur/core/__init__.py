"""The words every room shares; pure."""
