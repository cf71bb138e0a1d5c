"""The files that make up a catalog of tables: one, the shards in a folder, or a data set's as `datasets` saves it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from embedder.catalogs.catalog_file import CatalogFile, catalog_file_at, find_catalog_file, open_catalog_file
from embedder.catalogs.product import Split
from embedder.catalogs.rows.cell import CellError, parse_split, shown
from embedder.catalogs.saved_dataset import DICT_FILE, STATE_FILE
from embedder.catalogs.tables.arrow_file import ArrowFile
from embedder.catalogs.tables.parquet_file import ParquetFile
from embedder.errors import CatalogError
from embedder.inputs.remote.object_store import RemoteFolder, exists_remote, list_remote, scheme_of

_MAX_JSON_BYTES = 16 * 1024 * 1024
# As `datasets` names shards: "train-00000-of-00004.parquet".
_SHARD = re.compile(r"(?P<split>[A-Za-z0-9_.]+?)(?:-[0-9]{5}-of-[0-9]{5}.*)?\.parquet")


def find_parquet_files(location: str) -> list[ParquetFile]:
    """A Parquet file, or all of those in a folder and below it, sorted by path.

    Where the names of all files or folders are splits, as in `train-00000-of-00002.parquet` or `train/part-1.parquet`,
    they are taken as such.

    Raises:
        CatalogError: nothing is there, or one of them is damaged.
    """
    if scheme_of(location) is None:
        folder = Path(location)
        if not folder.is_dir():
            return [ParquetFile(find_catalog_file(location))]
        paths = sorted(path.relative_to(folder) for path in folder.rglob("*.parquet"))
        found = {path.as_posix(): str(folder / path) for path in paths}
    elif location.lower().endswith(".parquet"):
        return [ParquetFile(find_catalog_file(location))]
    else:
        catalog_file_at(location)
        root = RemoteFolder.at(location)
        found = {url.removeprefix(f"{root.url}/"): url for url in list_remote(root) if url.endswith(".parquet")}
    # Hidden ones are what a program has not finished, or its own.
    found = {name: at for name, at in found.items() if not any(part[:1] in "._" for part in name.split("/"))}
    if not found:
        raise CatalogError(f"catalog {location!r} holds no file that ends in .parquet; permitted: one or more")
    splits = [_split_of(name) for name in found]
    named = all(split is not None for split in splits)
    return [
        ParquetFile(find_catalog_file(at), split if named else None)
        for at, split in zip(found.values(), splits, strict=True)
    ]


def find_arrow_files(location: str) -> list[ArrowFile]:
    """An Arrow file.

    Raises:
        CatalogError: it is not there, or damaged.
    """
    return [ArrowFile(find_catalog_file(location))]


def find_dataset_files(location: str) -> list[ArrowFile]:
    """The files of a data set that `save_to_disk` wrote, or of several data sets, one for each split.

    Raises:
        CatalogError: nothing of the kind is there, its description is not what `datasets` writes, a file that it names
            is missing, or one is damaged.
    """
    if not location:
        raise CatalogError("the data set's path is empty; permitted: the folder that save_to_disk wrote")
    if not _exists(location, DICT_FILE):
        if not _exists(location, STATE_FILE):
            raise CatalogError(
                f"catalog {location!r} is no data set on disk: it has neither {STATE_FILE} nor {DICT_FILE}; next step: "
                "write one with save_to_disk, or name its Parquet files with parquet:FOLDER"
            )
        state = _read_json(location, STATE_FILE)
        return list(_shards(location, state, _known_split(state.get("_split"))))
    splits = _read_json(location, DICT_FILE).get("splits")
    if not (isinstance(splits, list) and splits and all(isinstance(split, str) for split in splits)):
        raise CatalogError(f"{_at(location, DICT_FILE)!r} names no splits; permitted: a list of folders' names")
    files: list[ArrowFile] = []
    for split in splits:
        folder = _at(location, _plain_name(split, location, DICT_FILE))
        files.extend(_shards(folder, _read_json(folder, STATE_FILE), _known_split(split)))
    return files


def _shards(folder: str, state: Mapping[str, Any], split: Split | None) -> Iterator[ArrowFile]:
    listed = state.get("_data_files")
    if not (isinstance(listed, list) and all(isinstance(item, dict) for item in listed)):
        raise CatalogError(
            f"{_at(folder, STATE_FILE)!r} names no data files; permitted: what save_to_disk of datasets 2 or later "
            "writes"
        )
    for item in listed:
        name = _plain_name(item.get("filename"), folder, STATE_FILE)
        yield ArrowFile(find_catalog_file(_at(folder, name)), split)


def _plain_name(name: object, folder: str, file: str) -> str:
    """A name within a folder: what a description says must not lead anywhere else."""
    if not isinstance(name, str) or name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
        raise CatalogError(f"{_at(folder, file)!r} names {shown(name)}; permitted: a name within its folder")
    return name


def _exists(folder: str, name: str) -> bool:
    file = catalog_file_at(_at(folder, name))
    return exists_remote(file.location) if file.path is None else file.path.is_file()


def _at(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


def _read_json(folder: str, name: str) -> dict[str, Any]:
    file: CatalogFile = find_catalog_file(_at(folder, name))
    try:
        with open_catalog_file(file) as opened:
            found = json.loads(opened.read(_MAX_JSON_BYTES))
    except (ValueError, RecursionError) as error:
        raise CatalogError(f"{file.location!r} is no JSON: {error}; next step: write the data set again") from error
    if not isinstance(found, dict):
        raise CatalogError(f"{file.location!r} holds no JSON object; next step: write the data set again")
    return found


def _split_of(name: str) -> Split | None:
    folder, _, file = name.rpartition("/")
    shard = _SHARD.fullmatch(file)
    return (_known_split(shard["split"]) if shard else None) or _known_split(folder.rpartition("/")[2])


def _known_split(name: object) -> Split | None:
    """The split of a name; None for one that is no split of ours, such as "unsupervised"."""
    try:
        return parse_split(name)
    except CellError:
        return None
