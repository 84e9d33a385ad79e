"""The cells of one sheet's XML, put into arrays as they come."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import isfinite, nan

import numpy as np

from ..a1 import MAX_COLUMNS, MAX_ROWS, NUMBER, cell_name, parse_area
from ..errors import WorkbookError
from .book import Far, Formulas, Sheet
from .pieces import Numbers, Pieces, blank
from .plain_rows import PlainCells, numbers_of
from .shared import moved
from .values import BLANK, BOOLEAN, ERROR, ERRORS, NUMERIC, PENDING, TEXT

MAX_SHARED = 300_000_000  # letters of a sheet's shared formulas, written out
SPARSE = 5_000_000, 100  # a sheet with more places than this has at least one cell for so many of them
MAX_CUTS = 8  # how often cells that are far from all others may be taken off the end of such a sheet
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
        self._pieces = Pieces()
        self._like_this = b"", np.empty(0, np.int32)  # the names of a row's cells, with # for the row, and their columns
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

    def take(self, row: int, cells: PlainCells) -> bool:
        """Take in a row of plain cells. False where one of them is not as it should be: then nothing was taken in."""
        columns = self._columns_of(cells.references, b"%d" % row)
        if columns is None or not 1 <= row <= MAX_ROWS or self._columns_of(cells.blank, b"%d" % row, ordered=False) is None:
            return False
        if (numbers := numbers_of(cells.values)) is None:
            return False
        texts = [n for n, kind in enumerate(cells.types) if kind == b"s"] if b"s" in cells.types else []
        strings = [int(cells.values[n]) if cells.values[n].isdigit() else len(self.shared) for n in texts]
        if not np.isfinite(numbers).all() or any(n >= len(self.shared) for n in strings):
            return False
        computed = np.fromiter(map(bool, cells.formulas), bool, len(columns)) if cells.formulas else None
        if computed is not None and computed[texts].any():
            return False
        self._pack()
        self._row, self._column = row, 0
        self._slot, self._formula, self._value = "", None, None
        if len(columns):
            self.last_row, self.last_column = max(self.last_row, row), max(self.last_column, int(columns[-1]))
        for n, string in zip(texts, strings, strict=True):
            self._add(row, int(columns[n]), TEXT, 0.0, nan)
            self._texts[row, int(columns[n])] = self.shared[string]
        if computed is not None:
            self._add_formulas(row, columns[computed], numbers[computed], cells.texts)
        if computed is not None or texts:
            plain = np.ones(len(columns), bool) if computed is None else ~computed
            plain[texts] = False
            columns, numbers = columns[plain], numbers[plain]
        if len(columns):
            self._add_cells(row, columns, NUMERIC, numbers)
        return True

    def _add_formulas(self, row: int, columns: np.ndarray, saved: np.ndarray, texts: str) -> None:
        self._formulas.add_joined(row, array("H", columns.tolist()), texts)
        self._add_cells(row, columns, PENDING, saved)

    def _add_cells(self, row: int, columns: np.ndarray, kind: int, numbers: np.ndarray) -> None:
        """Take in cells of a row, numbers or formulas with saved ones; one by one where hardly any rows are alike."""
        if self._pieces.add(row, columns, kind, numbers):
            return
        for column, number in zip(columns.tolist(), numbers.tolist(), strict=True):
            self._add(row, column, kind, *((number, nan) if kind == NUMERIC else (0.0, number)))

    def _columns_of(self, references: Sequence[bytes], row: bytes, *, ordered: bool = True) -> np.ndarray | None:
        """The columns of cells of a row; None where one is of another row or no column, or comes after a later one."""
        if not references:
            return np.empty(0, np.int32)
        joined = b",".join(references)
        pattern, columns = self._like_this
        if joined == pattern.replace(b"#", row):  # as of the row before
            return columns
        if not all(name.endswith(row) for name in references):
            return None
        letters = [name[: -len(row)].decode("ascii") for name in references]
        if not all(name in NUMBER for name in letters):
            return None
        columns = np.array([NUMBER[name] for name in letters], np.int32)
        if ordered:
            if not (np.diff(columns) > 0).all():
                return None
            self._like_this = "#,".join([*letters, ""]).encode("ascii")[:-1], columns
        return columns

    def _add(self, row: int, column: int, kind: int, number: float, saved: float) -> None:
        """Take in one cell."""
        self._rows.append(row)
        self._columns.append(column)
        self._kinds.append(kind)
        self._numbers.append(number)
        self._saved.append(saved)

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
        if self._formula is not None and self._attributes.get("t") == "dataTable":  # Excel's what-if table: its numbers stay
            self._formula = None
            self.notes.append(
                f"the what-if table at {self.name}!{self._attributes.get('ref', cell_name(row, column))} was left out"
            )
        if self._formula is None:
            self._add(row, column, place, number, nan)
            if place == TEXT:
                self._texts[row, column] = text or ""
            return
        self._add(row, column, PENDING, 0.0, number if place in (NUMERIC, BOOLEAN) else nan)
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

    @property
    def count(self) -> int:
        """How many cells there are."""
        return len(self._rows) + self._pieces.count

    def leave_out_far(self) -> Far | None:
        """Leave out what stands far from all else on a sheet that has hardly any cells for its size; None where nothing is.

        A single cell at the end of a sheet would cost as much as all between. Raises WorkbookError where cells are so
        scattered that there is no telling which of them are meant.
        """
        self._pack()
        self._formulas.finish()
        if not self._scattered(self.count):
            return None
        rows, columns = self._one_by_one()
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
        self._select(kept)
        return Far(rows[~kept], columns[~kept])

    def _one_by_one(self) -> tuple[np.ndarray, np.ndarray]:
        """Keep no pieces, but each cell, in the order of rows and columns; these are returned."""
        for rows, columns, kind, numbers in self._pieces.cells():
            self._rows.extend(rows.tolist())
            self._columns.extend(columns.tolist())
            self._kinds.extend([kind] * len(rows))
            self._numbers.extend(numbers if kind == NUMERIC else np.zeros(len(rows)))
            self._saved.extend(numbers if kind == PENDING else np.full(len(rows), nan))
        self._pieces = Pieces()
        self._select(np.lexsort((self._columns, self._rows)))
        return np.array(self._rows), np.array(self._columns)

    def _select(self, which: np.ndarray) -> None:
        for key in ("_rows", "_columns", "_kinds", "_numbers", "_saved"):
            cells = getattr(self, key)
            setattr(self, key, array(cells.typecode, np.array(cells)[which].tobytes()))

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

    def _refuse_twice(self, shape: tuple[int, int]) -> None:
        loose = np.array(self._rows, np.int32), np.array(self._columns, np.int32)
        there = np.zeros(shape, bool)
        there[loose] = True
        self._pieces.mark(there)
        if np.count_nonzero(there) == self.count:
            return
        all_rows, all_columns = zip(loose, *((rows, columns) for rows, columns, *_ in self._pieces.cells()), strict=True)
        places = np.sort(np.concatenate(all_rows).astype(np.int64) * shape[1] + np.concatenate(all_columns))
        twice = int(places[np.flatnonzero(np.diff(places) == 0)[0]])
        raise self._error(f"cell {cell_name(*divmod(twice, shape[1]))} stands there twice")

    def sheet(self) -> Sheet:
        """The cells as arrays."""
        shape = (self.last_row + 2, self.last_column + 2)
        self._refuse_twice(shape)
        number, kind = blank(shape, np.float64), blank(shape, np.uint8)
        rows, columns = np.array(self._rows, np.int32), np.array(self._columns, np.int32)
        kind[rows, columns] = self._kinds
        number[rows, columns] = self._numbers
        known = ~np.isnan(self._saved)
        saved = [Numbers(rows[known], columns[known], np.array(self._saved)[known]), *self._pieces.put(kind, number)]
        for (row, column), (height, width) in self._spills.items():
            # The file has the formula in the first cell, and in the others only what it gave.
            bottom, right = row + height, column + width
            filled = kind[row:bottom, column:right]
            gave = np.nonzero((filled == NUMERIC) | (filled == BOOLEAN))
            saved.append(Numbers(gave[0] + row, gave[1] + column, number[row:bottom, column:right][gave], filled=True))
            for i, j in np.argwhere((filled == TEXT) | (filled == ERROR)).tolist():
                place = row + i, column + j
                self._saved_texts[place] = ERRORS[int(number[place])] if filled[i, j] == ERROR else self._texts.pop(place)
            number[row:bottom, column:right] = 0.0
            filled[...] = PENDING
        errors = int(((kind == BOOLEAN) | (kind == ERROR)).sum())
        return Sheet(self.name, kind, number, self._texts, self._formulas, saved, self._saved_texts, self._spills, errors)


def _before_the_widest_gap(places: np.ndarray) -> int:
    """The last row or column that is used before the largest stretch of unused ones; the very last where there is none."""
    used = np.unique(np.append(places, 0))
    gaps = np.diff(used)
    return int(used[np.argmax(gaps)] if gaps.max(initial=1) > 1 else used[-1])
