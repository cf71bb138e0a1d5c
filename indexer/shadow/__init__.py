"""A finished version is asked what the live one is asked, before it takes its place."""
