"""Stop in an orderly way: what was begun is tidied up, whichever signal says so, and some things are not to be broken off."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_USUAL = (signal.SIG_DFL, signal.default_int_handler)  # who ignores a signal, as nohup does, wants it so


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
    """Have the signals that end a process raise Stopped, whatever else goes wrong on the way out because of it."""
    received: list[int] = []

    def stop(number: int, _frame: object) -> None:
        received.append(number)
        raise Stopped(number)

    main = threading.current_thread() is threading.main_thread()  # only there they may be changed
    before = {number: signal.getsignal(number) for number in _SIGNALS if main and signal.getsignal(number) in _USUAL}
    try:
        for number in before:
            signal.signal(number, stop)
        yield
    except BaseException:
        # A half-written file, say, complains when it is closed.
        if received:
            raise Stopped(received[0]) from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received:  # where nothing can be raised, as while an object is deleted
        raise Stopped(received[0])


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put signals off that would break off what is done here, until it is done: it must be short."""
    if threading.current_thread() is not threading.main_thread():  # where no signal raises anything
        yield
        return
    late: list[tuple[int, Any]] = []
    usual: dict[int, Callable[[int, Any], Any]] = {}
    try:
        for number in _SIGNALS:
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
