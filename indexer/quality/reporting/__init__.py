"""What was found in a catalog, as a page for people and as JSON for programs."""
