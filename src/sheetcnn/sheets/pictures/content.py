"""Several pictures to choose from, and pixels that are typed over the chosen one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...arrays.array import Array, CellFormula
from ...arrays.computed_range import ComputedRange, choose
from ...arrays.grid import Grid, Grids
from ...model.network import Network

PICTURES = "_pictures"  # the hidden sheet
CHOICE = "input_picture"  # what is chosen
NUMBER, NAME = "input_picture_number", "input_picture_name"  # of the picture that this is
TABLE = "input_pictures"  # a row for each picture: its name, the entry of the list, its number
TRUTH = "input_truth"  # a row for each picture: the number of the label that is right, 0 where none is known
TYPED_COUNT, TYPED_STATE = "input_typed_count", "input_typed_state"
MOST_TYPED, MOST_CHANNELS = 20_000, 16  # of pixels beside which others can be typed
CHANGED = "pixels typed over the picture, in the next ones too: delete them to clear"
NO_NUMBERS = "typed cells hold no number: they do not count"


def entry(number: int, name: str) -> str:
    """How the list names a picture; no program takes that for a number or a date."""
    return f"{number} · {name}"


def table(names: Sequence[str]) -> list[list[Any]]:
    """What is to be known of pictures to choose one: name, entry, number."""
    return [[name, entry(n, name), n] for n, name in enumerate(names, start=1)]


def chosen_number(choice: Any, names: Sequence[str]) -> int | None:
    """Which picture is chosen, by its number, its entry in the list or its name; None where there is no such picture."""
    if isinstance(choice, float):
        return int(choice) if choice in range(1, len(names) + 1) else None
    if not isinstance(choice, str):
        return None
    chosen = choice.casefold()
    entries = [entry(n, name).casefold() for n, name in enumerate(names, start=1)]
    for known in (entries, [name.casefold() for name in names]):
        if chosen in known:
            return known.index(chosen) + 1
    return None


def choice_views(choice: Grid, table: Grid, number: Grid, names: Sequence[str], chosen: int | None) -> list[ComputedRange]:
    """Which picture is chosen, by its number, its entry in the list or its name: the number that it has, and its name."""
    cell = choice.area
    columns = [Grid(table.sheet, table.top, table.left + n, table.rows, 1, prefix=table.prefix).area for n in range(3)]
    named, entries, numbers = columns
    by_entry = f"MATCH({cell},{entries},0)"
    which = f"IF(ISNUMBER({cell}),MATCH({cell},{numbers},0),IF(ISNUMBER({by_entry}),{by_entry},MATCH({cell},{named},0)))"
    return [
        ComputedRange(NUMBER, lambda *_: which, [["#N/A" if chosen is None else float(chosen)]]),
        ComputedRange(NAME, lambda *_: f"INDEX({named},{number.area})", [["#N/A" if chosen is None else names[chosen - 1]]]),
    ]


def types_pixels(network: Network) -> bool:
    """Whether other pixels can be typed beside those of the chosen picture: each costs a cell more."""
    return math.prod(network.input.shape) <= MOST_TYPED and network.input.channels <= MOST_CHANNELS


def typed_array(channel: Array) -> Array:
    """The cells beside the pixels in which others can be typed."""
    return replace(channel, key="typed", label="typed", role="view")


def pixel_formula(number: Grid, pictures: Grids, typed: Grids | None) -> CellFormula:
    """The function that writes a pixel: what is typed beside it, if that is a number, else the chosen picture's pixel."""

    def write(at: tuple[int, ...]) -> str:
        c, i, j = at
        chosen = choose(number.area, [picture[c].at(i, j) for picture in pictures])
        if typed is None:
            return chosen
        own = typed[c].at(i, j)
        return f"IF(ISNUMBER({own}),{own},{chosen})"

    return write


def typed_views(typed: list[Grid], count: Grid, numbers: int, others: int) -> list[ComputedRange]:
    """How many cells are typed, and what is to be said of them: `numbers` count, `others` do not.

    A cell below a text of no letters is a number, one above it a text: a blank one is neither.
    """
    areas = [grid.area for grid in typed]
    texts, all_typed = ("+".join(f'SUMPRODUCT(({area}{sign}"")*1)' for area in areas) for sign in (">", "<>"))
    said = f'IF({texts}>0,"{NO_NUMBERS}",IF({count.area}>0,"{CHANGED}",""))'
    state = NO_NUMBERS if others else CHANGED if numbers else ""
    return [
        ComputedRange(TYPED_COUNT, lambda *_: f"IF({texts}>0,{texts},{all_typed})", [[float(others or numbers)]]),
        ComputedRange(TYPED_STATE, lambda *_: said, [[state]]),
    ]
