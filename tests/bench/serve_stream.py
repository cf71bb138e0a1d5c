"""What a stream costs the server: its CPU time a text query, against what must be computed for one in any case.

That is a text in a batch of 32 through the encoder, one query of the store as texts are ranked, both in this process with
the server's own settings, and a call of the server that does nothing (gRPC's health check). 64 queries are in flight; all
texts differ. The parts and the stream take turns; medians of rounds. Bar: at most 1.25 times as much, 10,000 products.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc
from merchlens import Client, SearchQuery, SearchResult

from embedder.encoder import open_encoder
from indexer.stores.address import open_store
from indexer.words.text_ranking import TextRanking
from server.search.encode import ENCODED_TOGETHER
from server.settings import ServerSettings
from tests.bench.bars import Bars, arguments
from tests.bench.prepared import UNCACHED, build_index, demo_bundle
from tests.bench.serve_batch_search import queries
from tests.serving import running_server

IN_FLIGHT = 64
TOP_K = 10
NOTHINGS = 500


def main() -> None:
    """Measure, report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    count, rounds, repeats = (2000, 3, 2) if flags.short else (10_000, 9, 4)
    bundle = demo_bundle(flags.data, flags.model)
    asked = [
        SearchQuery(text=f"{query.text} {number}", top_k=TOP_K) for number in range(repeats) for query in queries()
    ]
    texts = [str(query.text) for query in asked]
    with tempfile.TemporaryDirectory() as temporary:
        store = build_index(bundle, Path(temporary) / "index", count)
        # The server owns the store; the parts are measured on a copy.
        shutil.copytree(Path(temporary) / "index", Path(temporary) / "copy")
        reader = open_store(f"edge:{Path(temporary) / 'copy'}").open()
        encoder = open_encoder(bundle, device="cpu", text_threads=ServerSettings().text_threads)
        ranking = TextRanking(reader.manifest)
        vectors = encoder.semantic_texts(texts)
        by = [
            ranking.of(query, vector, text)
            for query, vector, text in zip(encoder.space.text_queries(vectors), vectors, texts, strict=True)
        ]

        def encode() -> None:
            for start in range(0, len(texts), ENCODED_TOGETHER):
                encoder.text_queries(texts[start : start + ENCODED_TOGETHER])

        def search() -> None:
            for each in by:
                reader.query(each.parts, each.weights, TOP_K)

        flags_of_server = ("--model", str(bundle), "--store", store)
        with running_server(*flags_of_server, env=UNCACHED) as running, Client(running.target) as client:
            process = psutil.Process(running.process.pid)
            here = psutil.Process()
            with grpc.insecure_channel(running.target) as channel:
                health = health_pb2_grpc.HealthStub(channel)

                def nothing() -> None:
                    for _ in range(NOTHINGS):
                        health.Check(health_pb2.HealthCheckRequest())

                failed = 0
                taken: dict[str, list[float]] = {"stream": [], "encoder": [], "store": [], "call": []}
                rate: list[float] = []
                for turn in range(rounds + 1):
                    begun = time.perf_counter()
                    answers: list[object] = []
                    used = cpu_s(process, lambda found=answers: found.extend(stream(client, asked)))
                    rate.append(len(asked) / (time.perf_counter() - begun))
                    failed += sum(not isinstance(answer, SearchResult) for answer in answers)
                    parts = {
                        "stream": used / len(asked),
                        "encoder": cpu_s(here, encode) / len(asked),
                        "store": cpu_s(here, search) / len(asked),
                        "call": cpu_s(process, nothing) / NOTHINGS,
                    }
                    # The first round warms connections and lazy set-up up.
                    if turn:
                        for name, value in parts.items():
                            taken[name].append(value * 1000)
            running.stop()
        reader.close()
    least = [sum(each) for each in zip(taken["encoder"], taken["store"], taken["call"], strict=True)]
    bars.row("a query of a stream, CPU ms of the server", f"{statistics.median(taken['stream']):.2f}")
    for name in ("encoder", "store", "call"):
        bars.row(f"  {name}, CPU ms", f"{statistics.median(taken[name]):.2f}")
    bars.row("queries a second, client beside the server", f"{statistics.median(rate[1:]):.0f}")
    bars.row("queries that failed", str(failed))
    ratios = [one / other for one, other in zip(taken["stream"], least, strict=True)]
    bars.at_most("serve_stream_cpu_ratio", statistics.median(ratios), 1.25)
    bars.report(f"a stream of texts, {IN_FLIGHT} in flight, {count:,} products, {len(asked)} queries a round")


def stream(client: Client, asked: Sequence[SearchQuery]) -> Iterator[object]:
    """The answers, so many queries in flight."""
    free = threading.Semaphore(IN_FLIGHT)

    def paced() -> Iterator[SearchQuery]:
        for query in asked:
            free.acquire()
            yield query

    for _, answer in client.stream_search(paced()):
        free.release()
        yield answer


def cpu_s(process: psutil.Process, work: Callable[[], object]) -> float:
    """Seconds that a process computes while something is done."""
    before = process.cpu_times()
    work()
    after = process.cpu_times()
    return (after.user + after.system) - (before.user + before.system)


if __name__ == "__main__":
    main()
