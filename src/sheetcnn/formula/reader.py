"""Read an .xlsx file.

Files come from anywhere, so nothing here trusts them: no entities, no more than so many bytes, no cell twice.
"""

from __future__ import annotations

import os
import zipfile
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any
from xml.parsers import expat

from ..a1 import parse_area
from ..errors import WorkbookError, located
from ..reading import Source, open_archive, open_regular
from .book import Book, Far, Sheet
from .plain_rows import read_rows
from .sheet_reader import Cells, Handler, local_name

MAX_BYTES = 40_000_000_000  # of all parts together, unpacked: a workbook of 400 million cells, which is what is written
MAX_GROWTH = 100  # times; a workbook's own parts unpack to 5 to 20 times their size, a bomb to a thousand times
FREE = 20_000_000  # bytes that any file may unpack to
MAX_AREA = 120_000_000  # cells between the corners of all sheets, blank ones included: 9 bytes of memory each
PER_BYTE = 2  # or so many for each byte of a large file: networks of many channels have about one
ENCODINGS = ("utf-8", "utf-16", "ascii", "us-ascii")  # of parts; the last two, which Python's tools write, are UTF-8 as well
_CHUNK = 1 << 20
_OLE = bytes.fromhex("D0CF11E0A1B11AE1")  # begins workbooks with a password, and those of Excel before 2007
_AGAIN = "save it again from your spreadsheet program"


def read_book(path: Source) -> Book:
    """Read an .xlsx file, or the bytes of one.

    Raises WorkbookError with one line for a file that is no workbook, is damaged, or asks for too much.
    """
    with located(file=path):
        return _opened(path)


def _opened(path: Source) -> Book:
    try:
        with open_archive(path, WorkbookError, "give an .xlsx workbook", again=_AGAIN) as archive:
            return _read(archive, str(path))
    except WorkbookError:
        raise
    except OSError as error:
        raise WorkbookError(f"{path}: cannot be read ({error.strerror or error})") from None
    except zipfile.BadZipFile:
        with suppress(OSError), open_regular(path, WorkbookError, "give an .xlsx workbook") as stream:
            if stream.read(len(_OLE)) == _OLE:
                raise WorkbookError(
                    f"{path}: has a password, or is an old .xls; save it as .xlsx without a password"
                ) from None
        raise WorkbookError(f"{path}: is no .xlsx workbook; save it as .xlsx from your spreadsheet program") from None
    except KeyError as error:
        raise WorkbookError(f"{path}: is no complete workbook ({str(error.args[0])[:120]})") from None
    except expat.ExpatError as error:
        raise WorkbookError(f"{path}: is damaged ({error})") from None
    except (ValueError, LookupError, RuntimeError, NotImplementedError, EOFError, zipfile.error) as error:
        raise WorkbookError(f"{path}: is damaged or not supported ({str(error)[:120]})") from None
    except Exception as error:  # what zlib and friends raise on damaged data
        if type(error).__module__ in ("zlib", "lzma", "bz2", "_lzma"):
            raise WorkbookError(f"{path}: is damaged ({error})") from None
        raise


def _read(archive: zipfile.ZipFile, source: str) -> Book:
    packed, unpacked = _sizes(archive)
    if unpacked > min(MAX_BYTES, max(FREE, MAX_GROWTH * packed)):
        raise WorkbookError(
            f"{source}: its {packed:,} bytes unpack to {unpacked:,}; sheetcnn takes {MAX_GROWTH} times as many, and {MAX_BYTES:,}"
        )
    main = _main_part(archive, source)
    workbook = _Workbook()
    _parse(archive, main, workbook, source)
    targets = _relations(archive, main, source)
    shared = _Strings()
    for target in {target for kind, target in targets.values() if kind == "sharedStrings"}:
        _parse(archive, target, shared, source)
    area = 0
    sheets: dict[str, Sheet] = {}
    notes: list[str] = []
    far: dict[str, Far] = {}
    parsed = set()
    for name, relation in workbook.sheets:
        kind, target = targets.get(relation, ("", ""))
        if kind != "worksheet":
            continue  # a chart sheet, for example
        if target in parsed or name in sheets:
            raise WorkbookError(f"{source}: sheet {name:.40} stands there twice; the file is damaged")
        parsed.add(target)
        cells = Cells(name, shared.texts, source)
        _parse(archive, target, cells, source)
        if (left := cells.leave_out_far()) is not None:
            far[name] = left
            notes.append(left.words(name))
        area += (cells.last_row + 2) * (cells.last_column + 2)
        if area > (most := max(MAX_AREA, PER_BYTE * packed)):
            raise WorkbookError(
                f"{source}: sheet {name}: its cells are scattered over {area:,} places; sheetcnn takes {most:,}"
            )
        sheets[name] = cells.sheet()
        notes += cells.notes
    areas = {name: parse_area(text) for (scope, name), text in workbook.names.items() if scope is None}
    names = {name: where for name, where in areas.items() if where and where[0] in sheets}
    scopes = {None: ""} | {place: name for place, (name, _) in enumerate(workbook.sheets)}
    definitions = {
        (scopes[scope], name.lower()): text.removeprefix("=")
        for (scope, name), text in workbook.names.items()
        if scope in scopes
    }
    return Book(source, sheets, names, definitions=definitions, notes=notes, far=far)


