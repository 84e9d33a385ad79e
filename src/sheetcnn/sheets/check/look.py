"""The Check sheet: which maps an edit has reached."""

from __future__ import annotations

import numpy as np
from openpyxl.styles import Font, PatternFill

from ...arrays.grid import Grid
from ...xlsx import palette
from ...xlsx.cells import CellBlock
from ...xlsx.draft import WorkbookDraft, area_of
from ...xlsx.labels import put, put_line
from ...xlsx.rules import compared
from ..content import WorkbookContent
from ..overview.content import OVERVIEW
from .content import CHECK, check_sizes, check_views, outputs

FIRST = 7  # the first row of the table
CHANGED = '"changed";;"as built"'  # a number format: 1 reads as changed, 0 as built


def check_sheet(draft: WorkbookDraft, content: WorkbookContent) -> dict[str, Grid]:
    """The sheet that tells which maps an edit has reached; returns its columns by name."""
    sheet = draft.sheet(CHECK, "")  # of use where something can be edited
    put(sheet, 1, 2, CHECK, "title")
    sheet.row_dimensions[1].height = 26
    text = "What NumPy found when this workbook was built, beside what the cells say now: see how far an edit reaches."
    put(sheet, 2, 2, text, "words")
    put(sheet, 3, 2, "For every cell against NumPy, save the workbook and run:  sheetcnn check BOOK.xlsx", "soft")
    put_line(sheet, 4, 2, [(OVERVIEW, OVERVIEW)])
    if len({node.live for node in content.network.nodes}) > 1:
        put(sheet, 5, 2, "Layers that are not live have no rows: their numbers follow no edit.", "soft")
    for letter, width in zip("ABCDEFGH", (3, 22, 12, 16, 16, 16, 16, 14), strict=True):
        sheet.column_dimensions[letter].width = width
    heads = ("layer", "grid", "sum, as built", "sum, now", "largest, as built", "largest, now", "state")
    for column, text in enumerate(heads, start=2):
        put(sheet, FIRST - 1, column, text, "head" if column < 4 else "head_right")
    sheet.freeze_panes = f"A{FIRST}"
    rows = outputs(content.graph, content.grids)
    for row, (layer, index, _) in enumerate(rows, start=FIRST):
        put(sheet, row, 2, layer, "link", layer)
        put(sheet, row, 3, f"map {index[0] + 1}" if index else "out", "row")
    sizes = check_sizes(content.network)
    places = {name: Grid(CHECK, FIRST, column, *size) for column, (name, size) in enumerate(sizes.items(), start=4)}
    arrays = [content.values[f"{layer}.output"][index] for layer, index, _ in rows]
    sums, largest = (np.array([measure(array) for array in arrays], float) for measure in (np.sum, np.max))
    number = draft.style("table", "0.0000" if np.abs(largest).max() < 10 else "#,##0.00")
    for name, built in (("sum", sums), ("largest", largest)):
        place = places[f"check_{name}_built"]
        draft.name(f"check_{name}_built", place)
        draft.fill(CHECK, CellBlock(place, built.reshape(-1, 1), number))
    for view in check_views(content.graph, content.grids, places, content.values, (sums, largest)):
        draft.view(view, places[view.name], draft.style("table", CHANGED) if view.name == "check_state" else number)
    amber = PatternFill("solid", bgColor=palette.CHANGED)
    state = places["check_state"]
    sheet.add_rules(area_of(state), compared("equal", ["1"], fill=amber, font=Font(bold=True)))
    return places
