"""Find what was handed in: in folders and archives as school systems give them, of which nothing is trusted."""

from __future__ import annotations

import errno
import hashlib
import re
import stat
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import ExerciseError, WorkbookError
from ..reading import open_regular, open_zip, real
from ..temporary import ELSEWHERE, temporary_folder
from .kinds import PASSWORD, Kind, kind_of

MAX_FILES = 10_000  # in one archive
MAX_FILE = 500_000_000  # bytes of one file in an archive
MAX_BYTES = 2_000_000_000  # of all that archives unpack to
MAX_GROWTH = 100  # times that an archive may unpack to; workbooks in it hardly get smaller
FREE = 50_000_000  # bytes that any archive may unpack to
MAX_DEPTH = 3  # archives in archives
MOST_NESTED = 100  # folders in folders
AGAIN = "ask for it once more"
_PIECE = 1 << 20
# What systems, browsers and spreadsheet programs put beside what was handed in. Moodle, Canvas, Blackboard and Sakai
# deliver what students type into the system as files of their own.
_NOT_HANDED_IN = re.compile(
    r"\.|~\$|__MACOSX\Z|(ehthumbs|thumbs)\.db\Z|desktop\.ini\Z|\$RECYCLE\.BIN\Z|Icon\r\Z"
    r"|\w*_\w+_(text|link)\.html\Z"
    r"|(timestamp|comments)\.txt\Z|.*\(?(feedbackText|submissionText)\)?\.html\Z",
    re.I | re.S,
)
_ONLINE_TEXT = re.compile(r"_assignsubmission_onlinetext.*\.html?\Z", re.I | re.S)
# Blackboard writes who handed in into a text beside the file: "Name: Anna Schmidt (aschmidt)".
BLACKBOARD = re.compile(r"(?P<all>.*_attempt_(?P<time>\d{4}(?:-\d\d){5}))(?P<rest>[_.].*)?", re.S)
_WRITTEN = re.compile(rb"(?:\xef\xbb\xbf)?\w+ ?: *([^\r\n]{1,200}?) *\([^()\r\n]*\)\s")
_PACKAGE = re.compile(r".*\.(numbers|pages|key)\Z", re.I)  # on a Mac a document may be a folder


@dataclass(frozen=True)
class HandIn:
    """A file that was handed in."""

    path: Path  # where it lies now
    name: str  # its path in the folder; archives count as folders
    changed: float  # when it was last changed, in seconds
    complaint: str = ""  # why it cannot be read
    by: str = ""  # the name of who handed it in, where a text beside it says so


@contextmanager
def hand_ins(folder: Path, left_alone: set[Path]) -> Iterator[list[HandIn]]:
    """Every file that was handed in, in the folder or archive and in all that lie in it; archives are open until the end.

    Files and folders in `left_alone` are passed over. Raises ExerciseError where there is no such folder or archive.
    """
    with temporary_folder(ExerciseError) as place:
        finder = _Finder(place, left_alone)
        if folder.is_dir():
            finder.folder(folder, "")
        elif folder.is_file() and kind_of(folder)[0] is Kind.ARCHIVE:
            if complaint := finder.archive(folder, "", 0):
                raise ExerciseError(f"{folder}: {complaint}")
        else:
            raise ExerciseError(
                f"{folder}: is no folder; give the folder with the students' workbooks, or the archive (.zip) as it was downloaded"
            )
        yield [replace(one, by=finder.written.get(_attempt(one.name), "")) for one in finder.found]


def _attempt(name: str) -> str:
    match = BLACKBOARD.match(name)
    return match["all"] if match else ""


def identical(found: list[HandIn]) -> list[list[HandIn]]:
    """Files that are the same byte for byte, empty ones left out. Only files of one size are read, each once."""
    sizes: dict[int, list[HandIn]] = {}
    for one in found:
        if not one.complaint and one.path.is_file():
            sizes.setdefault(one.path.stat().st_size, []).append(one)
    same: dict[bytes, list[HandIn]] = {}
    for size, alike in sizes.items():
        for one in alike if size and len(alike) > 1 else ():
            with suppress(OSError, ExerciseError), open_regular(one.path, ExerciseError, "") as stream:
                same.setdefault(hashlib.file_digest(stream, "sha256").digest(), []).append(one)
    return [group for group in same.values() if len(group) > 1]


