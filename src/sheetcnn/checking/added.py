"""What is added for looking and choosing, each cell against NumPy; what is gone is left out, and a note says so."""

from __future__ import annotations

import numpy as np

from ..arrays.array import Array, Values
from ..arrays.computed_range import ComputedRange
from ..arrays.grid import Grid, flat
from ..formula.parser import skeleton
from ..model.settings import INPUT
from ..sheets.answer.content import OVERVIEW as HOME
from ..sheets.answer.content import gives_answer
from ..sheets.check.content import CHECK, check_sizes, check_views
from ..sheets.gallery.content import GALLERY, SALIENCY, kernel_thumbnails, thumbnails
from ..sheets.inspector.formulas import inspector_views
from ..sheets.inspector.table import CHOICES, INSPECTOR, MARKS, PLACES, TABLE, Inspector
from ..sheets.kernels.content import choosable
from ..sheets.overview.content import OVERVIEW, overview_sizes, overview_views
from ..sheets.pictures.content import TRUTH
from .answers import answer, answer_places, pictures
from .comparison import Comparison, Size
from .inspector_back import inspector_back
from .kernels import Cells, kernel_lists
from .named_grids import NoNumber, in_words
from .scales import scale_bars

Areas = dict[tuple[str, int, int, int, int], set[tuple[str, int, int, int, int]]]


def _sizes(array: Array) -> dict[str, Size]:
    """Rows and columns of an array's grids, by name."""
    return {array.name(index): array.size for index in array.indexes()}


# -- lists to choose from --------------------------------------------------------------------------------------------


# -- sheets ----------------------------------------------------------------------------------------------------------
def gallery(comparison: Comparison, limit: int, values: Values) -> None:
    """The thumbnails, each cell against the map that it shows."""
    named, owner = comparison.named, GALLERY.lower()
    lost = {*named.gone, *named.cut_off}
    thumbs = [*thumbnails(named.graph, limit), *kernel_thumbnails(named.graph, limit)]
    shown = {array.key: array for array in thumbs if array.inputs[0].owner not in lost}
    if not named.learning:
        shown.pop(SALIENCY, None)
    parts = {key: _sizes(array) for key, array in shown.items()}
    if not shown:
        return
    if comparison.gone(GALLERY, [name for names in parts.values() for name in names]):
        comparison.left_out(GALLERY, parts, "it is gone")
        return
    broken = {key: why for key in parts for name, size in parts[key].items() if (why := named.lacks(name, size))}
    whose = dict.fromkeys(shown[key].inputs[0].owner for key in broken)
    if broken:
        comparison.report.notes.append(f"not checked: thumbnails of {', '.join(whose)}, since {next(iter(broken.values()))}")
    if broken.keys() == shown.keys():
        return
    comparison.begin(owner, "thumbnails")
    for key, array in shown.items():
        if key in broken:
            continue
        grids = named.find(array)
        sheets = {grid.sheet for _, grid in flat(grids)}
        comparison.sheets.setdefault(owner, next(flat(grids))[1].sheet)
        comparison.now.grids += array.names
        write = array.written(comparison.grids, GALLERY)
        comparison.compare(array, grids, array.computed(values), write, named.viewpoint(GALLERY, sheets))


