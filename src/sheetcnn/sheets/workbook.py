"""The whole workbook, sheet by sheet, its grids ready to be poured."""

from __future__ import annotations

from ..model.frozen import frozen_sums
from ..xlsx.draft import WorkbookDraft, protect
from ..xlsx.printing import set_up_printing
from .answer.look import answer_on_input
from .check.look import check_sheet
from .content import WorkbookContent
from .description.content import LOOKS
from .description.look import description_sheet
from .epochs.content import recording_of
from .epochs.look import epochs_sheet
from .gallery.content import thumbnails
from .gallery.look import gallery_scales, gallery_sheet
from .inspector.look import inspector_cells, inspector_of, inspector_sheet
from .inspector.outlining import outlines
from .inspector.place import inspector_places
from .kernels.look import kernels_sheet
from .layer.look import layer_sheet
from .overview.look import overview_sheet
from .pictures.look import pictures_sheet


def draft_workbook(content: WorkbookContent, protected: bool, version: str) -> WorkbookDraft:
    """The whole workbook, its grids ready to be poured."""
    draft = WorkbookDraft()
    network = content.network
    draft.book.properties.title = network.settings.name
    draft.book.properties.creator = f"sheetcnn {version}"
    overview = draft.sheet("Overview")
    if thumbnails(content.graph, content.gallery):
        gallery_sheet(draft, content)
    inspector = inspector_of(content) if content.inspector else None
    places = {} if inspector is None else inspector_places(inspector)
    if inspector is not None:
        inspector_sheet(draft, content, inspector, places)
    back = None
    if content.learning:
        from .learning import (  # only then needed
            inspector_back_cells,
            inspector_back_of,
            inspector_back_sheet,
            learning_sheets,
        )

        back = inspector_back_of(content) if inspector is not None else None
    if back is not None:
        inspector_back_sheet(draft, content, back)
    outlined = {} if inspector is None else outlines(inspector, places)
    names = ["Overview", *(page.sheet for page in content.pages.values()), "Loss" if content.learning else "Check"]
    banks = content.banks
    for page, *neighbours in zip(content.pages.values(), names, names[2:], strict=False):
        layer_sheet(draft, content, page, (neighbours[0], neighbours[1]), banks, outlined)
    if content.learning:
        learning_sheets(draft, content, "Check")
    gallery_scales(draft, content)
    checked = check_sheet(draft, content)
    answer_on_input(draft, content)
    if content.pictures or content.knows_truth:
        pictures_sheet(draft, content, banks.get("pictures"))
    if "kernels" in banks:
        kernels_sheet(draft, content, banks["kernels"])
    if content.recorded is not None:
        epochs_sheet(draft, content)
    if inspector is not None:
        inspector_cells(draft, content, inspector, places)
    if back is not None:
        inspector_back_cells(draft, content, back)
    overview_sheet(draft, overview, content, checked)
    description = {
        "format": 1,
        "looks": LOOKS,
        "version": version,
        **content.graph.drawn.description(),
        "gallery": content.gallery,
        "inspector": inspector is not None,
        **({} if content.recorded is None else {"epochs": recording_of(content.recorded).description()}),
        "network": network.description(),
    }
    if sums := frozen_sums(content.graph, content.values):
        description["numbers"] = sums
    description_sheet(draft, description)
    set_up_printing(draft)
    if protected:
        protect(draft)
    return draft
