"""The hidden sheet with the description, written."""

from __future__ import annotations

from typing import Any

from ...xlsx.draft import WorkbookDraft
from ...xlsx.labels import put
from .content import HIDDEN, MARK, pieces_of


def description_sheet(draft: WorkbookDraft, description: dict[str, Any]) -> None:
    """The hidden sheet that lets `check` do with nothing but the workbook."""
    sheet = draft.sheet(HIDDEN)
    sheet.sheet_state = "hidden"
    put(sheet, 1, 1, MARK, "row")
    for row, piece in enumerate(pieces_of(description), start=2):
        put(sheet, row, 1, piece, "row")
