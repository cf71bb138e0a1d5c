"""From a query to hits and category."""
