"""The stores that hold index versions: Qdrant Edge and Qdrant."""
