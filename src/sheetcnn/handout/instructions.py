"""The instruction sheet: the tasks, where they are, their points, and how far they are done."""

from __future__ import annotations

import numpy as np

from ..a1 import LETTERS
from ..arrays.grid import Grid, flat
from ..xlsx.cells import CellBlock
from ..xlsx.labels import merged, put
from .draft import EXERCISE, HandoutDraft
from .exercise import Exercise
from .tasks.task import Task

WIDTHS = (3, 5, 62, 14, 14, 14, 14, 14)  # of the Exercise sheet's columns from A on
LINE_LENGTH = 70  # in a line of a task's words


def instructions(draft: HandoutDraft, exercise: Exercise, name: str) -> dict[int, int]:
    """What to do, in one page: the tasks, where they are, and their points; returns the row of each task."""
    sheet, settings, live = draft.home, exercise.settings, bool(draft.live)
    for column, width in enumerate(WIDTHS, start=1):
        sheet.column_dimensions[LETTERS[column]].width = width
    put(sheet, 1, 2, settings.title + ("   ·   answer key" if draft.key else ""), "title")
    sheet.row_dimensions[1].height = 28
    put(sheet, 2, 2, name, "strong")
    put(sheet, 3, 2, settings.about, "body")
    merged(sheet, 3, 2, 1, 7)
    sheet.row_dimensions[3].height = 14 * (1 + len(settings.about) // 115) + 4
    reddens = any(box.shown is None for box in draft.boxes)
    told = f" What is right turns green{', what is wrong red' if reddens else ''}." if live else ""
    lines = [
        "Do the tasks below. Yellow cells are yours to fill in; the links lead to them.",
        f"If your program shows a bar “Enable Editing”, click it first.{told}",
        f"Save this file{'' if name else ' under your own name'} and hand it in. You may use spare cells for notes, but insert no rows or columns.",
        "Any function may be used, and any way to write a formula: names, spare cells, array formulas. No macros, no other files.",
    ]
    for row, text in enumerate(lines, start=4):
        put(sheet, row, 2, f"{row - 3}   {text}", "row")
    for column, text in ((2, ""), (3, "task"), (4, "sheet"), (5, "points"), (6, "done" if live else "")):
        put(sheet, 8, column, text, "head" if column < 5 else "head_right")
    sheet.row_dimensions[8].height = 24
    row, rows = 9, {}
    for number, task in enumerate(exercise.tasks, start=1):
        rows[number] = row
        _task_row(draft, task, number, row)
        row = task.draw_answers(draft, number, row + 1)
    put(sheet, row, 3, "all tasks", "row")
    _number(draft, row, 5, exercise.points)
    row += 2
    for number, task in enumerate(exercise.tasks, start=1):
        row = task.draw_table(draft, number, row)
    return rows


def _number(draft: HandoutDraft, row: int, column: int, value: float) -> None:
    style = draft.style("table", "0.##" if value % 1 else "0")
    draft.fill(EXERCISE, CellBlock(Grid(EXERCISE, row, column, 1, 1), np.array([[value]]), style))


def _task_row(draft: HandoutDraft, task: Task, number: int, row: int) -> None:
    sheet, words = draft.home, task.text or task.instruction(draft.variant, number)
    put(sheet, row, 2, f"{number}", "strong")
    put(sheet, row, 3, words, "body")
    sheet.row_dimensions[row].height = 13.5 * (1 + len(words) // LINE_LENGTH) + 6
    if task.sheet:
        put(sheet, row, 4, task.sheet, "link", task.sheet, _first_blank(draft, task))
    elif task.below:
        put(sheet, row, 4, "below", "row")
    _number(draft, row, 5, task.points)


def _first_blank(draft: HandoutDraft, task: Task) -> str:
    """The first cell that a task leaves blank, for its link; the sheet's corner where it leaves none."""
    for name, mask in task.blanks(draft.variant.network).items():
        for index, grid in flat(draft.content.grids[name]):
            if mask[index].any():
                i, j = np.argwhere(mask[index].reshape(grid.rows, grid.columns))[0].tolist()
                return grid.at(i, j)
    return "A1"
