"""The archive that an .xlsx is: its parts are compressed in a thread, one after the other, while the next are made."""

from __future__ import annotations

import sys
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import Any, BinaryIO

try:
    from zlib_ng import zlib_ng as deflate
except ImportError:  # in a browser
    import zlib as deflate  # type: ignore[no-redef]

LEVEL = 5  # of deflate: files are as large as with zlib's usual 6, in 0.4 of the time
BATCH = 1 << 16  # bytes that are handed to the thread at once, at least
AHEAD = 4  # batches that may wait for it
TURN = 0.00005  # seconds after which the thread may take the interpreter: at the usual 0.005 it waits longer than it works
PLAIN = (1 << 32) - 2  # bytes of a part of a plain archive: LibreOffice 7.4 reads no larger ones


@contextmanager
def archive(stream: BinaryIO, large: bool) -> Iterator[Archive]:
    """An archive that is being written to a stream of bytes; `large` where some part has more than 2 GB."""
    target = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)
    pool = ThreadPoolExecutor(1)
    try:
        with _plain if large else nullcontext(), _short_turns:
            try:
                parts = Archive(target, pool)
                yield parts
                parts.finish()
            finally:
                pool.shutdown(cancel_futures=True)
            target.close()
    except BaseException:
        target.fp = None  # nobody wants its end any more, which could not be written after half a part either
        raise


class Archive:
    """What openpyxl takes for a ZipFile; zlib lets go of the interpreter while it compresses.

    Where no thread can be started, as in a browser, parts are compressed at once.
    """

    def __init__(self, target: zipfile.ZipFile, pool: ThreadPoolExecutor) -> None:
        self._target = target
        self._pool: ThreadPoolExecutor | None = pool
        self._names: dict[str, None] = {}
        self._batch: list[tuple[str, bytes, bool]] = []
        self._size = 0  # of the batch, in bytes
        self._waiting: deque[Future[None]] = deque()
        self._part: tuple[str, Any] | None = None  # that is being written, the thread's alone

    def writestr(self, name: str, piece: str | bytes, zip64: bool = False) -> None:
        """Write a part, or more of the one before; `zip64` for one that a plain archive cannot hold."""
        self._names[name] = None
        data = piece.encode() if isinstance(piece, str) else piece
        self._batch.append((name, data, zip64))
        self._size += len(data)
        if self._size >= BATCH:
            self._hand_over()

    def namelist(self) -> list[str]:
        """The names of the parts so far."""
        return list(self._names)

    def finish(self) -> None:
        """Wait until all is written."""
        self._hand_over()
        self._wait(0)
        self._end_part()

    def _hand_over(self) -> None:
        batch, self._batch, self._size = self._batch, [], 0
        try:
            if self._pool is not None:
                self._waiting.append(self._pool.submit(self._write, batch))
        except RuntimeError:
            self._pool = None  # in its queue, though nobody will take it from there
        self._wait(0 if self._pool is None else AHEAD)
        if self._pool is None:
            self._write(batch)

    def _wait(self, most: int) -> None:
        """Wait until no more batches than that are left."""
        while len(self._waiting) > most:
            self._waiting.popleft().result()

    def _write(self, batch: list[tuple[str, bytes, bool]]) -> None:
        for name, data, zip64 in batch:
            if self._part is None or self._part[0] != name:
                self._end_part()
                stream: Any = self._target.open(name, "w", force_zip64=zip64)
                stream._compressor = deflate.compressobj(LEVEL, deflate.DEFLATED, -deflate.MAX_WBITS)
                self._part = name, stream
            self._part[1].write(data)

    def _end_part(self) -> None:
        if self._part is not None:
            self._part[1].close()


class _WhileWriting:
    """Something of the interpreter's own that is otherwise as long as any archive is being written, in whatever threads."""

    def __init__(self, read: Callable[[], Any], change: Callable[[Any], None], value: Any) -> None:
        self._read, self._change, self._value = read, change, value
        self._lock, self._archives, self._before = Lock(), 0, None

    def __enter__(self) -> None:
        with self._lock:
            if not self._archives:
                self._before = self._read()
                self._change(self._value)
            self._archives += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._archives -= 1
            if not self._archives:
                self._change(self._before)


# The thread that compresses needs the interpreter only for a moment between two pieces.
_short_turns = _WhileWriting(sys.getswitchinterval, sys.setswitchinterval, TURN)
# Parts of up to 4 GB in a plain archive, which has 32 bits for lengths: zipfile takes 31 for the limit.
_plain = _WhileWriting(lambda: zipfile.ZIP64_LIMIT, lambda limit: setattr(zipfile, "ZIP64_LIMIT", limit), PLAIN)
