"""Index versions: what they say of themselves."""
