"""Take the addresses of other files out of an OpenDocument file: LibreOffice reads linked pictures whatever its settings say."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from .errors import EngineError

LARGEST = 1 << 30  # bytes of a part of the file
_LINK = re.compile(rb""":href\s*=\s*("[^"]*"|'[^']*')""")
_ELSEWHERE = re.compile(rb"[:\\&]|\.\.|^\s*/")  # what stands in no address within the file
_ENCODING = re.compile(rb"""<\?xml[^>]*\sencoding\s*=\s*["'](?!utf-8|us-ascii|iso-8859-|windows-125)""", re.I)
_DECLARED = re.compile(rb"<!(?:ENTITY|ATTLIST)")  # which give addresses that stand nowhere
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\0", b"<\0", b"\x4c\x6f\xa7\x94")  # how XML begins that is not ASCII with more


def unlink_others(path: Path) -> None:
    """Change an OpenDocument file, zipped or not, so that it links to nothing outside itself; others stay as they are.

    Raises EngineError where that cannot be done.
    """
    with path.open("rb") as stream:
        head = stream.read(4)
    if head.startswith(b"PK"):
        try:
            _unlink_zipped(path)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
            raise EngineError(f"LibreOffice could not open it ({error})") from None
    elif head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or head.startswith(_WIDE):
        if path.stat().st_size > LARGEST:
            raise EngineError("it is too large")
        path.write_bytes(unlinked(path.read_bytes()))


def _unlink_zipped(path: Path) -> None:
    with zipfile.ZipFile(path) as old:
        if "content.xml" not in old.namelist():
            return
        copy = path.with_name("unlinked")
        with zipfile.ZipFile(copy, "w") as new:
            for part in old.infolist():
                if part.file_size > LARGEST:
                    raise EngineError("it is too large")
                data = old.read(part)
                if part.filename.lower().endswith(".xml"):
                    data = unlinked(data)
                new.writestr(part.filename, data, part.compress_type, 1)
    copy.replace(path)


def unlinked(data: bytes) -> bytes:
    """XML whose links stay within its file. Raises EngineError where it is written so that links cannot be seen."""
    if data.startswith(_WIDE) or _ENCODING.match(data.lstrip(b"\xef\xbb\xbf \t\r\n")) or _DECLARED.search(data):
        raise EngineError("it is written as no spreadsheet program writes it (neither UTF-8 nor plain XML)")
    return _LINK.sub(lambda found: b':href=""' if _ELSEWHERE.search(found[1][1:-1]) else found[0], data)
