"""The filter language: grammar, expressions, the catalog's schema."""
