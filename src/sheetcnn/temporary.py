"""Files and folders that are gone afterwards, even where the process that made them was killed.

A process that is killed tidies nothing up. So it holds what it has made by a lock, which the system lets go of when the process
dies in whatever way; and whoever next makes something temporary in the same place takes away what nobody holds any more.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .errors import SheetcnnError
from .stopping import uninterrupted

ELSEWHERE = "make room, or name another folder for temporary files by TMPDIR"
PREFIX, SUFFIX = "sheetcnn-", ".part"
_OURS = re.compile(rf"\.?{PREFIX}\w{{8}}{re.escape(SUFFIX)}\Z")  # as tempfile makes names of these


@contextmanager
def temporary_folder(error: type[SheetcnnError], inside: Path | None = None) -> Iterator[Path]:
    """A folder that is gone afterwards, hidden `inside` another one or where the system keeps such.

    Raises `error` with one line where none can be made.
    """
    made: list[tuple[Path, int | None]] = []
    try:
        with uninterrupted():
            try:
                place = Path(tempfile.gettempdir()) if inside is None else inside
                remove_leftovers(place)
                made.append(_make_folder(place, PREFIX if inside is None else f".{PREFIX}"))
            except OSError as failed:
                if inside is None:
                    raise error(f"no temporary folder can be made ({failed.strerror}); {ELSEWHERE}") from None
                raise error(f"{inside}: cannot be written to ({failed.strerror}); give another folder") from None
        yield made[0][0]
    finally:
        with uninterrupted():
            for folder, held in made:
                shutil.rmtree(folder, ignore_errors=True)
                if held is not None:
                    os.close(held)


def temporary_file(folder: Path) -> tuple[Path, BinaryIO]:
    """A new file in a folder, to be written to; it is held until it is closed. Raises OSError."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{PREFIX}", suffix=SUFFIX, dir=folder)
        if hold(handle) and os.path.lexists(name):
            return Path(name), os.fdopen(handle, "wb")
        os.close(handle)  # somebody tidied up in the moment before


def free_name(folder: Path) -> Path:
    """A name that what is temporary may have in a folder."""
    return folder / f".{PREFIX}{os.urandom(4).hex()}{SUFFIX}"


def hold(descriptor: int) -> bool:
    """Hold an open file or folder until it is closed or this process dies; False where another process holds it."""
    return _lock(descriptor) is not False


def remove_leftovers(place: Path) -> None:
    """Remove what processes that were killed have left in a folder."""
    with suppress(OSError):
        for name in os.listdir(place):
            if _OURS.match(name):
                with suppress(OSError):
                    _remove_leftover(place / name)


def _remove_leftover(path: Path) -> None:
    """Remove a file or folder that nobody holds. What is another user's, or a link, is left alone."""
    flags = sum(getattr(os, name, 0) for name in ("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK"))
    descriptor = os.open(path, flags)
    try:
        if hasattr(os, "geteuid") and os.fstat(descriptor).st_uid == os.geteuid() and _lock(descriptor):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
    finally:
        os.close(descriptor)


def _make_folder(place: Path, prefix: str) -> tuple[Path, int | None]:
    """A new folder, and what holds it; None where folders cannot be held."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=SUFFIX, dir=place))
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:  # somebody tidied up in the moment before
            continue
        except OSError:  # Windows
            return folder, None
        if hold(descriptor) and folder.exists():
            return folder, descriptor
        os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Whether this process now holds what is open there; None where nothing can be held."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some file systems, of networks mostly
        return None
    return True
