"""The store on this machine's disk, in Qdrant Edge."""
