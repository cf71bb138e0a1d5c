"""Models written as bundles."""
