"""Stop in an orderly way: what was begun is tidied up, whichever signal says so, and some things are not to be broken off."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopped(BaseException):
    """Somebody ends this process; what it holds is let go of on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def die(self) -> None:
        """End by the same signal, so that whoever waits for this process sees what it ended of."""
        signal.signal(self.number, signal.SIG_DFL)
        os.kill(os.getpid(), self.number)


@contextmanager
def stoppable() -> Iterator[None]:
    """Have the signals that would end this process at once raise Stopped, as Ctrl-C raises KeyboardInterrupt."""

    def stop(number: int, _frame: object) -> None:
        for one in changed:  # once is enough: nothing may break off the way out
            signal.signal(one, signal.SIG_IGN)
        raise Stopped(number)

    # Only the main thread may change them, and who ignores a signal, as nohup does, wants it so.
    main = threading.current_thread() is threading.main_thread()
    changed = [number for number in _ENDING if main and signal.getsignal(number) == signal.SIG_DFL]
    try:
        for number in changed:
            signal.signal(number, stop)
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put signals off that would break off what is done here, until it is done: it must be short."""
    if threading.current_thread() is not threading.main_thread():  # where no signal raises anything
        yield
        return
    late: list[tuple[int, Any]] = []
    usual: dict[int, Callable[[int, Any], Any]] = {}
    try:
        for number in (signal.SIGINT, *_ENDING):
            handler = signal.getsignal(number)
            if callable(handler):
                usual[number] = handler
                signal.signal(number, lambda *now: late.append(now))
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        for number, frame in late[:1]:
            usual[number](number, frame)
