"""The inspector's sheet: one flow from the channels to the cell, from left to right."""

from __future__ import annotations

import numpy as np
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.worksheet import Worksheet

from ...a1 import LETTERS
from ...arrays.computed_range import ComputedRange
from ...arrays.grid import Grid
from ...model.settings import INPUT
from ...xlsx.cells import CellBlock
from ...xlsx.draft import WorkbookDraft
from ...xlsx.labels import Sheet, put, put_line
from ..content import WorkbookContent
from ..scales.look import scale_of
from .colouring import colour_inspector
from .formulas import inspector_views
from .inspected import FINE
from .place import CHOOSE, HEAD_ROWS, HEADS, SAID, SMALL, TOP, Columns, columns_of
from .table import BOX_COLUMNS, CHOICES, INSPECTOR, LIMITS, LONGEST, TABLE, Inspector

WORDS = "How one cell comes about. Choose a layer, a map, a row and a column in the yellow cells."
HEIGHTS = {1: 26, 2: 18, CHOOSE: 20, SAID: 22, HEADS: 18}  # in points
HEADINGS = {"window": "window", "kernel": "kernel", "product": "products", "sum": "Σ", "part": "activated"}
OPERATORS = {"kernel": "×", "product": "=", "sum": "→", "part": "→"}  # before each


def inspector_of(content: WorkbookContent) -> Inspector | None:
    """The inspector of a network; None where no layer can be looked into."""
    inspector = Inspector(content.graph, content.grids)
    return inspector if inspector.layers else None


def inspector_sheet(draft: WorkbookDraft, content: WorkbookContent, inspector: Inspector, places: dict[str, Grid]) -> None:
    """The visible sheet, without its formulas: labels, drop-downs, colours."""
    sheet = draft.sheet(INSPECTOR, "")  # of use where a cell can be chosen
    columns = columns_of(inspector)
    for n, width in enumerate(columns.widths, start=1):
        letter = LETTERS[n]
        sheet.column_dimensions[letter] = ColumnDimension(sheet, index=letter, width=(width - 0.45) / 7, customWidth=True)
    sheet.sheet_format.defaultRowHeight = SMALL * 0.75
    sheet.sheet_format.customHeight = True
    for row, height in HEIGHTS.items():
        sheet.row_dimensions[row].height = height
    sheet.freeze_panes = f"A{HEADS + 1}"
    sheet.sheet_view.showRowColHeaders = False  # of so narrow columns, they could not be read
    left = columns.first["channel"]
    put(sheet, 1, left, INSPECTOR, "title")
    put(sheet, 2, left, WORDS, "words")
    put_line(sheet, 2, columns.at(680), [("Overview", "Overview")])
    if inspector.unlisted:
        put(sheet, 1, columns.at(240), _unlisted(inspector), "soft")
    for name, text in HEADINGS.items():
        if (grid := places.get(f"inspector_{name}")) is not None:
            put(sheet, HEADS, grid.right, text, "strong_right")
            if name in OPERATORS:
                put(sheet, HEADS, grid.left - 1, OPERATORS[name], "sign")
    _choices(draft, sheet, inspector, places, columns)
    _merge_lines(sheet, inspector, places)
    picture = content.graph.output(INPUT)
    colour_inspector(sheet, inspector, places, [scale_of(content, picture, c) for c in range(picture.shape[0])])


def _unlisted(inspector: Inspector) -> str:
    """Which layers are not offered, and why."""
    by_reason: dict[str, list[str]] = {}
    for name, why in inspector.unlisted.items():
        by_reason.setdefault(why, []).append(name)
    whole = "; ".join(f"{', '.join(names)} ({why})" for why, names in by_reason.items())
    return f"Not shown here: {whole if len(whole) < 150 else whole[:149] + '…'}"


def _choices(
    draft: WorkbookDraft, sheet: Worksheet, inspector: Inspector, places: dict[str, Grid], columns: Columns
) -> None:
    """The yellow cells with their drop-downs, in one line."""
    lists = {"layer": places["inspector_layers"]}
    numbers, line = places["inspector_numbers"], columns.line()
    for limit in (*LIMITS, "note"):
        _merge(sheet, CHOOSE, line[limit][0], CHOOSE, line[limit][1])
    for n, choice in enumerate(CHOICES[1:]):
        lists[choice] = Grid(numbers.sheet, numbers.top, numbers.left + n, numbers.rows, 1)
    for choice, value in inspector.first_choice().items():
        cell, (_, last) = places[f"inspector_{choice}"], line[choice]
        for column in range(cell.left, last + 1):
            put(sheet, cell.top, column, "", "choice")
        put(sheet, cell.top, cell.left, value, "choice")
        _merge(sheet, cell.top, cell.left, cell.top, last)
        before = line[f"before {choice}"]
        put(sheet, cell.top, before[0], f"{choice} ", "aside_right")
        _merge(sheet, cell.top, before[0], cell.top, before[1])
        rule = DataValidation(
            type="list", formula1=lists[choice].seen_from(INSPECTOR).area, allow_blank=False, showErrorMessage=True
        )
        rule.error, rule.errorTitle = f"Choose one of the list: the layer has no such {choice}.", f"No such {choice}"
        rule.showErrorMessage = int(inspector.table[:, :3].max()) <= LONGEST  # longer lists do not hold all that there is
        sheet.add_data_validation(rule)
        rule.add(cell.at(0, 0))
        draft.name(f"inspector_{choice}", cell)