class _Finder:
    """Walks through folders and archives; what lies in archives is put into a folder, under numbers for names."""

    def __init__(self, place: Path, left_alone: set[Path]) -> None:
        self.found: list[HandIn] = []
        self.written: dict[str, str] = {}  # names by attempt
        self._place, self._left_alone = place, left_alone
        self._unpacked = self._bytes = 0
        self._names: Counter[str] = Counter()

    def folder(self, folder: Path, name: str) -> None:
        """Take in what lies in a folder; links to other folders are not followed."""
        if name.count("/") > MOST_NESTED:
            self._add(folder, name, 0.0, f"is a folder in {MOST_NESTED} others; ask for the workbook itself")
            return
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            self._add(folder, name or folder.name, 0.0, f"is a folder that cannot be read ({error.strerror})")
            return
        for path in entries:
            inside = f"{name}/{path.name}" if name else path.name
            if _NOT_HANDED_IN.match(path.name) or not path.exists() or real(path) in self._left_alone:
                continue
            if path.is_dir():
                if _PACKAGE.match(path.name):
                    self._add(path, inside, path.stat().st_mtime, "is a Numbers file or its like; ask for it as .xlsx")
                elif not path.is_symlink():
                    self.folder(path, inside)
            elif path.is_file():
                self._file(path, inside, path.stat().st_mtime, 0)

    def _file(self, path: Path, name: str, changed: float, depth: int) -> None:
        complaint = ""
        match = BLACKBOARD.match(name)
        if match and match["rest"] == ".txt":
            with suppress(OSError, ExerciseError), open_regular(path, ExerciseError, "") as stream:
                if said := _WRITTEN.match(stream.read(1000)):
                    self.written[match["all"]] = said[1].decode("utf-8", "replace")
            return
        if _ONLINE_TEXT.search(name):
            return
        if kind_of(path)[0] is Kind.ARCHIVE:
            complaint = self.archive(path, name, depth)
            if not complaint:
                return
        elif (size := path.stat().st_size) > MAX_FILE:  # on the disk it may have hardly any
            complaint = _too_large(size)
        self._add(path, name, changed, complaint)

    def _add(self, path: Path, name: str, changed: float, complaint: str) -> None:
        self._names[name] += 1
        if self._names[name] > 1:  # an archive may hold several files of one name
            name = f"{name} [{self._names[name]}]"
        self.found.append(HandIn(path, name, changed, complaint))

    def archive(self, path: Path, name: str, depth: int) -> str:
        """Take in what lies in a zip file; returns why that cannot be done, nothing where it could."""
        if depth >= MAX_DEPTH:
            return "is an archive in an archive in an archive; ask for the workbook itself"
        try:
            with open_zip(path, WorkbookError, AGAIN) as opened:
                members = [member for member in opened.infolist() if not member.is_dir()]
                size = sum(member.file_size for member in members)
                packed = path.stat().st_size
                if len(members) > MAX_FILES:
                    return f"is an archive of {len(members):,} files; sheetcnn takes {MAX_FILES:,}"
                if size > max(FREE, MAX_GROWTH * packed) or self._bytes + size > MAX_BYTES:
                    return f"is an archive whose {packed:,} bytes unpack to {size:,}, more than sheetcnn takes"
                self._bytes += size
                packages: set[str] = set()
                for member in members:
                    self._member(opened, member, name, depth, packages)
        except (OSError, zipfile.BadZipFile, EOFError, ValueError, WorkbookError) as error:
            return f"is a damaged archive ({str(error)[:80]}); {AGAIN}"
        return ""

    def _member(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, depth: int, packages: set[str]) -> None:
        parts = _parts(member)
        if not parts or any(_NOT_HANDED_IN.match(part) for part in parts):
            return
        changed = _changed(member)
        for n, part in enumerate(parts[:-1], start=1):
            if _PACKAGE.match(part):
                whole = "/".join(filter(None, (name, *parts[:n])))
                if whole not in packages:
                    packages.add(whole)
                    self._add(self._place, whole, changed, "is a Numbers file or its like; ask for it as .xlsx")
                return
        whole = "/".join(filter(None, (name, *parts)))
        suffix = re.sub(r"[^.\w]", "", Path(parts[-1]).suffix)[:10]
        # Nothing of the member's name but a harmless end gets into a path, so that none can lead elsewhere.
        path = self._place / f"{self._unpacked}{suffix}"
        self._unpacked += 1
        complaint = _unpack(archive, member, path)
        if complaint:
            self._add(path, whole, changed, complaint)
        else:
            self._file(path, whole, changed, depth + 1)


def _too_large(size: int) -> str:
    return f"has {size:,} bytes; sheetcnn takes {MAX_FILE:,}"


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> str:
    """Write one member of an archive; returns why that cannot be done, nothing where it could."""
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link to another file; ask for the file itself"
    if member.flag_bits & 1:
        return f"lies in an archive that {PASSWORD}"
    if member.file_size > MAX_FILE:
        return _too_large(member.file_size)
    try:
        with archive.open(member) as stream, path.open("wb") as out:
            while piece := stream.read(_PIECE):
                out.write(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        words = re.split(r" for file | in directory ", str(error))[0][:80]
        return f"is damaged, or packed in a way that is not known ({words}); ask for it once more"
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):  # which is nothing about this file
            raise ExerciseError(f"the temporary folder has no room to unpack what was handed in; {ELSEWHERE}") from None
        return f"cannot be unpacked ({error.strerror or error})"
    except Exception as error:  # what other decompressors raise on hostile data
        return f"is damaged ({str(error)[:80]}); ask for it once more"
    return ""


def _parts(member: zipfile.ZipInfo) -> list[str]:
    """The folders and the name of an archive's member, without what would lead out of the archive.

    Names are in UTF-8 where a flag says so. Macs do not set it, but write UTF-8 as well.
    """
    name = member.filename if b"up" in member.extra else member.orig_filename  # a further field has it in UTF-8
    if not member.flag_bits & 0x800:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    parts = re.split(r"[\\/]", re.sub(r"^[A-Za-z]:", "", name.split("\0")[0]))
    return [part for part in parts if part.strip(" .")]


def _changed(member: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*member.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0
