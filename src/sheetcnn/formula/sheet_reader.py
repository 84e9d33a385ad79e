"""The cells of one sheet's XML, put into arrays as they come."""

from __future__ import annotations

import re
from array import array
from math import isfinite, nan
from xml.sax.saxutils import unescape

import numpy as np

from ..a1 import IN_NAME, LETTERS, MAX_COLUMNS, MAX_ROWS, NUMBER, cell_name, parse_area
from ..errors import WorkbookError
from .book import Far, Formulas, Sheet
from .values import BLANK, BOOLEAN, ERROR, ERRORS, NUMERIC, PENDING, TEXT

MAX_SHARED = 300_000_000  # letters of a sheet's shared formulas, written out
SPARSE = 5_000_000, 100  # a sheet with more places than this has at least one cell for so many of them
MAX_CUTS = 8  # how often cells that are far from all others may be taken off the end of such a sheet
_QUOTES = {"&quot;": '"', "&apos;": "'"}
MAX_SPILT = 2_000_000  # cells of a sheet that array formulas fill


def local_name(name: str) -> str:
    """An element's name without its namespace prefix."""
    return name[name.rfind(":") + 1 :]


class Handler:
    """What hears of an XML part's tags and texts."""

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...


class Cells(Handler):
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
            self.start(local_name(name), attributes)

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
            self.end(local_name(name))

    def take(self, row: int, cells: list[tuple[str, str, str, str]]) -> bool:
        """Take in a row of plain numbers and formulas: letters, digits, formula and value of each cell.

        False where one of them is not as it should be: then nothing was taken in.
        """
        if not 1 <= row <= MAX_ROWS or {digits for _, digits, _, _ in cells} - {str(row)}:
            return False
        computed = [cell for cell in cells if cell[2]]
        others = [cell for cell in cells if cell[3] and not cell[2]] if len(computed) < len(cells) else []
        try:
            parts = [
                ([NUMBER[cell[0]] for cell in held], array("d", [float(cell[3]) for cell in held]))
                for held in (computed, others)
            ]
        except (KeyError, ValueError):
            return False
        if not all(isfinite(sum(map(abs, numbers))) for _, numbers in parts):
            return False
        self._pack()
        self._row, self._column = row, 0
        self._slot, self._formula, self._value = "", None, None
        for (columns, numbers), kind in zip(parts, (PENDING, NUMERIC), strict=True):
            count, now, saved = len(columns), self._numbers, self._saved
            if not count:
                continue
            self.last_row, self.last_column = max(self.last_row, row), max(self.last_column, *columns)
            self._rows.extend([row] * count)
            self._columns.extend(columns)
            self._kinds.extend([kind] * count)
            now.extend(numbers if kind == NUMERIC else [0.0] * count)
            saved.extend(numbers if kind == PENDING else [nan] * count)
        formulas = [unescape(cell[2], _QUOTES) if "&" in cell[2] else cell[2] for cell in computed]
        self._waiting = list(zip(parts[0][0], formulas, strict=True))
        return True

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
