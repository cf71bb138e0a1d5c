"""What the products of the studio look like: families of shapes, each with its kinds."""