def inspector(comparison: Comparison, values: Values) -> None:
    """The inspector, each cell against what NumPy says of the place that is chosen."""
    named = comparison.named
    shown = Inspector(comparison.graph, comparison.grids)
    listed = named.area("inspector_layers")
    if shown.displaced and (listed is None or listed[3] - listed[1] + 1 != len(shown.layers) or not shown.layers):
        parts = {INSPECTOR: {"inspector_layer": (1, 1)}, TABLE: {"inspector_layers": (1, 1)}}
        missing = next((sheet for sheet, names in parts.items() if comparison.gone(sheet, names)), None)
        reason = _moved(shown.displaced) if missing is None else f"{missing} is gone"
        comparison.left_out(INSPECTOR, parts, reason)
        return
    parts = {INSPECTOR: shown.sizes(), TABLE: shown.hidden_sizes()}
    parts["outlines"] = {stack.name: (len(MARKS), 1) for stack in shown.stacks.values()}
    places = comparison.places(INSPECTOR, parts, shown.spacings())
    if places is None:
        return
    if apart := _apart(comparison, shown, places):
        comparison.left_out(INSPECTOR, parts, _moved(apart))
        return
    choice = {name: comparison.typed(places[f"inspector_{name}"]) for name in CHOICES}
    known = str(choice["layer"]).lower() in [name.lower() for (name,) in shown.names]
    views = inspector_views(shown, places, values, choice) if known else []
    if _reads_elsewhere(comparison, views, places):
        comparison.left_out(INSPECTOR, parts, _moved([]))
        return
    comparison.begin("inspector", "one cell")
    comparison.sheets["inspector"] = places["inspector_window"].sheet
    comparison.hidden[places["inspector_table"].sheet] = "inspector"
    numbers = {name: array.tolist() for name, array in shown.tables().items()}
    for name, wanted in (numbers | shown.constants()).items():
        comparison.constants(places[name], wanted)
    if not known:
        words = f"holds {in_words(choice['layer'])}, which is no layer that can be inspected; choose one of the list"
        comparison.add("input", named.where(places["inspector_layer"], 0, 0), words, choice["layer"], None, None)
    homes = dict.fromkeys(shown.sizes(), places["inspector_layer"].sheet)
    homes |= dict.fromkeys(shown.hidden_sizes(), places["inspector_table"].sheet)
    for view in views:
        if view.name == "inspector_scale" and comparison.misled:  # by a number between grids, which a note has told of
            continue
        comparison.view(view, places[view.name], homes.get(view.name, places[view.name].sheet))


def _apart(comparison: Comparison, shown: Inspector, places: dict[str, Grid]) -> list[str]:
    """The layers whose grids, or those that they read, do not stand as far apart as the inspector's tables say."""

    def rows(name: str, wanted: np.ndarray, fields: slice) -> list[int]:
        array = Array(name, wanted.shape, role="view")
        have = comparison.named.numbers("inspector", array, places[f"inspector_{name}"])[0]
        return [n for n, row in enumerate(have[:, fields]) if (row != wanted[n, fields]).any()]

    stacks = list(shown.stacks.values())
    moved = [stacks[n] for n in rows("stacks", shown.places, slice(6))]
    kernels = rows("table", shown.table, slice(-len(PLACES), None))
    return [
        layer.node.name
        for n, layer in enumerate(shown.layers)
        if n in kernels or any(stack in moved for stack in (*layer.reads, layer.own))
    ]


def _moved(layers: list[str]) -> str:
    whose = f"of {' and '.join(layers)} " if layers else ""
    return f"grids {whose}were moved, or rows or columns inserted between them, and it looks where they were"


def _reads_elsewhere(comparison: Comparison, views: list[ComputedRange], places: dict[str, Grid]) -> bool:
    """Whether the inspector's areas lie where grids were: these were moved one by one, which no area around them follows.

    Then all its formulas say the same other area, which has no cell of the right one; a single formula that reads
    something else is a finding.
    """
    found: Areas = {}
    layers = set().union(*comparison.named.sheets_of.values())
    for view in views:
        if view.name not in ("inspector_window", "inspector_kernel", "inspector_steps"):
            continue
        grid = places[view.name]
        texts = [
            (comparison.named.formula(grid, i, j) or "", view.formula(i, j)) for i, j in np.ndindex(grid.rows, grid.columns)
        ]
        if all(have == want for have, want in texts):
            continue
        for written, right in texts:
            (whole, have), (wanted, want) = skeleton(written), skeleton(right)
            if whole != wanted:
                continue
            for one, other in zip(have, want, strict=True):
                if other.sheet in layers and other.rows * other.columns > 1:
                    area = (other.sheet, *other[1:])
                    found.setdefault(area, set()).add((one.sheet or grid.sheet, *one[1:]))
    return any(len(written) == 1 and not _meet(right, next(iter(written))) for right, written in found.items())


