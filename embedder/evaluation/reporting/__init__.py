"""An evaluation as people and programs read it: a page, and `metrics.json`."""
