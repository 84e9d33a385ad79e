"""Rectangles that formulas read, and how they move from one cell of a gradient to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise, product

import numpy as np

from ...arrays.array import Array, CellFormula, Shape
from ...arrays.grid import Grids
from ...arrays.terms import Area, Taken, areas_in, taken_apart, without_areas

AXES = 4  # of a gradient's cells: filter (or map), channel, row, column
LOOKED = 20  # cells looked at along each of them, besides the last
WINNER = 3  # areas of a winner: the cell, the largest, what it gets; the cells before it in its window are others each time


@dataclass(frozen=True)
class Moving:
    """A rectangle: where it is for the first cell, and how far it moves.

    `top` and `left` have what a step along each axis adds, and then what each whole number of `divisors` steps adds.
    """

    area: Area
    top: tuple[int, ...] = (0,) * (2 * AXES)
    left: tuple[int, ...] = (0,) * (2 * AXES)

    def at(self, features: tuple[int, ...]) -> Area:
        """Where it is for a cell: `features` are its place, then that divided by the divisors."""
        down, along = (sum(a * b for a, b in zip(step, features, strict=True)) for step in (self.top, self.left))
        return self.area._replace(top=self.area.top + down, left=self.area.left + along)

    def moves(self, axis: int) -> bool:
        """Whether it is elsewhere for another cell along an axis."""
        return any(step[axis] or step[AXES + axis] for step in (self.top, self.left))


@dataclass(frozen=True)
class Form:
    """The formulas of a gradient: taken apart as that of its first cell, its areas in order, moving by these divisors."""

    taken: Taken
    areas: list[Moving]  # its own cell, those of the gates, of the terms, and of the factor
    divisors: tuple[int, ...]


def size_of(array: Array) -> Shape:
    """The filters, channels, rows and columns of a gradient; maps and kernels of biases have one channel, vectors one column."""
    rows, columns = array.size
    first, *inner = (*array.shape[: array.grid_axes], 1)[: max(1, array.grid_axes)]
    return first, int(np.prod(inner, dtype=int)), rows, columns


def index_of(array: Array, place: Shape) -> Shape:
    """The index in its array of a cell at a filter, channel, row and column."""
    outer = array.shape[: array.grid_axes]
    n = place[0] * size_of(array)[1] + place[1]
    index = tuple(int(i) for i in np.unravel_index(n, outer)) if outer else ()
    return (*index, *place[2:])[: len(array.shape)]


def features_of(place: Shape, divisors: tuple[int, ...]) -> tuple[int, ...]:
    """A place, and that divided."""
    return (*place, *(n // d for n, d in zip(place, divisors, strict=True)))


def own_cell(array: Array, grids: Grids) -> tuple[Moving, tuple[int, ...]] | None:
    """A gradient's own cell with the divisors of its moves; None where its grids stand in no order."""
    found = _fitted(size_of(array), {place: [_own(array, grids, place)] for place in _places(size_of(array))})
    return None if found is None else (found[0][0], found[1])


def _own(array: Array, grids: Grids, place: Shape) -> Area:
    grid = grids
    for n in index_of(array, place)[: array.grid_axes]:
        grid = grid[n]
    row, column = place[2:]
    return Area(grid.sheet, grid.top + row * grid.spacing[0], grid.left + column * grid.spacing[1], 1, 1)


def form_of(array: Array, grids: Grids, write: CellFormula, sheet: str) -> Form | None:
    """What the formulas of a gradient, which stand on a sheet, have in common; None where they are of several kinds."""
    size = size_of(array)
    first: Taken | None = None
    areas: dict[Shape, list[Area]] = {}
    for place in _places(size):
        taken = taken_apart(write(index_of(array, place)), sheet)
        if first is None:
            first = taken
        elif _kind(taken, sheet) != _kind(first, sheet):
            return None
        areas[place] = [_own(array, grids, place), *_areas(taken, sheet)]
    assert first is not None
    found = _fitted(size, areas)
    return None if found is None else Form(first, *found)


