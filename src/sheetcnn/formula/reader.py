"""Read an .xlsx file into arrays: numbers, texts, formulas with the values saved beside them, and defined names.

Files come from anywhere, so nothing here trusts them: no entities, no more than so many bytes, no cell twice.
"""

from __future__ import annotations

import re
import zipfile
from array import array
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite
from pathlib import PurePosixPath
from typing import Any, ClassVar
from xml.parsers import expat

import numpy as np

from ..a1 import IN_NAME, LETTERS, MAX_COLUMNS, MAX_ROWS, NUMBER, cell_name, parse_area
from ..errors import WorkbookError
from ..reading import Source, open_archive, open_regular
from .values import BLANK, BOOLEAN, ERROR, ERRORS, NUMERIC, PENDING, TEXT

MAX_BYTES = 2_000_000_000  # of all parts together, unpacked
MAX_GROWTH = 100  # times; a workbook's own parts unpack to 5 to 20 times their size, a bomb to a thousand times
FREE = 20_000_000  # bytes that any file may unpack to
MAX_AREA = 120_000_000  # cells between the corners of all sheets, blank ones included
MAX_SHARED = 300_000_000  # letters of a sheet's shared formulas, written out
SPARSE = 5_000_000, 100  # a sheet with more places than this has at least one cell for so many of them
MAX_CUTS = 8  # how often cells that are far from all others may be taken off the end of such a sheet
MAX_SPILT = 2_000_000  # cells of a sheet that array formulas fill
ENCODINGS = ("utf-8", "utf-16", "ascii", "us-ascii")  # of parts; the last two, which Python's tools write, are UTF-8 as well
_CHUNK = 1 << 20
_OLE = bytes.fromhex("D0CF11E0A1B11AE1")  # begins workbooks with a password, and those of Excel before 2007
_BETWEEN = "\x00"  # formulas of a row: no XML file can hold this character
_AGAIN = "save it again from your spreadsheet program"
_OPEN = 64  # rows that are kept taken apart


