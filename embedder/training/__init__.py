"""Fine-tuning a model on a catalog."""