def _areas(taken: Taken, sheet: str) -> list[Area]:
    terms = [area for t in taken.terms for area in (t.areas[:WINNER] if t.kind == "winner" else t.areas)]
    return [*(gate.area for gate in taken.gates), *terms, *areas_in(taken.factor, sheet)]


def _kind(taken: Taken, sheet: str) -> object:
    """All of a formula but where its rectangles are."""
    return (
        [(gate.sign, gate.limit, gate.size) for gate in taken.gates],
        [(term.kind, term.sign, term.text if term.kind == "other" and not term.areas else "") for term in taken.terms],
        without_areas(taken.factor),
        [(area.sheet, area.rows, area.columns) for area in _areas(taken, sheet)],
    )


def _places(size: Shape) -> list[Shape]:
    """Cells along each axis from the first one on, and some more to see whether all moves add up."""
    found = {(0,) * AXES}
    for axis, count in enumerate(size):
        for n in {*range(min(count, LOOKED)), count - 1}:
            found.add(tuple(n if axis == other else 0 for other in range(AXES)))
    ends = [sorted({0, count // 2, count - 1}) for count in size]
    return sorted(found | set(product(*ends)))


def _fitted(size: Shape, areas: dict[Shape, list[Area]]) -> tuple[list[Moving], tuple[int, ...]] | None:
    """How areas move; None where they do so in no such way."""
    if len({tuple(area.sheet for area in each) for each in areas.values()}) > 1:
        return None
    corners = {
        place: np.array([(area.top, area.left) for area in each], int).reshape(-1, 2) for place, each in areas.items()
    }
    start = corners[(0,) * AXES]
    slopes, jumps, divisors = [], [], []
    for axis, count in enumerate(size):
        line = [corners[tuple(n if axis == other else 0 for other in range(AXES))] for n in range(min(count, LOOKED))]
        steps = [after - before for before, after in pairwise(line)]
        slope = steps[0] if steps else np.zeros_like(start)
        other = next((n for n, step in enumerate(steps, start=1) if (step != slope).any()), None)
        slopes.append(slope)
        divisors.append(other or 1)
        jumps.append(np.zeros_like(start) if other is None else steps[other - 1] - slope)
    moves = np.stack([*slopes, *jumps])  # features × areas × (top, left)
    for place, corner in corners.items():
        features = np.array(features_of(place, tuple(divisors)))
        if (start + np.tensordot(features, moves, axes=1) != corner).any():
            return None
    first = areas[(0,) * AXES]
    tops, lefts = moves[..., 0].T.tolist(), moves[..., 1].T.tolist()
    found = [Moving(area, tuple(top), tuple(left)) for area, top, left in zip(first, tops, lefts, strict=True)]
    return found, tuple(divisors)


def window_of(
    cell: Moving, largest: Moving, size: Shape, divisors: tuple[int, ...]
) -> tuple[Moving, tuple[int, ...]] | None:
    """The window in which a cell of a map may be the largest; it moves where the largest does. With the divisors that it takes."""
    divisors_, sides, top, left = list(divisors), [1, 1], list(cell.top), list(cell.left)
    for n, (axis, moved) in enumerate(((2, top), (3, left))):
        if moved[axis] != (1 if size[axis] > 1 else 0) or moved[AXES + axis]:
            return None
        steps = (largest.top, largest.left)[n]
        if steps[axis] and steps[AXES + axis]:
            return None  # windows that begin in the padding
        if steps[axis]:
            continue  # windows one cell wide
        sides[n] = divisors[axis] if largest.moves(axis) else size[axis]
        divisors_[axis] = sides[n]
        moved[axis], moved[AXES + axis] = 0, sides[n]
    area = cell.area._replace(rows=sides[0], columns=sides[1])
    return replace(cell, area=area, top=tuple(top), left=tuple(left)), tuple(divisors_)
