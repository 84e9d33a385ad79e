"""The instruction sheet: the tasks, where they are, their points, and how far they are done."""

from __future__ import annotations

import numpy as np
from openpyxl.worksheet.worksheet import Worksheet

from ...a1 import LETTERS, sheet_prefix
from ...arrays.grid import Grid
from ...handout.mistake import Mistake, Planted
from ...handout.mistakes import MISTAKES
from ...handout.shapes import HEADS, NEAR, Shapes
from ...handout.task import Task
from ...xlsx.cells import Cell, CellBlock
from ...xlsx.draft import WorkbookDraft, put
from .feedback import feedback
from .making import EXERCISE, Box, Making

WIDTHS = (3, 5, 62, 14, 14, 14, 14, 14)  # of the Exercise sheet's columns from A on
LINE_LENGTH = 70  # in a line of a task's words


def instructions(sheets: Making, sheet: Worksheet, name: str) -> None:
    """What to do, in one page: the tasks, where they are, their points, and how far they are done."""
    draft, variant = sheets.draft, sheets.variant
    settings = variant.exercise.settings
    sheet.page_setup.fitToHeight = 1
    for column, width in enumerate(WIDTHS, start=1):
        sheet.column_dimensions[LETTERS[column]].width = width
    put(sheet, 1, 2, settings.title + ("   ·   answer key" if sheets.key else ""), "title")
    sheet.row_dimensions[1].height = 28
    put(sheet, 2, 2, name, "strong")
    put(sheet, 3, 2, settings.about, "body")
    sheet.merge_cells("B3:H3")
    sheet.row_dimensions[3].height = 14 * (1 + len(settings.about) // 115) + 4
    live = any(variant.exercise.live(task) for task in variant.exercise.tasks)
    lines = [
        "Do the tasks below. Yellow cells are yours to fill in; the links lead to them.",
        "If your program shows a bar “Enable Editing”, click it first." + (" What is right turns green." if live else ""),
        f"Save this file{'' if name else ' under your own name'} and hand it in. You may use spare cells for notes, but insert no rows or columns.",
        "Any function may be used, and any way to write a formula: names, spare cells, array formulas. No macros, no other files.",
    ]
    for row, text in enumerate(lines, start=4):
        put(sheet, row, 2, f"{row - 3}   {text}", "row")
    for column, text in ((2, ""), (3, "task"), (4, "sheet"), (5, "points"), (6, "done" if live else "")):
        put(sheet, 8, column, text, "head" if column < 5 else "head_right")
    sheet.row_dimensions[8].height = 24
    row, states = 9, {}
    for number, task in enumerate(variant.exercise.tasks, start=1):
        states[number] = row
        row = _task_rows(sheets, sheet, task, number, row)
    put(sheet, row, 3, "all tasks", "row")
    _number(draft, row, 5, variant.exercise.points)
    row += 2
    for number, task in enumerate(variant.exercise.tasks, start=1):
        if isinstance(task, Shapes):
            row = _shapes_table(sheets, sheet, task, number, row)
    if live:
        feedback(sheets, states)


def _number(draft: WorkbookDraft, row: int, column: int, value: float) -> None:
    draft.fill(
        EXERCISE,
        CellBlock(
            Grid(EXERCISE, row, column, 1, 1), np.array([[value]]), draft.style("table", "0.##" if value % 1 else "0")
        ),
    )


def _task_rows(sheets: Making, sheet: Worksheet, task: Task, number: int, row: int) -> int:
    """A task's row, and where something is to be answered, a second one; returns the next free row."""
    variant = sheets.variant
    words = task.text or task.instruction(variant, number)
    put(sheet, row, 2, f"{number}", "strong")
    put(sheet, row, 3, words, "body")
    sheet.row_dimensions[row].height = 13.5 * (1 + len(words) // LINE_LENGTH) + 6
    layer = getattr(task, "layer", None)
    if isinstance(layer, str):
        put(sheet, row, 4, layer, "link", layer)
    elif isinstance(task, Shapes):
        put(sheet, row, 4, "below", "row")
    _number(sheets.draft, row, 5, task.points)
    if not isinstance(task, Mistake):
        return row + 1
    row += 1
    put(sheet, row, 3, "A cell that has the mistake, such as conv1!D12:", "aside_right")
    place = Grid(EXERCISE, row, 4, 1, 1)
    sheets.draft.name(f"task_{number}_cell", place)
    put(sheet, row, 4, _named(sheets, variant.planted[number]) if sheets.key else "", "choice")
    if sheets.key:
        put(sheet, row, 5, f"  {MISTAKES[variant.planted[number].kind].words}", "soft")
    return row + 1


def _named(sheets: Making, planted: Planted) -> str:
    at = np.argwhere(planted.mask)[0].tolist()
    grid = sheets.content.grids[f"{planted.node.name}.output"][at[0]]
    return f"{sheet_prefix(grid.sheet)}{grid.at(at[1], at[2])}"


def _shapes_table(sheets: Making, sheet: Worksheet, task: Shapes, number: int, row: int) -> int:
    """The layer table with blanks; returns the next free row."""
    variant, draft = sheets.variant, sheets.draft
    wanted = task.wanted(variant.network)
    put(sheet, row, 3, f"task {number}: layer and its settings", "head")
    for column, head in enumerate(HEADS, start=4):
        put(sheet, row, column, head, "head_right")
    place = Grid(EXERCISE, row + 1, 4, len(wanted), len(HEADS))
    draft.name(f"task_{number}_shapes", place)
    values = np.array([[np.nan if n is None else float(n) for n in line] for line in wanted])
    style, blank = draft.style("answer", "0"), draft.style("blank")
    cells = {
        (i, j): Cell(blank if np.isnan(values[i, j]) else style, None, float(values[i, j]) if sheets.key else np.nan)
        for i, j in np.ndindex(values.shape)
    }
    draft.fill(EXERCISE, CellBlock(place, values, style, None, cells=cells))
    before = "input"
    for line, node in enumerate(task.nodes(variant.network), start=row + 1):
        reads = "" if node.inputs == (before,) else f"  ← {', '.join(node.inputs)}"
        settings = node.layer.setting_words()
        put(sheet, line, 3, f"{node.name}{reads}  ·  {node.layer.type}" + (f": {settings}" if settings else ""), "body")
        sheet.row_dimensions[line].height = 27 if len(f"{node.name}{reads}{settings}") > LINE_LENGTH - 14 else 16
        before = node.name
    if variant.exercise.live(task):
        # A fingerprint is of a whole number of steps, which must not be too many of them.
        sheets.boxes.append(Box(number, place, values, min(0.4, max(NEAR, np.nanmax(values) / 4e7)), typed=True))
    return row + len(wanted) + 2
