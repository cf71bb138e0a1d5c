"""The bulk build, stage by stage."""
