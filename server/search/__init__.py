"""From a query in hand to hits and category."""
