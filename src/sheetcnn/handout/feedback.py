"""What turns green or red: hidden fingerprints of what is right, columns that compare, and rules that colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.dimensions import ColumnDimension

from ..a1 import LETTERS, sheet_prefix
from ..arrays.grid import Grid, flat
from ..xlsx import palette
from ..xlsx.cells import Cell, CellBlock
from ..xlsx.draft import WorkbookDraft, area_of
from ..xlsx.labels import Sheet
from ..xlsx.rules import Rule, compared, where
from .draft import EXERCISE, FEEDBACK, Box, HandoutDraft, Total
from .fingerprint import fingerprints, status
from .marking import EXACT

SHADES = (  # of a right cell, by its part of the layer's largest: as on maps, the lighter the larger
    (0.6, palette.RIGHT, "000000"),
    (0.35, "86EFAC", "000000"),
    (0.18, "22A559", "000000"),
    (0.07, "15803D", "FFFFFF"),
)
DARKEST = ("14532D", "FFFFFF")  # of what is smaller
GREEN = (palette.RIGHT, palette.RIGHT_INK)  # of right cells that make no picture
WRONG, WRONG_INK = palette.WRONG, palette.WRONG_INK
PIECE = 100  # grids in one sum: Excel takes 255 arguments and 8,192 characters, of which a cell range has up to 56


def feedback(draft: HandoutDraft, rows: dict[int, int]) -> None:
    """Hidden fingerprints of what is right, hidden columns that compare, and rules that colour; `rows` are the tasks'."""
    hidden = draft.sheet(FEEDBACK)
    hidden.sheet_state = "veryHidden"
    hidden.protection.sheet = True
    rng = np.random.default_rng([draft.variant.number, 11])
    owns = _status_grids(draft)
    greens: dict[str, list[tuple[str, list[Rule]]]] = {}
    by_task: dict[int, list[tuple[Box, Grid]]] = {}
    line = 1
    style = draft.style("thumbnail", ";;;")
    for box, own in zip(draft.boxes, owns, strict=True):
        grid, counted = box.grid, ~np.isnan(box.right)
        if box.shown is not None:
            write, line = _near(draft, box, box.shown, line)
        else:
            write = _fingerprinted(draft, box, line, rng)
            line += grid.rows + 1
        value = float(draft.key)  # a blank is not right yet
        cells = {(i, j): Cell(style) for i, j in np.argwhere(~counted).tolist()}
        draft.fill(grid.sheet, CellBlock(own, np.where(counted, value, np.nan), style, write, cells=cells))
        by_task.setdefault(box.task, []).append((box, own))
        greens.setdefault(grid.sheet, []).append(_green(box, own))
    for sheet, rules in greens.items():
        _put_first(draft.book[sheet], rules)
        _hide(draft.book[sheet], [own for own in owns if own.sheet == sheet])
    for number, boxes in by_task.items():
        counts = [int((~np.isnan(box.right)).sum()) for box, _ in boxes]
        count = sum(counts)
        parts = [(own, float(n) if draft.key else 0.0) for (_, own), n in zip(boxes, counts, strict=True)]
        total, line = _sum(draft, parts, line)
        _done(draft, rows[number], total, float(count) if draft.key else 0.0, f'0" of {count:,}"', count)
    for each in draft.totals:
        line = _totalled(draft, each, rows[each.task], line, rng)


def _near(draft: HandoutDraft, box: Box, shown: Grid, line: int) -> tuple[Callable[[int], list[str]], int]:
    """Formulas that compare with cells that may be seen, and the next free line of the hidden sheet.

    Blank kernels count as zeros, and what zeros give may be right here and there: it counts once another number is typed.
    """
    grid, tolerance = box.grid, repr(box.tolerance)
    parts = [box.given[n : n + PIECE] for n in range(0, len(box.given), PIECE)]
    squares = ["+".join(f"SUMPRODUCT({a},{a})" for a in (each.seen_from(FEEDBACK).area for each in part)) for part in parts]
    place = Grid(FEEDBACK, line, 1, len(parts), 1)
    now = np.zeros((len(parts), 1))
    if draft.key:
        now[:, 0] = [sum(float(np.square(_written(draft, each)).sum()) for each in part) for part in parts]
    draft.fill(FEEDBACK, CellBlock(place, now, draft.style("table"), lambda i: [squares[i]]))
    typed = f"SUM({place.seen_from(grid.sheet).area})>0"

    def write(i: int) -> list[str]:
        pairs = [(grid.at(i, j), shown.at(i, j)) for j in range(grid.columns)]
        return [f"IF({typed},IF(ISNUMBER({a}),IF(ABS({a}-{b})<={tolerance},1,0),0),0)" for a, b in pairs]

    return write, line + len(parts) + 1


def _written(draft: HandoutDraft, grid: Grid) -> np.ndarray:
    blocks, n = draft.block_at(grid)
    return np.asarray(blocks[n].values)


def _fingerprinted(draft: WorkbookDraft, box: Box, line: int, rng: np.random.Generator) -> Callable[[int], list[str]]:
    """Formulas that compare with fingerprints, which are put on a line of the hidden sheet."""
    grid, style = box.grid, draft.style("table")
    width = Grid(FEEDBACK, line, 1, 1, 1)
    draft.fill(FEEDBACK, CellBlock(width, np.array([[2 * box.tolerance]]), style))
    there = []
    for n, values in enumerate(fingerprints(np.nan_to_num(box.right), box.tolerance, rng, centred=box.typed)):
        place = Grid(FEEDBACK, line, 3 + n * (grid.columns + 1), grid.rows, grid.columns)
        draft.fill(FEEDBACK, CellBlock(place, values, style))
        there.append(place.seen_from(grid.sheet))
    area = width.seen_from(grid.sheet).area
    return lambda i: [status(grid.at(i, j), area, *(place.at(i, j) for place in there)) for j in range(grid.columns)]


