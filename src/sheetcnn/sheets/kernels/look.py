"""Kernels to choose from: the lists on the first layer's sheet, the kernels as built, and the hidden bank."""

from __future__ import annotations

from functools import partial

import numpy as np
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ...arrays.array import Array, CellFormula, Shape
from ...arrays.grid import Grid
from ...arrays.kernels import KERNELS
from ...xlsx import palette
from ...xlsx.cells import CellBlock
from ...xlsx.colours import colour, weight_scale
from ...xlsx.draft import WorkbookDraft, spans
from ...xlsx.labels import merged, put
from ..content import WorkbookContent
from ..page import LEFT, KernelLists, Page
from .content import (
    LISTED,
    NAMES,
    PRESETS,
    built_of,
    choices_of,
    chosen_formula,
    chosen_of,
    kernel_formula,
    name_of,
    state_formula,
    state_view,
    states_of,
)
from .place import HEADING

OF_EPOCH = "kernels after the epoch that is chosen on the Overview"  # the heading of those as built


def kernel_lists(
    draft: WorkbookDraft,
    sheet: Worksheet,
    content: WorkbookContent,
    page: Page,
    bank: Page,
    recorded: CellFormula | None = None,
) -> CellFormula:
    """The lists on a layer's sheet, and its kernels as built; returns the formula of a kernel's cell, which obeys them.

    Where epochs are recorded, the kernels as built are those of the chosen one, which the formula `recorded` names.
    """
    assert page.node is not None
    assert page.lists is not None
    lists, kernels = page.lists, content.graph.get(page.node.name, "weight")
    weight = content.values[kernels.id]
    _choices(draft, sheet, lists, kernels, weight, bank.grids[LISTED.id].seen_from(sheet.title))
    built = [[lists.built[k, c] for c in range(kernels.shape[1])] for k in range(kernels.shape[0])]
    chosen = [grid.seen_from(sheet.title) for grid in bank.grids[chosen_of(kernels).id]]
    states = states_of(kernels)
    for k, grids in enumerate(page.grids[kernels.id]):
        formula = state_formula(grids, built[k], _cell(lists.choices[k]), chosen[k])
        view = state_view(states.name((k,)), formula, weight[k], weight[k], weight[k], whole=True)
        draft.view(view, lists.states[k], draft.style("state"))
    _as_built(draft, sheet, lists, kernels, weight, recorded)
    return kernel_formula(built, [_cell(grid) for grid in lists.choices], chosen)


def _cell(grid: Grid) -> Grid:
    """The first cell of merged ones, which holds what they show."""
    return Grid(grid.sheet, grid.top, grid.left, 1, 1)


def _choices(
    draft: WorkbookDraft, sheet: Worksheet, lists: KernelLists, kernels: Array, weight: np.ndarray, names: Grid
) -> None:
    choice = DataValidation(type="list", formula1=names.area, showErrorMessage=True)
    choice.error = "Choose one of the kernels in the list, or type numbers over the kernel."
    choice.errorTitle = "No such kernel"
    sheet.add_data_validation(choice)
    for k, grid in enumerate(lists.choices):
        put(sheet, grid.top, grid.left, name_of(weight[k]), "small_choice")
        merged(sheet, grid.top, grid.left, 1, grid.right - grid.left + 1)
        choice.add(grid.at(0, 0))
        draft.name(choices_of(kernels).name((k,)), _cell(grid))


def _as_built(
    draft: WorkbookDraft,
    sheet: Worksheet,
    lists: KernelLists,
    kernels: Array,
    weight: np.ndarray,
    recorded: CellFormula | None,
) -> None:
    """The kernels as they were built, in the open: what is copied from here takes edits back."""
    for mark in lists.marks:
        text = mark.text if recorded is None or mark.text != HEADING else OF_EPOCH
        put(sheet, mark.row, mark.column, text, mark.style)
    built = built_of(kernels, kernels.spacing)
    style, blank = draft.style("formula", palette.number_format(weight)), draft.style("blank")
    for index, grid in lists.built.items():
        draft.name(built.name(index), grid)
        write = None if recorded is None else partial(_row_of, recorded, index, grid.columns)
        draft.fill(sheet.title, CellBlock(grid, weight[index], style, write, blank=blank))
    colour(sheet, spans(list(lists.built.values())), weight_scale(weight))


def _row_of(write: CellFormula, index: Shape, columns: int, i: int) -> list[str]:
    """The formulas of a row of one kernel."""
    return [write((*index, i, j)) for j in range(columns)]


def kernels_sheet(draft: WorkbookDraft, content: WorkbookContent, bank: Page) -> None:
    """The hidden sheet of the classic kernels."""
    sheet = draft.sheet(bank.sheet)
    sheet.sheet_state = "hidden"
    put(sheet, 1, LEFT, "Kernels", "title")
    words = "The classic kernels, row by row; those that lists name; kernels as built of layers without lists."
    put(sheet, 2, LEFT, words, "words")
    for mark in bank.marks:
        put(sheet, mark.row, mark.column, mark.text, mark.style)
    # In LibreOffice a formula without a format of its own takes that of the cell which it reads.
    style = draft.style("formula", palette.FITTING)
    chosen: dict[str, CellFormula] = {}  # by the layer
    for block in bank.blocks:
        draft.name(block.name, block.grid)
        if block.array is LISTED:
            for n, name in enumerate(NAMES):
                put(sheet, block.grid.top + n, block.grid.left, name, "row")
            continue
        formula = None
        if block.array is PRESETS:
            numbers = np.array([kernel.ravel() for kernel in KERNELS.values()])
        elif block.array.key == "chosen":
            owner = block.array.owner
            write = chosen[owner] = chosen.get(owner) or _chosen(content, bank, owner)
            k, columns = block.index[0], range(block.grid.columns)
            numbers = _chosen_now(content, block.array, k)
            formula = lambda i, k=k, write=write, columns=columns: [write((k, i, j)) for j in columns]  # noqa: E731
        else:
            numbers = content.values[block.array.inputs[0].id][block.index]
        draft.fill(bank.sheet, CellBlock(block.grid, numbers, style, formula, blank=draft.style("blank")))


def _chosen(content: WorkbookContent, bank: Page, owner: str) -> CellFormula:
    """The formula of what a layer's lists name, as it stands on the bank's sheet."""
    lists = content.pages[owner].lists
    assert lists is not None
    choices = [_cell(grid).seen_from(bank.sheet) for grid in lists.choices]
    return chosen_formula(content.graph.get(owner, "weight"), choices, bank.grids[LISTED.id], bank.grids[PRESETS.id])


def _chosen_now(content: WorkbookContent, array: Array, k: int) -> np.ndarray:
    """The classic kernel that a filter was built with; zeros where it is none."""
    weight = content.values[content.graph.get(array.owner, "weight").id][k]
    return weight[0] if name_of(weight) in KERNELS else np.zeros(array.size)
