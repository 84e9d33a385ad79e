"""Until when the work at hand has to be done, for whoever starts something on its behalf."""

from __future__ import annotations

import time

_end = float("inf")


def set_time_left(seconds: float) -> None:
    """From now on there are so many seconds, in this process."""
    global _end
    _end = time.monotonic() + seconds


def time_left() -> float:
    """How many seconds there are; infinity where nobody set an end."""
    return _end - time.monotonic()
