"""Catalog readers, the bulk pipeline, the stores and their index versions."""
