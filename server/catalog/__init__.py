"""What is indexed: products as they are stored, and the versions that hold them."""
