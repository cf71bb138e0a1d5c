"""What Pillow logs about a caller's picture, at the level that a caller's fault has."""

from __future__ import annotations

import logging

from server.rpc.call import logged_request_id

_log = logging.getLogger(__name__)


def log_pillow_as_info() -> None:
    """Log what Pillow reports, up to errors, as INFO with the request's id; the caller gets a status of its own."""
    pillow = logging.getLogger("PIL")
    if not any(isinstance(handler, _AsInfo) for handler in pillow.handlers):
        pillow.addHandler(_AsInfo())
    pillow.propagate = False


class _AsInfo(logging.Handler):
    """Passes each line on to this module's logger."""

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        _log.info("%s: Pillow: %s", logged_request_id.get(), record.getMessage())
