"""What a file is, by what it holds: students hand in anything, under any name."""

from __future__ import annotations

import re
import zipfile
import zlib
from enum import Enum
from pathlib import Path

from ..errors import SheetcnnError
from ..reading import open_zip

READ = 64_000_000  # bytes of an old file that are looked through
HEAD = 4096
ASK = "ask for the workbook itself, saved as .xlsx"
PASSWORD = "has a password; ask for it without one"


class Kind(Enum):
    """What is done with a file."""

    WORKBOOK = "read as it is"
    OFFICE = "turned into .xlsx by LibreOffice first"
    ARCHIVE = "opened, and what is in it looked at"
    OTHER = "told for what it is"


_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # old Office files, and the shell around new ones with a password
_STARTS = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"II*\0": "a picture",
    b"MM\0*": "a picture",
    b"RIFF": "a picture, a film or a sound",
    b"Rar!": "a .rar archive",
    b"7z\xbc\xaf": "a .7z archive",
    b"\x1f\x8b": "a .gz archive",
    b"BZh": "a .bz2 archive",
    b"\xfd7zXZ": "an .xz archive",
    b"L\0\0\0\x01\x14\x02\0": "a shortcut, which holds nothing itself",
    b"[InternetShortcut]": "a link, which holds nothing itself",
    b"[Desktop Entry]": "a shortcut, which holds nothing itself",
    b"{\\rtf": "a text document",
    b"%!PS": "a PostScript file",
    b"bplist": "a link or a list of settings",
}
_GOOGLE = "is no workbook but a link to one of Google’s; ask for it by File > Download > Microsoft Excel (.xlsx)"
_NUMBERS = "is no workbook of Excel’s but a Numbers file; ask for it by File > Export To > Excel"
_CSV = f"is no workbook but a CSV file, which holds no formulas; {ASK}"
_SUFFIXES = {  # of what nothing in the file tells, or only a text
    ".numbers": _NUMBERS,
    ".pages": f"is no workbook but a Pages document; {ASK}",
    ".key": f"is no workbook but a Keynote file; {ASK}",
    ".csv": _CSV,
    ".tsv": _CSV,
    ".gsheet": _GOOGLE,
    ".gdoc": _GOOGLE,
    ".crdownload": "was not downloaded to its end; fetch it again",
    ".part": "was not downloaded to its end; fetch it again",
    ".download": "was not downloaded to its end; fetch it again",
    ".pdf": f"is no workbook but a damaged PDF; {ASK}",
}
_OFFICE = (".ods", ".ots", ".xls", ".xlsb")
_APPLE = (".numbers", ".pages", ".key")
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."


