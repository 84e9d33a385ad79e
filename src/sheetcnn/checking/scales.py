"""Scale bars, each cell against the numbers that stand in the grids: of these every cell is compared with NumPy already."""

from __future__ import annotations

from collections.abc import Iterator

from ..arrays.array import Array, original
from ..arrays.computed_range import ComputedRange
from ..arrays.grid import Grid
from ..formula.parser import skeleton
from ..sheets.gallery.content import SALIENCY, thumbnails
from ..sheets.scales.content import bar_name, bar_size, bar_view, has_live_scale
from ..sheets.step.content import is_step
from .comparison import Comparison

REPORT = "scale bars"  # which no layer can be called


def scale_bars(comparison: Comparison, gallery: int) -> None:
    """All scale bars that are there and whose grids hold numbers; what is missing is said in a note."""
    named = comparison.named
    found = [array for array in _coloured(comparison, gallery) if has_live_scale(array)]
    lacking = {bar_name(array): why for array in found if (why := named.lacks(bar_name(array), bar_size(array)))}
    places = {name: named.place(name, bar_size(array)) for array in found if (name := bar_name(array)) not in lacking}
    if lacking:
        comparison.report.notes.append(f"not checked: {REPORT} {', '.join(lacking)}, since {next(iter(lacking.values()))}")
    comparison.begin(REPORT, "colours")
    moved: list[str] = []
    misled: list[str] = []  # by a number that lies between grids, which a note has told of
    for array in found:
        shown, name = original(array), bar_name(array)
        if name in places and named.where(places[name], 0, places[name].columns - 1) in comparison.misled:
            misled.append(name)
        if {name, bar_name(shown)} & {*lacking, *moved, *misled}:
            continue
        grids = named.grids[shown.id]
        numbers, wrong = named.numbers(shown.owner, shown, grids)
        if wrong:  # which is said already
            continue
        view = bar_view(array, grids, places, {shown.id: numbers})
        if shown is array and _reads_elsewhere(comparison, view, places[name]):
            moved.append(name)
        else:
            comparison.view(view, places[name], places[name].sheet)
    if moved:
        comparison.report.notes.append(
            f"not checked: {REPORT} {', '.join(moved)}, since their grids were moved, and they look where these were"
        )


def _coloured(comparison: Comparison, gallery: int) -> Iterator[Array]:
    """All arrays that are there, and the thumbnails of those."""
    named = comparison.named
    lost = {*named.gone, *named.cut_off}
    for owner in named.there:
        if owner not in lost:
            yield from named.graph.of[owner]
    for name, arrays in named.learning.items():
        if not is_step(name):  # those are hidden
            yield from arrays
    for array in thumbnails(named.graph, gallery):
        if (
            array.key not in lost
            and (array.key != SALIENCY or named.learning)
            and (named.area(bar_name(array)) or named.area(array.name((0,))))
        ):
            yield array


def _reads_elsewhere(comparison: Comparison, view: ComputedRange, place: Grid) -> bool:
    """Whether its last cell says the right formula of other cells: grids were moved one by one, which no area around them follows."""
    last = place.columns - 1
    written, right = comparison.named.formula(place, 0, last), view.formula(0, last)
    if written is None or comparison.same(written, right, (place.sheet, place.sheet)):
        return False
    return skeleton(written)[0].replace(",\x01", "") == skeleton(right)[0].replace(",\x01", "")
