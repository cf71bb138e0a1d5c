"""Catalog pictures made small, and kept."""
