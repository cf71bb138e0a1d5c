"""What earlier releases wrote, kept to see that this one reads it."""
