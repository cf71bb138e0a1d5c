"""What tells a folder that Hugging Face's `datasets` saved from a folder of pictures."""

from __future__ import annotations

from pathlib import Path

STATE_FILE, DICT_FILE = "state.json", "dataset_dict.json"
"""In a folder of one data set; in a folder of several, one for each split."""


def is_saved_dataset(folder: Path) -> bool:
    """Whether a folder on this machine was written by `save_to_disk`."""
    return (folder / STATE_FILE).is_file() or (folder / DICT_FILE).is_file()
