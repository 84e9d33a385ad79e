"""Kernels to choose from: the lists below the first layer's kernels, and the hidden bank that they read."""

from __future__ import annotations

import numpy as np
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ...arrays.array import Array, CellFormula
from ...arrays.grid import Grid, seen_from
from ...arrays.kernels import KERNELS
from ...xlsx import palette
from ...xlsx.cells import CellBlock
from ...xlsx.draft import WorkbookDraft, put
from ..content import WorkbookContent
from ..page import LEFT, Page
from .content import AS_BUILT, BANK, LISTED, NAMES, PRESETS, built_of, choices_of, kernel_formula

HINT = (
    "Below each kernel is a list of classic kernels: choose one, or type numbers over the kernel (what is typed no longer "
    f"follows the list; the numbers as built stand on the hidden sheet {BANK})."
)


def kernel_choices(draft: WorkbookDraft, sheet: Worksheet, page: Page, kernels: Array, bank: Page) -> CellFormula:
    """The lists below a layer's kernels; returns the formula of a kernel's cell, which obeys them."""
    assert page.node is not None
    names = bank.grids[LISTED.id]
    choice = DataValidation(type="list", formula1=names.seen_from(sheet.title).area, showErrorMessage=True)
    choice.error = "Choose one of the kernels in the list, or type numbers over the kernel."
    choice.errorTitle = "No such kernel"
    sheet.add_data_validation(choice)
    choices = choices_of(kernels)
    cells: list[list[Grid]] = []
    for (k, c), grid in page.choices.items():
        put(sheet, grid.top, grid.left, AS_BUILT, "small_choice")
        sheet.merge_cells(start_row=grid.top, end_row=grid.top, start_column=grid.left, end_column=grid.right)
        choice.add(sheet.cell(grid.top, grid.left).coordinate)
        cell = Grid(sheet.title, grid.top, grid.left, 1, 1)
        draft.name(choices.name((k, c)), cell)
        cells += [[] for _ in range(k + 1 - len(cells))]
        cells[k].append(cell)
    if not page.node.layer.warning():  # which needs the place
        arrays = (built_of(kernels), LISTED, PRESETS)
    built, listed, presets = (seen_from(bank.grids[array.id], sheet.title) for array in arrays)
    return kernel_formula(kernels, built, cells, listed, presets)


def kernels_sheet(draft: WorkbookDraft, content: WorkbookContent, bank: Page) -> None:
    """The hidden sheet of the classic kernels, and of the kernels as they were built."""
    sheet = draft.sheet(bank.sheet)
    sheet.sheet_state = "hidden"
    put(sheet, 1, LEFT, "Kernels", "title")
    words = "The classic kernels, row by row, and below them the kernels as built: copy them from here."
    put(sheet, 2, LEFT, words, "words")
    for mark in bank.marks:
        put(sheet, mark.row, mark.column, mark.text, mark.style)
    for block in bank.blocks:
        draft.name(block.name, block.grid)
        if block.array is LISTED:
            for n, name in enumerate(NAMES):
                put(sheet, block.grid.top + n, block.grid.left, name, "row")
            continue
        if block.array is PRESETS:
            numbers = np.array([kernel.ravel() for kernel in KERNELS.values()])
        else:
            numbers = content.values[block.array.inputs[0].id][block.index] + 0.0
        draft.fill(bank.sheet, CellBlock(block.grid, numbers, draft.style("formula", palette.number_format(numbers))))
