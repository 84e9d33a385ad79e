"""A student's workbook as the grader reads it: its formulas, evaluated anew among numbers that are known to be right."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from ..a1 import cell_name, sheet_prefix
from ..arrays.array import Array, Shape, Values
from ..arrays.grid import Grid
from ..checking.grids import NamedAreas, cell_at, cut, part, with_room
from ..errors import WorkbookError
from ..formula import Book, Engine, Formualizer, Group, Helped, LibreOffice, evaluate_with_help, group_formulas, needed
from ..formula.parser import expanded
from ..formula.values import BLANK as NOTHING
from ..formula.values import ERROR, NUMERIC, PENDING, TEXT, UNKNOWN
from ..model.network import Node
from ..model.optimizer import AFTER
from ..model.settings import INPUT
from ..model.training import back_of
from .marking import BLANK, FORMULA, TYPED, WORDS, LayerWork, exact, precision
from .trial import TRIALS, runs, telling, trial
from .typed import cells_named, number_in
from .variant import Variant

Numbers = list[tuple[Grid, np.ndarray]]  # what is known of grids
MOST_NAMED = 100_000  # cells of the ranges that a student names


class StudentWork(NamedAreas):
    """What grading asks of one workbook; `engines` compute what our evaluator does not know, all where not even `ours` is used."""

    def __init__(
        self, book: Book, variant: Variant, engines: Sequence[Engine] = (Formualizer(), LibreOffice()), *, ours: bool = True
    ) -> None:
        super().__init__(book)
        self.variant, self.engines, self.ours = variant, engines, ours
        self.helped: list[Helped] = []  # what others than our evaluator computed
        self.groups = group_formulas(book)
        self.graph = variant.graph
        self._cells: dict[str, LayerWork] = {}

    # -- what a task asks ------------------------------------------------------------------------------------------------
    def cells(self, id: str) -> LayerWork:
        """The cells of a layer's output or a gradient: first among the numbers handed out, then among those of each trial."""
        if id not in self._cells:
            array = self.variant.arrays[id]
            self._cells[id] = self._layer(array) if array.role == "output" else self._gradient(array)
        return self._cells[id]

    def _layer(self, output: Array) -> LayerWork:
        node, places = self.variant.network.by_name[output.owner], dict(self._grids(output))
        known = self._known(node.name)
        trials = []
        for number in range(TRIALS):
            read, parameters = trial(node, number)
            want = node.layer.activated(*(read[other] for other in node.inputs), **parameters)
            trials.append((self._trial(node, known, number), want, exact(want)))
        return self._done(output, places, known, trials)

    def _gradient(self, array: Array) -> LayerWork:
        """Everything but the array itself is known, in each trial from a run of the whole network."""
        places, trials = dict(self._grids(array)), []
        for run in telling(self._runs, array.id):
            scale = (
                self.variant.scale(array.id) if array.key.startswith(AFTER) else float(np.abs(run[array.id]).max()) or 1.0
            )
            trials.append((self._all_but(array, run), run[array.id], 2 * precision(run[array.id], scale)))
        return self._done(array, places, self._all_but(array, self.variant.values), trials)

    @cached_property
    def _runs(self) -> list[Values]:
        return runs(self.graph, self.variant.given)

    def _all_but(self, array: Array, values: Values) -> Numbers:
        found = []
        for other in self.graph:
            if other is not array:
                with suppress(WorkbookError):  # what was cut up is left as it is
                    found += [(grid, _flat(values[other.id][index], grid)) for index, grid in self._grids(other)]
        return found

    def _done(
        self, output: Array, places: dict[Shape, Grid], known: Numbers, others: list[tuple[Numbers, np.ndarray, float]]
    ) -> LayerWork:
        """What cells do among the numbers handed out; `others` have those of each trial, what is right then, and how near."""
        numbers = [known, *(others_known for others_known, *_ in others)]
        first, *trials = self._evaluated(list(places.values()), numbers)
        value, kind = self._read(first, output, places)
        formula = np.zeros(output.shape, bool)
        for index, grid in places.items():
            formula[index] = (cut(self.book.sheets[grid.sheet].kind, grid) == PENDING).reshape(formula[index].shape)
        holds = np.where(formula, FORMULA, np.select([kind == NOTHING, kind == NUMERIC], [BLANK, TYPED], WORDS))
        follows, unknown = formula.copy(), formula & self._unknown(first, output, places)
        for book, (_, want, near) in zip(trials, others, strict=True):
            have, _ = self._read(book, output, places)
            with np.errstate(invalid="ignore"):
                follows &= np.abs(have - want) <= near
            unknown |= formula & self._unknown(book, output, places)
        return LayerWork(holds, value, follows, unknown, self._problems(first, output, places))

    def _trial(self, node: Node, known: Numbers, number: int) -> Numbers:
        """What is known, with other pixels and kernels."""
        read, parameters = trial(node, number)
        changed = list(known)
        arrays = [(self.graph.output(other), numbers) for other, numbers in read.items()]
        arrays += [(array, parameters[array.key]) for array in self.graph.of[node.name] if array.key in parameters]
        for array, numbers in arrays:
            changed += [(grid, _flat(numbers[index], grid)) for index, grid in self._grids(array)]
        for mirror, other in zip(self.graph.mirrors(node.name), node.inputs, strict=False):
            with suppress(WorkbookError):  # one that was cut up still follows what it mirrors
                changed += [(grid, _flat(read[other][index], grid)) for index, grid in self._grids(mirror)]
        return changed

    def _unknown(self, book: Book, array: Array, grids: dict[Shape, Grid]) -> np.ndarray:
        """Which cells have a value that nobody could compute."""
        found = np.zeros(array.shape, bool)
        for index, grid in grids.items():
            sheet = book.sheets[grid.sheet]
            cells = (cut(sheet.kind, grid) == ERROR) & (cut(sheet.number, grid) == UNKNOWN)
            found[index] = cells.reshape(found[index].shape)
        return found

    def _problems(self, book: Book, array: Array, grids: dict[Shape, Grid]) -> dict[Shape, str]:
        """Why formulas could not be evaluated, by their cells."""
        inner = len(array.shape) - array.grid_axes
        return {
            (*index, *place[:inner]): reason
            for index, grid in grids.items()
            for place in np.ndindex(grid.rows, grid.columns)
            if (reason := book.problems.get((grid.sheet, *cell_at(grid, *place)))) is not None
        }

    def kernels(self, layer: str, k: int, bias: bool) -> tuple[np.ndarray, float]:
        """A filter's kernels and bias as they are now; NaN for what is no number."""
        found: dict[str, np.ndarray] = {}
        for key in ("weight", "bias") if bias else ("weight",):
            array = self.graph.get(layer, key)
            grids = {index: grid for index, grid in self._grids(array) if index[0] == k}
            value, _ = self._read(self._as_it_is(list(grids.values())), array, grids)
            found[key] = value[k]
        return found["weight"], float(np.nan_to_num(found["bias"])) if bias else 0.0

    def answers(self, name: str, rows: int, columns: int) -> list[list[Any]]:
        """What stands in the cells of a table of answers."""
        grid = self.place(name, (rows, columns))
        sheet = self._as_it_is([grid]).sheets[grid.sheet]
        values = [[sheet.value(*cell_at(grid, i, j)) for j in range(columns)] for i in range(rows)]
        return [[value if (number := number_in(value, whole=True)) is None else number for value in row] for row in values]

    def named(self, name: str, page: str) -> tuple[str, list[tuple[str, Shape]]]:
        """What a student has written into a cell to name others, and the arrays, by their ids, and indexes of those.

        A formula that points at them counts, as do ranges, and words with the cell and its sheet among them; where no
        sheet is named, the cells are those of the layer or the back sheet `page`.
        """
        grid = self.place(name, (1, 1))
        sheet = self.book.sheets[grid.sheet]
        text = sheet.formula(grid.top, grid.left)
        if text is None:
            value = sheet.value(grid.top, grid.left)
            return ("" if value is None else str(value)), self._meant(str(value or ""), "", page)
        return f"={text}", self._meant(expanded(text, grid.sheet, self.book.definitions), grid.sheet, page)

    def _meant(self, words: str, own: str, page: str) -> list[tuple[str, Shape]]:
        """The cells of layers' outputs and of gradients that words or a formula on the sheet `own` name; none where one of them is no such cell."""
        outputs = self._outputs
        called = {name.lower(): name for name in (*self.graph.of, *outputs)} | {
            grids[0][2].sheet.lower(): n for n, grids in outputs.items()
        }
        sheets, references = cells_named(words, called)
        size = sum(reference.rows * reference.columns for reference in references)
        if size > MOST_NAMED or (own.lower() in called and not sheets):
            return []
        layers = [name for name in dict.fromkeys([called[sheet] for sheet in sheets] or [page]) if name in outputs]
        found = []
        for reference in references:
            for i, j in np.ndindex(reference.rows, reference.columns):
                place = reference.top + i, reference.left + j
                at = next((at for name in layers if (at := self._index(name, *place)) is not None), None)
                if at is None:
                    return []
                found.append(at)
        return found

    @cached_property
    def _outputs(self) -> dict[str, list[tuple[Array, Shape, Grid]]]:
        """The grids of each layer's output and of each back sheet's gradients, of arrays that are all there."""
        pages = {name: [self.graph.output(name)] for name in self.graph.of if name != INPUT}
        for name in self.graph.of:
            pages[back_of(name)] = [array for array in self.graph.learning_page(name) if array.role == "gradient"]
        found: dict[str, list[tuple[Array, Shape, Grid]]] = {}
        for name, arrays in pages.items():
            for array in arrays:
                with suppress(WorkbookError):
                    found.setdefault(name, []).extend([(array, *one) for one in self._grids(array)])
        return found

    def _index(self, page: str, row: int, column: int) -> tuple[str, Shape] | None:
        """The element of an array that lies in a cell of its sheet."""
        for array, index, grid in self._outputs[page]:
            (i, above), (j, before) = divmod(row - grid.top, grid.spacing[0]), divmod(column - grid.left, grid.spacing[1])
            if 0 <= i < grid.rows and 0 <= j < grid.columns and not above and not before:
                return array.id, (*index, i, j)[: len(array.shape)]
        return None

    def where(self, id: str, at: Shape) -> str:
        """A cell of an array, as the student sees it."""
        output = self.variant.arrays[id]
        grid = self.grid(output, at[: output.grid_axes])
        return f"{sheet_prefix(grid.sheet)}{cell_name(*cell_at(grid, *(*at[output.grid_axes :], 0, 0)[:2]))}"

    # -- finding grids -----------------------------------------------------------------------------------------------------
    def _grids(self, array: Array) -> list[tuple[Shape, Grid]]:
        return [(index, self.grid(array, index)) for index in array.indexes()]

    def _known(self, layer: str) -> list[tuple[Grid, np.ndarray]]:
        """Every grid but the layer's own output and steps, with its right numbers; what was cut up is left as it is."""
        found = []
        for array in self.graph:
            if array.owner == layer and array.role in ("step", "output"):
                continue
            numbers = self.variant.values[array.id]
            try:
                found += [(grid, _flat(numbers[index], grid)) for index, grid in self._grids(array)]
            except WorkbookError:
                if array.role != "mirror" and array.owner in (layer, *self.variant.network.by_name[layer].inputs):
                    raise
        return found

    # -- evaluating ----------------------------------------------------------------------------------------------------------
    def _as_it_is(self, grids: list[Grid]) -> Book:
        """The workbook with these grids evaluated, and nothing changed."""
        return self._evaluated(grids, [[]])[0]

    def _evaluated(self, grids: list[Grid], numbers: list[Numbers]) -> list[Book]:
        """Copies of the workbook, each with known numbers in it, in which these grids are evaluated."""
        books = []
        for known in numbers:
            sheets = {
                name: replace(sheet, kind=sheet.kind.copy(), number=sheet.number.copy(), texts=dict(sheet.texts))
                for name, sheet in self.book.sheets.items()
            }
            for grid, values in known:
                sheet = sheets[grid.sheet] = with_room(sheets[grid.sheet], grid)
                part(sheet.kind, grid)[...] = NUMERIC
                part(sheet.number, grid)[...] = values
            books.append(replace(self.book, sheets=sheets, problems={}))
        masks = {name: np.zeros(sheet.kind.shape, bool) for name, sheet in self.book.sheets.items()}
        for grid, _ in numbers[0]:
            part(masks[grid.sheet], grid)[...] = True
        areas = [(grid.sheet, grid.top, grid.left, grid.bottom, grid.right) for grid in grids]
        groups = _without(self.groups, masks)
        wanted = needed(books[0], groups, areas)
        self.helped += evaluate_with_help(books, groups, wanted, self.engines, ours=self.ours)
        return books

    def _read(self, book: Book, array: Array, grids: dict[Shape, Grid]) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of an array, NaN for what is none, and what each cell holds."""
        number, kind = np.full(array.shape, np.nan), np.zeros(array.shape, np.uint8)
        for index, grid in grids.items():
            sheet = book.sheets[grid.sheet]
            kinds, numbers = cut(sheet.kind, grid).copy(), cut(sheet.number, grid).copy()
            typed = cut(self.book.sheets[grid.sheet].kind, grid) == TEXT
            for i, j in np.argwhere(typed & (kinds == TEXT)).tolist():
                if (spelt := number_in(sheet.value(*cell_at(grid, i, j)))) is not None:
                    kinds[i, j], numbers[i, j] = NUMERIC, spelt
            kind[index] = kinds.reshape(kind[index].shape)
            number[index] = np.where(kinds == NUMERIC, numbers, np.nan).reshape(kind[index].shape)
        return number, kind


def _flat(array: np.ndarray, grid: Grid) -> np.ndarray:
    return np.asarray(array).reshape(grid.rows, grid.columns)


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
