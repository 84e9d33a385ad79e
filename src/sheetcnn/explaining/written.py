"""How one cell of a gradient, of a step or of the loss comes about: what its formula adds up, where that stands, and its numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..arrays.array import Array, Shape, Values
from ..arrays.grid import Grid, Grids
from ..arrays.sheet_cells import SheetCells
from ..arrays.terms import Area, Gate, Term, area_in, areas_in, taken_apart
from ..errors import NetworkError
from ..layers.backward import NEAR
from ..model.graph import Graph
from ..model.optimizer import AFTER
from ..model.settings import INPUT
from ..plain import near
from .forward import Explanation, explanation, in_one_line

GRADIENT = "how much the loss grows when this number grows by 1"
KERNEL = f"{GRADIENT}: what this cell of the kernel met, times the gradient there"
_STEPPED = re.compile(r"step_(\d+)_(.+)")  # owners of what belongs to the network after a step
LARGEST = 16  # rows or columns of numbers that are written out
STEPPED = "after a step of training"
SIGNS = {"+": "", "-": "− "}


@dataclass(frozen=True)
class TermSeen:
    """One number of the sum: what it reads with its numbers, NaN for blank cells, and what it gives, where that is known."""

    term: Term
    numbers: tuple[np.ndarray, ...]
    value: float | None

    @property
    def products(self) -> np.ndarray:
        """What both areas give, cell by cell."""
        one, other = (np.nan_to_num(numbers) for numbers in self.numbers)
        return one * other


@dataclass(frozen=True)
class CellExplanation:
    """One cell taken apart by its formula."""

    name: str  # of its grid
    place: tuple[int, int]  # row and column in it, from 1
    cell: str
    what: str
    formula: str
    gates: tuple[tuple[Gate, float], ...]  # each with the number of its cell
    terms: tuple[TermSeen, ...]
    factor: str
    value: float
    where: Mapping[Area, str]  # what is called what

    @property
    def open(self) -> bool:
        """Whether all gates let pass what comes."""
        return all(_opens(gate, number) for gate, number in self.gates)

    @property
    def lines(self) -> list[str]:
        """All of it in words and numbers."""
        row, column = self.place
        what = f": {self.what}" if self.what else ""
        found = [f"{self.name}, row {row}, column {column} ({self.cell}){what}", f"={self.formula}"]
        found += [f"  {self._gate(gate, number)}" for gate, number in self.gates]
        for seen in self.terms:
            found += [f"  {line}" for line in self._term(seen)]
        total = [seen.value for seen in self.terms]
        if len(total) > 1 and None not in total:
            found.append(f"  together {sum(total):.6g}")  # type: ignore[arg-type]
        if self.factor:
            found.append(f"  {self._factor()}")
        return [*found, f"= {self.value + 0.0:.6g}" + ("" if self.open else ", since a gate is closed")]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        from ..notebook import table, text  # only notebooks ask

        head, formula, *lines = self.lines
        return f"<h4>{text(head)}</h4><code>{text(formula)}</code>{table((), [[line.strip()] for line in lines])}"

    def _gate(self, gate: Gate, number: float) -> str:
        limit = round(gate.limit, 8) + 0.0  # without its tolerance
        size = "in size " if gate.size else ""
        words = {">": f"above {limit:g}", "<": f"below {limit:g}"}[gate.sign]
        open_ = _opens(gate, number)
        says = "the gate is open" if open_ else "the gate is closed, and nothing passes"
        return f"{self._at(gate.area)} is {number:.6g}, {size}{'' if open_ else 'not '}{words}: {says}"

    def _term(self, seen: TermSeen) -> list[str]:
        sign, areas, numbers = SIGNS[seen.term.sign], seen.term.areas, seen.numbers
        if seen.term.kind == "winner":
            return [self._winner(seen)]
        if seen.term.kind == "products":
            one, other = (f"{self._at(area)} {_shown(n)}" for area, n in zip(areas, numbers, strict=True))
            if numbers[0].size == 1:
                return [f"{sign}{one} × {other} = {seen.value:.6g}"]
            return [f"{sign}{one}", f"  × {other}", f"  = {_shown(seen.products)}, sum {seen.value:.6g}"]
        if seen.term.kind == "sum":
            return [f"{sign}sum of {self._at(areas[0])} {_shown(numbers[0])} = {seen.value:.6g}"]
        if seen.term.kind == "cell":
            return [f"{sign}{self._at(areas[0])} {_shown(numbers[0])}"]
        reads = dict(zip(areas, numbers, strict=True))  # each once
        lines = [f"  {self._at(area)} {_shown(number)}" for area, number in reads.items()]
        return [f"{sign}{seen.term.text}, which reads", *lines] if lines else [f"{sign}{seen.term.text}"]

    def _winner(self, seen: TermSeen) -> str:
        (cell, largest, gets, *_), (own, best, given, *before) = seen.term.areas, seen.numbers
        beside = f"{self._at(cell)} is {_shown(own)}, the largest of its window {_shown(best)} ({largest})"
        if own.item() < best.item() - NEAR:
            return f"{beside}: another cell won, and this one gets nothing"
        if seen.value == 0 and any(np.nanmax(one, initial=-np.inf) >= best.item() - NEAR for one in before):
            return f"{beside}: a cell before it is as large and won, and this one gets nothing"
        return f"{beside}: it won, and gets all of {self._at(gets)} {_shown(given)}"

    def _factor(self) -> str:
        sign = {"*": "times", "/": "divided by"}[self.factor[0]]
        reads = dict.fromkeys(area for area in self.where if str(area) in self._factor_areas)
        beside = ", ".join(f"{self._at(area)}" for area in reads)
        return f"{sign} {self.factor[1:]}" + (f", which reads {beside}" if beside else "")

    @property
    def _factor_areas(self) -> list[str]:
        return [str(area) for area in areas_in(self.factor, self.cell.rpartition("!")[0].strip("'"))]

    def _at(self, area: Area) -> str:
        name = self.where.get(area)
        return f"{area} ({name})" if name else str(area)


def _opens(gate: Gate, number: float) -> bool:
    number = abs(number) if gate.size else number
    return number > gate.limit if gate.sign == ">" else number < gate.limit


def _shown(numbers: np.ndarray) -> str:
    """Numbers as they are said: rows between grids, all of them blank, are left out, and of many only their range is told."""
    if numbers.size == 1:
        return f"{float(np.nan_to_num(numbers).item()) + 0.0:.6g}"
    numbers = numbers[~np.isnan(numbers).all(axis=1)]
    if max(numbers.shape, default=0) > LARGEST:
        rows, columns = numbers.shape
        return f"[{rows}×{columns} cells, from {np.nanmin(numbers):.4g} to {np.nanmax(numbers):.4g}]"
    return in_one_line(numbers + 0.0)


def names_a_cell(graph: Graph, place: str) -> bool:
    """Whether a text is a cell on a sheet, or the name of a grid."""
    return "!" in place or any(
        place.lower() == array.name(index).lower()
        for array in graph
        if place.lower().startswith(array.owner.lower())
        for index in array.indexes()
    )


def explained_cell(
    graph: Graph, grids: Mapping[str, Grids], values: Values, place: str, row: int = 1, column: int = 1
) -> Explanation | CellExplanation:
    """How a cell comes about: `place` is the cell, `conv1_back!C14`, or the name of a grid, with a row and a column in it.

    Raises NetworkError where there is no such cell, or no formula in it.
    """
    cells = SheetCells(graph, grids, values)
    (array, index, grid), i, j = _found(cells, place, row, column)
    at = (*index, *(i, j)[: len(array.shape) - array.grid_axes])
    name = array.name(index)
    if array.formula is None and array.bound is None:
        number = float(np.asarray(values[array.id][at]))
        raise NetworkError(f"{name}, row {i + 1}, column {j + 1}, is typed: {number:.6g}; nothing computes it")
    forward = _forward(graph, values, array, at)
    return forward or _taken(cells, array.written(dict(grids), grid.sheet)(at), array, name, grid, (i, j), at)


def _forward(graph: Graph, values: Values, array: Array, at: Shape) -> Explanation | None:
    """How a cell of a layer comes about, before or after the step, where it can be taken apart."""
    match = _STEPPED.fullmatch(array.owner)
    step, layer = (int(match[1]), match[2]) if match else (0, array.owner)
    if array.role != "output" or layer not in graph.network.by_name:
        return None
    m, i, j = (n + 1 for n in (at if len(at) == 3 else (0, *at, 0)))
    try:
        if not step:
            return explanation(graph, values, layer, (m, i, j))
        return replace(explanation(graph, _after(graph, values, step), layer, (m, i, j)), layer=f"{layer} after step {step}")
    except NetworkError:
        return None


def _after(graph: Graph, values: Values, step: int) -> Values:
    """All numbers of the network after a step."""
    assert graph.learning is not None
    given = {f"{name}.{key}": values[course[step].id] for (name, key), course in graph.learning.course.items()}
    given |= {f"{INPUT}.{array.key}": values[array.id] for array in graph.learning.copies[step - 1].get(INPUT, [])}
    found: Values = {}
    for arrays in graph.of.values():
        for array in arrays:
            typed = array.forward is None or array.owner == INPUT
            found[array.id] = given.get(array.id, values[array.id]) if typed else array.computed(found)
    return found


def _found(cells: SheetCells, place: str, row: int, column: int) -> tuple[tuple[Array, Shape, Grid], int, int]:
    if "!" in place:
        area = area_in(_upper(place), "")
        found = None if area is None or area.rows * area.columns > 1 else cells.grid_of(area)
        if area is None or found is None:
            raise NetworkError(f"{place:.60}: no cell of a layer, a gradient, a step or the loss")
        (_, _, grid), i, j = found
        if (grid.top + i * grid.spacing[0], grid.left + j * grid.spacing[1]) != (area.top, area.left):
            raise NetworkError(f"{place:.60}: a blank cell between those of a grid")
        return found
    named = {block[0].name(block[1]).lower(): block for blocks in cells.blocks.values() for block in blocks}
    block = named.get(place.lower())
    if block is None:
        raise NetworkError(
            f"no grid is called {place!r:.60}{near(place.lower(), named)}; give a cell, as in conv1!C14, or a name"
        )
    rows, columns = block[2].rows, block[2].columns
    if not (type(row) is type(column) is int and 1 <= row <= rows and 1 <= column <= columns):
        raise NetworkError(f"{place} has no row {row}, column {column}: it has {rows} rows and {columns} columns")
    return block, row - 1, column - 1


def _upper(place: str) -> str:
    """A cell as formulas write it."""
    sheet, _, cell = place.rpartition("!")
    return f"'{sheet.strip(chr(39))}'!{cell.upper()}"


def _taken(
    cells: SheetCells, text: str, array: Array, name: str, grid: Grid, place: tuple[int, int], at: Shape
) -> CellExplanation:
    parts = taken_apart(text, grid.sheet)
    value = float(np.asarray(cells.values[array.id][at]))
    gates = tuple((gate, float(np.nan_to_num(cells.numbers(gate.area)).item())) for gate in parts.gates)
    terms = tuple(_seen(cells, term) for term in parts.terms)
    if len(terms) == 1 and terms[0].value is None and not gates and not parts.factor:
        terms = (replace(terms[0], value=value),)
    areas = [area for term in parts.terms for area in term.areas] + [gate.area for gate in parts.gates]
    areas += areas_in(parts.factor, grid.sheet)
    where = {area: words for area in areas if (words := _called(cells, area))}
    row, column = place
    cell = Area(grid.sheet, grid.top + row * grid.spacing[0], grid.left + column * grid.spacing[1], 1, 1)
    what = GRADIENT if array.key.startswith("grad_") else STEPPED if array.key.startswith(AFTER) else ""
    if what and array.label == "grad_kernel":
        what = KERNEL
    return CellExplanation(name, (row + 1, column + 1), str(cell), what, text, gates, terms, parts.factor, value, where)


def _seen(cells: SheetCells, term: Term) -> TermSeen:
    numbers = tuple(map(cells.numbers, term.areas))
    value: float | None = None
    if term.kind == "products":
        value = float(np.nansum(numbers[0] * numbers[1]))
    elif term.kind in ("sum", "cell"):
        value = float(np.nansum(numbers[0]))
    elif term.kind == "winner":
        own, best, given, *before = numbers
        won = own.item() >= best.item() - NEAR and all(np.nanmax(one) < best.item() - NEAR for one in before)
        value = given.item() if won else 0.0
    return TermSeen(term, numbers, value if value is None or term.sign == "+" else -value)


def _called(cells: SheetCells, area: Area) -> str:
    """The name of the grid that an area lies on, and where in it."""
    found = cells.grid_of(area)
    if found is None:
        return ""
    (array, index, grid), row, column = found
    name = array.name(index)
    if grid.rows * grid.columns == 1 or (grid.top, grid.left, grid.bottom, grid.right) == (
        area.top, area.left, area.top + area.rows - 1, area.left + area.columns - 1,
    ):  # fmt: skip
        return name
    return f"{name}, {'' if area.rows * area.columns == 1 else 'from '}row {row + 1}, column {column + 1}"
