"""The inspector: one cell of a layer taken apart, and its window outlined in the grids themselves."""

from __future__ import annotations

import numpy as np
from openpyxl.formatting.rule import CellIsRule, FormulaRule
from openpyxl.styles import Border, Font, PatternFill, Side
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.worksheet import Worksheet

from ...a1 import LETTERS
from ...arrays.computed_range import ComputedRange
from ...arrays.grid import Grid
from ...xlsx import palette
from ...xlsx.cells import CellBlock
from ...xlsx.colours import Outline, add_rules, scale_rule, shades_of, tests_of
from ...xlsx.columns import WIDTH
from ...xlsx.draft import WorkbookDraft, area_of, put, put_line
from ..content import WorkbookContent
from ..page import HEADER
from .formulas import HOLE, inspector_views
from .table import CHOICES, INSPECTOR, MARKS, TABLE, Inspector, Stack

WIDTHS = {"A": 3, "B": 27, "C": 13, "D": 9, "E": 11}  # of the panel at the left, and of the channels' names
SUM_WIDTH = 10
WORDS = (
    "How one cell comes about. Choose a layer, a map, a row and a column in the yellow cells: here are the windows that",
    "the cell is made of, and on the layers' sheets the cell and what it reads are outlined in orange.",
)
HEADS = {"window": "window", "kernel": "×  kernel", "product": "=  products", "sum": "sum", "part": "activated"}
LINE = Side("thin", color=palette.RULE)


def inspector_of(content: WorkbookContent) -> Inspector | None:
    """The inspector of a network; None where no layer has windows."""
    inspector = Inspector(content.graph, content.grids)
    return inspector if inspector.layers else None


def inspector_sheet(draft: WorkbookDraft, inspector: Inspector, places: dict[str, Grid]) -> None:
    """The visible sheet, without its formulas: labels, drop-downs, colours."""
    sheet = draft.sheet(INSPECTOR, "")  # of use where a cell can be chosen
    for letter, width in WIDTHS.items():
        sheet.column_dimensions[letter].width = width
    sums = [places[name].left for name in ("inspector_sum", "inspector_part") if name in places]
    last = min(sums, default=places["inspector_window"].right + 1) - 1
    sheet.column_dimensions["F"] = ColumnDimension(sheet, index="F", min=6, max=last, width=WIDTH, customWidth=True)
    for column in sums:
        sheet.column_dimensions[LETTERS[column]].width = SUM_WIDTH
    sheet.sheet_format.defaultRowHeight = 16.5
    sheet.sheet_format.customHeight = True
    sheet.row_dimensions[1].height = 26
    sheet.freeze_panes = f"E{HEADER + 1}"
    put(sheet, 1, 2, INSPECTOR, "title")
    for row, text in enumerate(WORDS, start=2):
        put(sheet, row, 2, text, "words")
    put_line(sheet, 4, 2, [("Overview", "Overview")])
    for name, text in HEADS.items():
        if (grid := places.get(f"inspector_{name}")) is not None:
            put(sheet, HEADER, grid.left, text, "strong")
    first = HEADER + 1
    put(sheet, HEADER, 2, "choose", "strong")
    for row, text in enumerate(CHOICES, start=first):
        put(sheet, row, 2, text, "row")
    put(sheet, first + 5, 2, "reads", "row")
    put(sheet, first + 6, 2, "rows of the window", "row")
    put(sheet, first + 7, 2, "columns of the window", "row")
    scale = places["inspector_scale"].top
    put(sheet, scale, 2, "largest number of the kernels", "soft")
    put(sheet, scale + 1, 2, "largest product", "soft")
    put(sheet, scale + 2, 2, f"{HOLE}  is a blank cell, such as padding: it counts as 0", "soft")
    _choices(draft, sheet, inspector, places)
    _colours(sheet, places)


