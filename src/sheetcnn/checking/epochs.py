"""Recorded epochs: which is chosen, and each parameter's cell that still follows it."""

from __future__ import annotations

import numpy as np

from ..arrays.array import Array, Values
from ..arrays.grid import Grid
from ..formula.values import ERRORS
from ..model.settings import INPUT
from ..sheets.epochs.content import (
    CHOICE,
    EPOCHS,
    LISTED,
    NUMBER,
    Recording,
    bank_name,
    chosen_epoch,
    chosen_views,
    follower_of,
    followers,
    measured_name,
    recorded_formula,
)
from ..sheets.overview.content import OVERVIEW
from .comparison import Comparison, agree
from .named_grids import NoNumber, in_words


def epochs(comparison: Comparison, recording: Recording | None, given: Values, wrong: list[NoNumber]) -> None:
    """What is chosen, and every cell that follows it against the number that is recorded; others were typed over, as anyone may."""
    if recording is None:
        return
    comparison.now = comparison.reports[INPUT]
    named = comparison.named
    arrays = [one for one in followers(comparison.graph, recording.parameters) if one.owner in named.there]
    sizes = recording.sizes(comparison.graph)
    places = comparison.places("the recorded epochs", {OVERVIEW: recording.chosen_sizes(), EPOCHS: sizes})
    if places is None:
        return
    listed = comparison.typed_numbers(LISTED, places[LISTED])[0].tolist()
    choice = comparison.typed(places[CHOICE])
    chosen = chosen_epoch(choice, listed)
    if chosen is None:
        words = f"holds {in_words(choice)}, which is no recorded epoch; choose one of the list"
        comparison.add("input", named.where(places[CHOICE], 0, 0), words, choice, None, None)
        comparison.spoilt = True
    measured = {key: comparison.typed_numbers(key, places[measured_name(key)]) for key in recording.measured}
    number = comparison.typed(
        places[NUMBER]
    )  # which may have been typed over: the cells that read it are right all the same
    now = int(number) - 1 if isinstance(number, float) and number in range(1, recording.count + 1) else None
    for view in chosen_views(places, measured, chosen, now):
        comparison.view(view, places[view.name], places[NUMBER].sheet)
    for array in arrays:
        comparison.now = comparison.reports[array.owner]
        shown = follower_of(comparison.network, array)
        bank = comparison.typed_numbers(bank_name(array), places[bank_name(array)])
        if shown is array:
            have = given[array.id]
        elif any(named.lacks(shown.name(index), _extent(shown)) for index in shown.indexes()):
            continue  # a note tells of it, with the lists
        else:
            comparison.grids[shown.id] = named.find(shown)
            have, others = named.numbers(array.owner, shown, comparison.grids[shown.id])
            wrong = [*wrong, *others]
        if now is not None:
            _follow(comparison, shown, places[bank_name(array)], places[NUMBER], have, bank[:, now].reshape(array.shape))
    if now is None:
        owners = {array.owner for array in arrays}
        comparison.explained |= {cell.cell for cell in wrong if cell.layer in owners and cell.value in ERRORS}


def _extent(array: Array) -> tuple[int, int]:
    """Rows and columns that its grids take."""
    rows, columns = ((size - 1) * apart + 1 for size, apart in zip(array.size, array.spacing, strict=True))
    return rows, columns


def _follow(comparison: Comparison, array: Array, bank: Grid, number: Grid, have: np.ndarray, wanted: np.ndarray) -> None:
    """Cells that hold another number than the chosen epoch has there: those whose formula still follows it are wrong."""
    named = comparison.named
    comparison.now.cells += array.count
    differ = ~agree(have, wanted)
    for index, grid, sheet in named.each(comparison.grids[array.id]):
        write = recorded_formula(array.shape, bank.seen_from(sheet.name), number.seen_from(sheet.name))
        for i, j in np.argwhere(differ[index].reshape(array.size)).tolist():
            place = (*index, i, j)[: len(array.shape)]
            text = named.formula(grid, i, j)
            follows = text is not None and comparison.same(text, write(place), (sheet.name, sheet.name))
            if follows and named.value(grid, i, j) not in ERRORS:
                comparison.differs(grid, i, j, float(wanted[place]))
