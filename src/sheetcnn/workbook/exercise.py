"""A handout: the workbook with blanks, planted mistakes and targets, its instruction sheet, and what turns blanks green."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from openpyxl.formatting.formatting import ConditionalFormattingList
from openpyxl.formatting.rule import CellIsRule, FormulaRule
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.worksheet import Worksheet

from ..grid import COLUMN, Grid, flat, seen_from, sheet_prefix
from ..handout.compute import Compute
from ..handout.design import Design
from ..handout.fill import Fill
from ..handout.fingerprint import fingerprints, status
from ..handout.mistake import Mistake, Planted
from ..handout.mistakes import MISTAKES
from ..handout.plan import Plan
from ..handout.shapes import HEADS, Shapes
from ..handout.task import Cells, Task, node_of
from ..layout import GALLERY_TOP, LEFT, Page
from ..network import INPUT
from ..views.gallery import GALLERY, thumbnails
from . import palette
from .cells import MAX_FORMULA, Cell, Pour
from .dress import Dressed, add_rules, description_sheet, protect, put, signed_scale
from .gallery import gallery_sheet
from .model import Model
from .pages import layer_sheet

EXERCISE, FEEDBACK = "Exercise", "_feedback"  # the sheets
WIDTHS = (3, 5, 62, 14, 14, 14, 14, 14)  # of the Exercise sheet's columns from A on
LETTERS = 70  # in a line of a task's words
FRAMES = ("DB2777", "2563EB", "EA580C", "7C3AED", "0D9488", "CA8A04")  # of cells to compute, and their windows
SHADES = (  # of a right cell, by its part of the layer's largest
    (0.6, "166534", "FFFFFF"),
    (0.35, "22A559", "000000"),
    (0.18, "5FD08B", "000000"),
    (0.07, "A7E9BF", "000000"),
)
GREEN = "DCFCE7"  # of any other right cell
EXACT = 1e-6  # how near a formula's value must be, as a part of the largest


@dataclass
class Box:
    """A rectangle of cells that turn green when they are right."""

    task: int
    grid: Grid
    right: np.ndarray
    tolerance: float
    largest: float = 0.0  # of the whole layer, where the picture is to appear in shades of green
    typed: bool = False  # whether numbers are typed, and are right as far as the tolerance goes
    shown: Grid | None = None  # what is compared with, where that may be seen


@dataclass
class _Sheets:
    """The sheets in the making, and the boxes and frames found so far."""

    dressed: Dressed
    model: Model
    plan: Plan
    key: bool
    boxes: list[Box] = field(default_factory=list)

    def page(self, layer: str) -> Page:
        return self.model.pages[layer]

    def pour_at(self, grid: Grid) -> tuple[list[Pour], int]:
        """Where a grid's pour is kept."""
        pours = self.dressed.pours[grid.sheet]
        places = (n for n, pour in enumerate(pours) if (pour.grid.top, pour.grid.left) == (grid.top, grid.left))
        return pours, next(places)

    def put_cells(self, grid: Grid, cells: dict[tuple[int, int], Cell]) -> None:
        """Write some cells of a grid otherwise."""
        pours, n = self.pour_at(grid)
        pours[n] = replace(pours[n], cells={**pours[n].cells, **cells})

    def cell(self, grid: Grid, i: int, j: int) -> Cell:
        """What is written in a cell so far."""
        pours, n = self.pour_at(grid)
        pour = pours[n]
        if (i, j) in pour.cells:
            return pour.cells[i, j]
        formula = None if pour.formula is None else pour.formula(i)[j]
        return Cell(pour.style, formula, float(pour.values[i, j]))


def dress_handout(model: Model, plan: Plan, key: bool, name: str, description: dict[str, Any], protected: bool) -> Dressed:
    """A student's workbook, or the key; `name` is whom it is for."""
    dressed = Dressed()
    dressed.book.properties.title = plan.exercise.settings.title
    dressed.book.properties.creator = f"sheetcnn {description['version']}"
    home = dressed.sheet(EXERCISE)
    if thumbnails(model.network, model.gallery):
        gallery_sheet(dressed, model)
    names = [EXERCISE, *(page.sheet for page in model.pages.values()), EXERCISE]
    for page, *neighbours in zip(model.pages.values(), names, names[2:], strict=False):
        layer_sheet(dressed, model, page, (neighbours[0], neighbours[1]), {}, {})
    sheets = _Sheets(dressed, model, plan, key)
    for number, task in enumerate(plan.exercise.tasks, start=1):
        if isinstance(task, Fill | Compute):
            _blanks(sheets, task, number)
        if isinstance(task, Design):
            _design(sheets, task, number)
        if isinstance(task, Mistake) and not key:
            _plant(sheets, plan.planted[number])
        if isinstance(task, Shapes) and not key:
            _hide_shapes(sheets)
    for task in plan.exercise.tasks:
        if isinstance(task, Compute):
            _frames(sheets, task)
    _exercise(sheets, home, name)
    description_sheet(dressed, description)
    if protected:
        protect(dressed)
    return dressed