def _choices(draft: WorkbookDraft, sheet: Worksheet, inspector: Inspector, places: dict[str, Grid]) -> None:
    """The yellow cells with their drop-downs."""
    lists = {"layer": places["inspector_layers"]}
    numbers = places["inspector_numbers"]
    for n, choice in enumerate(CHOICES[1:]):
        lists[choice] = Grid(numbers.sheet, numbers.top, numbers.left + n, numbers.rows, 1)
    for choice, value in inspector.first_choice().items():
        cell = places[f"inspector_{choice}"]
        put(sheet, cell.top, cell.left, value, "choice")
        rule = DataValidation(
            type="list", formula1=lists[choice].seen_from(INSPECTOR).area, allow_blank=False, showErrorMessage=True
        )
        rule.error, rule.errorTitle = f"Choose one of the list: the layer has no such {choice}.", f"No such {choice}"
        sheet.add_data_validation(rule)
        rule.add(sheet.cell(cell.top, cell.left).coordinate)
        draft.name(f"inspector_{choice}", cell)


def _colours(sheet: Worksheet, places: dict[str, Grid]) -> None:
    window = places["inspector_window"]
    corner = f"{LETTERS[window.left]}{window.top}"
    cells = area_of(window)
    result, word = places["inspector_result"], places["inspector_word"]
    largest = f"{Grid('', result.top, result.left, 1, 1).area}"
    kind = f"{Grid('', word.top, word.left, 1, 1).area}"
    winner = f'AND({kind}="largest of the window",{corner}={largest})'
    box = Border(LINE, LINE, LINE, LINE)
    add = sheet.conditional_formatting.add
    add(cells, CellIsRule("equal", [f'"{HOLE}"'], fill=PatternFill("solid", bgColor="E5E7EB"), border=box))
    gold = PatternFill("solid", bgColor="FCD34D")
    add(cells, FormulaRule([winner], fill=gold, font=Font(bold=True), border=box))
    area = Grid("", window.top, window.left, window.rows, window.columns).area
    _boxed(sheet, window, palette.Scale(palette.MAPS, (-1.0, 0.0, 1.0), f"MAX(MAX({area}),-MIN({area}))"), box)
    scale = places["inspector_scale"]
    for n, name in enumerate(("kernel", "product")):
        if (grid := places.get(f"inspector_{name}")) is None:
            continue
        size = Grid("", scale.top + n, scale.left, 1, 1).area
        colours = palette.WEIGHTS if name == "kernel" else palette.MAPS
        _boxed(sheet, grid, palette.Scale(colours, (-1.0, 0.0, 1.0), size), box)
    tick = Grid("", result.bottom, result.left, 1, 1).area
    green, red = PatternFill("solid", bgColor="BBF7D0"), PatternFill("solid", bgColor="FECACA")
    add(tick, CellIsRule("equal", ['"✓"'], fill=green))
    add(tick, CellIsRule("notEqual", ['"✓"'], fill=red))


def _boxed(sheet: Worksheet, grid: Grid, scale: palette.Scale, box: Border) -> None:
    """Colour a grid, with lines around what is shown of it."""
    cells, corner = area_of(grid), f"{LETTERS[grid.left]}{grid.top}"
    shown = f'{corner}<>""'
    rules = [
        FormulaRule([f"AND({','.join([shown, *tests_of(corner, operator, limits)])})"], border=box, font=font)
        for operator, limits, font in shades_of(scale, "formula")
    ]
    add_rules(sheet, cells, [*rules, FormulaRule([shown], border=box), scale_rule(scale)])


def inspector_cells(draft: WorkbookDraft, content: WorkbookContent, inspector: Inspector, places: dict[str, Grid]) -> None:
    """The hidden sheet with the table, and all formulas: on both sheets and in the margins of the layers' sheets."""
    hidden = draft.sheet(TABLE)
    hidden.sheet_state = "hidden"
    for name in inspector.hidden_sizes():
        put(hidden, places[name].top - 1, places[name].left, name.replace("_", " "), "soft")
    for name, texts in (("layers", inspector.names), ("words", inspector.words), ("labels", inspector.labels)):
        grid = places[f"inspector_{name}"]
        draft.name(f"inspector_{name}", grid)
        for i, line in enumerate(texts):
            for j, text in enumerate(line):
                put(hidden, grid.top + i, grid.left + j, text, "row")
    table = places["inspector_table"]
    draft.name("inspector_table", table)
    draft.fill(TABLE, CellBlock(table, inspector.table, draft.style("formula", "0")))
    for view in inspector_views(inspector, places, content.values, inspector.first_choice()):
        grid = places[view.name]
        draft.view(view, grid, _style(draft, content, inspector, view, grid))