class Formulas(Mapping[int, list[tuple[int, str]]]):
    """The formulas of a sheet by row: columns in ascending order, and texts without "=".

    A row is kept as one text, since a million small ones would take twice the memory; it is taken apart when asked for.
    """

    def __init__(self) -> None:
        self._rows: dict[int, tuple[array[int], str]] = {}
        self._late: dict[int, list[tuple[int, str]]] = {}  # further pieces of rows
        self._open: dict[int, list[tuple[int, str]]] = {}  # what was asked for last

    def add(self, row: int, cells: list[tuple[int, str]]) -> None:
        """Take in cells of a row, which may come in pieces."""
        if row in self._rows:
            self._late.setdefault(row, []).extend(cells)
        else:
            self._pack(row, cells)

    def _pack(self, row: int, cells: list[tuple[int, str]]) -> None:
        cells = sorted(cells)
        self._rows[row] = array("H", [column for column, _ in cells]), _BETWEEN.join([text for _, text in cells])

    def finish(self) -> None:
        """Put the pieces together, and the rows in order."""
        for row, cells in self._late.items():
            self._pack(row, self[row] + cells)
        self._late, self._open = {}, {}
        self._rows = {row: self._rows[row] for row in sorted(self._rows)}

    def keep(self, last_row: int, last_column: int) -> None:
        """Forget those beyond a row and a column."""
        for row in [row for row, (columns, _) in self._rows.items() if row > last_row or columns[-1] > last_column]:
            cells = [one for one in self[row] if row <= last_row and one[0] <= last_column]
            self._open.pop(row)
            if cells:
                self._pack(row, cells)
            else:
                del self._rows[row]

    def __getitem__(self, row: int) -> list[tuple[int, str]]:
        if row not in self._open:
            columns, texts = self._rows[row]
            if len(self._open) >= _OPEN:
                self._open.pop(next(iter(self._open)))
            self._open[row] = list(zip(columns, texts.split(_BETWEEN), strict=True))
        return self._open[row]

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def count(self) -> int:
        """How many cells hold a formula."""
        return sum(len(columns) for columns, _ in self._rows.values())

    @property
    def letters(self) -> int:
        """How long all of them are together."""
        return sum(len(texts) for _, texts in self._rows.values())

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of all of them."""
        columns = [np.frombuffer(columns, np.uint16) for columns, _ in self._rows.values()]
        rows = np.repeat(np.array(list(self._rows), np.int32), [len(part) for part in columns])
        return rows, np.concatenate([np.empty(0, np.uint16), *columns]).astype(np.int32)


@dataclass
class Sheet:
    """A sheet's cells. Arrays are rows × columns from A1, with one blank row and column more at the end.

    `kind` says what a cell holds; `number` holds its number, 0 or 1 for a boolean, the place in ERRORS for an error,
    and 0 for blank cells and texts, which stand in `texts`. A formula's cell is PENDING until it is evaluated.
    """

    name: str
    kind: np.ndarray
    number: np.ndarray
    texts: dict[tuple[int, int], str]
    formulas: Formulas
    saved: np.ndarray  # what the file says that formulas' values are; NaN where it says nothing or no number
    saved_texts: dict[tuple[int, int], str]  # texts and errors saved as formulas' values
    spills: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)  # sizes of array formulas of several cells
    errors_or_booleans: int = 0  # how many cells hold one

    def value(self, row: int, column: int) -> float | str | bool | None:
        """What one cell holds, counted from 1: errors as their text, None for a blank one."""
        if not (row < self.kind.shape[0] and column < self.kind.shape[1]):
            return None
        kind, number = self.kind[row, column], self.number[row, column]
        if kind == NUMERIC:
            return float(number)
        if kind == TEXT:
            return self.texts[row, column]
        if kind == BOOLEAN:
            return bool(number)
        return ERRORS[int(number)] if kind == ERROR else None

    def formula(self, row: int, column: int) -> str | None:
        """The formula of one cell without "=", None where it has none."""
        return next((text for at, text in self.formulas.get(row, ()) if at == column), None)


@dataclass(frozen=True)
class Far:
    """Cells that were left out of a sheet, since they stand far from all others."""

    REMEDY: ClassVar[str] = "clear the rows and columns far from all others, where {} is"

    rows: np.ndarray
    columns: np.ndarray

    def inside(self, top: int, left: int, bottom: int, right: int) -> str | None:
        """The name of one that stands in a rectangle."""
        found = (self.rows >= top) & (self.rows <= bottom) & (self.columns >= left) & (self.columns <= right)
        return cell_name(int(self.rows[found][0]), int(self.columns[found][0])) if found.any() else None

    def words(self, sheet: str) -> str:
        """A note on them."""
        cell = f"{sheet}!{cell_name(int(self.rows[0]), int(self.columns[0]))}"
        if len(self.rows) == 1:
            return f"{cell} stands far from all other cells, and was left out"
        return f"{len(self.rows):,} cells stand far from all others, {cell} among them, and were left out"


@dataclass
class Book:
    """A workbook: its sheets in order, and its defined names as (sheet, top, left, bottom, right), counted from 1.

    `definitions` are the texts of all names, those of one sheet only among them, by that sheet ("" for all) and the name
    in small letters.
    """

    source: str
    sheets: dict[str, Sheet]
    names: dict[str, tuple[str, int, int, int, int]]
    problems: dict[tuple[str, int, int], str] = field(default_factory=dict)  # formulas that could not be evaluated
    definitions: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # what was left out in reading
    far: dict[str, Far] = field(default_factory=dict)  # by sheet, of that the cells that stand far from all others

    def refuse_far(self, sheet: str, top: int, left: int, bottom: int, right: int) -> None:
        """Raise WorkbookError where cells of a rectangle were left out, whose numbers somebody needs now."""
        if sheet in self.far and (cell := self.far[sheet].inside(top, left, bottom, right)) is not None:
            raise WorkbookError(f"{self.source}: sheet {sheet}: its cells are scattered; {Far.REMEDY.format(cell)}")


def read_book(path: Source) -> Book:
    """Read an .xlsx file, or the bytes of one.

    Raises WorkbookError with one line for a file that is no workbook, is damaged, or asks for too much.
    """
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
    packed, unpacked = (
        sum(sizes) for sizes in zip(*((i.compress_size, i.file_size) for i in archive.infolist()), strict=True)
    )
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
        cells = _Cells(name, shared.texts, source)
        _parse(archive, target, cells, source)
        if (left := cells.leave_out_far()) is not None:
            far[name] = left
            notes.append(left.words(name))
        area += (cells.last_row + 2) * (cells.last_column + 2)
        if area > MAX_AREA:
            raise WorkbookError(
                f"{source}: sheet {name}: its cells are scattered over {area:,} places; sheetcnn takes {MAX_AREA:,}"
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
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _local(name: str) -> str:
    """An element's name without its namespace prefix."""
    return name[name.rfind(":") + 1 :]


class _Handler:
    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...


