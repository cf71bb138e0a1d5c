"""Benches: each is run alone, prints its figures beside a baseline, and fails where a bar is missed."""
