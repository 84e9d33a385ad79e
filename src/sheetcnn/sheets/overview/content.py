"""What the Overview computes: whether everything is as built, and what the network answers."""

from __future__ import annotations

from ...arrays.computed_range import ComputedRange
from ...arrays.grid import Grid
from ...model.network import Network
from ..answer.content import OVERVIEW as HOME
from ..answer.content import answer_sizes

OVERVIEW = "Overview"  # the sheet
ALL_AS_BUILT, CHANGED = "every grid is as built", "changed since built: see Check"


def overview_sizes(network: Network, truth: bool) -> dict[str, tuple[int, int]]:
    """Rows and columns of the Overview's named rectangles; `truth` is whether any picture's right label is known."""
    return {"overview_state": (1, 1)} | answer_sizes(network, HOME, truth)


def overview_views(places: dict[str, Grid], changed: int) -> list[ComputedRange]:
    """The state, where it has a place; `changed` is how many rows of the Check sheet are changed."""
    if not {"overview_state", "check_state"} <= places.keys():
        return []
    states = places["check_state"].seen_from(places["overview_state"].sheet).area
    formula = f'IF(SUM({states})=0,"{ALL_AS_BUILT}","{CHANGED}")'
    return [ComputedRange("overview_state", lambda *_: formula, [[CHANGED if changed else ALL_AS_BUILT]])]
