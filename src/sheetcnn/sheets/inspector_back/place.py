"""Where the named rectangles of the sheet are."""

from __future__ import annotations

from dataclasses import dataclass

from ...arrays.grid import Grid
from .table import BEFORE, CHOICES, LIMITS, SHEET, STEP_COLUMNS, TABLE, InspectorBack

CHOOSE, SAID, HEAD, STEP, SAYS, HEADS, TOP = 3, 4, 5, 6, 7, 9, 10  # rows
LABEL, SIGN, SUM, MARGIN = 118, 16, 58, 8  # widths in pixels


@dataclass(frozen=True)
class Columns:
    """The columns of the sheet: their widths in pixels, and the first one of each part."""

    widths: list[int]
    first: dict[str, int]

    def at(self, pixel: int) -> int:
        """The first column that begins there or further right."""
        n, so_far = 0, 0
        while n < len(self.widths) and so_far < pixel:
            so_far += self.widths[n]
            n += 1
        return n + 1


def columns_of(shown: InspectorBack) -> Columns:
    """The label, the windows, what they are multiplied by, the products, and their sum."""
    cell = 31 if shown.width <= 8 else 26 if shown.width <= 12 else 21
    widths, first = [MARGIN], {}
    for name, size in (("label", LABEL), ("window", cell), ("times", cell), ("product", cell), ("sum", SUM)):
        if name not in ("label", "window"):
            widths.append(SIGN)
        first[name] = len(widths) + 1
        widths += [size] * (shown.width if size == cell else 1)
    while sum(widths) < 1240:
        widths.append(cell)
    return Columns(widths, first)


def line_of(columns: Columns) -> dict[str, tuple[int, int]]:
    """The first and last column of everything in the line of yellow cells."""
    found, column, pixel = {}, 2, MARGIN
    for name, width in LINE.items():
        pixel += width
        end = max(column + 1, columns.at(pixel))
        found[name] = column, end - 1
        column = end
    return found


LINE: dict[str, int] = {"before gradient": 110, "gradient": 150}  # how wide its parts are, in pixels
for _choice, _limit in zip(CHOICES[1:], LIMITS, strict=True):
    LINE |= {f"before {_choice}": 62, _choice: 44, _limit: 48}
LINE["note"] = 350


def inspector_back_places(shown: InspectorBack) -> dict[str, Grid]:
    """Where everything is, on both sheets."""
    columns, sizes = columns_of(shown), shown.sizes() | shown.hidden_sizes()
    places: dict[str, Grid] = {}

    spacings = shown.spacings()

    def put(name: str, row: int, column: int, sheet: str = SHEET) -> None:
        places[BEFORE + name] = Grid(sheet, row, column, *sizes[BEFORE + name], spacings.get(BEFORE + name, (1, 1)))

    for name, (column, _) in line_of(columns).items():
        if not name.startswith("before"):
            put(name, CHOOSE, column)
    put("sentence", SAID, 2)
    for name, row in (("head", HEAD), ("step", STEP), ("says", SAYS)):
        put(name, row, 3)
    last = 3 + STEP_COLUMNS * shown.steps
    put("tick", STEP, last)
    put("where", SAYS, last)
    for name in ("label", "window", "times", "product", "sum"):
        put(name, TOP, columns.first[name])
    for name in ("window", "times", "product"):
        put(f"{name}_name", HEADS, columns.first[name])
    put("scale", HEAD, 1)
    put("maps_shown", 2, 1)
    row = 2
    for name in shown.hidden_sizes():
        put(name.removeprefix(BEFORE), row, 2, TABLE)
        row += sizes[name][0] + 2
    return places
