"""Index versions: their manifests and checks."""
