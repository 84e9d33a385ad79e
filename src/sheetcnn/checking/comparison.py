"""Cells of a workbook beside the formulas and the numbers that belong there, and the findings that come of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from ..a1 import cell_name, sheet_prefix
from ..arrays.array import Array, Shape
from ..arrays.computed_range import ComputedRange
from ..arrays.grid import Grid, Grids
from ..arrays.pattern import pattern_of
from ..formula import Book, Sheet
from ..formula.parser import same_meaning
from ..formula.values import ERROR, ERRORS, NUMERIC
from ..model.drawn import Drawn
from ..model.network import Network
from .grids import cell_at, cut
from .named_grids import NamedGrids, NoNumber, in_words
from .report import Finding, Kind, LayerReport, Report, Value

TOLERANCE = 1e-9  # absolute plus relative
LARGEST = float(np.finfo(float).max)
KEPT = 1000  # findings of one kind and layer that are kept; all are counted
Size = tuple[int, int]


class Comparison:
    """One workbook, what was found in it so far, and the ways to compare a cell."""

    def __init__(self, book: Book, network: Network, drawn: Drawn, engine: str) -> None:
        self.book, self.network, self.drawn = book, network, drawn
        self.named = NamedGrids(book, network, drawn)
        self.graph, self.grids, self.sheets = (
            self.named.graph,
            self.named.grids,
            dict(self.named.sheets),
        )  # of layers; sheets of what is added, too
        self.report = Report(book.source, engine, network.settings.name)
        self.reports: dict[str, LayerReport] = {}
        self.hidden: dict[str, str] = {}  # which report a hidden sheet belongs to
        self.kept: dict[tuple[str, str], int] = {}
        self.now: LayerReport = LayerReport("", "")
        self.as_good: dict[tuple[str, int, int], set[str]] = {}  # texts that other programs give instead of the value
        self.spoilt = False  # whether something typed is no number: then errors may follow from it
        self.unchecked: set[str] = set()  # sheets that are left out
        self.explained: set[str] = set()  # cells that hold no number because of what is chosen, of which that is said
        self.misled: set[str] = set()  # cells of scale bars that take a number between grids for one of them

    # -- what is there -----------------------------------------------------------------------------------------------
    def begin(self, name: str, type_: str) -> None:
        """From now on findings belong to something that is added."""
        self.now = self.reports[name] = LayerReport(name, type_)
        self.report.layers.append(self.now)

    def places(
        self, what: str, parts: dict[str, dict[str, Size]], spacings: Mapping[str, Size] = MappingProxyType({})
    ) -> dict[str, Grid] | None:
        """Named rectangles, by the sheets that they are built on; None where they are not all there, and a note says so."""

        def lacks(name: str, size: Size) -> str | None:
            down, along = spacings.get(name, (1, 1))
            return self.named.lacks(name, ((size[0] - 1) * down + 1, (size[1] - 1) * along + 1))

        for sheet, sizes in parts.items():
            reason = next((why for name, size in sizes.items() if (why := lacks(name, size))), None)
            if reason is not None and self.gone(sheet, sizes):
                reason = f"{sheet if sheet != what else 'it'} is gone"
            if reason is not None:
                self.left_out(what, parts, reason)
                return None
        return {
            name: self.named.place(name, size, spacings.get(name, (1, 1)))
            for sizes in parts.values()
            for name, size in sizes.items()
        }

    def gone(self, sheet: str, names: Iterable[str]) -> bool:
        """Whether a sheet was deleted, and not only one or the other name."""
        return sheet not in self.book.sheets and not any(map(self.named.area, names))

    def left_out(self, what: str, parts: dict[str, dict[str, Size]], reason: str) -> None:
        """Note that something added is not checked, nor what a program saved on its sheets."""
        self.report.notes.append(f"not checked: {what}, since {reason}")
        areas = [area for names in parts.values() for name in names if (area := self.named.area(name))]
        self.unchecked |= {area[0] for area in areas} - set().union(*self.named.sheets_of.values())

    # -- comparing ---------------------------------------------------------------------------------------------------
    def compare(
        self, array: Array, grids: Grids, values: np.ndarray, write: Callable[[Shape], str], home: str | None = None
    ) -> None:
        """Every cell of a computed array: is it still the formula that belongs there, and has it NumPy's value?

        `home` is the sheet that the formulas are written for, where that is not each cell's own.
        """
        inner = len(array.shape) - array.grid_axes
        for index, grid, sheet in self.named.each(grids):
            want = np.asarray(values[index]).reshape(grid.rows, grid.columns)
            number, kind = (cut(cells, grid) for cells in (sheet.number, sheet.kind))
            difference, wrong = apart(number, want), (kind != NUMERIC) | ~agree(number, want)
            self.now.cells += number.size
            good = kind == NUMERIC
            if good.any():
                self.now.largest_difference = max(
                    self.now.largest_difference, float(np.nanmax(difference[good], initial=0.0))
                )
            named = self.structure(index, grid, sheet, inner, write, home)
            for i, j in np.argwhere(wrong):
                if (i, j) in named:
                    continue
                if kind[i, j] == ERROR and self.follows(grid, i, j):
                    continue
                self.differs(grid, i, j, float(want[i, j]))

    def follows(self, grid: Grid, i: int, j: int) -> bool:
        """Whether an error in a right formula need not be named, since numbers that are typed are errors already."""
        unknown = (grid.sheet, *cell_at(grid, i, j)) in self.book.problems
        known = self.spoilt and not unknown
        self.now.follow += known
        return known

    def differs(self, grid: Grid, i: int, j: int, want: float | str) -> None:
        """Name a cell that has another value than NumPy."""
        cell, formula = self.named.where(grid, i, j), self.named.formula(grid, i, j)
        value = self.named.value(grid, i, j)
        reason = self.book.problems.get((grid.sheet, *cell_at(grid, i, j)))
        if reason is not None:
            text = f"cannot be evaluated: it {reason}"
        else:
            is_ = value if isinstance(value, str) else f"{value:.12g}" if value is not None else "blank"
            text = f"is {is_ or 'empty'}, NumPy says {want or 'empty' if isinstance(want, str) else f'{want:.12g}'}"
        known = want if isinstance(want, str) or np.isfinite(want) else None
        self.add("value", cell, text, value, known, formula)

    def structure(
        self,
        index: Shape,
        grid: Grid,
        sheet: Sheet,
        inner: int,
        write: Callable[[Shape], str],
        home: str | None = None,
    ) -> set[tuple[int, int]]:
        """Name the cells of a grid that hold no formula, or one that reads other cells than it should."""
        named = set()
        home = home or grid.sheet
        columns = range(grid.left, grid.right + 1, grid.spacing[1])
        pattern = pattern_of(write, index, grid.rows, grid.columns) if inner == 2 else None
        for i in range(grid.rows):
            row = grid.top + i * grid.spacing[0]
            cells = sheet.formulas.get(row, [])
            have = cells[bisect_left(cells, (grid.left, "")) : bisect_left(cells, (grid.right + 1, ""))]
            texts = [write((*index, *(i, j)[:inner])) for j in range(grid.columns)] if pattern is None else pattern.texts(i)
            want = list(zip(columns, texts, strict=True))
            if have == want and home == grid.sheet:
                continue
            found = dict(have)
            for j, (column, text) in enumerate(want):
                written = found.get(column)
                if written == text and home == grid.sheet:
                    continue
                cell = self.named.where(grid, i, j)
                if written is None:
                    value = self.named.value(grid, i, j)
                    what = "is blank" if value is None else f"was overwritten by {in_words(value)}"
                    self.add("overwritten", cell, f"its formula {what}; it was ={text}", value, None, None)
                elif not self.same(written, text, (grid.sheet, home)):
                    reason = self.book.problems.get((grid.sheet, row, column))
                    more = f" ({reason})" if reason else ""
                    what = f"no longer reads like its neighbours: ={written}{more}; it was ={text}"
                    self.add("changed", cell, what, self.named.value(grid, i, j), None, written)
                else:
                    continue
                named.add((i, j))
        return named

    def same(self, one: str, other: str, sheets: tuple[str, str]) -> bool:
        """Whether two formulas, each of its sheet, mean the same in this workbook."""
        return same_meaning(one, other, sheets, self.book.definitions)

    def view(self, view: ComputedRange, grid: Grid, home: str) -> None:
        """Every cell of an added sheet's rectangle: its formula, which is written for the sheet `home`, and its value."""
        sheet = self.book.sheets[grid.sheet]
        self.now.grids += 1
        self.now.cells += grid.rows * grid.columns
        named = self.structure((), grid, sheet, 2, lambda at: view.formula(*at), home)
        for i, j in np.ndindex(grid.rows, grid.columns):
            value, want, also = self.named.value(grid, i, j), view.values[i][j], view.also.get((i, j), set())
            if also:
                self.as_good[grid.sheet, *cell_at(grid, i, j)] = also
            if isinstance(want, str):
                right = value == want or (want == "" and value is None) or value in also
            else:
                right = (type(value) is float and bool(agree(value, want))) or value in also
                if type(value) is float:
                    self.now.largest_difference = max(self.now.largest_difference, float(apart(value, want)))
            if right or (i, j) in named or (value in ERRORS and self.follows(grid, i, j)):
                continue
            self.differs(grid, i, j, want)

    def constants(self, grid: Grid, wanted: list[list[Any]]) -> None:
        """Numbers and texts that must be as they were written."""
        for i, line in enumerate(wanted):
            for j, want in enumerate(line):
                value = self.named.value(grid, i, j)
                if isinstance(value, float) and isinstance(want, int | float):  # LibreOffice saves 15 digits
                    right = abs(value - want) <= 1e-12 * abs(want)
                else:
                    right = value == want or not (value or want)
                if not right:
                    text = f"is {in_words(value)}; it was {in_words(want)}"
                    self.add("changed", self.named.where(grid, i, j), text, value, want, self.named.formula(grid, i, j))

    def typed(self, grid: Grid) -> Value:
        """What stands in a cell that is chosen or typed."""
        return self.named.value(grid, 0, 0)

    def typed_numbers(self, name: str, grid: Grid) -> np.ndarray:
        """Numbers that were written as such."""
        return self.numbers(Array(name, (grid.rows, grid.columns), role="view"), grid)

    def numbers(self, array: Array, grids: Grids) -> np.ndarray:
        """Numbers that no formula computes, each cell that holds none being named."""
        numbers, wrong = self.named.numbers(self.now.layer, array, grids)
        for cell in wrong:
            self.no_number(cell)
        return numbers

    # -- words -------------------------------------------------------------------------------------------------------
    def saved_differs(self, sheet: Sheet, row: int, column: int, saved: float | str) -> None:
        """Name a cell whose saved value is another than its formula's; which of several errors it shows is no matter."""
        now = sheet.value(row, column)
        if saved in self.as_good.get((sheet.name, row, column), ()) or sheet.name in self.unchecked:
            return
        if saved in ERRORS and now in ERRORS:
            return
        had, has = in_words(saved), in_words(now)
        text = f"was saved as {had}, but its formula gives {has}; open the workbook and save it again"
        self.add(
            "saved", f"{sheet_prefix(sheet.name)}{cell_name(row, column)}", text, saved, now, sheet.formula(row, column)
        )

    def no_number(self, cell: NoNumber) -> None:
        """Name a cell that holds no number where one is needed."""
        self.spoilt = True
        if cell.cell not in self.explained:
            self.add("input", cell.cell, cell.text, cell.value, None, cell.formula)

    def add(self, kind: Kind, cell: str, text: str, value: Value, expected: Value, formula: str | None) -> None:
        """Take in a finding of the layer that is looked at."""
        self.now.findings += 1
        key = (self.now.layer, kind)
        self.kept[key] = self.kept.get(key, 0) + 1
        if self.kept[key] <= KEPT:
            self.report.findings.append(Finding(self.now.layer, kind, cell, text, value, expected, formula))


def apart(one: Any, other: Any) -> Any:
    """How far apart two numbers are: no more than the largest double, since a report holds no infinity."""
    return np.minimum(np.abs(np.subtract(one, other)), LARGEST)


def agree(have: Any, want: Any) -> Any:
    """Whether numbers are as they should be; nothing agrees with what is not finite."""
    return np.isfinite(want) & (apart(have, want) <= TOLERANCE * (1 + np.abs(want)))
