"""What is left blank, planted or hidden in a handout, and the target of a design."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...arrays.grid import Grid, flat, seen_from
from ...handout.design import Design
from ...handout.fill import Fill
from ...handout.mistake import Planted
from ...handout.mistakes import MISTAKES
from ...handout.task import EXACT, Cells
from ...xlsx import palette
from ...xlsx.cells import Cell, CellBlock
from ...xlsx.colours import colour, signed_scale
from ...xlsx.draft import area_of, put
from .making import Box, Making


def leave_blank(sheets: Making, task: Cells, number: int) -> None:
    """The cells of a task, blank and yellow; in the key only yellow."""
    right = sheets.variant.values[f"{task.layer}.output"]
    mask = task.mask(sheets.variant.network)
    typed = not isinstance(task, Fill) or task.answer == "number"
    tolerance = max(task.tolerance if typed else 0.0, EXACT * max(1.0, float(np.abs(right).max())))
    style = sheets.draft.style("todo_number" if typed else "todo", palette.number_format(right))
    for index, grid in flat(sheets.content.grids[f"{task.layer}.output"]):
        inside = mask[index].reshape(grid.rows, grid.columns)
        if not inside.any():
            continue
        cells = {
            (i, j): replace(sheets.cell(grid, i, j), style=style) if sheets.key else Cell(style)
            for i, j in np.argwhere(inside).tolist()
        }
        sheets.put_cells(grid, cells)
        if sheets.variant.exercise.live(task):
            (top, left), (bottom, end) = np.argwhere(inside).min(axis=0), np.argwhere(inside).max(axis=0)
            part = Grid(grid.sheet, grid.top + top, grid.left + left, bottom - top + 1, end - left + 1)
            values = right[index].reshape(grid.rows, grid.columns)[top : bottom + 1, left : end + 1]
            sheets.boxes.append(Box(number, part, values, tolerance, 0.0 if typed else float(right.max()), typed))


def ask_design(sheets: Making, task: Design, number: int) -> None:
    """Blank kernels, and the target beside everything else."""
    page, k, of = sheets.page(task.layer), task.map - 1, sheets.content.grids
    grids = list(of[f"{task.layer}.weight"][k]) + ([of[f"{task.layer}.bias"][k]] if task.bias else [])
    # What a student types is shown as it is: a format that fits the right numbers would tell of them.
    style = sheets.draft.style(
        "todo_number", palette.number_format(sheets.variant.parameters[f"{task.layer}.weight"]) if sheets.key else "General"
    )
    for grid in grids:
        sheets.put_cells(
            grid,
            {
                (i, j): replace(sheets.cell(grid, i, j), style=style) if sheets.key else Cell(style)
                for i, j in np.ndindex(grid.rows, grid.columns)
            },
        )
    right = sheets.variant.values[f"{task.layer}.output"]
    target, own = right[k] + 0.0, of[f"{task.layer}.output"][k]
    place = Grid(own.sheet, own.top, page.columns + 3, own.rows, own.columns)
    sheet = sheets.draft.book[own.sheet]
    put(sheet, place.top - 1, place.left, f"target of map {task.map}", "label")
    sheets.draft.name(f"{task.layer}_target_{task.map}", place)
    sheets.draft.fill(own.sheet, CellBlock(place, target, sheets.draft.style("formula", palette.number_format(right))))
    largest = float(right.max()) or 1.0
    dark = palette.Scale(((0.0, palette.LIGHT), (largest, palette.DARK)), pale_above=0.5)
    colour(sheet, area_of(place), signed_scale([right]) if right.min() < 0 else dark, repr(largest), typed=False)
    if sheets.variant.exercise.live(task):
        tolerance = task.tolerance * (1 + float(np.abs(target).max()))
        sheets.boxes.append(Box(number, own, target, tolerance, float(target.max()), shown=place))


def plant(sheets: Making, planted: Planted) -> None:
    """Wrong formulas, or a number in the place of one; their values are what they give."""
    node, graph, grids = planted.node, sheets.content.graph, sheets.content.grids
    xs = tuple(seen_from(grids[graph.output(name).id], node.name) for name in node.inputs)
    own = {array.key: grids[array.id] for array in graph.of[node.name]}
    write = MISTAKES[planted.kind].formula(node, xs, own, planted.pick)
    for at in map(tuple, np.argwhere(planted.mask).tolist()):
        grid, (i, j) = own["output"][at[0]], at[1:]
        cell = sheets.cell(grid, i, j)
        if planted.number is None:
            sheets.put_cells(grid, {(i, j): replace(cell, formula=write(at))})
        else:
            sheets.put_cells(grid, {(i, j): replace(cell, formula=None, value=planted.number)})
