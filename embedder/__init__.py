"""Products and pictures to unit vectors: encoders, fine-tuning, heads, evaluation, the model bundle."""
