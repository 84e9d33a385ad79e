"""The values that spreadsheet programs have saved in a workbook."""

from __future__ import annotations

import numpy as np

from ..errors import WorkbookError
from ..formula import Area, Book
from ..formula.values import BLANK, ERROR, ERRORS, NUMERIC, PENDING, TEXT
from .comparison import Comparison, agree, apart
from .report import LayerReport


def take_values(book: Book, recalculated_book: Book) -> None:
    """Give formulas' cells, and what array formulas fill, the values that a spreadsheet program saved for them."""
    for name, sheet in book.sheets.items():
        other = recalculated_book.sheets.get(name)
        if other is None:
            raise WorkbookError(f"{book.source}: LibreOffice lost the sheet {name}")
        rows, columns = np.nonzero(sheet.kind == PENDING)
        inside = (rows < other.saved.shape[0]) & (columns < other.saved.shape[1])
        values = np.full(len(rows), np.nan)
        values[inside] = other.saved[rows[inside], columns[inside]]
        sheet.number[rows, columns] = np.nan_to_num(values)
        sheet.kind[rows, columns] = np.where(np.isnan(values), BLANK, NUMERIC)
        for row, column in zip(rows[np.isnan(values)].tolist(), columns[np.isnan(values)].tolist(), strict=True):
            text = other.saved_texts.get((row, column))
            if text in ERRORS:
                sheet.kind[row, column], sheet.number[row, column] = ERROR, ERRORS.index(text)
            elif text is not None:
                sheet.kind[row, column], sheet.texts[row, column] = TEXT, text


def compare_saved(comparison: Comparison, areas: list[Area], reports: dict[str, LayerReport]) -> None:
    """The values that the spreadsheet program saved in grids, against those that their formulas have."""
    sheets = {comparison.sheets[name]: report for name, report in reports.items()}
    sheets |= {sheet: reports[name] for sheet, name in comparison.hidden.items()}
    others = LayerReport("other sheets", "")
    missing = 0
    for name, sheet in comparison.book.sheets.items():
        comparison.now = sheets.get(name, others)
        ours = np.zeros(sheet.kind.shape, bool)
        for _, top, left, bottom, right in (area for area in areas if area[0] == name):
            ours[top : bottom + 1, left : right + 1] = True
        missing += sheet.formulas.count - len(sheet.saved_texts)
        differing: list[tuple[int, int, float]] = []
        for numbers in (one for one in sheet.saved_numbers if not one.filled):
            number, kind, here = (numbers.of(cells) for cells in (sheet.number, sheet.kind, ours))
            known = here & (kind == NUMERIC)
            saved = numbers.numbers
            missing -= saved.size
            if known.any():
                largest = float(np.max(apart(saved, number), where=known, initial=0))
                comparison.now.largest_saved_difference = max(comparison.now.largest_saved_difference or 0.0, largest)
            differ = (known & ~agree(saved, number)).reshape(-1)
            rows, columns = numbers.places()
            differing += zip(
                rows[differ].tolist(), columns[differ].tolist(), saved.reshape(-1)[differ].tolist(), strict=True
            )
        for row, column, value in sorted(differing):
            comparison.saved_differs(sheet, row, column, value)
        texts = {place: text for place, text in sheet.saved_texts.items() if ours[place]}
        for (row, column), text in texts.items():
            unknown = (name, row, column) in comparison.book.problems  # an error of ours, not the program's
            if text != sheet.value(row, column) and not (unknown and text in ERRORS):
                comparison.saved_differs(sheet, row, column, text)
    if others.findings:
        comparison.report.layers.append(others)
    if missing > 0:  # array formulas have saved texts in cells without formulas
        comparison.report.notes.append(
            f"{missing:,} formulas have no saved value; a spreadsheet program writes them when it saves"
        )
