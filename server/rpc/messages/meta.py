"""A reply's metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from merchlens.v1 import meta_pb2

from server.search.query import Origin, ServerWarning, Shortfall


def to_meta(
    origin: Origin,
    request_id: str,
    timings_us: Mapping[str, int],
    warnings: Sequence[ServerWarning] = (),
    shortfalls: Sequence[Shortfall] = (),
) -> meta_pb2.ResponseMeta:
    """Write a reply's metadata. All of the index is searched: a part that cannot be reached is an error."""
    return meta_pb2.ResponseMeta(
        model_fingerprint=origin.model_fingerprint,
        index_version=origin.index_version,
        request_id=request_id,
        timings=[meta_pb2.StageTiming(stage=stage, duration_us=duration) for stage, duration in timings_us.items()],
        warnings=[meta_pb2.Warning(code=item.code, field=item.field, text=item.text) for item in warnings],
        coverage=meta_pb2.Coverage(
            complete=not shortfalls,
            searched_fraction=1.0,
            reasons=[meta_pb2.CoverageReason(code=item.code, text=item.text) for item in shortfalls],
        ),
    )
