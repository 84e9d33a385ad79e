"""A handout as a workbook: the layers' sheets as the tasks change them, the instructions, and what turns blanks green."""

from __future__ import annotations

from typing import Any

from ..sheets.content import WorkbookContent
from ..sheets.description.look import description_sheet
from ..sheets.gallery.content import thumbnails
from ..sheets.gallery.look import gallery_scales, gallery_sheet
from ..sheets.layer.look import layer_sheet
from ..sheets.learning import learning_sheets
from ..xlsx.draft import protect
from ..xlsx.printing import set_up_printing
from .draft import EXERCISE, HandoutDraft
from .exercise import Exercise
from .feedback import feedback
from .instructions import instructions
from .variant import Variant


def draft_handout(
    content: WorkbookContent,
    exercise: Exercise,
    variant: Variant,
    key: bool,
    name: str,
    description: dict[str, Any],
    protected: bool,
) -> HandoutDraft:
    """A student's workbook, or the key; `name` is whom it is for."""
    tasks = dict(enumerate(exercise.tasks, start=1))
    live = frozenset(number for number, task in tasks.items() if exercise.live(task))
    draft = HandoutDraft(content=content, variant=variant, key=key, live=live)
    draft.book.properties.title = exercise.settings.title
    draft.book.properties.creator = f"sheetcnn {description['version']}"
    draft.sheet(EXERCISE, "one page")
    sizes = key or not any(task.asks_sizes for task in exercise.tasks)
    if thumbnails(content.graph, content.gallery):
        gallery_sheet(draft, content, sizes, kernels=False)
    names = [EXERCISE, *(page.sheet for page in content.pages.values()), EXERCISE]
    for page, *neighbours in zip(content.pages.values(), names, names[2:], strict=False):
        layer_sheet(draft, content, page, (neighbours[0], neighbours[1]), {}, {}, sizes)
    learning_sheets(draft, content, EXERCISE)
    gallery_scales(draft, content)
    for number, task in tasks.items():
        task.draw(draft, number)
    for task in exercise.tasks:
        task.outline(draft)
    rows = instructions(draft, exercise, name)
    if live:
        feedback(draft, rows)
    description_sheet(draft, description)
    draft.prints.update({task.sheet: "grids" for task in exercise.tasks if task.sheet})
    set_up_printing(draft)
    if protected:
        protect(draft)
    return draft
