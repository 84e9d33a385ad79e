"""Work on all cores, in processes that do one job after another and may be stopped at any time.

They are no processes of `multiprocessing`, since each of those imports the caller's script again: one without
`if __name__ == "__main__":` would start over in all of them.

They end with whoever started them, in whatever way that ends, and mind the time themselves too: nobody may be left to stop them.
"""

from __future__ import annotations

import ctypes
import math
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from queue import Empty, SimpleQueue
from threading import Thread, Timer
from typing import Any, BinaryIO

from ..deadline import set_time_left
from ..errors import SheetcnnError
from ..temporary import ELSEWHERE

Doing = Callable[..., Any]  # does a job
ALONE = sys.platform in ("emscripten", "wasi")  # in a browser no second process can be started
READY, DONE, FAILED, GONE = range(4)  # what is heard of a process
GRACE = 5.0  # seconds that a process has beyond its job's time before it ends by itself
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG, of Linux's prctl

# What a process runs. It is told first where modules are found, since the caller may have added places. What it starts
# itself must not read its jobs, so they come through a copy of its input.
CODE = (
    "import os, pickle, sys; jobs = os.fdopen(os.dup(0), 'rb'); sys.path[:] = pickle.load(jobs); "
    f"from {__name__} import serve; serve(jobs)"
)


class Lost(Enum):
    """Why there is no result of a job."""

    BROKE_OFF = "its process died"
    TOO_LONG = "it took too long"


def usable_cores() -> int:
    """How many processors this process may use."""
    if ALONE:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_all_cores(
    prepare: Callable[..., Doing], given: tuple[Any, ...], jobs: Sequence[tuple[Any, ...]], timeout: float = float("inf")
) -> Generator[tuple[int, Any], None, None]:
    """Each job's number, counted from 0, with what came of it: what it returned, the exception it raised, or why it was lost.

    Every process calls `prepare(*given)`, which returns the function that is then called with one job after another. A job
    that takes more than `timeout` seconds is stopped. Raises what `prepare` raises, and SheetcnnError where no process starts.
    """
    if ALONE:
        yield from _one_after_another(prepare, given, jobs)
        return
    begin = pickle.dumps(sys.path) + pickle.dumps((prepare, given))
    heard: SimpleQueue[tuple[_Worker, int, Any]] = SimpleQueue()
    waiting = list(enumerate(jobs))[::-1]
    workers: list[_Worker] = []
    try:
        for _ in range(min(len(jobs), usable_cores())):
            workers.append(_Worker(begin, heard))
        while waiting or any(worker.job is not None for worker in workers):
            for worker in workers:
                if worker.ready and worker.job is None and waiting:
                    worker.give(*waiting.pop(), timeout)
            with suppress(Empty):
                worker, what, value = heard.get(timeout=0.2)
                if worker not in workers:  # it was stopped meanwhile
                    continue
                if not worker.ready and what != READY:
                    raise value if what == FAILED else _not_started(worker.last_words())
                worker.ready, n, worker.job = True, worker.job, None
                if what == GONE:
                    value = Lost.BROKE_OFF
                    workers[workers.index(worker)] = _Worker(begin, heard)
                    worker.stop()
                if n is not None:
                    yield n, value
            # A result that waits to be heard came in time.
            for place, worker in enumerate(workers):
                if worker.job is not None and heard.empty() and time.monotonic() > worker.deadline:
                    worker.stop()
                    workers[place] = _Worker(begin, heard)
                    yield worker.job, Lost.TOO_LONG
    finally:
        for worker in workers:
            worker.stop()


def _one_after_another(
    prepare: Callable[..., Doing], given: tuple[Any, ...], jobs: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[int, Any]]:
    """The same in this process, where nothing can stop a job."""
    do = prepare(*given)
    for n, job in enumerate(jobs):
        try:
            yield n, do(*job)
        except SheetcnnError as error:
            yield n, error
        except Exception:
            yield n, RuntimeError(traceback.format_exc())


