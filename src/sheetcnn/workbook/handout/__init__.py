"""A handout: the workbook with blanks, planted mistakes and targets, its instruction sheet, and what turns blanks green."""

from __future__ import annotations

from typing import Any

from ...handout.compute import Compute
from ...handout.design import Design
from ...handout.fill import Fill
from ...handout.mistake import Mistake
from ...handout.shapes import Shapes
from ...handout.variant import Variant
from ...views.gallery import thumbnails
from ..dress import Dressed, description_sheet, protect
from ..gallery import gallery_sheet
from ..model import Model
from ..pages import layer_sheet
from .blanks import ask_design, leave_blank, plant
from .frames import draw_frames
from .instructions import instructions
from .making import EXERCISE, Making


def dress_handout(
    model: Model, variant: Variant, key: bool, name: str, description: dict[str, Any], protected: bool
) -> Dressed:
    """A student's workbook, or the key; `name` is whom it is for."""
    dressed = Dressed()
    dressed.book.properties.title = variant.exercise.settings.title
    dressed.book.properties.creator = f"sheetcnn {description['version']}"
    home = dressed.sheet(EXERCISE)
    sizes = key or not any(isinstance(task, Shapes) for task in variant.exercise.tasks)
    if thumbnails(model.graph, model.gallery):
        gallery_sheet(dressed, model, sizes)
    names = [EXERCISE, *(page.sheet for page in model.pages.values()), EXERCISE]
    for page, *neighbours in zip(model.pages.values(), names, names[2:], strict=False):
        layer_sheet(dressed, model, page, (neighbours[0], neighbours[1]), {}, {}, sizes)
    sheets = Making(dressed, model, variant, key)
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
    description_sheet(dressed, description)
    if protected:
        protect(dressed)
    return dressed
