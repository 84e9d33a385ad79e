"""What the sheet looks like: one flow from what was met, times what comes from behind, to the gradient."""

from __future__ import annotations

import numpy as np
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.dimensions import ColumnDimension

from ...a1 import LETTERS
from ...arrays.grid import Grid
from ...xlsx import palette
from ...xlsx.cells import CellBlock
from ...xlsx.draft import WorkbookDraft, area_of
from ...xlsx.labels import Sheet, merged, put, put_line
from ...xlsx.rules import compared, where
from ..content import WorkbookContent
from ..inspector.colouring import BOX, RIGHT, WRONG, cell_of, graded
from .formulas import HOLE, constants, inspector_back_views
from .place import (
    CHOOSE,
    HEAD,
    HEADS,
    SAID,
    SAYS,
    STEP,
    TOP,
    Columns,
    columns_of,
    inspector_back_places,
    line_of,
)
from .table import BEFORE, CHOICES, LIMITS, LONGEST, SCALES, SHEET, STEP_COLUMNS, TABLE, InspectorBack

WORDS = "How one cell of a gradient comes about. Choose a gradient, a filter (or map), a channel, a row and a column."
HEIGHTS = {1: 24, 2: 16, CHOOSE: 20, SAID: 22, HEAD: 26, STEP: 20, SAYS: 24, HEADS: 16}  # in points
SMALL = 0.05  # a gradient whose numbers need powers of ten
STYLES = {"label": "small", "note": "wrong", "sentence": "strong", "head": "small_head", "says": "small_head"}


def inspector_back_of(content: WorkbookContent) -> InspectorBack | None:
    """The sheet's contents; None where there is no gradient."""
    shown = InspectorBack(content.graph, content.grids, content.values)
    return shown if shown.subjects else None


def inspector_back_sheet(draft: WorkbookDraft, content: WorkbookContent, shown: InspectorBack) -> None:
    """Both sheets, the visible one and the hidden one with the tables."""
    sheet, places, columns = draft.sheet(SHEET, ""), inspector_back_places(shown), columns_of(shown)
    for n, width in enumerate(columns.widths, start=1):
        letter = LETTERS[n]
        sheet.column_dimensions[letter] = ColumnDimension(sheet, index=letter, width=(width - 0.45) / 7, customWidth=True)
    for row in range(1, TOP + shown.lines):
        sheet.row_dimensions[row].height = HEIGHTS.get(row, 16)
    sheet.freeze_panes = f"A{TOP}"
    put(sheet, 1, 2, SHEET, "title")
    put(sheet, 2, 2, WORDS, "words")
    put_line(sheet, 1, columns.at(330), [("Overview", content.home), ("Inspector", "Inspector"), ("Loss", "Loss")])
    if shown.more:
        put(sheet, 1, columns.at(640), f"and {shown.more} more, for which there is no room", "soft")
    put(sheet, HEADS, columns.first["sum"], "Σ", "strong_right")
    last = places[f"{BEFORE}tick"].left
    for row in (STEP, SAYS):
        merged(sheet, row, last, 1, 3 * STEP_COLUMNS)
    _choices(draft, sheet, shown, places, columns)
    for s in range(shown.steps):
        for row in (HEAD, STEP, SAYS):
            merged(sheet, row, 3 + s * STEP_COLUMNS, 1, STEP_COLUMNS)
    _colours(sheet, shown, places)


def _choices(draft: WorkbookDraft, sheet: Sheet, shown: InspectorBack, places: dict[str, Grid], columns: Columns) -> None:
    line, numbers = line_of(columns), places[f"{BEFORE}numbers"]
    lists = {"gradient": places[f"{BEFORE}subjects"]}
    for n, choice in enumerate(CHOICES[1:]):
        lists[choice] = Grid(numbers.sheet, numbers.top, numbers.left + n, numbers.rows, 1)
    for limit in (*LIMITS, "note"):
        first, last = line[limit]
        merged(sheet, CHOOSE, first, 1, last - first + 1)
    for choice, value in shown.first_choice().items():
        (before, end), (first, last) = line[f"before {choice}"], line[choice]
        put(sheet, CHOOSE, before, f"{choice} ", "aside_right")
        merged(sheet, CHOOSE, before, 1, end - before + 1)
        for column in range(first, last + 1):
            put(sheet, CHOOSE, column, value if column == first else "", "choice")
        merged(sheet, CHOOSE, first, 1, last - first + 1)
        rule = DataValidation(type="list", formula1=lists[choice].seen_from(SHEET).area, allow_blank=False)
        rule.error, rule.errorTitle = f"Choose one of the list: there is no such {choice}.", f"No such {choice}"
        rule.showErrorMessage = int(shown.table[:, : len(LIMITS)].max()) <= LONGEST
        sheet.add_data_validation(rule)
        cell = places[BEFORE + choice]
        rule.add(cell.at(0, 0))
        draft.name(BEFORE + choice, cell)