def _meet(one: tuple[str, int, int, int, int], other: tuple[str, int, int, int, int]) -> bool:
    """Whether two areas (sheet, top, left, rows, columns) have a cell in common."""
    down = one[1] < other[1] + other[3] and other[1] < one[1] + one[3]
    along = one[2] < other[2] + other[4] and other[2] < one[2] + one[4]
    return one[0] == other[0] and down and along


def check_sheet(comparison: Comparison, values: Values) -> tuple[int, dict[str, Grid]]:
    """The Check sheet: how far edits reach; returns how many of its rows say so, and its places."""
    places = comparison.places(CHECK, {CHECK: check_sizes(comparison.network)})
    if places is None:
        return 0, {}
    comparison.begin("check", "as built?")
    comparison.sheets["check"] = places["check_sum"].sheet
    sums, largest = (
        comparison.typed_numbers(name, places[name]).reshape(-1) for name in ("check_sum_built", "check_largest_built")
    )
    views = check_views(comparison.graph, comparison.grids, places, values, (sums, largest))
    for view in views:
        comparison.view(view, places[view.name], places["check_sum"].sheet)
    return sum(state for (state,) in views[-1].values), places


def overview(comparison: Comparison, values: Values, changed: int, checked: dict[str, Grid]) -> None:
    """The Overview: whether all is as built, of which the Check sheet's rows tell, and what the network answers."""
    sizes = overview_sizes(comparison.network, comparison.named.area(TRUTH) is not None)
    parts = {OVERVIEW: {"overview_state": sizes.pop("overview_state")}}
    if comparison.gone(OVERVIEW, [*parts[OVERVIEW], *sizes]):
        comparison.left_out(OVERVIEW, parts, "it is gone")
        return
    found = (comparison.places("the state on Overview", parts) if checked else None) or {}
    told = answer_places(comparison, OVERVIEW, HOME)
    if not found and not told:
        return
    comparison.begin("overview", "answer" if gives_answer(comparison.network) else "state")
    comparison.sheets["overview"] = next(grid.sheet for name, grid in (found | told).items() if name.startswith(HOME))
    for view in overview_views(checked | found, changed):
        comparison.view(view, found[view.name], found["overview_state"].sheet)
    answer(comparison, values, told, HOME)


def added_sheets(comparison: Comparison, cells: int, inspects: bool, values: Values) -> None:
    """All that a workbook has besides its layers: a gallery of so many cells, an inspector if it has one."""
    gallery(comparison, cells, values)
    scale_bars(comparison, cells)
    if gone := comparison.named.gone:
        parts = {OVERVIEW: {"overview_state": (1, 1)}, CHECK: {"check_state": (1, 1)}}
        parts |= {INSPECTOR: {"inspector_layer": (1, 1)}, TABLE: {"inspector_table": (1, 1)}} if inspects else {}
        whole = f"{INSPECTOR}, {CHECK} and {OVERVIEW}" if inspects else f"{CHECK} and {OVERVIEW}"
        comparison.left_out(whole, parts, f"they tell of {' and '.join(gone)}, too")
        return
    if inspects:
        inspector(comparison, values)
        if comparison.named.learning:
            inspector_back(comparison, values)
    overview(comparison, values, *check_sheet(comparison, values))
    comparison.now = comparison.reports[INPUT]
    answer(comparison, values, answer_places(comparison, "Input", INPUT), INPUT)


def lists(comparison: Comparison, given: Values, wrong: list[NoNumber]) -> Cells:
    """All lists of kernels and of pictures; returns the cells that are no numbers because of what is chosen."""
    comparison.now = comparison.reports[INPUT]
    explained = pictures(comparison, given, wrong)
    for node in comparison.named.left.nodes:
        if choosable(node):
            comparison.now = comparison.reports[node.name]
            explained |= kernel_lists(comparison, node, given[f"{node.name}.weight"])
    return explained
