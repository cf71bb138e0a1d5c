"""A search for the settings of a tuning of the towers: many short trainings, each with settings of its own."""
