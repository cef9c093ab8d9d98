"""The pages people see; an ordinary customer of the public API."""
