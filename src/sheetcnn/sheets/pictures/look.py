"""Several pictures: a hidden bank of them, the cell that chooses one, and cells to type other pixels in."""

from __future__ import annotations

import numpy as np
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from ...arrays.array import CellFormula
from ...arrays.grid import Grid, seen_from
from ...model.settings import INPUT
from ...xlsx import palette
from ...xlsx.cells import CellBlock
from ...xlsx.draft import WorkbookDraft, area_of
from ...xlsx.labels import Sheet, merged, put
from ...xlsx.rules import where
from ..content import WorkbookContent
from ..input.place import InputPage
from ..page import HEADER, LEFT, Page
from .content import (
    CHOICE,
    PICTURES,
    TABLE,
    TRUTH,
    TYPED_COUNT,
    TYPED_STATE,
    choice_views,
    entry,
    pixel_formula,
    table,
    typed_array,
    typed_views,
)
from .place import CHOICE_COLUMN, CHOICE_COLUMNS, CHOICE_ROW, HINT_COLUMN, name_place, number_place, table_place, truth_place

HINT = "or type its number, 1 to {}.   Now:"


def choice_of_pictures(draft: WorkbookDraft, sheet: Sheet, content: WorkbookContent, bank: Page) -> CellFormula:
    """The cell that chooses a picture on the Input sheet; returns the formula of a pixel, which obeys it."""
    page, names = content.pages[INPUT], list(content.pictures)
    assert isinstance(page, InputPage)
    chosen, number = Grid(sheet.title, CHOICE_ROW, CHOICE_COLUMN, 1, 1), number_place()
    put(sheet, CHOICE_ROW, LEFT, "picture", "soft")
    put(sheet, chosen.top, chosen.left, entry(1, names[0]), "choice")
    merged(sheet, CHOICE_ROW, CHOICE_COLUMN, 1, CHOICE_COLUMNS)
    listed = table_place(len(names)).seen_from(sheet.title)
    entries = Grid(listed.sheet, listed.top, listed.left + 1, listed.rows, 1, prefix=listed.prefix)
    # A number may be typed as well, which is in no list: what is neither makes errors, and the line beside says so.
    choice = DataValidation(type="list", formula1=entries.area, allow_blank=False, showErrorMessage=False)
    sheet.add_data_validation(choice)
    choice.add(chosen.at(0, 0))
    put(sheet, CHOICE_ROW, HINT_COLUMN, HINT.format(len(names)), "soft")
    draft.name(CHOICE, chosen)
    for view, place, kind in zip(
        choice_views(chosen, listed, number, names, 1), (number, name_place()), ("formula", "strong"), strict=True
    ):
        draft.view(view, place, draft.style(kind))
    _typed(draft, sheet, page)
    pictures = seen_from(bank.grids[f"{INPUT}.picture"], sheet.title)
    return pixel_formula(number, pictures, page.typed or None)


def _typed(draft: WorkbookDraft, sheet: Sheet, page: InputPage) -> None:
    """Blank cells beside the pixels, and a line on what is typed in them."""
    if not page.typed:
        return
    array = typed_array(page.blocks[0].array)
    numbers = DataValidation(type="decimal", operator="between", formula1="-1E+300", formula2="1E+300", allow_blank=True)
    numbers.showErrorMessage = True
    numbers.error, numbers.errorTitle = "Type a number, or delete what is here to see the picture's pixel.", "No number"
    sheet.add_data_validation(numbers)
    style = draft.style("to_type")
    for c, grid in enumerate(page.typed):
        draft.name(array.name((c,)), grid)
        draft.fill(sheet.title, CellBlock(grid, np.empty((grid.rows, grid.columns)), 0, None, blank=style, empty=True))
        area, corner = area_of(grid), grid.at(0, 0)
        numbers.add(area)
        rule = where(f'{corner}>""', font=Font(color=palette.WRONG_INK), fill=PatternFill("solid", bgColor=palette.WRONG))
        sheet.add_rules(area, rule)
    row, column = HEADER, page.typed[0].left
    count, state = (Grid(sheet.title, row, place, 1, 1) for place in (column, column + 1))
    styles = {TYPED_COUNT: draft.style("warn", "0;;"), TYPED_STATE: draft.style("warn")}
    for view, place in zip(typed_views(page.typed, count, 0, 0), (count, state), strict=True):
        draft.view(view, place, styles[view.name])


def pictures_sheet(draft: WorkbookDraft, content: WorkbookContent, bank: Page | None) -> None:
    """The hidden sheet of all pictures: their names, their right labels, and the pixels of several."""
    sheet = draft.sheet(PICTURES)
    sheet.sheet_state = "hidden"
    names = list(content.truth)
    heads = ("pictures", "in the list", "number", "right label (its number)")
    for column, text in enumerate(heads, start=1):
        put(sheet, 1, column, text, "soft")
    place = table_place(len(names))
    for row, line in enumerate(table(names), start=place.top):
        for column, value in enumerate(line, start=place.left):
            put(sheet, row, column, value, "row")
    draft.name(TABLE, place)
    if content.knows_truth:
        place = truth_place(len(names))
        for row, number in enumerate(content.truth.values(), start=place.top):
            put(sheet, row, place.left, number, "row")
        draft.name(TRUTH, place)
    if bank is None:
        return
    stack = np.stack(list(content.pictures.values()))
    style = draft.style("formula", palette.number_format(stack))
    for block in bank.blocks:
        draft.name(block.name, block.grid)
        draft.fill(bank.sheet, CellBlock(block.grid, stack[block.index], style))