def _colours(sheet: Sheet, shown: InspectorBack, places: dict[str, Grid]) -> None:
    add = sheet.add_rules
    maps = cell_of(places[f"{BEFORE}maps_shown"], 0, 0)
    for n, name in enumerate(SCALES):
        grid = places[BEFORE + ("window" if name == "read" else name)]
        size = cell_of(places[f"{BEFORE}scale"], n, 0)
        weights, as_maps = (palette.Scale(colours, (-1.0, 0.0, 1.0), size) for colours in (palette.WEIGHTS, palette.MAPS))
        add(area_of(grid), compared("equal", [f'"{HOLE}"'], fill=PatternFill("solid", bgColor=palette.BLANK), border=BOX))
        scales = [(f"{maps}=0", weights), (f"{maps}=1", as_maps)] if name == "read" else [("", weights)]
        graded(sheet, grid, scales)
    steps, tick = places[f"{BEFORE}step"], places[f"{BEFORE}tick"]
    cells = f"{LETTERS[steps.left]}{steps.top}:{LETTERS[steps.right + STEP_COLUMNS - 1]}{steps.top}"
    shade = PatternFill("solid", bgColor=palette.STEP)
    add(cells, where(f"ISNUMBER({LETTERS[steps.left]}{steps.top})", fill=shade, font=Font(bold=True), border=BOX))
    wide = area_of(Grid("", tick.top, tick.left, 1, 3 * STEP_COLUMNS))
    for sign, fill in (("=", RIGHT), ("<>", WRONG)):
        add(wide, where(f'LEFT({cell_of(tick, 0, 0)},1){sign}"✓"', fill=fill))


def inspector_back_cells(draft: WorkbookDraft, content: WorkbookContent, shown: InspectorBack) -> None:
    """The hidden sheet, and all formulas."""
    places, hidden = inspector_back_places(shown), draft.sheet(TABLE)
    hidden.sheet_state = "hidden"
    for name in shown.hidden_sizes():
        put(hidden, places[name].top - 1, places[name].left, name.removeprefix(BEFORE).replace("_", " "), "soft")
    for name, texts in constants(shown, places).items():
        draft.name(name, places[name])
        for i, line in enumerate(texts):
            for j, text in enumerate(line):
                put(hidden, places[name].top + i, places[name].left + j, text, "row")
    for name, numbers in shown.tables().items():
        draft.name(name, places[name])
        draft.fill(TABLE, CellBlock(places[name], numbers, draft.style("formula", "0")))
    for view in inspector_back_views(shown, places, shown.first_choice()):
        draft.view(view, places[view.name], _style(draft, content, view.name.removeprefix(BEFORE), places[view.name]))


def _style(draft: WorkbookDraft, content: WorkbookContent, name: str, grid: Grid) -> int:
    if grid.sheet == TABLE or name in ("scale", "maps_shown"):
        return draft.style("thumbnail", ";;;")
    gradients = [array for array in content.graph if array.key.startswith("grad_")]
    largest = float(np.median([np.abs(content.values[array.id]).max(initial=0) for array in gradients]))
    small = largest < SMALL
    if name in ("window", "times", "product"):
        return draft.style("inspected", "0E+0;-0E+0;0" if small and name != "window" else "#.00;-#.00;0")
    if name in ("sum", "step"):
        return draft.style("step", "0.00E+0;-0.00E+0;0" if small else "0.0000")
    return draft.style("note", '"of "0') if name in LIMITS else draft.style(STYLES.get(name, "strong"), "General")
