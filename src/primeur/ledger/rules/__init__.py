"""What an entry must be, what a request books, and who gets what of a profit; pure."""
