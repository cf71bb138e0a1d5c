"""What a build learns about its catalog: duplicates, and what a person should look at."""
