"""Rows and cells of a catalog, whatever file they are in."""
