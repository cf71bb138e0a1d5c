"""Changes that come while an index is served, written down before they are acknowledged."""
