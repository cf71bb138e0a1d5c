"""What the answers of a new version are worth, learnt from a sample of its products."""
