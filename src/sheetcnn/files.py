"""Files are written beside their place and then put there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from .errors import SheetcnnError


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside its place, then put it there: what was there before is never left damaged.

    Raises SheetcnnError where the folder cannot be written to.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise SheetcnnError(
            f"{path}: cannot be written ({error.strerror}: {path.parent}); give a folder that exists and can be written to"
        ) from None
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o666 & ~mask)
        part.replace(path)
    except OSError as error:
        raise SheetcnnError(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        part.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write these bytes as a whole file, as `write_whole` does."""
    write_whole(path, lambda stream: stream.write(data))
