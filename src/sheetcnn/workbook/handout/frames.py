"""Frames around the cells that are computed by hand, and around all that they read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...arrays.grid import Grid, flat
from ...handout.compute import Compute
from ...handout.task import node_of
from ...xlsx import palette
from .making import Making

FRAMES = ("DB2777", "2563EB", "EA580C", "7C3AED", "0D9488", "CA8A04")  # of cells to compute, and their windows


def draw_frames(sheets: Making, task: Compute) -> None:
    """A frame in its own colour around each blank cell and its windows; around kernels too."""
    network = sheets.variant.network
    node = node_of(network, task.layer)
    reduction, grids = node.layer.reduction(*node.in_shapes), sheets.content.grids
    assert reduction is not None
    source = grids[sheets.content.graph.output(node.inputs[0]).id]
    cells = np.argwhere(task.mask(network)).tolist()
    filters = [m // reduction.maps for m, _, _ in cells]
    for n, (m, i, j) in enumerate(cells):
        colour = FRAMES[n % len(FRAMES)]
        _frame(sheets, grids[f"{task.layer}.output"][m], (i, j), (i, j), colour)
        k, depth = divmod(m, reduction.maps)
        (top, left), (rows, columns) = reduction.window.corner(i, j), reduction.window.reach
        for t in range(reduction.terms):
            level = depth * reduction.levels[0] - reduction.levels[1] + t * reduction.levels[2]
            if 0 <= level < reduction.depth:
                grid = source[k // reduction.filters * reduction.group + level]
                last = min(top + rows, grid.rows) - 1, min(left + columns, grid.columns) - 1
                _frame(sheets, grid, (max(top, 0), max(left, 0)), last, colour)
        if reduction.kernel is not None and filters.index(k) == n:
            for _, grid in flat(grids[f"{task.layer}.{reduction.kernel}"][k]):
                _frame(
                    sheets, grid, (0, 0), (grid.rows - 1, grid.columns - 1), colour if filters.count(k) == 1 else palette.INK
                )


def _frame(sheets: Making, grid: Grid, first: tuple[int, int], last: tuple[int, int], colour: str) -> None:
    """A frame around some cells of a grid."""
    (top, left), (bottom, right) = first, last
    cells = {}
    for i in range(top, bottom + 1):
        for j in range(left, right + 1):
            sides = (j == left, j == right, i == top, i == bottom)
            if any(sides):
                cell = sheets.cell(grid, i, j)
                cells[i, j] = replace(cell, style=sheets.draft.framed(cell.style, sides, colour))
    sheets.put_cells(grid, cells)
