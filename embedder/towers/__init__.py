"""open_clip models: where they come from and how their towers are taken apart."""
