"""Kernels to choose from: the lists below the first layer's kernels, and the hidden bank that they read."""

from __future__ import annotations

import numpy as np
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ..grid import Grid, seen_from
from ..kernels import KERNELS
from ..layers.base import CellFormula
from ..layout import HEADER, LEFT, Page
from ..views.kernels import AS_BUILT, BANK, NAMES, kernel_formula
from . import palette
from .cells import Pour
from .dress import Dressed, put
from .model import Model

HINT = (
    "Below each kernel is a list of classic kernels: choose one, or type numbers over the kernel (what is typed no longer "
    f"follows the list; the numbers as built stand on the hidden sheet {BANK})."
)


def kernel_choices(dressed: Dressed, sheet: Worksheet, page: Page, bank: Page) -> CellFormula:
    """The lists below a layer's kernels; returns the formula of a kernel's cell, which obeys them."""
    assert page.node is not None
    names = bank.grids["names"]
    choice = DataValidation(type="list", formula1=names.seen_from(sheet.title).area, showErrorMessage=True)
    choice.error = "Choose one of the kernels in the list, or type numbers over the kernel."
    choice.errorTitle = "No such kernel"
    sheet.add_data_validation(choice)
    cells: list[list[Grid]] = []
    for (k, c), grid in page.choices.items():
        put(sheet, grid.top, grid.left, AS_BUILT, "small_choice")
        sheet.merge_cells(start_row=grid.top, end_row=grid.top, start_column=grid.left, end_column=grid.right)
        choice.add(sheet.cell(grid.top, grid.left).coordinate)
        cell = Grid(sheet.title, grid.top, grid.left, 1, 1)
        dressed.name(f"{page.node.name}_choice_{k + 1}_{c + 1}", cell)
        cells += [[] for _ in range(k + 1 - len(cells))]
        cells[k].append(cell)
    if not page.node.layer.warning():  # which needs the place
        put(sheet, HEADER, LEFT, HINT, "soft")
    built, listed, presets = (seen_from(bank.grids[key], sheet.title) for key in (page.node.name, "names", "presets"))
    return kernel_formula(page.node, built, cells, listed, presets)


def kernels_sheet(dressed: Dressed, model: Model, bank: Page) -> None:
    """The hidden sheet of the classic kernels, and of the kernels as they were built."""
    sheet = dressed.sheet(bank.sheet)
    sheet.sheet_state = "hidden"
    put(sheet, 1, LEFT, "Kernels", "title")
    words = "The classic kernels, row by row, and below them the kernels as built: copy them from here."
    put(sheet, 2, LEFT, words, "words")
    for mark in bank.marks:
        put(sheet, mark.row, mark.column, mark.text, mark.style)
    for block in bank.blocks:
        dressed.name(block.name, block.grid)
        if block.drawing.key == "names":
            for n, name in enumerate(NAMES):
                put(sheet, block.grid.top + n, block.grid.left, name, "row")
            continue
        if block.drawing.key == "presets":
            numbers = np.array([kernel.ravel() for kernel in KERNELS.values()])
        else:
            numbers = model.parameters[block.drawing.key]["weight"][block.index] + 0.0
        dressed.pour(bank.sheet, Pour(block.grid, numbers, dressed.style("formula", palette.number_format(numbers))))
