"""The whole workbook, sheet by sheet, its grids ready to be poured."""

from __future__ import annotations

from ..layout import inspector_places, kernels_page, pictures_page
from ..views.gallery import thumbnails
from ..views.kernels import kept
from .check import check_sheet
from .dress import Dressed, description_sheet, protect
from .gallery import gallery_sheet
from .inspector import inspector_cells, inspector_of, inspector_sheet, outlines
from .kernels import kernels_sheet
from .model import Model
from .overview import overview_sheet
from .pages import layer_sheet
from .pictures import pictures_sheet


def dress_workbook(model: Model, protected: bool, version: str) -> Dressed:
    """The whole workbook, its grids ready to be poured."""
    dressed = Dressed()
    network = model.network
    dressed.book.properties.title = network.settings.name
    dressed.book.properties.creator = f"sheetcnn {version}"
    overview = dressed.sheet("Overview")
    if thumbnails(model.graph, model.gallery):
        gallery_sheet(dressed, model)
    inspector = inspector_of(model) if model.inspector else None
    places = {} if inspector is None else inspector_places(inspector)
    if inspector is not None:
        inspector_sheet(dressed, inspector, places)
    outlined = {} if inspector is None else outlines(inspector, places)
    names = ["Overview", *(page.sheet for page in model.pages.values()), "Check"]
    banks = {"pictures": pictures_page(network, len(model.pictures))} if model.pictures else {}
    if kept(model.graph):
        banks["kernels"] = kernels_page(model.graph)
    for page, *neighbours in zip(model.pages.values(), names, names[2:], strict=False):
        layer_sheet(dressed, model, page, (neighbours[0], neighbours[1]), banks, outlined)
    checked = check_sheet(dressed, model)
    for bank, draw in (("pictures", pictures_sheet), ("kernels", kernels_sheet)):
        if bank in banks:
            draw(dressed, model, banks[bank])
    if inspector is not None:
        inspector_cells(dressed, model, inspector, places)
    overview_sheet(dressed, overview, model, checked)
    description = {
        "format": 1,
        "version": version,
        "detail": model.graph.detail,
        "gallery": model.gallery,
        "inspector": inspector is not None,
        "network": network.description(),
    }
    description_sheet(dressed, description)
    if protected:
        protect(dressed)
    return dressed
