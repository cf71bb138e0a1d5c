"""Moving what an index holds in and out of files."""
