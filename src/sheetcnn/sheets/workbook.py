"""The whole workbook, sheet by sheet, its grids ready to be poured."""

from __future__ import annotations

from ..model.loss import LOSS
from ..model.training import STEP
from ..xlsx.draft import WorkbookDraft, protect
from ..xlsx.printing import set_up_printing
from .answer.look import answer_on_input
from .back.look import back_sheet
from .check.look import check_sheet
from .content import WorkbookContent
from .description.content import LOOKS
from .description.look import description_sheet
from .gallery.content import thumbnails
from .gallery.look import gallery_scales, gallery_sheet
from .inspector.look import inspector_cells, inspector_of, inspector_sheet
from .inspector.outlining import outlines
from .inspector.place import inspector_places
from .kernels.look import kernels_sheet
from .kernels.place import kernels_page
from .layer.look import layer_sheet
from .loss.look import loss_sheet
from .overview.look import overview_sheet
from .pictures.look import pictures_sheet
from .pictures.place import pictures_page
from .step.look import step_sheet


def _learning_sheets(draft: WorkbookDraft, content: WorkbookContent) -> None:
    """The loss, the sheets of gradients, and the hidden network after the step."""
    if not content.learning:
        return
    shown = [page.sheet for name, page in content.learning.items() if name != STEP]
    around = [*list(content.pages.values())[-1:], *content.learning.values()]
    names = [around[0].sheet, *shown, "Check"]
    for n, (name, page) in enumerate((name, page) for name, page in content.learning.items() if name != STEP):
        neighbours = names[n], names[n + 2]
        if name == LOSS:
            loss_sheet(draft, content, page, neighbours)
        else:
            back_sheet(draft, content, name.removesuffix("_back"), page, neighbours)
    if STEP in content.learning:
        step_sheet(draft, content)


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
    outlined = {} if inspector is None else outlines(inspector, places)
    names = ["Overview", *(page.sheet for page in content.pages.values()), "Check"]
    banks = {"pictures": pictures_page(network, len(content.pictures))} if content.pictures else {}
    if (kernels := kernels_page(content.graph)) is not None:
        banks["kernels"] = kernels
    for page, *neighbours in zip(content.pages.values(), names, names[2:], strict=False):
        layer_sheet(draft, content, page, (neighbours[0], neighbours[1]), banks, outlined)
    _learning_sheets(draft, content)
    gallery_scales(draft, content)
    checked = check_sheet(draft, content)
    answer_on_input(draft, content)
    if content.pictures or content.knows_truth:
        pictures_sheet(draft, content, banks.get("pictures"))
    if "kernels" in banks:
        kernels_sheet(draft, content, banks["kernels"])
    if inspector is not None:
        inspector_cells(draft, content, inspector, places)
    overview_sheet(draft, overview, content, checked)
    description = {
        "format": 1,
        "looks": LOOKS,
        "version": version,
        **content.graph.drawn.description(),
        "gallery": content.gallery,
        "inspector": inspector is not None,
        "network": network.description(),
    }
    description_sheet(draft, description)
    set_up_printing(draft)
    if protected:
        protect(draft)
    return draft
