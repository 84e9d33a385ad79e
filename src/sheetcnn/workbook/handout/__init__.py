"""A handout: the workbook with blanks, planted mistakes and targets, its instruction sheet, and what turns blanks green."""

from __future__ import annotations

from typing import Any

from ...handout.compute import Compute
from ...handout.design import Design
from ...handout.fill import Fill
from ...handout.mistake import Mistake
from ...handout.shapes import Shapes
from ...handout.variant import Variant
from ...sheets.content import WorkbookContent
from ...sheets.description.look import description_sheet
from ...sheets.gallery.content import thumbnails
from ...sheets.gallery.look import gallery_sheet
from ...sheets.layer.look import layer_sheet
from ...xlsx.draft import WorkbookDraft, protect
from .blanks import ask_design, leave_blank, plant
from .frames import draw_frames
from .instructions import instructions
from .making import EXERCISE, Making


def draft_handout(
    content: WorkbookContent, variant: Variant, key: bool, name: str, description: dict[str, Any], protected: bool
) -> WorkbookDraft:
    """A student's workbook, or the key; `name` is whom it is for."""
    draft = WorkbookDraft()
    draft.book.properties.title = variant.exercise.settings.title
    draft.book.properties.creator = f"sheetcnn {description['version']}"
    home = draft.sheet(EXERCISE)
    sizes = key or not any(isinstance(task, Shapes) for task in variant.exercise.tasks)
    if thumbnails(content.graph, content.gallery):
        gallery_sheet(draft, content, sizes)
    names = [EXERCISE, *(page.sheet for page in content.pages.values()), EXERCISE]
    for page, *neighbours in zip(content.pages.values(), names, names[2:], strict=False):
        layer_sheet(draft, content, page, (neighbours[0], neighbours[1]), {}, {}, sizes)
    sheets = Making(draft, content, variant, key)
    for number, task in enumerate(variant.exercise.tasks, start=1):
        if isinstance(task, Fill | Compute):
            leave_blank(sheets, task, number)
        if isinstance(task, Design):
            ask_design(sheets, task, number)
        if isinstance(task, Mistake) and not key:
            plant(sheets, variant.planted[number])
    for task in variant.exercise.tasks:
        if isinstance(task, Compute):
            draw_frames(sheets, task)
    instructions(sheets, home, name)
    description_sheet(draft, description)
    if protected:
        protect(draft)
    return draft
