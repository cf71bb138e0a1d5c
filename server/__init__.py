"""The gRPC service that answers queries."""
