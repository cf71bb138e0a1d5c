"""The instance part of one catalog: its map, solved in closed form, and how much it counts."""
