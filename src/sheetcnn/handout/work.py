"""A student's workbook as the grader reads it: its formulas, evaluated anew among numbers that are known to be right."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import WorkbookError
from ..formula import Book, Group, Sheet, evaluate, group_formulas
from ..formula.a1 import cell_name
from ..formula.values import BLANK as NOTHING
from ..formula.values import NUMERIC, PENDING
from ..grid import Grid, sheet_prefix
from ..layers.base import Arrays, Drawing, Shape
from ..network import INPUT
from .task import BLANK, FORMULA, TYPED, WORDS, LayerWork, node_of
from .trial import TRIALS, trial
from .variant import Variant

TOLERANCE = 1e-9  # absolute plus relative, of formulas
_CELL = re.compile(r"(?:(?:'((?:[^']|'')+)'|([^'!]+))!)?\$?([A-Za-z]{1,3})\$?(\d{1,7})\s*\Z")


class StudentWork:
    """What grading asks of one workbook."""

    def __init__(self, book: Book, variant: Variant) -> None:
        self.book, self.variant = book, variant
        self.groups = group_formulas(book)
        self.drawn = variant.network.drawings("compact")
        self._layers: dict[str, LayerWork] = {}

    # -- what a task asks ------------------------------------------------------------------------------------------------
    def layer(self, name: str) -> LayerWork:
        """A layer's cells: first among the numbers handed out, then among those of each trial."""
        if name in self._layers:
            return self._layers[name]
        node = node_of(self.variant.network, name)
        output = self.drawn[name][-1]
        places = dict(self._grids(name, output))
        known = self._known(name)
        masks = {sheet: np.zeros(self.book.sheets[sheet].kind.shape, bool) for sheet in self.book.sheets}
        for grid, _ in known:
            _cut(masks[grid.sheet], grid)[...] = True
        groups = _needed(_without(self.groups, masks), list(places.values()))
        keys = {read: self.variant.network.key_of(read) for read in node.inputs}
        first = self._evaluated(groups, known)
        value, kind = self._read(first, output, places)
        holds = np.select([kind == NOTHING, kind == NUMERIC], [BLANK, TYPED], WORDS)
        formula = np.zeros(output.shape, bool)
        problems: dict[Shape, str] = {}
        for index, grid in places.items():
            waits = _part(self.book.sheets[grid.sheet].kind, grid) == PENDING
            formula[index] = waits.reshape(formula[index].shape)
            for i, j in np.argwhere(waits).tolist():
                reason = first.problems.get((grid.sheet, grid.top + i, grid.left + j))
                if reason is not None:
                    problems[(*index, i, j)[: len(output.shape)]] = reason
        holds = np.where(formula, FORMULA, holds)
        follows = formula.copy()
        for number in range(TRIALS):
            read, numbers = trial(node, number)
            changed = [*known]
            for other, array in read.items():
                drawing = next(d for d in self.drawn[other] if d.key == keys[other])
                changed += [(grid, _flat(array[index], grid)) for index, grid in self._grids(other, drawing)]
            for drawing in self.drawn[name]:
                if drawing.key in numbers:
                    changed += [(g, _flat(numbers[drawing.key][n], g)) for n, g in self._grids(name, drawing)]
            have, _ = self._read(self._evaluated(groups, changed), output, places)
            want = node.layer.run(tuple(read[other] for other in node.inputs), "compact", numbers)["output"]
            with np.errstate(invalid="ignore"):
                follows &= np.abs(have - want) <= TOLERANCE * (1 + np.abs(want))
        work = self._layers[name] = LayerWork(holds, value, follows, problems)
        return work

    def kernels(self, layer: str, k: int, bias: bool) -> tuple[np.ndarray, float]:
        """A filter's kernels and bias as they are now; NaN for what is no number."""
        found: dict[str, np.ndarray] = {}
        for drawing in self.drawn[layer]:
            if drawing.key == "weight" or (bias and drawing.key == "bias"):
                grids = {index: grid for index, grid in self._grids(layer, drawing) if index[0] == k}
                value, _ = self._read(self._as_it_is(list(grids.values())), drawing, grids)
                found[drawing.key] = value[k]
        return found["weight"], float(np.nan_to_num(found["bias"])) if bias else 0.0

    def answers(self, name: str, rows: int, columns: int) -> list[list[Any]]:
        """What stands in the cells of a table of answers."""
        grid = self._grid(name, rows, columns)
        sheet = self._as_it_is([grid]).sheets[grid.sheet]
        return [[sheet.value(grid.top + i, grid.left + j) for j in range(columns)] for i in range(rows)]

    def cell(self, words: str) -> tuple[str, Shape] | None:
        """The layer and the index of a cell that a student names: `conv1!D12`, `'conv 1'!$D$12`, `D12`."""
        match = _CELL.match(words.strip().lstrip("=").replace(".", "!", 1))
        if match is None:
            return None
        named = (match[1] or match[2] or "").replace("''", "'").strip().casefold()
        wanted = f"{match[3].upper()}{match[4]}"
        for name in self.drawn:
            if name == INPUT:
                continue
            for index, grid in self._grids(name, self.drawn[name][-1]):
                if named not in ("", name.casefold(), grid.sheet.casefold()):
                    continue
                for i, j in np.ndindex(grid.rows, grid.columns):
                    if cell_name(grid.top + i, grid.left + j) == wanted and (named or name in self._planted()):
                        return name, (*index, i, j)[: len(self.drawn[name][-1].shape)]
        return None

    def _planted(self) -> set[str]:
        return {planted.node.name for planted in self.variant.planted.values()}

    def where(self, layer: str, at: Shape) -> str:
        """A cell of a layer's output, as the student sees it."""
        output = self.drawn[layer][-1]
        grid = self._grid(output.name(layer, at[: output.lead]), *output.size)
        i, j = (*at[output.lead :], 0)[:2]
        return f"{sheet_prefix(grid.sheet)}{cell_name(grid.top + i, grid.left + j)}"

    # -- finding grids -----------------------------------------------------------------------------------------------------
    def _grid(self, name: str, rows: int, columns: int, spread: tuple[int, int] = (1, 1)) -> Grid:
        area = self.book.names.get(name)
        if area is None:
            raise WorkbookError(f"the defined name {name} is missing; was its sheet deleted, or copied into another file?")
        sheet, top, left, bottom, right = area
        want = (rows - 1) * spread[0] + 1, (columns - 1) * spread[1] + 1
        have = bottom - top + 1, right - left + 1
        if want != have:
            raise WorkbookError(
                f"{name} has {have[0]}×{have[1]} cells instead of {want[0]}×{want[1]}: rows or columns were inserted or deleted"
            )
        return Grid(sheet, top, left, rows, columns, spread)

    def _grids(self, layer: str, drawing: Drawing) -> list[tuple[Shape, Grid]]:
        return [
            (index, self._grid(drawing.name(layer, index), *drawing.size, drawing.spacing)) for index in drawing.indexes()
        ]

    def _known(self, layer: str) -> list[tuple[Grid, np.ndarray]]:
        """Every grid but the layer's own output and steps, with its right numbers; what was cut up is left as it is."""
        values: dict[str, Arrays] = self.variant.values
        found = []
        for name, drawings in self.drawn.items():
            for drawing in drawings:
                if name == layer and drawing.role in ("step", "output"):
                    continue
                numbers = self.variant.parameters if drawing.role in ("parameter", "shared") else values
                array = numbers[name][drawing.key]
                try:
                    found += [(grid, _flat(array[index], grid)) for index, grid in self._grids(name, drawing)]
                except WorkbookError:
                    needed = name in node_of(self.variant.network, layer).inputs or name == layer
                    if needed:
                        raise
        return found

    # -- evaluating ----------------------------------------------------------------------------------------------------------
    def _as_it_is(self, grids: list[Grid]) -> Book:
        """The workbook with these grids evaluated, and nothing changed."""
        return self._evaluated(_needed(self.groups, grids), [])

    def _evaluated(self, groups: list[Group], known: list[tuple[Grid, np.ndarray]]) -> Book:
        """A copy of the workbook with known numbers in it, and these formulas evaluated."""
        sheets = {
            name: replace(sheet, kind=sheet.kind.copy(), number=sheet.number.copy(), texts=dict(sheet.texts))
            for name, sheet in self.book.sheets.items()
        }
        for grid, numbers in known:
            sheet = _roomy(sheets, grid)
            _cut(sheet.kind, grid)[...] = NUMERIC
            _cut(sheet.number, grid)[...] = numbers
        book = Book(self.book.source, sheets, self.book.names)
        evaluate(book, groups)
        return book

    def _read(self, book: Book, drawing: Drawing, grids: dict[Shape, Grid]) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of a drawing, NaN for what is none, and what each cell holds."""
        number, kind = np.full(drawing.shape, np.nan), np.zeros(drawing.shape, np.uint8)
        for index, grid in grids.items():
            sheet = book.sheets[grid.sheet]
            kinds = _part(sheet.kind, grid)
            kind[index] = kinds.reshape(kind[index].shape)
            number[index] = np.where(kinds == NUMERIC, _part(sheet.number, grid), np.nan).reshape(kind[index].shape)
        return number, kind


def _flat(array: np.ndarray, grid: Grid) -> np.ndarray:
    return np.asarray(array).reshape(grid.rows, grid.columns)


def _cut(array: np.ndarray, grid: Grid) -> np.ndarray:
    """A grid's elements in a sheet's array, as far as the array reaches."""
    return array[grid.top : grid.bottom + 1 : grid.spacing[0], grid.left : grid.right + 1 : grid.spacing[1]]


def _part(array: np.ndarray, grid: Grid) -> np.ndarray:
    """A grid's elements; what lies beyond the sheet's last cell is blank."""
    part = _cut(array, grid)
    full = np.zeros((grid.rows, grid.columns), array.dtype)
    full[: part.shape[0], : part.shape[1]] = part
    return full


def _roomy(sheets: dict[str, Sheet], grid: Grid) -> Sheet:
    """The sheet of a grid, its arrays made larger where the student's last cell lies within the grid."""
    sheet = sheets[grid.sheet]
    more = [(0, max(0, end + 2 - size)) for end, size in zip((grid.bottom, grid.right), sheet.kind.shape, strict=True)]
    if any(after for _, after in more):
        sheet = sheets[grid.sheet] = replace(sheet, kind=np.pad(sheet.kind, more), number=np.pad(sheet.number, more))
    return sheet


