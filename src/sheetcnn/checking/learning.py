"""The backward pass, the step and the loss, each cell against NumPy."""

from __future__ import annotations

from ..arrays.array import Values
from ..arrays.grid import flat
from ..model.graph import Graph
from ..model.loss import LOSS
from ..model.training import STEPS
from ..sheets.back.content import sheet_name
from ..sheets.loss.content import NAMES, RIGHT, answer_view
from ..sheets.pictures.content import NUMBER
from ..sheets.step.content import is_step
from .comparison import Comparison
from .steps import film, orders


def learning(comparison: Comparison, graph: Graph, values: Values) -> None:
    """Every page that is there; where some are gone, none is checked, and a note says why."""
    named = comparison.named
    if named.no_learning is not None:
        comparison.report.notes.append(f"not checked: the backward pass, since {named.no_learning}")
    if graph.learning is None or not named.learning:
        return
    for name, arrays in graph.learning.pages.items():
        if name == LOSS:
            comparison.now = comparison.reports[LOSS]
            _answer(comparison, values)
        else:
            comparison.begin(name, "step" if is_step(name) or name == STEPS else "gradients")
        if name == STEPS:
            film(comparison, graph, values)
            orders(comparison, values)
        home = sheet_name(name)
        grids = [grid for array in arrays for _, grid in flat(named.grids[array.id])]
        sheets = {grid.sheet for grid in grids}
        comparison.sheets[name] = grids[0].sheet
        comparison.now.grids += len(grids)
        for array in arrays:
            if array.formula is not None:
                write = array.written(named.grids, home, named.viewpoint(home, sheets))
                comparison.compare(array, named.grids[array.id], values[array.id], write, named.viewpoint(home, sheets))


def _answer(comparison: Comparison, values: Values) -> None:
    """The number of the right answer."""
    named = comparison.named
    if f"{LOSS}.answer" not in named.grids:
        return
    area = named.area(RIGHT)
    count = 1 if area is None else area[3] - area[1] + 1
    names = comparison.network.answers
    places = comparison.places("the right answer", {"Loss": {RIGHT: (count, 1), NAMES: (len(names), 1)}})
    if places is None:
        return
    comparison.constants(places[NAMES], [[name] for name in names])
    number = named.place(NUMBER, (1, 1)) if count > 1 and named.lacks(NUMBER, (1, 1)) is None else None
    row = 0 if number is None else int(named.value(number, 0, 0) or 1) - 1
    chosen = named.value(places[RIGHT], min(max(row, 0), count - 1), 0)
    place = named.grids[f"{LOSS}.answer"]
    seen = {name: grid.seen_from(place.sheet) for name, grid in places.items()}
    number = None if number is None else number.seen_from(place.sheet)
    comparison.view(answer_view(seen[RIGHT], seen[NAMES], number, chosen, names), place, place.sheet)
