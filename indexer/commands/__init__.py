"""A module a command of `python -m indexer`, or two that belong together."""
