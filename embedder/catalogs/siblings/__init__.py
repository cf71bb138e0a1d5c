"""Which products of a catalog are one thing to a model: variants, identical pictures, near-duplicates."""
