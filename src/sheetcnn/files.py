"""Outputs are looked at before any work, written in full beside their places, and then all put there."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, Self

from .errors import SheetcnnError
from .stopping import uninterrupted
from .temporary import free_name, hold, remove_leftovers, temporary_file, temporary_folder

MOST_OPEN = 50  # files at once
MAX_NAME = 255  # bytes of a file's name, on nearly every file system


def refuse_outputs(paths: Iterable[Path], inputs: Iterable[Path] = (), *, makes_folders: bool = False) -> None:
    """Raise SheetcnnError where one of these files could not be written, or is one of the inputs, which it would replace.

    To be asked before any work. With `makes_folders` their folders may be missing, since they will be made.
    """
    given = list(inputs)
    for path in paths:
        _refuse_names(path)
        _refuse_place(path)
        refuse_folder(path.parent, makes_folders, path)
        for source in given:
            if _same(path, source):
                raise SheetcnnError(f"{path}: is what is read here, and would be replaced; give the output another name")


def refuse_folder(folder: Path, made: bool, path: Path | None = None) -> None:
    """Raise SheetcnnError where files cannot be written to a folder; where it is missing, it may be one that is `made`."""
    what = path or folder
    _refuse_names(folder)
    there = folder
    while made and not os.path.lexists(there) and there != there.parent:
        there = there.parent
    try:
        mode = os.stat(there).st_mode
        reason = "" if stat.S_ISDIR(mode) else "Not a directory"
        if not reason and not os.access(there, os.W_OK | os.X_OK):
            reason = "Permission denied"
    except OSError as error:
        reason = str(error.strerror)
    if reason:
        raise _no_folder(what, reason, there)


def make_folder(folder: Path) -> None:
    """Make a folder where there is none. Raises SheetcnnError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SheetcnnError(f"{folder}: cannot be made ({error.strerror}); give another folder") from None


class Outputs:
    """Files that belong together: each is written beside its place, and at the end of a `with` all are put there.

    Where something fails before, everything stays as it was. They are put in the order in which they were written; files
    that are replaced keep their rights. Of a process that is killed, at most what is temporary stays, until the next run.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[BinaryIO | Path, Path]] = []
        self._folders: dict[Path, Path] = {}
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with uninterrupted(), self._opened:
            for part, path in self._parts if kind is None else ():
                try:
                    _put(part if isinstance(part, Path) else _named(part, path.parent), path)
                except OSError as error:
                    raise _failed(path, error) from None

    def add(self, part: Path, path: Path) -> None:
        """A file that has been written elsewhere in the same file system, and its place."""
        self._parts.append((part, path))

    def write(self, path: Path, write: Callable[[BinaryIO], object]) -> None:
        """Write one of the files. Raises SheetcnnError where that is not possible."""
        refuse_outputs([path])
        try:
            stream, part = self._begin(path.parent)
        except OSError as error:
            raise _no_folder(path, str(error.strerror), path.parent) from None
        try:
            write(stream)
            stream.flush()
            if part is not None and (len(self._parts) >= MOST_OPEN or os.name == "nt"):  # Windows moves no open file
                stream.close()
        except OSError as error:
            raise _failed(path, error) from None
        self._parts.append((stream if part is None else part, path))

    def _begin(self, folder: Path) -> tuple[BinaryIO, Path | None]:
        """A new file in a folder, and its name where it has one. Raises OSError.

        The first ones have no name, so that they go away with this process, or are held by it. But these must stay open,
        and a process can have few: so the others lie in a folder that is held.
        """
        if len(self._parts) >= MOST_OPEN:
            if folder not in self._folders:
                self._folders[folder] = self._opened.enter_context(temporary_folder(SheetcnnError, folder))
            part = self._folders[folder] / f"{len(self._parts)}"
            return self._keep(part.open("xb")), part
        remove_leftovers(folder)
        with uninterrupted():
            if stream := _without_name(folder):
                return self._keep(stream), None
            part, stream = temporary_file(folder)
            self._opened.callback(part.unlink, missing_ok=True)
            return self._keep(stream), part

    def _keep(self, stream: BinaryIO) -> BinaryIO:
        """Have a file closed at the end, where nobody cares any more whether the rest could be written."""

        def close() -> None:
            with suppress(OSError):
                stream.close()

        self._opened.callback(close)
        return stream

    def write_bytes(self, path: Path, data: bytes) -> None:
        """Write these bytes as one of the files."""
        self.write(path, lambda stream: stream.write(data))


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside its place, then put it there: what was there before is never left damaged.

    On Linux it has no name until it is complete, so that even a process that is killed leaves nothing behind. Raises
    SheetcnnError where the folder cannot be written to.
    """
    with Outputs() as outputs:
        outputs.write(path, write)


def write_bytes(path: Path, data: bytes) -> None:
    """Write these bytes as a whole file, as `write_whole` does."""
    write_whole(path, lambda stream: stream.write(data))


def _refuse_names(path: Path) -> None:
    """Raise SheetcnnError where a path holds what cannot be a name."""
    try:
        fits = all(len(os.fsencode(part)) <= MAX_NAME and "\0" not in part for part in path.parts)
    except UnicodeEncodeError:
        fits = False
    if not fits:
        raise SheetcnnError(f"{path}: cannot be a file's name, which has at most {MAX_NAME} bytes; give another")


def _refuse_place(path: Path) -> None:
    """Raise SheetcnnError where something is in a file's place that must not be replaced."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise _failed(path, error) from None
    if stat.S_ISDIR(mode):
        raise SheetcnnError(f"{path}: cannot be written (it is a folder); give another name")
    if not stat.S_ISREG(mode):
        raise SheetcnnError(f"{path}: cannot be written (it is a device or the like, and no file); give another name")
    if not os.access(path, os.W_OK):
        raise SheetcnnError(f"{path}: cannot be written (it is write-protected); give another name")


def _no_folder(path: Path, reason: str, folder: Path) -> SheetcnnError:
    return SheetcnnError(f"{path}: cannot be written ({reason}: {folder}); give a folder that exists and can be written to")


def _failed(path: Path, error: OSError) -> SheetcnnError:
    return SheetcnnError(f"{path}: cannot be written ({error.strerror})")


def _same(path: Path, other: Path) -> bool:
    """Whether two paths lead to one file, by whatever names."""
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):  # one of them is not there
        return False


def _rights(path: Path) -> int:
    """The rights of the file that is replaced, or those of any new one."""
    try:
        return stat.S_IMODE(path.stat().st_mode) & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _put(part: Path, path: Path) -> None:
    """Put a file in its place; where that fails it is gone."""
    try:
        part.chmod(_rights(path))
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _without_name(folder: Path) -> BinaryIO | None:
    """A new file in a folder that has no name, and goes away with the process; None where the system has no such files."""
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):
        return None
    try:  # for nobody else's eyes until it is in its place, where it gets its rights
        return os.fdopen(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600), "wb")
    except OSError:  # a kind of file system without them, or a folder that cannot be written to, which is said then
        return None


def _named(stream: BinaryIO, folder: Path) -> Path:
    """The file under a name beside its place, held as long as it is open."""
    hold(stream.fileno())
    while True:
        part = free_name(folder)
        try:
            # The folder's number is of no account beside a whole path, but makes Python follow the link to the open file.
            os.link(f"/proc/self/fd/{stream.fileno()}", part, src_dir_fd=stream.fileno())
            return part
        except FileExistsError:
            continue
