"""The cell and its window outlined in the grids of the layers' own sheets."""

from __future__ import annotations

from ...a1 import LETTERS
from ...arrays.grid import Grid
from ...xlsx.colours import Outline
from .stack import Stack
from .table import MARKS, Inspector


def outlines(inspector: Inspector, places: dict[str, Grid]) -> dict[str, Outline]:
    """For each stack of maps, by the id of its array, when a cell is outlined."""
    return {stack.id: _outline(stack, places[stack.name]) for stack in inspector.stacks.values()}


def _outline(stack: Stack, marks: Grid) -> Outline:
    """Whether a cell of the maps, or of the padding around them, is one of those that the margin's cells tell of."""
    top, left, bottom, right = stack.margin
    first, last = stack.grids[0], stack.grids[-1]
    down, along = stack.pitch
    at = {mark: Grid("", marks.top + n, marks.left, 1, 1).area for n, mark in enumerate(MARKS)}

    def tests(above: int, before: int) -> str:
        """Whether the cell so far above and to the left is one of them."""
        row = f"(ROW()-{first.top - top + above})"  # counted from 0 at the top of the padding
        column = f"(COLUMN()-{first.left - left + before})"
        channel = f"INT({column}/{along})" if along else f"INT({row}/{down})"
        if along:
            column = f"({column}-{channel}*{along})"
        else:
            row = f"({row}-{channel}*{down})"
        found = [f"{at['first channel']}>0"]
        for place, name in (
            (f"{channel}+1", "channel"),
            (f"({row}+{1 - top})", "row"),
            (f"({column}+{1 - left})", "column"),
        ):
            begin, end, step = at[f"first {name}"], at[f"last {name}"], at[f"{name}s"]
            found += [f"{place}>={begin}", f"{place}<={end}", f"MOD({place}-{begin},{step})=0"]
        return ",".join(found)

    strips = [
        (top, first.top - top, first.left - left, first.top - 1, last.right + right),
        (bottom, last.bottom + 1, first.left - left, last.bottom + bottom, last.right + right),
    ]
    for one, other in [(grid, grid) for grid in stack.grids] if along else [(first, last)]:
        strips.append((left, one.top, one.left - left, other.bottom, one.left - 1))
        strips.append((right, one.top, one.right + 1, other.bottom, one.right + right))
    around = [f"{LETTERS[y]}{x}:{LETTERS[z]}{w}" for size, x, y, w, z in strips if size]
    return Outline(tests(0, 0), tests(0, 1), tests(1, 0), " ".join(around))