# -- what is left blank or changed ---------------------------------------------------------------------------------------
def _blanks(sheets: _Sheets, task: Cells, number: int) -> None:
    """The cells of a task, blank and yellow; in the key only yellow."""
    right = sheets.plan.values[task.layer]["output"]
    mask = task.mask(sheets.plan.network)
    typed = not isinstance(task, Fill) or task.answer == "number"
    tolerance = max(task.tolerance if typed else 0.0, EXACT * max(1.0, float(np.abs(right).max())))
    style = sheets.dressed.style("todo_number" if typed else "todo", palette.number_format(right))
    for index, grid in flat(sheets.page(task.layer).grids["output"]):
        inside = mask[index].reshape(grid.rows, grid.columns)
        if not inside.any():
            continue
        cells = {
            (i, j): replace(sheets.cell(grid, i, j), style=style) if sheets.key else Cell(style)
            for i, j in np.argwhere(inside).tolist()
        }
        sheets.put_cells(grid, cells)
        if sheets.plan.exercise.live(task):
            (top, left), (bottom, end) = np.argwhere(inside).min(axis=0), np.argwhere(inside).max(axis=0)
            part = Grid(grid.sheet, grid.top + top, grid.left + left, bottom - top + 1, end - left + 1)
            values = right[index].reshape(grid.rows, grid.columns)[top : bottom + 1, left : end + 1]
            sheets.boxes.append(Box(number, part, values, tolerance, 0.0 if typed else float(right.max()), typed))


def _design(sheets: _Sheets, task: Design, number: int) -> None:
    """Blank kernels, and the target beside everything else."""
    page, k = sheets.page(task.layer), task.map - 1
    numbers = sheets.plan.parameters[task.layer]
    grids = list(page.grids["weight"][k]) + ([page.grids["bias"][k]] if task.bias else [])
    for grid in grids:
        style = sheets.dressed.style("todo_number", palette.number_format(numbers["weight"]))
        sheets.put_cells(
            grid,
            {
                (i, j): replace(sheets.cell(grid, i, j), style=style) if sheets.key else Cell(style)
                for i, j in np.ndindex(grid.rows, grid.columns)
            },
        )
    right = sheets.plan.values[task.layer]["output"]
    target, own = right[k] + 0.0, page.grids["output"][k]
    place = Grid(own.sheet, own.top, page.columns + 3, own.rows, own.columns)
    sheet = sheets.dressed.book[own.sheet]
    put(sheet, place.top - 1, place.left, f"target of map {task.map}", "label")
    sheets.dressed.name(f"{task.layer}_target_{task.map}", place)
    sheets.dressed.pour(own.sheet, Pour(place, target, sheets.dressed.style("formula", palette.number_format(right))))
    largest = float(np.abs(right).max()) or 1.0
    scale = signed_scale([right]) if right.min() < 0 else palette.Scale(((0.0, palette.LIGHT), (largest, palette.DARK)))
    if right.min() >= 0:
        pale = CellIsRule("greaterThan", [repr(0.5 * largest)], font=Font(color=palette.PALE_TEXT))
        sheet.conditional_formatting.add(_range(place), pale)
    _colour_scale(sheet, _range(place), scale)
    if sheets.plan.exercise.live(task):
        tolerance = task.tolerance * (1 + float(np.abs(target).max()))
        sheets.boxes.append(Box(number, own, target, tolerance, float(target.max()), shown=place))


def _colour_scale(sheet: Worksheet, area: str, scale: palette.Scale) -> None:
    from openpyxl.formatting.rule import ColorScaleRule

    keys = ("start", "mid", "end") if len(scale.points) == 3 else ("start", "end")
    arguments: dict[str, Any] = {}
    for key, (value, shade) in zip(keys, scale.points, strict=True):
        arguments |= {f"{key}_type": "num", f"{key}_value": value, f"{key}_color": shade}
    sheet.conditional_formatting.add(area, ColorScaleRule(**arguments))


