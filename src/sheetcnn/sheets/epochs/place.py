"""Where recorded epochs stand: chosen on the Overview, their numbers on a hidden sheet."""

from __future__ import annotations

from ...arrays.grid import Grid
from ...model.graph import Graph
from ..overview.content import OVERVIEW
from ..page import LEFT
from .content import CHOICE, EPOCHS, LISTED, NUMBER, Recording, bank_name, chosen_name, followers, measured_name

HEAD = 4  # the row of the epochs' numbers on the hidden sheet; what was measured stands below it
FIRST = LEFT + 1  # the column of the first epoch
ROW = 4  # of the Overview
# Its columns there, of what is chosen, the words beside it, and what was measured.
CHOSEN, CHOSEN_COLUMNS, WORDS, MEASURED, MEASURED_COLUMNS, NUMBER_COLUMNS = LEFT + 5, 6, LEFT + 12, LEFT + 67, 19, 7
CHART_COLUMNS, CHART_ROWS = 34, 9  # of what was measured, in cells of the Overview


def chosen_places(recording: Recording) -> dict[str, Grid]:
    """Where an epoch is chosen, which of them it is, and what was measured then."""
    found = {CHOICE: Grid(OVERVIEW, ROW, CHOSEN, 1, 1), NUMBER: Grid(OVERVIEW, ROW, CHOSEN + CHOSEN_COLUMNS, 1, 1)}
    for n, key in enumerate(recording.measured):
        found[chosen_name(key)] = Grid(OVERVIEW, ROW, MEASURED + (n + 1) * MEASURED_COLUMNS - NUMBER_COLUMNS - 1, 1, 1)
    return found


def bank_rows(recording: Recording) -> dict[str, Grid]:
    """Where the numbers of the epochs stand on the hidden sheet, and what was measured at each."""
    names = (LISTED, *map(measured_name, recording.measured))
    return {name: Grid(EPOCHS, HEAD + n, FIRST, 1, recording.count) for n, name in enumerate(names)}


def bank_places(graph: Graph, recording: Recording) -> dict[str, Grid]:
    """Where all of that sheet's rectangles stand: below these, a row for each number, with what they are of above them."""
    found = bank_rows(recording)
    row = HEAD + len(found)
    for array in followers(graph, recording.parameters):
        found[bank_name(array)] = Grid(EPOCHS, row + 2, FIRST, array.count, recording.count)
        row += array.count + 2
    return found
