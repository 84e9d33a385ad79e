"""The inspector's formulas, each rectangle beside what NumPy says that it shows."""

from __future__ import annotations

from typing import Any

from ...arrays.array import Values
from ...arrays.computed_range import ComputedRange
from ...arrays.grid import Grid
from ...model.trace import CellTrace
from .hidden import HiddenSheet
from .references import References
from .shown import ShownSheet
from .table import Inspector, chosen
from .thumbnails import Thumbnails


def inspector_views(
    inspector: Inspector,
    places: dict[str, Grid],
    values: Values,
    choice: dict[str, Any],
) -> list[ComputedRange]:
    """Every computed rectangle; `places` are all named rectangles, `choice` is what the yellow cells hold."""
    number, place = chosen(inspector, choice)
    seen = CellTrace(inspector.graph, values, inspector.layers[number].node, place)
    hidden = HiddenSheet(References(inspector, places), number, seen)
    views = hidden.views()
    views += [*ShownSheet(hidden, choice).views(), *Thumbnails(hidden).views()]
    return views + [hidden.outlined(stack, places[stack.name].sheet) for stack in inspector.stacks.values()]
