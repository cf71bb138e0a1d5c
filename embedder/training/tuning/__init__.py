"""Tuning the towers themselves, within a budget: a plan made beforehand, batches, losses, checkpoints, the loop."""
