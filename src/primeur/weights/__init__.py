"""The starter models that come with the program."""