class _Relations(_Handler):
    def __init__(self) -> None:
        self.found: list[tuple[str, str, str]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "Relationship" and attributes.get("TargetMode") != "External":
            self.found.append((attributes["Id"], attributes["Type"], attributes["Target"]))


class _Workbook(_Handler):
    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.names: dict[
            tuple[int | None, str], str
        ] = {}  # by the place of the sheet whose own they are, None for all sheets'
        self._name: tuple[int | None, str] | None = None
        self._pieces: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = _local(name)
        if local == "sheet":
            relation = next((value for key, value in attributes.items() if _local(key) == "id"), "")
            self.sheets.append((attributes["name"], relation))
        elif local == "definedName":
            own = attributes.get("localSheetId")
            self._name, self._pieces = ((None if own is None else int(own)), attributes["name"]), []

    def text(self, data: str) -> None:
        if self._name is not None:
            self._pieces.append(data)

    def end(self, name: str) -> None:
        if _local(name) == "definedName" and self._name is not None:
            self.names[self._name] = "".join(self._pieces)
            self._name = None


class _Strings(_Handler):
    """The shared strings; the reading aids of East Asian texts (rPh) are no part of them."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._pieces: list[str] = []
        self._inside = self._aside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = _local(name)
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
        local = _local(name)
        if local == "t":
            self._inside = False
        elif local == "rPh":
            self._aside = False
        elif local == "si":
            self.texts.append("".join(self._pieces))


class _Cells(_Handler):
    """The cells of one sheet, collected in lists and made into arrays at the end."""

    def __init__(self, name: str, shared: list[str], source: str) -> None:
        self.name, self.shared, self.source = name, shared, source
        self.last_row = self.last_column = 0
        self._row = self._column = 0
        self._type = "n"
        self._formula: list[str] | None = None  # in pieces, as the parser gives them
        self._value: list[str] | None = None
        self._slot = ""
        self._aside = False  # inside a reading aid
        self._attributes: dict[str, str] = {}
        self._rows, self._columns, self._kinds = array("i"), array("i"), array("B")
        self._numbers, self._saved = array("d"), array("d")
        self._texts: dict[tuple[int, int], str] = {}
        self._formulas = Formulas()
        self._waiting: list[tuple[int, str]] = []  # formulas of the row that is being read
        self._saved_texts: dict[tuple[int, int], str] = {}
        self._shared_formulas: dict[str, tuple[int, int, str]] = {}
        self._shared = 0  # letters of formulas that were written out
        self._spills: dict[tuple[int, int], tuple[int, int]] = {}
        self.notes: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            reference = attributes.get("r")
            if reference is None:
                self._column += 1
            else:
                column = reference.rstrip("0123456789")
                if reference[len(column) :] != str(self._row) or column not in NUMBER or not column:
                    raise self._error(f"a cell {reference[:20]!r} stands in row {self._row}")
                self._column = NUMBER[column]
            self._type = attributes.get("t", "n")
            self._formula = self._value = None
        elif name == "v":
            self._slot, self._value = "v", []
        elif name == "f":
            self._slot, self._formula, self._attributes = "f", [], attributes
        elif name == "row":
            self._pack()
            self._row = int(attributes.get("r", self._row + 1))
            self._column = 0
            if not 1 <= self._row <= MAX_ROWS:
                raise self._error(f"row {self._row} does not exist")
        elif name == "t":
            self._slot = "" if self._aside else "v"
            self._value = self._value or []
        elif name == "rPh":
            self._aside = True
        elif ":" in name:
            self.start(_local(name), attributes)

    def text(self, data: str) -> None:
        if self._slot == "v" and self._value is not None:
            self._value.append(data)
        elif self._slot == "f" and self._formula is not None:
            self._formula.append(data)

    def end(self, name: str) -> None:
        if name in ("v", "f", "t"):
            self._slot = ""
        elif name == "rPh":
            self._aside = False
        elif name == "c":
            if self._formula is not None or self._value is not None:
                self._finish()
        elif ":" in name:
            self.end(_local(name))

    def _pack(self) -> None:
        if self._waiting:
            self._formulas.add(self._row, self._waiting)
            self._waiting = []

    def _error(self, what: str) -> WorkbookError:
        return WorkbookError(f"{self.source}: sheet {self.name}: {what}; the file is damaged")

    def _finish(self) -> None:
        row, column, kind = self._row, self._column, self._type
        value = None if self._value is None else "".join(self._value)
        if column > MAX_COLUMNS:
            raise self._error(f"column {column} does not exist")
        self.last_row = max(self.last_row, row)
        self.last_column = max(self.last_column, column)
        number, place = 0.0, BLANK
        text: str | None = None
        if value is None or (value == "" and kind == "n"):
            pass
        elif kind == "n":
            number, place = float(value), NUMERIC
            if not isfinite(number):
                raise self._error(f"cell {cell_name(row, column)} holds a number that is not finite")
        elif kind == "s":
            place = TEXT
            if not 0 <= int(value) < len(self.shared):
                raise self._error(f"cell {cell_name(row, column)} holds text number {value!r:.20}, which does not exist")
            text = self.shared[int(value)]
        elif kind in ("str", "inlineStr", "d"):
            text, place = value, TEXT
        elif kind == "b":
            number, place = float(value.strip() in ("1", "true")), BOOLEAN
        elif kind == "e":
            text, place = value, ERROR
            number = float(ERRORS.index(value)) if value in ERRORS else float(ERRORS.index("#VALUE!"))
        else:
            raise self._error(f"cell {cell_name(row, column)} has the unknown type {kind!r:.20}")
        self._rows.append(row)
        self._columns.append(column)
        if self._formula is not None and self._attributes.get("t") == "dataTable":  # Excel's what-if table: its numbers stay
            self._formula = None
            self.notes.append(
                f"the what-if table at {self.name}!{self._attributes.get('ref', cell_name(row, column))} was left out"
            )
        if self._formula is None:
            self._kinds.append(place)
            self._numbers.append(number)
            self._saved.append(np.nan)
            if place == TEXT:
                self._texts[row, column] = text or ""
            return
        self._kinds.append(PENDING)
        self._numbers.append(0.0)
        self._saved.append(number if place in (NUMERIC, BOOLEAN) else np.nan)
        if text is not None:
            self._saved_texts[row, column] = text
        self._waiting.append((column, self._formula_text(row, column)))

    def _formula_text(self, row: int, column: int) -> str:
        text, attributes = "".join(self._formula or ()).strip(), self._attributes
        kind = attributes.get("t", "normal")
        if kind == "shared":
            group = attributes.get("si", "")
            if text:
                self._shared_formulas[group] = (row, column, text)
            elif group in self._shared_formulas:
                top, left, first = self._shared_formulas[group]
                self._shared += len(first)
                if self._shared > MAX_SHARED:
                    raise self._error(f"its shared formulas have more than {MAX_SHARED:,} letters when written out")
                text = moved(first, row - top, column - left)
            else:
                raise self._error(f"cell {cell_name(row, column)} shares a formula that does not exist")
        elif kind == "array":
            text = "{=" + text.removeprefix("=") + "}"  # as people know it
            self._spill(row, column, attributes.get("ref", ""))
        elif kind != "normal":
            raise self._error(f"cell {cell_name(row, column)} has a formula of the unknown kind {kind!r:.20}")
        return text.removeprefix("=")

    def _spill(self, row: int, column: int, reference: str) -> None:
        """Keep the size of an array formula that fills several cells."""
        area = parse_area(f"a!{reference.upper()}") if reference else None
        if area is None or area[1:] == (row, column, row, column):
            return
        _, top, left, bottom, right = area
        if (top, left) != (row, column):
            raise self._error(f"the array formula of cell {cell_name(row, column)} fills {reference[:20]}")
        self._spills[row, column] = bottom - top + 1, right - left + 1
        if sum(height * width for height, width in self._spills.values()) > MAX_SPILT:
            raise self._error(f"array formulas fill more than {MAX_SPILT:,} cells")
        self.last_row, self.last_column = max(self.last_row, bottom), max(self.last_column, right)

    def leave_out_far(self) -> Far | None:
        """Leave out what stands far from all else on a sheet that has hardly any cells for its size; None where nothing is.

        A single cell at the end of a sheet would cost as much as all between. Raises WorkbookError where cells are so
        scattered that there is no telling which of them are meant.
        """
        self._pack()
        self._formulas.finish()
        rows, columns = np.array(self._rows), np.array(self._columns)
        kept = np.ones(len(rows), bool)
        for _ in range(MAX_CUTS):
            if not self._scattered(int(kept.sum())):
                break
            ends = [_before_the_widest_gap(places[kept]) for places in (rows, columns)]
            by_rows = ends[0] * self.last_column <= self.last_row * ends[1]
            kept &= rows <= ends[0] if by_rows else columns <= ends[1]
            self._keep(rows[kept].max(initial=0), columns[kept].max(initial=0))
        if self._scattered(int(kept.sum())):
            far = int(np.argmax(rows)) if self.last_row > 100 * self.last_column else int(np.argmax(columns))
            raise WorkbookError(
                f"{self.source}: sheet {self.name}: its {len(rows):,} cells are scattered over "
                f"{(self.last_row + 2) * (self.last_column + 2):,} places; {Far.REMEDY.format(cell_name(rows[far], columns[far]))}"
            )
        if kept.all():
            return None
        for key in ("_rows", "_columns", "_kinds", "_numbers", "_saved"):
            cells = getattr(self, key)
            setattr(self, key, array(cells.typecode, np.array(cells)[kept].tobytes()))
        return Far(rows[~kept], columns[~kept])

    def _scattered(self, cells: int) -> bool:
        places = (self.last_row + 2) * (self.last_column + 2)
        return places > SPARSE[0] and places > SPARSE[1] * (cells + sum(h * w for h, w in self._spills.values()))

    def _keep(self, last_row: int, last_column: int) -> None:
        """Forget what lies beyond, but for lists that only the cells are in."""

        def inside(place: tuple[int, int]) -> bool:
            return place[0] <= last_row and place[1] <= last_column

        self._formulas.keep(last_row, last_column)
        self._texts = {place: text for place, text in self._texts.items() if inside(place)}
        self._saved_texts = {place: text for place, text in self._saved_texts.items() if inside(place)}
        self._spills = {place: size for place, size in self._spills.items() if inside(place)}
        self.last_row = max([int(last_row), *(row + high - 1 for (row, _), (high, _) in self._spills.items())])
        self.last_column = max([int(last_column), *(column + wide - 1 for (_, column), (_, wide) in self._spills.items())])

    def sheet(self) -> Sheet:
        """The cells as arrays."""
        rows, columns = np.array(self._rows, dtype=np.int64), np.array(self._columns, dtype=np.int64)
        shape = (self.last_row + 2, self.last_column + 2)
        places = rows * shape[1] + columns
        if len(np.unique(places)) != len(places):
            twice = np.sort(places)[np.flatnonzero(np.diff(np.sort(places)) == 0)[0]]
            raise self._error(f"cell {cell_name(*(int(n) for n in divmod(twice, shape[1])))} stands there twice")
        kind = np.zeros(shape, np.uint8)
        number = np.zeros(shape)
        saved = np.full(shape, np.nan)
        kind[rows, columns] = self._kinds
        number[rows, columns] = self._numbers
        saved[rows, columns] = self._saved
        for (row, column), (height, width) in self._spills.items():
            # The file has the formula in the first cell, and in the others only what it gave.
            bottom, right = row + height, column + width
            filled = kind[row:bottom, column:right]
            holds = (filled == NUMERIC) | (filled == BOOLEAN)
            saved[row:bottom, column:right][holds] = number[row:bottom, column:right][holds]
            for i, j in np.argwhere((filled == TEXT) | (filled == ERROR)).tolist():
                place = row + i, column + j
                self._saved_texts[place] = ERRORS[int(number[place])] if filled[i, j] == ERROR else self._texts.pop(place)
            number[row:bottom, column:right] = 0.0
            filled[...] = PENDING
        count = int(((kind == BOOLEAN) | (kind == ERROR)).sum())
        return Sheet(self.name, kind, number, self._texts, self._formulas, saved, self._saved_texts, self._spills, count)


def _before_the_widest_gap(places: np.ndarray) -> int:
    """The last row or column that is used before the largest stretch of unused ones; the very last where there is none."""
    used = np.unique(np.append(places, 0))
    gaps = np.diff(used)
    return int(used[np.argmax(gaps)] if gaps.max(initial=1) > 1 else used[-1])


_RELATIVE = re.compile(
    rf"""("[^"]*"|(?<!')'(?:[^']|'')*+'!)|(?<!{IN_NAME})(?<!\$)(\$?)([A-Z]{{1,3}})(\$?)([0-9]{{1,7}})(?!{IN_NAME}|[(!])"""
)


def moved(formula: str, rows: int, columns: int) -> str:
    """A formula as it reads some cells further down and right: relative references move, those with $ stay."""

    def move(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        column = NUMBER.get(match[3])
        if column is None:
            return match[0]
        column += 0 if match[2] else columns
        row = int(match[5]) + (0 if match[4] else rows)
        if not (1 <= column <= MAX_COLUMNS and 1 <= row <= MAX_ROWS):
            return "#REF!"
        return f"{match[2]}{LETTERS[column]}{match[4]}{row}"

    return _RELATIVE.sub(move, formula)