def _plant(sheets: _Sheets, planted: Planted) -> None:
    """Wrong formulas, or a number in the place of one; their values are what they give."""
    node, page = planted.node, sheets.page(planted.node.name)
    read = {name: other.grids for name, other in sheets.model.pages.items()}
    xs = tuple(seen_from(sheets.plan.network.output_of(name, read), node.name) for name in node.inputs)
    write = MISTAKES[planted.kind].formula(node, xs, page.grids, planted.pick)
    for at in map(tuple, np.argwhere(planted.mask).tolist()):
        grid, (i, j) = page.grids["output"][at[0]], at[1:]
        cell = sheets.cell(grid, i, j)
        if planted.number is None:
            sheets.put_cells(grid, {(i, j): replace(cell, formula=write(at))})
        else:
            sheets.put_cells(grid, {(i, j): replace(cell, formula=None, value=planted.number)})


def _hide_shapes(sheets: _Sheets) -> None:
    """Sizes and parameter counts are not to be read off the other sheets."""
    book = sheets.dressed.book
    for node in sheets.plan.network.nodes:
        for row in (3, 4, 5):
            book[node.name].cell(row, LEFT).value = None
    if GALLERY in sheets.dressed.pours:
        for mark in book[GALLERY][GALLERY_TOP - 1]:
            if isinstance(mark.value, str) and not mark.value.startswith(INPUT):
                mark.value = mark.value.split(":")[0]


