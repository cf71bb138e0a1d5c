"""Changing what an index holds without building it anew."""