def _sizes(archive: zipfile.ZipFile) -> tuple[int, int]:
    """The bytes of all parts, packed and unpacked; parts that lie in each other are not packed twice."""
    packed, unpacked = (
        sum(sizes) for sizes in zip(*((i.compress_size, i.file_size) for i in archive.infolist()), strict=True)
    )
    assert archive.fp is not None
    return min(packed, archive.fp.seek(0, os.SEEK_END)), unpacked


def _main_part(archive: zipfile.ZipFile, source: str) -> str:
    for kind, target in _relations(archive, "", source).values():
        if kind == "officeDocument":
            return target
    raise WorkbookError(f"{source}: is no .xlsx workbook; save it as .xlsx from your spreadsheet program")


def _relations(archive: zipfile.ZipFile, part: str, source: str) -> dict[str, tuple[str, str]]:
    """The parts that a part refers to: by id, the last word of their type and their path."""
    path = PurePosixPath(part)
    reader = _Relations()
    _parse(archive, str(path.parent / "_rels" / f"{path.name}.rels") if part else "_rels/.rels", reader, source)
    base = path.parent if part else PurePosixPath()
    found = {}
    for key, kind, target in reader.found:
        whole = PurePosixPath(target.lstrip("/")) if target.startswith("/") else base / target
        steps: list[str] = []
        for step in whole.parts:
            if step == "..":
                del steps[-1:]
            elif step != ".":
                steps.append(step)
        found[key] = (kind.rsplit("/", 1)[-1], "/".join(steps))
    return found


def _parse(archive: zipfile.ZipFile, part: str, handler: Any, source: str) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text

    def refuse(*_: Any) -> None:
        raise WorkbookError(f"{source}: {part} declares a document type, which no workbook does")

    def refuse_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ENCODINGS:
            raise WorkbookError(f"{source}: {part} is in the encoding {encoding!r:.40}, and no workbook may be; {_AGAIN}")

    parser.StartDoctypeDeclHandler = refuse
    parser.XmlDeclHandler = refuse_encoding
    with archive.open(part) as stream:
        chunks = iter(lambda: stream.read(_CHUNK), b"")
        if isinstance(handler, Cells):
            read_rows(handler, chunks, parser.Parse)
        else:
            for chunk in chunks:
                parser.Parse(chunk)
    parser.Parse(b"", True)


class _Relations(Handler):
    def __init__(self) -> None:
        self.found: list[tuple[str, str, str]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if local_name(name) == "Relationship" and attributes.get("TargetMode") != "External":
            self.found.append((attributes["Id"], attributes["Type"], attributes["Target"]))


class _Workbook(Handler):
    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.names: dict[
            tuple[int | None, str], str
        ] = {}  # by the place of the sheet whose own they are, None for all sheets'
        self._name: tuple[int | None, str] | None = None
        self._pieces: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = local_name(name)
        if local == "sheet":
            relation = next((value for key, value in attributes.items() if local_name(key) == "id"), "")
            self.sheets.append((attributes["name"], relation))
        elif local == "definedName":
            own = attributes.get("localSheetId")
            self._name, self._pieces = ((None if own is None else int(own)), attributes["name"]), []

    def text(self, data: str) -> None:
        if self._name is not None:
            self._pieces.append(data)

    def end(self, name: str) -> None:
        if local_name(name) == "definedName" and self._name is not None:
            self.names[self._name] = "".join(self._pieces)
            self._name = None


class _Strings(Handler):
    """The shared strings; the reading aids of East Asian texts (rPh) are no part of them."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._pieces: list[str] = []
        self._inside = self._aside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = local_name(name)
        if local == "si":
            self._pieces = []
        elif local == "rPh":
            self._aside = True
        elif local == "t":
            self._inside = not self._aside

    def text(self, data: str) -> None:
        if self._inside:
            self._pieces.append(data)

    def end(self, name: str) -> None:
        local = local_name(name)
        if local == "t":
            self._inside = False
        elif local == "rPh":
            self._aside = False
        elif local == "si":
            self.texts.append("".join(self._pieces))
