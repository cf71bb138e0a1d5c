"""Pictures that the project draws, of things that no catalog of it holds."""
