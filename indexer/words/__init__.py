"""The words of titles: how they are indexed, and how they are found again."""