def _done(draft: WorkbookDraft, row: int, formula: str, value: float, number_format: str, full: int) -> None:
    """How far a task is done."""
    place = Grid(EXERCISE, row, 6, 1, 1)
    draft.fill(EXERCISE, CellBlock(place, np.array([[value]]), draft.style("table", number_format), lambda i: [formula]))
    green = PatternFill("solid", bgColor=GREEN[0])
    draft.book[EXERCISE].add_rules(area_of(place), compared("equal", [str(full)], fill=green, font=Font(bold=True)))


def _sum(draft: WorkbookDraft, parts: list[tuple[Grid, float]], line: int) -> tuple[str, int]:
    """The formula of the sum of grids, each given with its own sum, and the next free line of the hidden sheet.

    Where one formula cannot name them all, it sums the sums of a hundred each, which stand on that line and below.
    """
    areas = [f"{sheet_prefix(grid.sheet)}{area_of(grid)}" for grid, _ in parts]
    if len(areas) <= PIECE:
        return f"SUM({','.join(areas)})", line
    starts = range(0, len(parts), PIECE)
    place = Grid(FEEDBACK, line, 1, len(starts), 1)
    values = np.array([[sum(value for _, value in parts[n : n + PIECE])] for n in starts])
    pieces = [f"SUM({','.join(areas[n : n + PIECE])})" for n in starts]
    draft.fill(FEEDBACK, CellBlock(place, values, draft.style("table"), lambda i: [pieces[i]]))
    return f"SUM({sheet_prefix(FEEDBACK)}{area_of(place)})", line + len(starts) + 1


def _totalled(draft: HandoutDraft, total: Total, row: int, line: int, rng: np.random.Generator) -> int:
    """Whether all cells of some layers have the right sum; returns the next free line of the hidden sheet."""
    ids = total.arrays
    right, written = (
        np.concatenate([values[array].ravel() for array in ids]) for values in (draft.variant.values, draft.content.written)
    )
    parts = [
        (grid, float(draft.content.written[array][index].sum()))
        for array in ids
        for index, grid in flat(draft.content.grids[array])
    ]
    text, line = _sum(draft, parts, line)
    helper, state = (Grid(FEEDBACK, line + 1, column, 1, 1) for column in (1, 2))
    box = Box(total.task, helper, np.array([[right.sum()]]), EXACT * (1 + float(np.abs(right).sum())))
    draft.fill(FEEDBACK, CellBlock(helper, np.array([[written.sum()]]), draft.style("table"), lambda i: [text]))
    value = np.nan if np.isnan(written.sum()) else float(draft.key)
    write = _fingerprinted(draft, box, line, rng)
    draft.fill(FEEDBACK, CellBlock(state, np.array([[value]]), draft.style("table"), write))
    _done(draft, row, state.seen_from(EXERCISE).area, value, total.number_format, 1)
    return line + 3


def _status_grids(draft: HandoutDraft) -> list[Grid]:
    """Where each box has its statuses: to the right of all that is there, and of other statuses of the same cells."""
    found: list[Grid] = []
    first: dict[str, int] = {}
    for box in draft.boxes:
        grid, sheet = box.grid, draft.book[box.grid.sheet]
        if grid.sheet not in first:
            ends = [block.grid.right + block.margin[3] for block in draft.blocks[grid.sheet]]
            first[grid.sheet] = max([*ends, sheet.max_column]) + 3
        own = Grid(grid.sheet, grid.top, first[grid.sheet] + grid.left, grid.rows, grid.columns, grid.spacing)
        while taken := [other for other in found if other.meets(own)]:  # two tasks on one map
            own = replace(own, left=max(other.right for other in taken) + 1)
        found.append(own)
    return found


def _hide(sheet: Sheet, grids: list[Grid]) -> None:
    left, right = min(grid.left for grid in grids), max(grid.right for grid in grids)
    name = LETTERS[left]
    sheet.column_dimensions[name] = ColumnDimension(sheet, index=name, min=left, max=right, hidden=True)


def _green(box: Box, own: Grid) -> tuple[str, list[Rule]]:
    """The range and the rules by which right cells are green, the larger the lighter: so the picture appears in green.

    What is filled in and wrong is red. A map that is computed from what is typed elsewhere is not: it nears its target.
    """
    cell, right = box.grid.at(0, 0), f"{own.at(0, 0)}=1"
    rules = []
    if box.largest > 0:
        for part, shade, ink in SHADES:
            test = f"AND({right},{cell}>{part * box.largest:.3g})"
            rules.append(where(test, fill=PatternFill("solid", bgColor=shade), font=Font(color=ink)))
    shade, ink = DARKEST if box.largest > 0 else GREEN
    rules.append(where(right, fill=PatternFill("solid", bgColor=shade), font=Font(color=ink)))
    if box.shown is None:
        test = f"AND(NOT(ISBLANK({cell})),ISNUMBER({own.at(0, 0)}),{own.at(0, 0)}=0)"
        rules.append(where(test, fill=PatternFill("solid", bgColor=WRONG), font=Font(color=WRONG_INK)))
    # LibreOffice lets a colour scale of the very same range win: so the range has one hidden cell more.
    return f"{area_of(box.grid)} {LETTERS[own.right]}{own.bottom}", rules


def _put_first(sheet: Sheet, rules: list[tuple[str, list[Rule]]]) -> None:
    """Rules that go before all that the sheet has already."""
    sheet.rules[:0] = [(area, rule) for area, own in rules for rule in own]