def _style(draft: WorkbookDraft, content: WorkbookContent, inspector: Inspector, view: ComputedRange, grid: Grid) -> int:
    name = view.name.removeprefix("inspector_")
    if grid.sheet not in (INSPECTOR, TABLE):
        return draft.style("thumbnail", ";;;")
    if name in ("window", "kernel", "product"):
        return draft.style("plain", _number_format(content, inspector, name))
    if name in ("sum", "part"):
        return draft.style("strong", _number_format(content, inspector, "product"))
    if name in ("limit", "last", "divisor"):
        return draft.style("note", {"limit": '"of "0', "last": '"to "0', "divisor": '"÷ "0'}[name])
    if name == "channel":
        return draft.style("aside")
    if name in ("result", "scale"):
        outputs = [content.values[f"{layer.node.name}.output"] for layer in inspector.layers]
        whole = all((array == np.rint(array)).all() for array in outputs)
        return draft.style("strong", "0" if whole else "0.0000")
    return draft.style("strong", "General")


def _number_format(content: WorkbookContent, inspector: Inspector, name: str) -> str:
    """Whole numbers where all that may be shown are; else two decimals."""
    whole = True
    for layer in inspector.layers:
        own = [] if name == "window" else [a for a in content.graph.of[layer.node.name] if a.role in ("parameter", "shared")]
        read = [] if name == "kernel" else [content.graph.output(layer.node.inputs[0])]
        arrays = [content.values[array.id] for array in (*own, *read)]
        whole = whole and all((array == np.rint(array)).all() for array in arrays)
    return "0" if whole else "0.00"


def outlines(inspector: Inspector, places: dict[str, Grid]) -> dict[str, Outline]:
    """For each stack of maps, by the id of its array, when a cell is outlined."""
    return {stack.id: _outline(stack, places[stack.name]) for stack in inspector.stacks.values()}


def _outline(stack: Stack, marks: Grid) -> Outline:
    """Whether a cell of the maps, or of the padding around them, is one of those that the margin's cells tell of."""
    top, left, bottom, right = stack.margin
    first, last = stack.grids[0], stack.grids[-1]
    at = {mark: Grid("", marks.top + n, marks.left, 1, 1).area for n, mark in enumerate(MARKS)}

    def tests(down: int, along: int) -> str:
        """Whether the cell so far above and to the left is one of them."""
        line = f"(ROW()-{first.top - top + down})"  # counted from 0 at the top of the padding
        channel = f"INT({line}/{stack.pitch})"
        row = f"({line}-{channel}*{stack.pitch}+{1 - top})"
        column = f"(COLUMN()-{first.left - 1 + along})"
        found = [f"{at['first channel']}>0"]
        for place, name in ((f"{channel}+1", "channel"), (row, "row"), (column, "column")):
            begin, end, step = at[f"first {name}"], at[f"last {name}"], at[f"{name}s"]
            found += [f"{place}>={begin}", f"{place}<={end}", f"MOD({place}-{begin},{step})=0"]
        return ",".join(found)

    strips = (
        (top, first.top - top, first.left - left, first.top - 1, first.right + right),
        (bottom, last.bottom + 1, first.left - left, last.bottom + bottom, first.right + right),
        (left, first.top, first.left - left, last.bottom, first.left - 1),
        (right, first.top, first.right + 1, last.bottom, first.right + right),
    )
    around = [f"{LETTERS[y]}{x}:{LETTERS[z]}{w}" for size, x, y, w, z in strips if size]
    return Outline(tests(0, 0), tests(0, 1), tests(1, 0), " ".join(around))
