"""From embeddings to categories with probabilities; numpy only."""