def kind_of(path: Path) -> tuple[Kind, str]:
    """What is to be done with a file; of OTHER also what it is, and what to ask its student for."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
            if head.startswith(_OLE):
                return _old(head + stream.read(READ))
    except OSError as error:
        return Kind.OTHER, f"cannot be read ({error.strerror or error})"
    if not head:
        return Kind.OTHER, "is empty; ask for it again"
    if head.startswith(b"PK"):
        return _zipped(path)
    return _plain(head, path.suffix.lower())


def _old(data: bytes) -> tuple[Kind, str]:
    """Of an OLE file, whose streams have names in UTF-16."""

    def has(name: str) -> bool:
        return name.encode("utf-16-le") in data

    if has("EncryptedPackage") or _locked(data):
        return Kind.OTHER, PASSWORD
    if has("WordDocument"):
        return _is("a Word document")
    if has("PowerPoint Document"):
        return _is("a PowerPoint file")
    if has("Workbook\0") or has("Book\0"):
        return Kind.OFFICE, ""
    # Excel wraps a workbook with a password in such a file; hardly anything else is one today.
    return Kind.OTHER, "has a password, or is damaged; ask for it once more, as .xlsx and without a password"


def _locked(data: bytes) -> bool:
    """Whether an old workbook has a password: a record among its first ones says so."""
    at = data.find(b"\x09\x08\x10\x00\x00\x06")
    for _ in range(8):
        if at < 0 or at + 4 > len(data):
            return False
        record, size = int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 2 : at + 4], "little")
        if record == 0x2F:
            return True
        at += 4 + size
    return False


def _zipped(path: Path) -> tuple[Kind, str]:
    """Of a zip file, which is what new workbooks, other documents and archives are."""
    damaged = Kind.OTHER, "is damaged, its end is missing perhaps; ask for it once more"
    if path.suffix.lower() in _OFFICE:
        damaged = Kind.OFFICE, ""  # which may mend it, or says that it cannot
    try:
        with open_zip(path, SheetcnnError, ASK) as archive:
            names = archive.namelist()
            mimetype = _start(archive, "mimetype").decode("latin-1") if "mimetype" in names else ""
            manifest = _start(archive, "META-INF/manifest.xml") if mimetype else b""
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError):
        return damaged
    except Exception:  # what other decompressors raise on hostile data
        return damaged
    tops = {name.split("/")[0] for name in names}
    if mimetype.startswith(_OPEN_DOCUMENT):
        if b"encryption-data" in manifest or "encrypted-package" in names:
            return Kind.OTHER, PASSWORD
        sheet = mimetype.startswith(f"{_OPEN_DOCUMENT}spreadsheet")
        return (Kind.OFFICE, "") if sheet else _is("a text or a drawing")
    if "xl" in tops:
        return (Kind.OFFICE if "xl/workbook.bin" in names else Kind.WORKBOOK), ""
    for top, words in (("word", "a Word document"), ("ppt", "a PowerPoint file"), ("visio", "a Visio drawing")):
        if top in tops and "[Content_Types].xml" in tops:
            return _is(words)
    if any(name.endswith(".iwa") for name in names) or "Index.zip" in tops or path.suffix.lower() in _APPLE:
        return Kind.OTHER, _SUFFIXES[path.suffix.lower() if path.suffix.lower() in _APPLE else ".numbers"]
    if any(name.endswith("/xl/workbook.xml") for name in names):
        return _is("an archive of the parts of one")
    return (Kind.ARCHIVE, "") if names else _is("an empty archive")


def _is(what: str) -> tuple[Kind, str]:
    return Kind.OTHER, f"is no workbook but {what}; {ASK}"


def _start(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with archive.open(name) as stream:
            return stream.read(1 << 20)
    except KeyError:
        return b""


def _plain(head: bytes, suffix: str) -> tuple[Kind, str]:
    """Of anything else."""
    if b"%PDF" in head[:1024]:
        return _is("a PDF")
    if suffix in _SUFFIXES and suffix != ".pdf":
        return Kind.OTHER, _SUFFIXES[suffix]
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for signature, words in _STARTS.items():
        if start.startswith(signature):
            return _is(words)
    if head[4:8] == b"ftyp" or (head.startswith(b"BM") and b"\0" in head):
        return _is("a picture or a film")
    if re.match(rb"\s*\{.{0,2000}(docs\.google\.com|\"doc_id\")", start, re.S):
        return Kind.OTHER, _GOOGLE
    text = start.lower() if b"\0" not in head else head.decode("utf-16", "ignore").encode().lower().lstrip()
    if text.startswith(b"<"):
        return _marked_up(text)
    if suffix in _SUFFIXES:
        return Kind.OTHER, _SUFFIXES[suffix]
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Kind.OTHER, f"is no .xlsx workbook, or a damaged one; {ASK}"
    lines = [line for line in start.splitlines()[:5] if line.strip()]
    if len(lines) > 1 and any(min(line.count(sign) for line in lines) for sign in (b",", b";", b"\t")):
        return Kind.OTHER, _CSV
    return Kind.OTHER, f"is no .xlsx workbook but a text; {ASK}"


def _marked_up(text: bytes) -> tuple[Kind, str]:
    """Of a text with tags."""
    if b"office:document" in text and b"opendocument" in text:
        return Kind.OFFICE, ""
    if b"<html" in text or b"<!doctype html" in text:
        return _is("a web page, that of a sign-in perhaps")
    if b"urn:schemas-microsoft-com:office:spreadsheet" in text:
        return _is("an XML spreadsheet of Excel 2003")
    if b"<plist" in text:
        return _is("a link, which holds nothing itself")
    return _is("a file of tags (XML)")
