"""The server's process, from start to drain."""
