"""What computes embeddings: ONNX Runtime, or torch."""
