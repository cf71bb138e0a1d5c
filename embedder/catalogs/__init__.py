"""What a shop sells, read from the formats that shops have."""
