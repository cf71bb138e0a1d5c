"""Short fine-tuning on cached features: the two projections and the category head."""
