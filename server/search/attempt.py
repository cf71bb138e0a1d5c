"""One piece of several whose failure is its own, and not that of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from server.errors import DeadlineExpired, ServerError

T = TypeVar("T")


def attempt(work: Callable[[], T]) -> T | Exception:
    """What a piece of work gives, or what it raised.

    Raises:
        DeadlineExpired: the caller no longer waits, which ends all of the pieces.
    """
    try:
        return work()
    except DeadlineExpired:
        raise
    except ServerError as error:
        # Its traces hold on to what was being worked on, such as a picture of 50 megapixels, for as long as the others
        # take; of a fault of the request nobody reads them.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        return error
    except Exception as error:  # noqa: BLE001
        return error
