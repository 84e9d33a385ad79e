"""Where the inspector's named rectangles are."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate

from ...arrays.grid import Grid
from ...model.trace import LARGEST
from .inspected import FINE, SHOT
from .table import BOX_COLUMNS, CHOICES, INSPECTOR, LIMITS, MARKS, TABLE, Inspector

SMALL = 8  # the width and height of a thumbnail's cells in pixels
CHOOSE, SAID, HEADS, TOP = 3, 4, 5, 7  # rows: what is chosen, the sentence, the words above the windows, and these
BESIDE = 70  # columns of thumbnails' cells beside the windows, at least: the yellow cells and the steps stand over them
MARK = 5  # pixels of the columns that say where thumbnails are marked, and in which colours a row is
NAME, SIGN, NUMBER, ACTIVATED, GAP = 64, 18, 50, 66, 12  # widths in pixels: names, operators, sums, and what lies between


@dataclass(frozen=True)
class Columns:
    """The columns of the sheet: their widths in pixels, and the first one of each part."""

    widths: list[int]
    first: dict[str, int]

    def at(self, pixel: int) -> int:
        """The first column that begins there or further right."""
        return bisect_left([0, *accumulate(self.widths)], pixel) + 1

    def line(self) -> dict[str, tuple[int, int]]:
        """The first and last column of everything in the line of yellow cells, one after the other."""
        found, column = {}, self.first["channel"]
        for name, width in LINE.items():
            found[name] = column, self.at(sum(self.widths[: column - 1]) + width) - 1
            column = found[name][1] + 1
        return found


def columns_of(inspector: Inspector) -> Columns:
    """A strip of columns: name, thumbnail, window × kernel = products, sum, and the steps beside it."""
    window, kernel = inspector.widths
    cell = next(pixels for most, pixels in CELLS.items() if max(window, kernel) <= most)
    widths: list[int] = []
    first: dict[str, int] = {}

    def put(name: str, *more: int) -> None:
        first[name] = len(widths) + 1
        widths.extend(more)

    put("mark", MARK, MARK)
    put("shade", MARK, MARK)
    put("channel", NAME)
    put("shot", *[SMALL] * SHOT if inspector.rays else [])
    put("gap", GAP)
    put("window", *[cell] * window)
    if kernel:
        for name in ("kernel", "product"):
            put(f"before {name}", SIGN)
            put(name, *[cell] * kernel)
        put("before sum", SIGN)
        put("sum", NUMBER)
    if inspector.activates_each:
        put("before part", SIGN)
        put("part", ACTIVATED)
    put("after", GAP)
    put("map_mark", MARK, MARK)
    put("box", *[SMALL] * max(BESIDE, (BOX_COLUMNS * inspector.boxes) + 20))
    return Columns(widths, first)


def inspector_places(inspector: Inspector) -> dict[str, Grid]:
    """Where the inspector's named rectangles are: on its own sheet, on the hidden one, and on the layers' sheets."""
    places = {}
    sizes, spacings = inspector.sizes() | inspector.hidden_sizes(), inspector.spacings()
    columns = columns_of(inspector)
    first = columns.first

    def put(name: str, row: int, column: int, sheet: str = INSPECTOR) -> None:
        places[name] = Grid(sheet, row, column, *sizes[name], spacings.get(name, (1, 1)))

    for name, (column, _) in columns.line().items():
        if name in (*CHOICES, *LIMITS, "note"):
            put(f"inspector_{name}", CHOOSE, column)
    put("inspector_scale", 2, 1)
    put("inspector_sentence", SAID, first["channel"])
    put("inspector_reaches", HEADS, first["channel"])
    put("inspector_window_shade", TOP, first["shade"])
    for name in ("channel", "window", "kernel", "product", "sum", "part"):
        if f"inspector_{name}" in sizes:
            put(f"inspector_{name}", TOP, first[name])
    if inspector.rays:
        put("inspector_shot", TOP, first["shot"])
        put("inspector_shot_mark", TOP, first["mark"])
        put("inspector_shot_shade", TOP, first["shade"] + 1)
    box = first["box"]
    put("inspector_head", TOP, box)
    put("inspector_sign", TOP + HEAD_ROWS, box)
    put("inspector_box", TOP + HEAD_ROWS, box + 2)
    put("inspector_tick", TOP + HEAD_ROWS + FINE + 1, box + 2)
    put("inspector_map_name", TOP + HEAD_ROWS + 2 * FINE + 3, box + 2)
    put("inspector_map_shot", TOP + HEAD_ROWS + 3 * FINE + 3, box + 2)
    put("inspector_map_mark", TOP + HEAD_ROWS + 3 * FINE + 3, first["map_mark"])
    row = 2
    for name in inspector.hidden_sizes():
        put(name, row, 2, TABLE)
        row += sizes[name][0] + 2
    taken: dict[str, int] = {}
    for stack in inspector.stacks.values():  # in the margin of the sheet, where nothing else is
        sheet = stack.grids[0].sheet
        places[stack.name] = Grid(sheet, 8 + taken.get(sheet, 0), 1, len(MARKS), 1)
        taken[sheet] = taken.get(sheet, 0) + len(MARKS)
    return places


CELLS = {4: 32, 5: 28, LARGEST: 25}  # the width of a window's cells in pixels, where windows are not wider than that
HEAD_ROWS = 4  # rows of thumbnails' cells for the words above a step
LINE = {"before layer": 50, "layer": 128}  # how wide its parts are at least, in pixels
for _choice, _limit in zip(CHOICES[1:], LIMITS, strict=True):
    LINE |= {f"before {_choice}": 50, _choice: 44, _limit: 50}
LINE["note"] = 480