# -- frames around what is computed by hand --------------------------------------------------------------------------------
def _frames(sheets: _Sheets, task: Compute) -> None:
    """A frame in its own colour around each blank cell and its windows; around kernels too."""
    network = sheets.plan.network
    node = node_of(network, task.layer)
    look, page = node.layer.look(*node.in_shapes), sheets.page(task.layer)
    assert look is not None
    source = sheets.page(node.inputs[0]).grids[network.key_of(node.inputs[0])]
    cells = np.argwhere(task.mask(network)).tolist()
    filters = [m // look.maps for m, _, _ in cells]
    for n, (m, i, j) in enumerate(cells):
        colour = FRAMES[n % len(FRAMES)]
        _frame(sheets, page.grids["output"][m], (i, j), (i, j), colour)
        k, depth = divmod(m, look.maps)
        top, left = (at * step - start for at, step, start in zip((i, j), look.stride, look.start, strict=True))
        for t in range(look.terms):
            level = depth * look.levels[0] - look.levels[1] + t * look.levels[2]
            if 0 <= level < look.depth:
                grid = source[k // look.filters * look.group + level]
                ends = [
                    corner + (size - 1) * step
                    for corner, size, step in zip((top, left), look.size, look.dilation, strict=True)
                ]
                last = min(ends[0], grid.rows - 1), min(ends[1], grid.columns - 1)
                _frame(sheets, grid, (max(top, 0), max(left, 0)), last, colour)
        if look.kernel is not None and filters.index(k) == n:
            for _, grid in flat(page.grids[look.kernel][k]):
                _frame(
                    sheets, grid, (0, 0), (grid.rows - 1, grid.columns - 1), colour if filters.count(k) == 1 else palette.INK
                )


def _frame(sheets: _Sheets, grid: Grid, first: tuple[int, int], last: tuple[int, int], colour: str) -> None:
    """A frame around some cells of a grid."""
    (top, left), (bottom, right) = first, last
    cells = {}
    for i in range(top, bottom + 1):
        for j in range(left, right + 1):
            sides = (j == left, j == right, i == top, i == bottom)
            if any(sides):
                cell = sheets.cell(grid, i, j)
                cells[i, j] = replace(cell, style=sheets.dressed.framed(cell.style, sides, colour))
    sheets.put_cells(grid, cells)


# -- the instruction sheet ---------------------------------------------------------------------------------------------------
def _exercise(sheets: _Sheets, sheet: Worksheet, name: str) -> None:
    """What to do, in one page: the tasks, where they are, their points, and how far they are done."""
    dressed, plan = sheets.dressed, sheets.plan
    settings = plan.exercise.settings
    sheet.page_setup.fitToHeight = 1
    for column, width in enumerate(WIDTHS, start=1):
        sheet.column_dimensions[COLUMN[column]].width = width
    put(sheet, 1, 2, settings.title + ("   ·   answer key" if sheets.key else ""), "title")
    sheet.row_dimensions[1].height = 28
    put(sheet, 2, 2, name, "strong")
    put(sheet, 3, 2, settings.about, "body")
    sheet.merge_cells("B3:H3")
    sheet.row_dimensions[3].height = 14 * (1 + len(settings.about) // 115) + 4
    live = any(plan.exercise.live(task) for task in plan.exercise.tasks)
    lines = [
        "Do the tasks below. Yellow cells are yours to fill in; the links lead to them.",
        "If your program shows a bar “Enable Editing”, click it first." + (" What is right turns green." if live else ""),
        f"Save this file{'' if name else ' under your own name'} and hand it in. You may use spare cells for notes, but insert no rows or columns.",
    ]
    for row, text in enumerate(lines, start=4):
        put(sheet, row, 2, f"{row - 3}   {text}", "row")
    for column, text in ((2, ""), (3, "task"), (4, "sheet"), (5, "points"), (6, "done" if live else "")):
        put(sheet, 8, column, text, "head" if column < 5 else "head_right")
    row, states = 9, {}
    for number, task in enumerate(plan.exercise.tasks, start=1):
        states[number] = row
        row = _task_rows(sheets, sheet, task, number, row)
    put(sheet, row, 3, "all tasks", "row")
    _number(dressed, row, 5, plan.exercise.points)
    row += 2
    for number, task in enumerate(plan.exercise.tasks, start=1):
        if isinstance(task, Shapes):
            row = _shapes_table(sheets, sheet, task, number, row)
    if live:
        _feedback(sheets, states)


def _number(dressed: Dressed, row: int, column: int, value: float) -> None:
    dressed.pour(
        EXERCISE,
        Pour(Grid(EXERCISE, row, column, 1, 1), np.array([[value]]), dressed.style("table", "0.##" if value % 1 else "0")),
    )


def _task_rows(sheets: _Sheets, sheet: Worksheet, task: Task, number: int, row: int) -> int:
    """A task's row, and where something is to be answered, a second one; returns the next free row."""
    plan = sheets.plan
    words = task.text or task.instruction(plan, number)
    put(sheet, row, 2, f"{number}", "strong")
    put(sheet, row, 3, words, "body")
    sheet.row_dimensions[row].height = 13.5 * (1 + len(words) // LETTERS) + 6
    layer = getattr(task, "layer", None)
    if isinstance(layer, str):
        put(sheet, row, 4, layer, "link", layer)
    elif isinstance(task, Shapes):
        put(sheet, row, 4, "below", "row")
    _number(sheets.dressed, row, 5, task.points)
    if not isinstance(task, Mistake):
        return row + 1
    row += 1
    put(sheet, row, 3, "A cell that has the mistake, such as conv1!D12:", "aside_right")
    place = Grid(EXERCISE, row, 4, 1, 1)
    sheets.dressed.name(f"task_{number}_cell", place)
    put(sheet, row, 4, _named(sheets, plan.planted[number]) if sheets.key else "", "choice")
    if sheets.key:
        put(sheet, row, 5, f"  {MISTAKES[plan.planted[number].kind].words}", "soft")
    return row + 1


def _named(sheets: _Sheets, planted: Planted) -> str:
    at = np.argwhere(planted.mask)[0].tolist()
    grid = sheets.page(planted.node.name).grids["output"][at[0]]
    return f"{sheet_prefix(grid.sheet)}{grid.at(at[1], at[2])}"


def _shapes_table(sheets: _Sheets, sheet: Worksheet, task: Shapes, number: int, row: int) -> int:
    """The layer table with blanks; returns the next free row."""
    plan, dressed = sheets.plan, sheets.dressed
    wanted = task.wanted(plan.network)
    put(sheet, row, 3, f"task {number}: layer and its settings", "head")
    for column, head in enumerate(HEADS, start=4):
        put(sheet, row, column, head, "head_right")
    place = Grid(EXERCISE, row + 1, 4, len(wanted), len(HEADS))
    dressed.name(f"task_{number}_shapes", place)
    values = np.array([[np.nan if n is None else float(n) for n in line] for line in wanted])
    style, blank = dressed.style("answer", "0"), dressed.style("blank")
    cells = {
        (i, j): Cell(blank if np.isnan(values[i, j]) else style, None, float(values[i, j]) if sheets.key else np.nan)
        for i, j in np.ndindex(values.shape)
    }
    dressed.pour(EXERCISE, Pour(place, values, style, None, cells=cells))
    before = "input"
    for line, node in enumerate(task.nodes(plan.network), start=row + 1):
        reads = "" if node.inputs == (before,) else f"  ← {', '.join(node.inputs)}"
        settings = node.layer.setting_words()
        put(sheet, line, 3, f"{node.name}{reads}  ·  {node.layer.type}" + (f": {settings}" if settings else ""), "body")
        sheet.row_dimensions[line].height = 27 if len(f"{node.name}{reads}{settings}") > LETTERS - 14 else 16
        before = node.name
    if plan.exercise.live(task):
        sheets.boxes.append(Box(number, place, values, 0.4, typed=True))
    return row + len(wanted) + 2


# -- what turns green ------------------------------------------------------------------------------------------------------------
def _feedback(sheets: _Sheets, rows: dict[int, int]) -> None:
    """Hidden fingerprints of what is right, hidden columns that compare, and rules that colour; `rows` are the tasks'."""
    dressed = sheets.dressed
    hidden = dressed.sheet(FEEDBACK)
    hidden.sheet_state = "veryHidden"
    hidden.protection.sheet = True
    rng = np.random.default_rng([sheets.plan.number, 11])
    first = {box.grid.sheet: _free(sheets, box.grid.sheet) for box in sheets.boxes}
    by_task: dict[int, list[tuple[Box, Grid]]] = {}
    line = 1
    style = dressed.style("thumbnail", ";;;")
    for box in sheets.boxes:
        grid, counted = box.grid, ~np.isnan(box.right)
        own = Grid(grid.sheet, grid.top, first[grid.sheet] + grid.left, grid.rows, grid.columns)
        if box.shown is not None:
            write = _near(grid, box.shown, repr(box.tolerance))
        else:
            write = _fingerprinted(dressed, box, line, rng)
            line += grid.rows + 1
        # A blank is not right yet; a map that depends on blank kernels has no values before it is computed.
        value = 1.0 if sheets.key else 0.0 if box.shown is None else np.nan
        cells = {(i, j): Cell(style) for i, j in np.argwhere(~counted).tolist()}
        dressed.pour(grid.sheet, Pour(own, np.where(counted, value, np.nan), style, write, cells=cells))
        by_task.setdefault(box.task, []).append((box, own))
        _green(dressed.book[grid.sheet], box, own)
    for sheet, column in first.items():
        _hide(dressed.book[sheet], column, [box.grid for box in sheets.boxes if box.grid.sheet == sheet])
    for number, boxes in by_task.items():
        count = sum(int((~np.isnan(box.right)).sum()) for box, _ in boxes)
        known = all(box.shown is None for box, _ in boxes)
        value = float(count) if sheets.key else 0.0 if known else np.nan
        areas = [f"{sheet_prefix(own.sheet)}{_range(own)}" for _, own in boxes]
        _done(dressed, rows[number], f"SUM({','.join(areas)})", value, f'0" of {count:,}"', count)
    for number, task in enumerate(sheets.plan.exercise.tasks, start=1):
        if isinstance(task, Mistake) and sheets.plan.exercise.live(task):
            _mended(sheets, task, rows[number], line, rng)
            line += 3


def _near(grid: Grid, shown: Grid, tolerance: str) -> Callable[[int], list[str]]:
    """Formulas that compare with cells that may be seen."""

    def write(i: int) -> list[str]:
        pairs = [(grid.at(i, j), shown.at(i, j)) for j in range(grid.columns)]
        return [f"IF(ISNUMBER({a}),IF(ABS({a}-{b})<={tolerance},1,0),0)" for a, b in pairs]

    return write


def _fingerprinted(dressed: Dressed, box: Box, line: int, rng: np.random.Generator) -> Callable[[int], list[str]]:
    """Formulas that compare with fingerprints, which are put on a line of the hidden sheet."""
    grid, style = box.grid, dressed.style("table")
    width = Grid(FEEDBACK, line, 1, 1, 1)
    dressed.pour(FEEDBACK, Pour(width, np.array([[2 * box.tolerance]]), style))
    there = []
    for n, values in enumerate(fingerprints(np.nan_to_num(box.right), box.tolerance, rng, centred=box.typed)):
        place = Grid(FEEDBACK, line, 3 + n * (grid.columns + 1), grid.rows, grid.columns)
        dressed.pour(FEEDBACK, Pour(place, values + 0.0, style))
        there.append(place.seen_from(grid.sheet))
    area = width.seen_from(grid.sheet).area
    return lambda i: [status(grid.at(i, j), area, *(place.at(i, j) for place in there)) for j in range(grid.columns)]


def _done(dressed: Dressed, row: int, formula: str, value: float, number_format: str, full: int) -> None:
    """How far a task is done."""
    place = Grid(EXERCISE, row, 6, 1, 1)
    dressed.pour(EXERCISE, Pour(place, np.array([[value]]), dressed.style("table", number_format), lambda i: [formula]))
    green = PatternFill("solid", bgColor=GREEN)
    dressed.book[EXERCISE].conditional_formatting.add(
        _range(place), CellIsRule("equal", [str(full)], fill=green, font=Font(bold=True))
    )


def _mended(sheets: _Sheets, task: Mistake, row: int, line: int, rng: np.random.Generator) -> None:
    """Whether the mistake is mended, told from the sum of all maps where it might be, so that nothing tells where it is."""
    dressed, plan = sheets.dressed, sheets.plan
    layers = list(dict.fromkeys(node.name for node, _ in task.places(plan.network, plan.taken)))
    areas = [f"{sheet_prefix(name)}{_range(grid)}" for name in layers for _, grid in flat(sheets.page(name).grids["output"])]
    text = f"SUM({','.join(areas)})"
    if len(areas) > 255 or len(text) > MAX_FORMULA:
        return
    right, written = (
        np.concatenate([of[name]["output"].ravel() for name in layers]) for of in (plan.values, sheets.model.written)
    )
    helper, state = (Grid(FEEDBACK, line + 1, column, 1, 1) for column in (1, 2))
    total = Box(0, helper, np.array([[right.sum()]]), EXACT * (1 + float(np.abs(right).sum())))
    dressed.pour(FEEDBACK, Pour(helper, np.array([[written.sum()]]), dressed.style("table"), lambda i: [text]))
    value = np.nan if np.isnan(written.sum()) else float(sheets.key)
    write = _fingerprinted(dressed, total, line, rng)
    dressed.pour(FEEDBACK, Pour(state, np.array([[value]]), dressed.style("table"), write))
    _done(dressed, row, state.seen_from(EXERCISE).area, value, '"mended";;"not yet"', 1)


def _free(sheets: _Sheets, sheet: str) -> int:
    """How far to the right of a cell its status stands: beyond all that is there."""
    pours = [pour.grid.right + pour.margin[3] for pour in sheets.dressed.pours[sheet]]
    return max([*pours, sheets.dressed.book[sheet].max_column]) + 3


def _hide(sheet: Worksheet, column: int, grids: list[Grid]) -> None:
    left, right = column + min(grid.left for grid in grids), column + max(grid.right for grid in grids)
    name = COLUMN[left]
    sheet.column_dimensions[name] = ColumnDimension(sheet, index=name, min=left, max=right, hidden=True)


def _green(sheet: Worksheet, box: Box, own: Grid) -> None:
    """Right cells are green, the larger the darker: so the picture appears in green."""
    cell, right = box.grid.at(0, 0), f"{own.at(0, 0)}=1"
    rules = []
    if box.largest > 0:
        for part, shade, ink in SHADES:
            test = f"AND({right},{cell}>{part * box.largest:.3g})"
            rules.append(FormulaRule([test], fill=PatternFill("solid", bgColor=shade), font=Font(color=ink)))
    rules.append(FormulaRule([right], fill=PatternFill("solid", bgColor=GREEN), font=Font(color="14532D")))
    # LibreOffice lets a colour scale of the very same range win: so the range has one hidden cell more.
    area = f"{_range(box.grid)} {COLUMN[own.right]}{own.bottom}"
    others, sheet.conditional_formatting = sheet.conditional_formatting, ConditionalFormattingList()
    add_rules(sheet, area, rules)
    for other in others:
        for rule in other.rules:
            rule.priority = 0
            sheet.conditional_formatting.add(str(other.sqref), rule)


def _range(grid: Grid) -> str:
    return f"{COLUMN[grid.left]}{grid.top}:{COLUMN[grid.right]}{grid.bottom}"
