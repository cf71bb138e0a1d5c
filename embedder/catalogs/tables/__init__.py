"""Catalogs in columns: Parquet, Arrow, and Hugging Face datasets on disk."""
