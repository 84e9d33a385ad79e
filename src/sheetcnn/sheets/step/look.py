"""The hidden sheets of the network after each step."""

from __future__ import annotations

from ...xlsx.draft import WorkbookDraft
from ...xlsx.labels import put
from ..back.look import pour
from ..content import WorkbookContent


def step_sheet(draft: WorkbookDraft, content: WorkbookContent, name: str) -> None:
    """The network once more, with the weights that it has after a step."""
    assert content.graph.learning is not None
    page = content.learning[name]
    sheet = draft.sheet(page.sheet)
    sheet.sheet_state = "hidden"
    for mark in page.marks:
        put(sheet, mark.row, mark.column, mark.text, mark.style)
    pour(draft, content, page, content.graph.learning.pages[name], colours=False)
