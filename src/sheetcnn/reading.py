"""The way in for every file: it must be a regular one, nothing waits for it, and no more is read than was agreed on."""

from __future__ import annotations

import io
import os
import stat
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from .errors import SheetcnnError

MAX_DIRECTORY = 4_000_000  # bytes of a zip's list of parts; each entry has about a hundred, and takes up five times as much
_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


@dataclass(frozen=True)
class Held:
    """Bytes that were given instead of a file: read like one, and called by a name in messages."""

    data: bytes
    name: str

    def __str__(self) -> str:
        return self.name

    @property
    def suffix(self) -> str:
        """What its name ends with, as of a path."""
        return Path(self.name).suffix

    @property
    def stem(self) -> str:
        """Its name without that."""
        return Path(self.name).stem


Source = Path | Held


def source_of(given: Any, name: str) -> Source:
    """A path, or the bytes of a stream or of themselves, which are then called `name`. Raises SheetcnnError for anything else."""
    if isinstance(given, str | os.PathLike):
        return Path(given)
    if isinstance(given, bytes | bytearray | memoryview):
        return Held(bytes(given), name)
    if callable(getattr(given, "read", None)):
        data = given.read()
        if isinstance(data, bytes):
            return Held(data, name)
    raise SheetcnnError(f"{name}: must be a path, bytes or a stream of bytes, not {type(given).__name__}")


def open_regular(path: Source, error: type[SheetcnnError], give: str, *, where: str = "") -> io.BufferedReader:
    """Open a regular file, for whoever reads no more of it than is needed.

    Raises `error` with one line that says `where` (the path itself, if left out) and what to give instead.
    """
    where = where or shown(path)
    if isinstance(path, Held):
        return _File(io.BytesIO(path.data))
    try:
        _refuse_other(os.stat(path).st_mode)  # before it is opened: opening a device may do something already
        # Meanwhile another may stand there: opening a pipe does not wait, and what has been opened is asked again.
        flags = sum(getattr(os, name, 0) for name in ("O_RDONLY", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"))
        descriptor = os.open(path, flags)
        try:
            _refuse_other(os.fstat(descriptor).st_mode)
            return _File(io.FileIO(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as failed:
        raise error(f"{where}: cannot be read ({failed.strerror or failed}); {give}") from None
    except ValueError:  # a null character
        raise error(f"{where}: is no file's name; {give}") from None


def read_bytes(
    path: Source, limit: int, error: type[SheetcnnError], give: str, *, where: str = "", instead: str = ""
) -> bytes:
    """The bytes of a regular file, which must be no more than `limit`; what grows while it is read does not count.

    Raises `error` with one line, as `open_regular` does; where the file is too large, with what to do `instead`.
    """
    with open_regular(path, error, give, where=where) as stream:
        try:
            size = len(path.data) if isinstance(path, Held) else os.fstat(stream.fileno()).st_size
            pieces = []
            left = limit + 1
            if size <= limit:  # some files of the system say that they have no bytes, and have many
                while left and (piece := stream.read(min(left, max(size, 1 << 16) + 1))):
                    pieces.append(piece)
                    left -= len(piece)
        except OSError as failed:
            raise error(f"{where or shown(path)}: cannot be read ({failed.strerror or failed}); {give}") from None
    if size > limit or not left:
        raise error(f"{where or shown(path)}: is larger than {limit:,} bytes; {instead or give}")
    return b"".join(pieces)


def read_text(path: Source, limit: int, error: type[SheetcnnError], give: str, *, else_: str, instead: str = "") -> str:
    """The text of a file in UTF-8. Raises `error` as `read_bytes` does; where it is no such text, with what it is to be (`else_`)."""
    data = read_bytes(path, limit, error, give, instead=instead)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise error(f"{shown(path)}: is not a text file in UTF-8; {else_}") from None


@contextmanager
def open_archive(
    path: Source, error: type[SheetcnnError], give: str, *, where: str = "", again: str
) -> Iterator[zipfile.ZipFile]:
    """A zip file that has no part twice, of which one program would read the first and another the last.

    Raises `error` with one line, as `open_regular` does, and zipfile.BadZipFile where it is no zip file.
    """
    with open_zip(path, error, give, where=where) as archive:
        name, times = Counter(archive.namelist()).most_common(1)[0] if archive.filelist else ("", 0)
        if times > 1:
            raise error(f"{where or shown(path)}: has the part {name!r:.80} {times} times; {again}")
        yield archive


@contextmanager
def open_zip(path: Source, error: type[SheetcnnError], give: str, *, where: str = "") -> Iterator[zipfile.ZipFile]:
    """A zip file, whose parts may be anything. Raises as `open_archive` does."""
    with open_regular(path, error, give, where=where) as stream:
        assert isinstance(stream, _File)
        stream.most = MAX_DIRECTORY
        with zipfile.ZipFile(stream) as archive:
            stream.most = None
            yield archive


def read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order (whether Fortran's) and type of the array in an .npy file, the stream then being at its numbers.

    Raises ValueError for what is no such file.
    """
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version[0]}.{version[1]} of .npy is not for numbers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of files by Python 2
        return readers[version](stream)


def real(path: Path) -> Path:
    """Where a path leads; one that leads in a circle, at which Path.resolve fails, leads to itself."""
    return Path(os.path.realpath(path))


def shown(path: Source) -> str:
    """A path as messages say it: in one line, whatever its name holds."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def _refuse_other(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(0, f"{_KINDS.get(stat.S_IFMT(mode), 'something else')} is no file")


class _File(io.BufferedReader):
    """A file that can be told not to hand out too much at once: how long a zip's list of parts is, it says itself."""

    most: int | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.most is not None and size is not None and size > self.most:
            raise zipfile.BadZipFile(f"its list of parts takes {size:,} bytes")
        return super().read(size)
