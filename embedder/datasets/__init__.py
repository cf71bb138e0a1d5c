"""Known sets of pictures, as catalogs."""
