"""Several pictures: a hidden bank of them, and the drop-down that chooses one."""

from __future__ import annotations

from typing import Any

import numpy as np
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ...arrays.grid import Grid, seen_from
from ...model.settings import INPUT
from ...xlsx import palette
from ...xlsx.cells import CellBlock
from ...xlsx.draft import WorkbookDraft, put
from ..content import WorkbookContent
from ..page import HEADER, LEFT, Page


def choice_of_pictures(draft: WorkbookDraft, sheet: Worksheet, content: WorkbookContent, bank: Page) -> Any:
    """A drop-down of pictures on the Input sheet; returns the formula of a pixel, which chooses among them."""
    row, first, last = HEADER - 2, LEFT + 3, LEFT + 12
    put(sheet, row, LEFT, "picture", "soft")
    put(sheet, row, first, next(iter(content.pictures)), "choice")
    sheet.cell(row, first).number_format = "@"  # a picture called 3 or TRUE stays a text when it is chosen
    sheet.merge_cells(start_row=row, end_row=row, start_column=first, end_column=last)
    names = Grid(bank.sheet, 2, 1, len(content.pictures), 1).seen_from(sheet.title).area
    choice = DataValidation(type="list", formula1=names, allow_blank=False, showErrorMessage=True)
    choice.error, choice.errorTitle = "Choose one of the pictures in the list.", "No such picture"
    sheet.add_data_validation(choice)
    choice.add(sheet.cell(row, first).coordinate)
    chosen = Grid(sheet.title, row, first, 1, 1)
    number = Grid(sheet.title, row, last + 2, 1, 1)
    formula = f"MATCH({chosen.area},{names},0)"
    draft.fill(sheet.title, CellBlock(number, np.array([[1.0]]), draft.style("formula", "0"), lambda i: [formula]))
    draft.name("input_picture", chosen)
    draft.name("input_picture_number", number)
    pictures = seen_from(bank.grids[f"{INPUT}.picture"], sheet.title)

    def write(at: tuple[int, ...]) -> str:
        c, i, j = at
        return f"CHOOSE({number.area},{','.join([picture[c].at(i, j) for picture in pictures])})"

    return write


def pictures_sheet(draft: WorkbookDraft, content: WorkbookContent, bank: Page) -> None:
    """The hidden sheet that the pixels of several pictures are read from."""
    sheet = draft.sheet(bank.sheet)
    sheet.sheet_state = "hidden"
    put(sheet, 1, 1, "pictures", "soft")
    for row, name in enumerate(content.pictures, start=2):
        put(sheet, row, 1, name, "row")
    stack = np.stack(list(content.pictures.values())) + 0.0
    style = draft.style("formula", palette.number_format(stack))
    for block in bank.blocks:
        draft.name(block.name, block.grid)
        draft.fill(bank.sheet, CellBlock(block.grid, stack[block.index], style))
