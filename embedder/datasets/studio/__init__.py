"""Products in colour, drawn from a seed: a catalog of any size of which everything is known."""