def _not_started(words: str) -> SheetcnnError:
    return SheetcnnError(
        f"a second Python process is needed, but {sys.executable or 'Python'} could not be started ({words}); "
        "close other programs if memory is short"
    )


class _Worker:
    """A process, and a thread that listens to it: pipes cannot be waited for together on every system."""

    def __init__(self, begin: bytes, heard: SimpleQueue[tuple[_Worker, int, Any]]) -> None:
        self.job: int | None = None
        self.deadline = 0.0
        self.ready = False
        try:
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - the process writes into it as long as it lives
        except OSError as error:
            raise SheetcnnError(f"no temporary file can be made ({error.strerror}); {ELSEWHERE}") from None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
            )
        except OSError as error:
            self._errors.close()
            raise _not_started(str(error.strerror)) from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._jobs, self._answers = self._process.stdin, self._process.stdout
        self._listener = Thread(target=self._listen, args=(begin, heard), daemon=True)
        self._listener.start()

    def _listen(self, begin: bytes, heard: SimpleQueue[tuple[_Worker, int, Any]]) -> None:
        try:
            self._jobs.write(begin)
            self._jobs.flush()
            while True:
                heard.put((self, *pickle.load(self._answers)))
        except (OSError, EOFError, pickle.UnpicklingError):
            heard.put((self, GONE, None))

    def give(self, n: int, job: tuple[Any, ...], timeout: float) -> None:
        """Have job n done."""
        self.job, self.deadline = n, time.monotonic() + timeout
        with suppress(OSError):  # it has just died, as the listener hears too
            pickle.dump((timeout, job), self._jobs)
            self._jobs.flush()

    def last_words(self) -> str:
        """Why the process died, in its own words."""
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        return next((line.strip()[:200] for line in reversed(lines) if line.strip()), f"exit code {code}")

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        self._answers.close()
        self._errors.close()
        with suppress(OSError):  # what it has not read
            self._jobs.close()


def serve(jobs: BinaryIO) -> None:
    """What a process does: prepare itself as it is told, then do one job after another as long as there are any."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who is stopped with Ctrl-C stops us
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # which ends this process
    with os.fdopen(os.dup(1), "wb") as answers, open(os.devnull, "r+b") as nothing:
        for stream in (0, 1):  # so that nothing which is printed gets among the answers
            os.dup2(nothing.fileno(), stream)

        def tell(what: int, value: Any = None) -> None:
            answers.write(pickle.dumps((what, value)))
            answers.flush()

        try:
            prepare, given = pickle.load(jobs)
            do = prepare(*given)
        except SheetcnnError as error:
            tell(FAILED, error)
            return
        waiting: SimpleQueue[tuple[float, tuple[Any, ...]]] = SimpleQueue()
        Thread(target=_receive, args=(jobs, waiting), daemon=True).start()
        tell(READY)
        while True:
            timeout, job = waiting.get()
            try:
                with _in_time(timeout):
                    result = do(*job)
                tell(DONE, result)
            except SheetcnnError as error:
                tell(DONE, error)
            except Exception:  # of which nobody knows whether it can be sent
                tell(DONE, RuntimeError(traceback.format_exc()))


def _receive(jobs: BinaryIO, waiting: SimpleQueue[tuple[float, tuple[Any, ...]]]) -> None:
    """Take jobs in while others are done: who gives them is gone when there is nothing to read any more."""
    try:
        while True:
            waiting.put(pickle.load(jobs))
    finally:
        os._exit(0)


def _die_with_parent() -> None:
    """Be killed by the system when the parent dies: a thread may have to wait for a long computation."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


@contextmanager
def _in_time(timeout: float) -> Iterator[None]:
    """Tell what is done meanwhile how much time it has, and end this process where it takes much more."""
    set_time_left(timeout)
    if math.isinf(timeout):
        yield
    elif hasattr(signal, "setitimer"):  # the system's own clock, which nothing that Python does can keep waiting
        signal.setitimer(signal.ITIMER_REAL, timeout + GRACE)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    else:
        timer = Timer(timeout + GRACE, os._exit, (1,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
