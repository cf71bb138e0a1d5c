"""Whether a fine-tuned model still knows what its base knew, measured on pictures and words that no shop brought."""
