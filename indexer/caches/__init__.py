"""What one build keeps for the next, beside the index."""
