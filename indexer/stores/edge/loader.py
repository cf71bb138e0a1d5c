"""The process that fills a shard while the pipeline embeds.

Commands go through a pipe, whose small buffer is the back-pressure, and whose end tells the loader that its parent
is gone: then it leaves too, so a killed build leaves no process and no lock behind.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from indexer.errors import StoreUnavailable
from indexer.filters.schema import Schema
from indexer.stores.edge.arguments import EdgeArguments
from indexer.stores.edge.space import is_full, no_space
from indexer.stores.protocol import Batch
from indexer.versions.layout import VectorLayout

FLUSH_EVERY = 50
"""Batches between flushes: what a power loss can take away from an unfinished build."""


class EdgeLoader:
    """The parent's side. Used by one thread."""

    def __init__(self, shard_path: Path, layout: VectorLayout, arguments: EdgeArguments) -> None:
        """Start the process; it makes the shard, or goes on with the one that is there."""
        context = multiprocessing.get_context("spawn")
        self._pipe, child = context.Pipe()
        self._process = context.Process(
            target=_run, args=(child, str(shard_path), layout, arguments), daemon=True, name="edge-loader"
        )
        self._folder = shard_path.parent
        self._process.start()
        child.close()

    def upsert(self, batch: Batch) -> None:
        """Hand products over; returns before they are written, unless the loader is behind."""
        self._send(("upsert", batch))

    def delete(self, product_ids: Sequence[str]) -> None:
        """Take products away; returns before that is done."""
        self._send(("delete", list(product_ids)))

    def mark(self, product_ids: Sequence[str], key: str, values: Sequence[str]) -> None:
        """Have products marked; returns before they are."""
        self._send(("mark", (list(product_ids), key, list(values))))

    def finish(self, schema: Schema) -> tuple[int, bool]:
        """Index, flush and close; returns the number of points, and whether there is a graph."""
        self._send(("finish", schema.to_dict()))
        points, has_graph = self._receive()
        self._process.join(60)
        self._pipe.close()
        return int(points), bool(has_graph)

    def abort(self) -> None:
        """End the process; what it wrote is worthless."""
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._pipe.close()

    def _send(self, command: tuple[str, Any]) -> None:
        # Once it has failed, the loader says so and reads no more.
        if self._pipe.poll():
            self._receive()
        try:
            self._pipe.send(command)
        except (BrokenPipeError, ConnectionResetError):
            self._receive()

    def _receive(self) -> Any:
        try:
            outcome, value = self._pipe.recv()
        except (EOFError, ConnectionResetError) as error:
            self._process.join(10)
            if self._process.exitcode == -signal.SIGBUS:
                # Edge writes through mappings, where a full disk is a signal and no error.
                raise no_space(self._folder, "the process that fills the shard needed more") from error
            raise StoreUnavailable(
                f"the process that fills the shard ended with status {self._process.exitcode}; next step: is there "
                "memory and disk space left? then run the build again"
            ) from error
        if outcome == "full":
            raise no_space(self._folder, "the process that fills the shard needed more")
        if outcome == "failed":
            raise StoreUnavailable(f"the shard cannot be filled: {value}; next step: is there disk space left?")
        return value


def _run(pipe: Connection, shard_path: str, layout: VectorLayout, arguments: EdgeArguments) -> None:
    """The loader's own process."""
    # Ctrl-C reaches the whole group; the parent decides what becomes of the build.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    from indexer.stores.edge.shard import Shard

    try:
        path = Path(shard_path)
        shard = Shard.load(path, layout, arguments) if path.exists() else Shard.create(path, layout, arguments)
        batches = 0
        while True:
            kind, argument = pipe.recv()
            if kind == "upsert":
                shard.upsert(argument)
                batches += 1
                if batches % FLUSH_EVERY == 0:
                    shard.flush()
            elif kind == "delete":
                shard.delete(argument)
            elif kind == "mark":
                shard.mark(*argument)
            else:
                shard.optimize(Schema.from_dict(argument))
                shard.flush()
                shard.close()
                # Opening folds the journals into the other files, which from then on keep their sizes.
                shard = Shard.load(path, layout, arguments)
                found = shard.points(), shard.has_graph()
                shard.close()
                pipe.send(("done", found))
                return
    except EOFError:
        return
    # Whatever it is, the parent must learn of it; the trace goes with it to the log.
    except BaseException as error:  # noqa: BLE001  (what Edge raises where its Rust side panics is no Exception)
        pipe.send(("full" if is_full(error) else "failed", f"{type(error).__name__}: {error}"))


def _die_with_parent() -> None:
    """Have the kernel end this process with its parent: inside Edge, where a graph takes minutes, no pipe is read."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
