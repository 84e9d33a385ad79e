"""Take the addresses of other files out of a document: LibreOffice reads linked pictures whatever its settings say."""

from __future__ import annotations

import re
import shutil
import zipfile
import zlib
from pathlib import Path

from ..errors import EngineError
from ..reading import open_archive, open_regular, read_bytes

GIVE = "save it anew"

LARGEST = 1 << 28  # bytes of a part of the file; it is changed in memory
_LINK = re.compile(rb""":href\s*=\s*("[^"]*"|'[^']*')""")
_ELSEWHERE = re.compile(rb"[:\\&]|\.\.|^\s*/")  # what stands in no address within the file
_RELATED = re.compile(rb"""<(?:[\w.-]+:)?Relationship\s(?:"[^"]*"|'[^']*'|[^"'>])*>""")
_TARGET = re.compile(rb"""(?<=\sTarget)\s*=\s*("[^"]*"|'[^']*')""")
_OUTSIDE = re.compile(rb"""\sTargetMode\s*=\s*["'](?!Internal["'])""")
# Links to click on, and other workbooks, whose cells stand in this one too: LibreOffice does not open them.
_KEPT = re.compile(rb"""\sType\s*=\s*["'][^"'&]*/(?:hyperlink|externalLinkPath|xl\w+)["']""")
_ENCODING = re.compile(rb"""<\?xml[^>]*\sencoding\s*=\s*["'](?!utf-8|us-ascii|iso-8859-|windows-125)""", re.I)
_DECLARED = re.compile(rb"<!(?:ENTITY|ATTLIST)")  # which give addresses that stand nowhere
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\0", b"<\0", b"\x4c\x6f\xa7\x94")  # how XML begins that is not ASCII with more


def unlink_others(path: Path) -> None:
    """Change a document of LibreOffice's or Excel's, zipped or not, so that it shows nothing from outside itself.

    What is neither stays as it is. Raises EngineError where that cannot be done.
    """
    with open_regular(path, EngineError, GIVE) as stream:
        head = stream.read(4)
    if head.startswith(b"PK"):
        try:
            _unlink_zipped(path)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
            raise EngineError(f"LibreOffice could not open it ({error})") from None
    elif head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or head.startswith(_WIDE):
        path.write_bytes(unlinked(read_bytes(path, LARGEST, EngineError, GIVE)))


def _unlink_zipped(path: Path) -> None:
    with open_archive(path, EngineError, GIVE, again=GIVE) as old:
        open_document = "content.xml" in old.namelist()
        changed = {}
        for part in old.infolist():
            name = part.filename.lower()
            if name.endswith(".rels") or (open_document and name.endswith(".xml")):
                if part.file_size > LARGEST:
                    raise EngineError("it is too large")
                before = old.read(part)
                after = (unrelated if name.endswith(".rels") else unlinked)(before)
                if before != after:
                    changed[part.filename] = after
        if not changed:
            return
        copy = path.with_name("unlinked")
        with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
            for part in old.infolist():
                if part.filename in changed:
                    new.writestr(part.filename, changed[part.filename])
                else:
                    with old.open(part) as source, new.open(part.filename, "w", force_zip64=True) as target:
                        shutil.copyfileobj(source, target)
    copy.replace(path)


def unlinked(data: bytes) -> bytes:
    """XML of OpenDocument whose links stay within its file. Raises EngineError where links cannot be seen."""
    _refuse_disguise(data)
    return _LINK.sub(lambda found: b':href=""' if _ELSEWHERE.search(found[1][1:-1]) else found[0], data)


def unrelated(data: bytes) -> bytes:
    """What a part of Excel's files is related to, without pictures and objects that are elsewhere. Raises EngineError."""

    def within(found: re.Match[bytes]) -> bytes:
        related = found[0]
        return _TARGET.sub(b'=""', related) if _OUTSIDE.search(related) and not _KEPT.search(related) else related

    _refuse_disguise(data)
    return _RELATED.sub(within, data)


def _refuse_disguise(data: bytes) -> None:
    if data.startswith(_WIDE) or _ENCODING.match(data.lstrip(b"\xef\xbb\xbf \t\r\n")) or _DECLARED.search(data):
        raise EngineError("it is written as no spreadsheet program writes it (neither UTF-8 nor plain XML)")
