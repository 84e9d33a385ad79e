"""The inspector of gradients, each cell against what NumPy says of the place that is chosen."""

from __future__ import annotations

import numpy as np

from ..arrays.array import Array, Values
from ..sheets.inspector_back.formulas import constants, inspector_back_views
from ..sheets.inspector_back.table import BEFORE, CHOICES, SHEET, TABLE, InspectorBack
from .comparison import Comparison
from .named_grids import in_words

MOVED = "grids were moved, or rows or columns inserted between them, and it looks where they were"


def inspector_back(comparison: Comparison, values: Values) -> None:
    """All of the sheet; where grids were moved, it is left out, and a note says so."""
    named = comparison.named
    shown = InspectorBack(comparison.graph, comparison.grids, values)
    if not shown.subjects:
        return
    parts = {SHEET: shown.sizes(), TABLE: shown.hidden_sizes()}
    listed = named.area(f"{BEFORE}subjects")
    if shown.displaced and (listed is None or listed[3] - listed[1] + 1 != len(shown.subjects)):
        reason = f"{SHEET} is gone" if comparison.gone(SHEET, shown.sizes()) else MOVED
        comparison.left_out(SHEET, parts, reason)
        return
    places = comparison.places(SHEET, parts, shown.spacings())
    if places is None:
        return
    tables = shown.tables()
    for name in ("table", "places"):
        wanted = tables[BEFORE + name]
        array = Array(name, wanted.shape, role="view")
        if (named.numbers("inspector_back", array, places[BEFORE + name])[0] != wanted).any():
            comparison.left_out(SHEET, parts, MOVED)
            return
    choice = {name: comparison.typed(places[BEFORE + name]) for name in CHOICES}
    known = str(choice["gradient"]).lower() in [one.name.lower() for one in shown.subjects]
    comparison.begin("inspector_back", "one gradient")
    comparison.sheets["inspector_back"] = places[f"{BEFORE}window"].sheet
    comparison.hidden[places[f"{BEFORE}table"].sheet] = "inspector_back"
    numbers = {name: np.asarray(array).tolist() for name, array in tables.items()}
    for name, texts in (numbers | constants(shown, places)).items():
        comparison.constants(places[name], texts)
    if not known:
        words = f"holds {in_words(choice['gradient'])}, which is no gradient that can be inspected; choose one of the list"
        where = named.where(places[f"{BEFORE}gradient"], 0, 0)
        comparison.add("input", where, words, choice["gradient"], None, None)
        return
    homes = dict.fromkeys(shown.sizes(), places[f"{BEFORE}gradient"].sheet)
    homes |= dict.fromkeys(shown.hidden_sizes(), places[f"{BEFORE}table"].sheet)
    for view in inspector_back_views(shown, places, choice):
        comparison.view(view, places[view.name], homes[view.name])
