"""The small model that is tuned, for the guard's tests too."""

from __future__ import annotations

from tests.embedder.training.tuning.conftest import opened, ready, small_bundle

__all__ = ["opened", "ready", "small_bundle"]
