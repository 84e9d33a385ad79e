"""Numbers that lie in no grid but are read all the same: in padding, between a kernel's elements, or beside a map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from ..a1 import cell_name, sheet_prefix
from ..formula import Group, Sheet, mark
from ..formula.values import BOOLEAN, ERROR, NUMERIC
from .named_grids import NamedGrids, in_words
from .report import Value

MOST = 1000  # on one sheet that are looked at
# The skeleton of a scale bar's last cell, which the colours come from.
_AREAS = r"\(\x01(?:,\x01)*\)"
_LARGEST = re.compile(rf"IF\(ISNUMBER\(SUM{_AREAS}\),MAX\(MAX{_AREAS},-MIN{_AREAS}\),1\)\Z")


@dataclass(frozen=True)
class Stray:
    """A number in no grid that formulas read."""

    layer: str  # on whose sheet it is
    sheet: Sheet
    row: int
    column: int
    colours: str | None  # the cell of the header's formula, where only the colours come from it

    @property
    def cell(self) -> str:
        """Where it is, with its sheet."""
        return f"{sheet_prefix(self.sheet.name)}{cell_name(self.row, self.column)}"

    @property
    def value(self) -> Value:
        """What it holds."""
        return self.sheet.value(self.row, self.column)

    @property
    def formula(self) -> str | None:
        """Its formula, if it has one."""
        return self.sheet.formula(self.row, self.column)

    @property
    def text(self) -> str:
        """What is to be said of it where layers read it."""
        return f"holds {in_words(self.value)} where padding or the gaps of a kernel must be blank; clear it"

    def note(self, others: int) -> str:
        """What is to be said of it, and of so many others, where only colours come of it."""
        more = f"; {others:,} more numbers are read so" if others else ""
        return (
            f"{self.cell} holds {in_words(self.value)}, which {self.colours} takes for a cell of {self.layer} "
            f"when it colours the maps; move it{more}"
        )


class Strays:
    """Finds them: `computed` are the ids of the arrays whose cells are formulas."""

    def __init__(self, named: NamedGrids, groups: list[Group], computed: set[str]) -> None:
        self.named, self.computed = named, computed
        self.sheets = {sheet: name for name in reversed(named.there) for sheet in named.sheets_of[name]}
        self.sheets |= {sheet: name for name, sheet in named.sheets.items()}
        self._formulas: dict[str, np.ndarray] = {}
        self.groups: list[Group] = []
        for sheet, own in groupby(groups, key=lambda group: group.sheet):
            if sheet in self.sheets:
                self.groups += filter(self._matters, own)
            self._formulas.clear()  # large, and seldom needed again

    def __iter__(self) -> Iterator[Stray]:
        for name, layer in self.sheets.items():
            sheet = self.named.book.sheets[name]
            loose = (sheet.kind == NUMERIC) | (sheet.kind == BOOLEAN) | (sheet.kind == ERROR)
            self._cover(loose, name, False)
            loose &= self._read_by_any(sheet)
            for row, column in np.argwhere(loose)[:MOST].tolist():
                found = self._read(layer, sheet, row, column)
                if found is not None:
                    yield found

    def _matters(self, group: Group) -> bool:
        """Whether it has cells that layers compute, or the colours come from it: of all others nobody is told."""
        return bool(_LARGEST.match(group.text) or self._formula_cells(group.sheet)[group.rows, group.columns].any())

    def _read_by_any(self, sheet: Sheet) -> np.ndarray:
        """Which cells of a sheet formulas read."""
        read = np.zeros(sheet.kind.shape, bool)
        for group in self.groups:
            for n, (name, rows, columns) in enumerate(group.shapes):
                if name == sheet.name:
                    mark(read, group.tops[:, n], group.lefts[:, n], rows, columns)
        return read

    def _cover(self, cells: np.ndarray, sheet: str, value: bool, ids: set[str] | None = None) -> None:
        """Set the cells of a sheet that are in grids of layers, of all or of some arrays."""
        for owner in self.named.there:
            if sheet in self.named.sheets_of[owner]:
                for array in self.named.graph.of[owner]:
                    if ids is None or array.id in ids:
                        for batch in self.named.batches(array.id):
                            if batch.sheet == sheet:
                                batch.put(cells, value)

    def _read(self, layer: str, sheet: Sheet, row: int, column: int) -> Stray | None:
        """A number, if a layer's formulas or its colours read it; what people's own formulas read is theirs."""
        colours = None
        for group in self.groups:
            reads = np.zeros(len(group.rows), bool)
            for n, (name, rows, columns) in enumerate(group.shapes):
                if name == sheet.name:
                    top, left = group.tops[:, n], group.lefts[:, n]
                    reads |= (top <= row) & (row < top + rows) & (left <= column) & (column < left + columns)
            if not reads.any():
                continue
            if self._formula_cells(group.sheet)[group.rows[reads], group.columns[reads]].any():
                return Stray(layer, sheet, row, column, None)
            if _LARGEST.match(group.text) and sheet.kind[row, column] != BOOLEAN:  # MAX passes over these
                at = int(np.flatnonzero(reads)[0])
                where = cell_name(int(group.rows[at]), int(group.columns[at]))
                colours = f"{sheet_prefix(group.sheet)}{where}"
        return None if colours is None else Stray(layer, sheet, row, column, colours)

    def _formula_cells(self, sheet: str) -> np.ndarray:
        """Which cells of a sheet are those that layers compute."""
        if sheet not in self._formulas:
            cells = self._formulas[sheet] = np.zeros(self.named.book.sheets[sheet].kind.shape, bool)
            self._cover(cells, sheet, True, self.computed)
        return self._formulas[sheet]
