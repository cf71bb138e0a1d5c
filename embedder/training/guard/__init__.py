"""Whether a tuned model may be kept: what it gained on the catalog, and what it lost of what its base knew."""
