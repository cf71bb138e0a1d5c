"""What is kept on disk because making it anew would take longer."""
