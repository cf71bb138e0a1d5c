"""The store in a Qdrant server or cluster."""
