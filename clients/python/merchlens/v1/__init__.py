"""Generated messages and stubs of the merchlens.v1 contract."""
