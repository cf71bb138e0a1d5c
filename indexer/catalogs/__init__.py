"""Readers of catalogs in the formats that shops have."""
