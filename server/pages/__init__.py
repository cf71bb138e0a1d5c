"""Pages of hits: folded, grouped, counted, varied, and walked through without giving anything twice."""
