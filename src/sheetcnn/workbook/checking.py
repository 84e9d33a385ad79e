"""The Check sheet: which maps an edit has reached."""

from __future__ import annotations

from typing import Any

import numpy as np
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill

from ..grid import Grid, flat
from ..network import Node
from .cells import Pour
from .dress import Dressed, put, put_line
from .model import Model

CHANGED_FORMULA = "IF(ABS(E{row}-D{row})+ABS(G{row}-F{row})<=0.000000001*(1+ABS(D{row})+ABS(F{row})),0,1)"


CHANGED = '"changed";;"as built"'  # a number format: 1 reads as changed, 0 as built


def check_sheet(dressed: Dressed, model: Model) -> tuple[int, int]:
    """The sheet that tells which maps an edit has reached; returns the first and last row of its table."""
    sheet = dressed.sheet("Check")
    put(sheet, 1, 2, "Check", "title")
    put(
        sheet,
        2,
        2,
        "What NumPy found when this workbook was built, beside what the cells say now: see how far an edit reaches.",
        "words",
    )
    put(sheet, 3, 2, "For every cell against NumPy, save the workbook and run:  sheetcnn check BOOK.xlsx", "soft")
    put_line(sheet, 4, 2, [("Overview", "Overview")])
    for letter, width in zip("ABCDEFGH", (3, 22, 12, 16, 16, 16, 16, 14), strict=True):
        sheet.column_dimensions[letter].width = width
    for column, text in enumerate(
        ("layer", "grid", "sum, as built", "sum, now", "largest, as built", "largest, now", "state"), start=2
    ):
        put(sheet, 6, column, text, "head" if column < 4 else "head_right")
    sheet.freeze_panes = "A7"
    entries = [
        (node.name, name, grid, model.values[node.name]["output"][index])
        for node in model.network.nodes
        for name, (index, grid) in zip(_output_names(node), flat(model.pages[node.name].grids["output"]), strict=True)
    ]
    first, last = 7, 6 + len(entries)
    for row, (layer, name, _, _) in enumerate(entries, start=first):
        put(sheet, row, 2, layer, "link", layer)
        put(sheet, row, 3, name, "row")
    areas = [grid.seen_from("Check").area for _, _, grid, _ in entries]
    sums = np.array([[float(np.sum(values))] for *_, values in entries])
    largest = np.array([[float(np.max(values))] for *_, values in entries])
    digits = "0.0000" if np.abs(largest).max() < 10 else "#,##0.00"
    number, state = dressed.style("table", digits), dressed.style("table", CHANGED)

    def column_of(letter: int, values: np.ndarray, style: int, formula: Any = None) -> None:
        dressed.pour("Check", Pour(Grid("Check", first, letter, len(entries), 1), values, style, formula))

    column_of(4, sums, number)
    column_of(5, sums, number, lambda i: [f"SUM({areas[i]})"])
    column_of(6, largest, number)
    column_of(7, largest, number, lambda i: [f"MAX({areas[i]})"])
    column_of(
        8,
        np.zeros_like(sums),
        state,
        lambda i: [CHANGED_FORMULA.format(row=first + i)],
    )
    amber = PatternFill("solid", bgColor="FDE68A")
    sheet.conditional_formatting.add(f"H{first}:H{last}", CellIsRule("equal", ["1"], fill=amber, font=Font(bold=True)))
    return first, last


def _output_names(node: Node) -> list[str]:
    if len(node.shape) == 1:
        return ["out"]
    return [f"map {k + 1}" for k in range(node.shape[0])]