def _merge(sheet: Sheet, top: int, left: int, bottom: int, right: int) -> None:
    """Make cells one; what is poured stands in the first, and no other is written."""
    if (top, left) != (bottom, right):
        sheet.merges.add((top, left, bottom, right))


def _merge_lines(sheet: Sheet, inspector: Inspector, places: dict[str, Grid]) -> None:
    """A number of the windows is as high as three cells of the thumbnails beside it."""
    for name in ("channel", "window", "kernel", "product", "sum", "part"):
        if (grid := places.get(f"inspector_{name}")) is None:
            continue
        for y in range(grid.rows):
            for column in range(grid.left, grid.right + 1):
                row = grid.top + y * FINE
                _merge(sheet, row, column, row + FINE - 1, column)
    for b in range(inspector.boxes):
        left = places["inspector_head"].left + b * BOX_COLUMNS
        _merge(sheet, TOP, left, TOP + HEAD_ROWS - 1, left + BOX_COLUMNS - 1)
        _merge(sheet, TOP + HEAD_ROWS, left, TOP + HEAD_ROWS + FINE - 1, left + 1)
        _merge(sheet, TOP + HEAD_ROWS, left + 2, TOP + HEAD_ROWS + FINE - 1, left + BOX_COLUMNS - 1)
    for name in ("tick", "map_name"):
        cell = places[f"inspector_{name}"]
        _merge(sheet, cell.top, cell.left, cell.top + FINE - 1, cell.left + 4 * BOX_COLUMNS)


def inspector_cells(draft: WorkbookDraft, content: WorkbookContent, inspector: Inspector, places: dict[str, Grid]) -> None:
    """The hidden sheet with the tables, and all formulas: on both sheets and in the margins of the layers' sheets."""
    hidden = draft.sheet(TABLE)
    hidden.sheet_state = "hidden"
    for name in inspector.hidden_sizes():
        put(hidden, places[name].top - 1, places[name].left, name.replace("_", " "), "soft")
    for name, texts in inspector.constants().items():
        grid = places[name]
        draft.name(name, grid)
        for i, line in enumerate(texts):
            for j, text in enumerate(line):
                put(hidden, grid.top + i, grid.left + j, text, "row")
    for name, numbers in inspector.tables().items():
        draft.name(name, places[name])
        draft.fill(TABLE, CellBlock(places[name], numbers, draft.style("formula", "0")))
    for view in inspector_views(inspector, places, content.values, inspector.first_choice()):
        grid = places[view.name]
        style = _style(draft, content, inspector, view, grid)
        draft.view(view, grid, style, style if grid.sheet == INSPECTOR else 0)


def _style(draft: WorkbookDraft, content: WorkbookContent, inspector: Inspector, view: ComputedRange, grid: Grid) -> int:
    name = view.name.removeprefix("inspector_")
    if grid.sheet not in (INSPECTOR, TABLE) or name == "scale" or any(word in name for word in ("shot", "mark", "shade")):
        return draft.style("thumbnail", ";;;")
    if name in ("window", "kernel", "product"):
        return draft.style("inspected", _number_format(content, inspector, name))
    if name in ("sum", "part"):
        return draft.style("step", _number_format(content, inspector, "sum"))
    if name in LIMITS:
        return draft.style("note", '"of "0')
    if name == "box":
        outputs = [content.values[f"{layer.node.name}.output"] for layer in inspector.layers]
        return draft.style("step", "0" if all((array == np.rint(array)).all() for array in outputs) else "0.0000")
    styles = {
        "channel": "small",
        "sign": "operator",
        "head": "small_head",
        "note": "wrong",
        "sentence": "said",
        "reaches": "warn",
    }
    return draft.style(styles.get(name, "strong"), "General")


def _number_format(content: WorkbookContent, inspector: Inspector, name: str) -> str:
    """Whole numbers where all that may be shown are; else two decimals, without a 0 before them where cells are narrow."""
    whole = True
    for layer in inspector.layers:
        own = [] if name == "window" else [a for a in content.graph.of[layer.node.name] if a.role in ("parameter", "shared")]
        read = [] if name == "kernel" else [content.graph.output(layer.node.inputs[0])]
        arrays = [content.values[array.id] for array in (*own, *read)]
        whole = whole and all((array == np.rint(array)).all() for array in arrays)
    return "0" if whole else "0.00" if name == "sum" else "#.00;-#.00;0"
