"""Products that are written and taken away while they are searched."""