def _without(groups: list[Group], masks: dict[str, np.ndarray]) -> list[Group]:
    """The formulas that do not stand in cells whose numbers are known."""
    found = []
    for group in groups:
        keep = ~masks[group.sheet][group.rows, group.columns]
        if keep.all():
            found.append(group)
        elif keep.any():
            parts = {name: getattr(group, name)[keep] for name in ("rows", "columns", "tops", "lefts")}
            found.append(replace(group, **parts))
    return found


def _needed(groups: list[Group], grids: list[Grid]) -> list[Group]:
    """The formulas of some grids, and all that they read, directly or not."""
    waiting = [(grid.sheet, grid.top, grid.left, grid.bottom, grid.right) for grid in grids]
    left, found = list(groups), []
    while waiting:
        sheet, top, first, bottom, last = waiting.pop()
        rest = []
        for group in left:
            rows, columns = group.rows, group.columns
            inside = (top <= rows) & (rows <= bottom) & (first <= columns) & (columns <= last)
            if group.sheet != sheet or not inside.any():
                rest.append(group)
                continue
            found.append(group)
            for n, (name, height, width) in enumerate(group.shapes):
                tops, lefts = group.tops[:, n], group.lefts[:, n]
                reach = int(tops.max()) + height - 1, int(lefts.max()) + width - 1
                waiting.append((name, int(tops.min()), int(lefts.min()), *reach))
        left = rest
    return found
