"""Pictures and texts, up to what the towers take."""
