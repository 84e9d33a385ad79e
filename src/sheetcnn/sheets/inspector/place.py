"""Where the inspector's named rectangles are."""

from __future__ import annotations

from ...arrays.grid import Grid
from ..page import HEADER
from .table import CHOICES, INSPECTOR, MARKS, RESULTS, TABLE, Inspector


def inspector_places(inspector: Inspector) -> dict[str, Grid]:
    """Where the inspector's named rectangles are: on its own sheet, on the hidden one, and on the layers' sheets."""
    places = {}

    def put(name: str, size: tuple[int, int], row: int, column: int, sheet: str = INSPECTOR) -> None:
        places[name] = Grid(sheet, row, column, *size)

    sizes = inspector.sizes()
    first = HEADER + 1  # of the panel and of the windows beside it
    for n, choice in enumerate(CHOICES):
        put(f"inspector_{choice}", (1, 1), first + n, 3)
    put("inspector_limit", (3, 1), first + 1, 4)
    put("inspector_source", (1, 1), first + 5, 3)
    put("inspector_first", (2, 1), first + 6, 3)
    put("inspector_last", (2, 1), first + 6, 4)
    put("inspector_word", (len(RESULTS), 1), first + 9, 2)
    put("inspector_divisor", (1, 1), first + 9, 4)
    put("inspector_result", (len(RESULTS), 1), first + 9, 3)
    put("inspector_scale", (2, 1), first + 10 + len(RESULTS), 3)
    column = 5
    for name in ("channel", "window", "kernel", "product", "sum", "part"):
        if (size := sizes.get(f"inspector_{name}")) is not None:
            put(f"inspector_{name}", size, first, column)
            column += size[1] + (name != "channel")
    row = 2
    for name, size in inspector.hidden_sizes().items():
        put(name, size, row, 2, TABLE)
        row += size[0] + 2
    taken: dict[str, int] = {}
    for stack in inspector.stacks.values():  # in the margin of the sheet, where nothing else is
        sheet = stack.grids[0].sheet
        put(stack.name, (len(MARKS), 1), first + taken.get(sheet, 0), 1, sheet)
        taken[sheet] = taken.get(sheet, 0) + len(MARKS)
    return places
