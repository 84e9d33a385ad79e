"""Files are written in full before they are put in their place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from .errors import SheetcnnError


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside its place, then put it there: what was there before is never left damaged.

    On Linux it has no name until it is complete, so that even a process that is killed leaves nothing behind. Raises
    SheetcnnError where the folder cannot be written to.
    """
    part: Path | None = None
    try:
        stream = _without_name(path.parent)
        if stream is None:
            handle, name = tempfile.mkstemp(prefix=_prefix(path), suffix=".part", dir=path.parent)
            part, stream = Path(name), os.fdopen(handle, "wb")
    except OSError as error:
        raise SheetcnnError(
            f"{path}: cannot be written ({error.strerror}: {path.parent}); give a folder that exists and can be written to"
        ) from None
    try:
        with stream:
            write(stream)
            stream.flush()
            if part is None:
                part = _named(stream, path)
            else:
                mask = os.umask(0)
                os.umask(mask)
                part.chmod(0o666 & ~mask)
        part.replace(path)
    except OSError as error:
        raise SheetcnnError(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write these bytes as a whole file, as `write_whole` does."""
    write_whole(path, lambda stream: stream.write(data))


def _prefix(path: Path) -> str:
    return f".{path.stem[:40]}."


def _without_name(folder: Path) -> BinaryIO | None:
    """A new file in a folder that has no name, and goes away with the process; None where the system has no such files."""
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.fdopen(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666), "wb")
    except OSError:  # a kind of file system without them, or a folder that cannot be written to, which is said then
        return None


def _named(stream: BinaryIO, path: Path) -> Path:
    """The file under a name beside its place."""
    while True:
        part = path.with_name(f"{_prefix(path)}{os.urandom(4).hex()}.part")
        try:
            # The folder's number is of no account beside a whole path, but makes Python follow the link to the open file.
            os.link(f"/proc/self/fd/{stream.fileno()}", part, src_dir_fd=stream.fileno())
            return part
        except FileExistsError:
            continue
