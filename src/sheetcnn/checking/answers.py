"""The picture that is chosen, pixels that are typed over it, and what the network answers: each cell against NumPy."""

from __future__ import annotations

import numpy as np

from ..arrays.array import Values
from ..arrays.grid import Grid, seen_from
from ..formula.values import ERRORS
from ..model.drawn import MOST_PICTURES
from ..model.labels import label_number
from ..model.pictures import bank_array
from ..model.settings import INPUT
from ..sheets.answer.content import NAMES, answer_sizes, answer_views
from ..sheets.pictures.content import (
    CHOICE,
    NAME,
    NUMBER,
    PICTURES,
    TABLE,
    TRUTH,
    TYPED_COUNT,
    TYPED_STATE,
    choice_views,
    chosen_number,
    pixel_formula,
    table,
    typed_array,
    typed_views,
)
from .comparison import Comparison, agree
from .named_grids import NoNumber, in_words

TABLE_COLUMNS = len(table([""])[0])


# -- pictures --------------------------------------------------------------------------------------------------------
def pictures(comparison: Comparison, given: Values, wrong: list[NoNumber]) -> set[str]:
    """The pixels of several pictures: those that follow the choice, each against the chosen picture or what is typed.

    Returns the pixels that are no numbers because the picture that is chosen is none of the list, which is a finding.
    """
    named, channel = comparison.named, comparison.graph.get(INPUT, "channel")
    if named.area(CHOICE) is None and named.area(f"{INPUT}_picture_1_1") is None:
        return set()
    count = _count(comparison)
    bank, typed = bank_array(channel.shape, count), typed_array(channel)
    types = named.area(typed.name((0,))) is not None
    parts = {PICTURES: {TABLE: (count, TABLE_COLUMNS)} | {bank.name(index): bank.size for index in bank.indexes()}}
    parts["Input"] = {CHOICE: (1, 1), NUMBER: (1, 1), NAME: (1, 1)}
    if types:
        parts["Input"] |= {TYPED_COUNT: (1, 1), TYPED_STATE: (1, 1)} | {typed.name(i): typed.size for i in typed.indexes()}
    places = comparison.places("the list of pictures", parts)
    if places is None:
        return set()
    home = places[CHOICE].sheet
    names = [str(named.value(places[TABLE], n, 0)) for n in range(count)]
    comparison.constants(places[TABLE], table(names))
    chosen = chosen_number(comparison.typed(places[CHOICE]), names)
    choice, listed, number = (places[name].seen_from(home) for name in (CHOICE, TABLE, NUMBER))
    for view in choice_views(choice, listed, number, names, chosen):
        comparison.view(view, places[view.name], home)
    grids, kept = named.find(bank), comparison.numbers(bank, named.find(bank))
    wanted = np.full(channel.shape, np.nan) if chosen is None else kept[chosen - 1]
    over = None
    if types:
        over = named.find(typed)
        wanted = _typed_over(comparison, wanted, over, places)
    write = pixel_formula(places[NUMBER].seen_from(home), seen_from(grids, home), over and seen_from(over, home))
    following: set[str] = set()
    over_formulas = 0
    for (c,), grid, _ in named.each(comparison.grids[channel.id]):
        for i, j in np.ndindex(grid.rows, grid.columns):
            text = named.formula(grid, i, j)
            if text is None or not comparison.same(text, write((c, i, j)), (grid.sheet, home)):
                over_formulas += 1  # as anyone may
                continue
            comparison.now.cells += 1
            if chosen is None:
                following.add(named.where(grid, i, j))
            elif not agree(given[channel.id][c, i, j], wanted[c, i, j]) and named.value(grid, i, j) not in ERRORS:
                comparison.differs(grid, i, j, float(wanted[c, i, j]))
    if over_formulas:
        comparison.report.notes.append(f"pixels whose formulas were typed over follow no list any more: {over_formulas:,}")
    lost = {cell.cell for cell in wrong if cell.cell in following}
    if chosen is None and lost:
        value = comparison.typed(places[CHOICE])
        words = f"holds {in_words(value)}, which is none of the pictures; choose one of the list, or type its number"
        comparison.add("input", named.where(places[CHOICE], 0, 0), words, value, None, None)
    return lost


def _count(comparison: Comparison) -> int:
    """How many pictures there are, as far as their table tells."""
    area = comparison.named.area(TABLE)
    return 1 if area is None else min(MOST_PICTURES, area[3] - area[1] + 1)


def _typed_over(comparison: Comparison, pixels: np.ndarray, typed: list[Grid], places: dict[str, Grid]) -> np.ndarray:
    """Pixels with what is typed over them; what is typed and is no number is a finding, and does not count."""
    named, found = comparison.named, pixels.copy()
    numbers = others = 0
    for (c,), grid, _ in named.each(typed):
        for i, j in np.ndindex(grid.rows, grid.columns):
            value = named.value(grid, i, j)
            if value is None or value == "":
                continue
            if isinstance(value, float):
                found[c, i, j] = value
                numbers += 1
                continue
            others += 1
            words = f"holds {in_words(value)}, and a number is needed; type one, or clear it"
            comparison.add("input", named.where(grid, i, j), words, value, None, named.formula(grid, i, j))
            comparison.spoilt |= value in ERRORS
    home = places[TYPED_COUNT].sheet
    grids = [grid.seen_from(home) for grid in typed]
    for view in typed_views(grids, places[TYPED_COUNT].seen_from(home), numbers, others):
        comparison.view(view, places[view.name], home)
    return found


# -- the answer ------------------------------------------------------------------------------------------------------
def answer_places(comparison: Comparison, sheet: str, home: str) -> dict[str, Grid]:
    """Where a sheet's answer stands, and what its formulas read; nothing where it is not there."""
    named = comparison.named
    truth = named.area(TRUTH) is not None
    sizes = answer_sizes(comparison.network, home, truth)
    if not sizes:
        return {}
    parts = {sheet: sizes | {NAMES: (len(comparison.network.answers), 1)}}
    if truth:
        parts[PICTURES] = {TRUTH: (_count(comparison), 1), TABLE: (_count(comparison), TABLE_COLUMNS)}
        if named.area(CHOICE) is not None:
            parts[PICTURES] |= {CHOICE: (1, 1), NUMBER: (1, 1)}
    return comparison.places(f"the answer on {sheet}", parts) or {}


def answer(comparison: Comparison, values: Values, places: dict[str, Grid], home: str) -> None:
    """The answer on one sheet: what is read, whether it is right, and the bars."""
    if not places:
        return
    named, labels = comparison.named, comparison.network.settings.labels or ()
    comparison.constants(places[NAMES], [[name] for name in comparison.network.answers])
    truth = 0
    if TRUTH in places:
        names = [str(named.value(places[TABLE], n, 0)) for n in range(places[TABLE].rows)]
        right = [label_number(name, labels) for name in names]
        comparison.constants(places[TRUTH], [[number] for number in right])
        chosen = chosen_number(comparison.typed(places[CHOICE]), names) if CHOICE in places else 1
        truth = right[(chosen or 1) - 1]
    sheet = places[f"{home}_answer"].sheet
    for view in answer_views(comparison.graph, comparison.grids, places, values, home, truth):
        comparison.view(view, places[view.name], sheet)
