"""Python client of Merchlens."""
