"""The pages: an ordinary customer of the public API."""
