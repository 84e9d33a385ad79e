"""A kernel as it is before training and after each step, to be chosen from a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...arrays.array import Array, Shape, Values
from ...arrays.computed_range import ComputedRange, choose
from ...arrays.grid import Grid, Grids
from ...model.graph import Graph
from ...model.loss import LOSS

SHEET, LISTS = "Steps", "_steps"  # and the hidden one that its lists read
CHOICE, NUMBER, LISTED = "steps_kernel", "steps_kernel_number", "steps_kernels"
LARGEST = "steps_kernel_largest"  # of the numbers of the film: its colours follow that
ORDER, ORDERS, PICTURE, ANSWERS = "steps_pictures", "steps_orders", "loss_picture", "loss_answers"
ORDER_WORDS = ("the same picture in every step", "the next picture in every step")
MOST_SIDE = 9  # rows and columns of a kernel that has a film
MOST_KERNELS = 60  # in the list: each is an argument in every cell of the film


@dataclass(frozen=True)
class Filmed:
    """A kernel in the list: what it is called, and one grid of each of these arrays, before training and after each step."""

    name: str
    arrays: tuple[Array, ...]
    index: Shape


def filmed(graph: Graph) -> list[Filmed]:
    """The kernels to choose from, those of the first layers where there are many."""
    learning = graph.learning
    if learning is None or graph.drawn.updates < 2:
        return []
    found: list[Filmed] = []
    for (name, key), arrays in learning.course.items():
        first = arrays[0]
        rows, columns = first.size
        if min(rows, columns) < 2 or max(rows, columns) > MOST_SIDE:
            continue
        for index in first.indexes():
            found.append(Filmed(_words(name, key, index), arrays, index))
    return found[:MOST_KERNELS]


def _words(name: str, key: str, index: Shape) -> str:
    if key != "weight" or not index:
        return f"{name} · {key.replace('_', ' ')}" + "".join(f" {n + 1}" for n in index)
    return f"{name} · filter {index[0] + 1}" + "".join(f" · channel {n + 1}" for n in index[1:])


def frame(
    graph: Graph,
    kernels: Sequence[Filmed],
    grids: Mapping[str, Grids],
    number: Grid,
    values: Values,
    chosen: int | None,
    step: int,
) -> ComputedRange:
    """The chosen kernel after so many steps; cells that it does not have are blank."""
    rows, columns = frame_size(kernels)

    def text(i: int, j: int) -> str:
        return choose(number.area, [_cell(one, step, grids, number.sheet, i, j) for one in kernels])

    line: list[list[float | str]] = [["#N/A"] * columns for _ in range(rows)]
    if chosen is not None:
        now = values[kernels[chosen - 1].arrays[step].id][kernels[chosen - 1].index]
        line = [
            [float(now[i, j]) if i < now.shape[0] and j < now.shape[1] else "" for j in range(columns)] for i in range(rows)
        ]
    return ComputedRange(f"steps_film_{step}", text, line)


def frame_size(kernels: Sequence[Filmed]) -> tuple[int, int]:
    """Rows and columns that every kernel of the list fits into."""
    sizes = np.array([one.arrays[0].size for one in kernels])
    return int(sizes[:, 0].max()), int(sizes[:, 1].max())


def _cell(one: Filmed, step: int, grids: Mapping[str, Grids], sheet: str, i: int, j: int) -> str:
    array = one.arrays[step]
    rows, columns = array.size
    if i >= rows or j >= columns:
        return '""'
    grid = grids[array.id]
    for n in one.index:
        grid = grid[n]
    return grid.seen_from(sheet).at(i, j)


def choice_views(
    choice: Grid, listed: Grid, number: Grid, frames: Sequence[Grid], chosen: int | None, largest: float
) -> list[ComputedRange]:
    """Which kernel of the list is chosen, and how large its numbers get."""
    areas = ",".join(grid.area for grid in frames)
    return [
        ComputedRange(
            NUMBER, lambda *_: f"MATCH({choice.area},{listed.area},0)", [["#N/A" if chosen is None else float(chosen)]]
        ),
        ComputedRange(LARGEST, lambda *_: f"MAX(MAX({areas}),-MIN({areas}))", [["#N/A" if chosen is None else largest]]),
    ]


def order_views(
    choice: Grid, orders: Grid, shown: Grid, right: Grid | None, names: Grid | None, now: Values
) -> list[ComputedRange]:
    """Which pictures the steps take: the same or the next, the one that is shown, and the right answer of each."""

    def numbers(key: str) -> list[list[float | str]]:
        return [["#N/A" if np.isnan(number) else float(number)] for number in now[f"{LOSS}.{key}"]]

    found = [
        ComputedRange(f"{LOSS}_order", lambda *_: f"MATCH({choice.area},{orders.area},0)", numbers("order")),
        ComputedRange(PICTURE, lambda *_: shown.area, numbers("picture")),
    ]
    if right is not None and names is not None:
        found.append(ComputedRange(ANSWERS, lambda i, _: f'MATCH({right.at(i, 0)}&"",{names.area},0)', numbers("answers")))
    return found
