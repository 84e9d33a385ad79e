"""Scale bars: the colours of an array from its lowest to its largest number, whose ends the colours follow."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...arrays.array import Array, Values, original
from ...arrays.computed_range import ComputedRange
from ...arrays.grid import Grid, Grids, flat, in_columns
from ...model.settings import INPUT

CELLS = 11  # of an output's scale bar
FEWER = 5  # of any other
# Of the largest number: what is nearer to 0 makes no bar begin below 0, since programs round differently.
NEGLIGIBLE = 0.000001


LEARNING = ("gradient", "loss")  # what can have either sign, and is coloured as weights are


def has_colours(array: Array) -> bool:
    """Whether an array is coloured: single numbers need none, such as a bias, or a mean of each map."""
    if original(array).role in ("parameter", "shared"):
        return len(array.shape) > 1
    if array.role in LEARNING:
        return len(array.shape) > 1 and (array.grid_axes == 0 or len(array.shape) > array.grid_axes)
    return array.role != "step" or not array.grid_axes or len(array.shape) > array.grid_axes


def has_live_scale(array: Array) -> bool:
    """Whether the colours of an array follow its numbers: of what is computed they do, of pixels and weights they stay."""
    shown = original(array)
    live = shown.role in ("output", "step") and shown.owner != INPUT
    return has_colours(array) and (live or shown.role == "gradient")


def bar_name(array: Array) -> str:
    """The defined name of an array's scale bar."""
    return f"{array.owner}_{array.key if array.role == 'mirror' else array.label}_scale"


def bar_size(array: Array) -> tuple[int, int]:
    """Its rows and columns; a thumbnail has its last cell only."""
    return 1, 1 if array.role == "thumbnail" else CELLS if array.role == "output" and array.owner != INPUT else FEWER


def bar_view(array: Array, grids: Grids, places: Mapping[str, Grid], values: Values) -> ComputedRange:
    """A scale bar: from the negative size of the largest number, or from 0 where none is visibly negative, to that size.

    `values` has the numbers that stand in the array now. What is shown once more has the ends of the array that it shows.
    """
    shown, name = original(array), bar_name(array)
    place, (_, cells) = places[name], bar_size(array)
    first, last = (place.window(0, n, 1, 1) for n in (0, cells - 1))
    numbers = values[shown.id]
    largest = max(float(numbers.max(initial=-np.inf)), -float(numbers.min(initial=np.inf)))
    negative = numbers.min(initial=np.inf) < -NEGLIGIBLE * largest
    signed = shown.role in LEARNING
    least = -largest if negative or signed else 0.0 * largest  # of what is not known, nothing is known
    if shown is array:
        areas = ",".join(areas_of(grids, place.sheet))
        # With an error in one cell, the others keep colours: without, white numbers would stand on white.
        known = f"ISNUMBER(SUM({areas}))"
        lowest = f"IF({known},IF(MIN({areas})<-{NEGLIGIBLE:f}*{last},-{last},0),-{last})"
        ends = f"-{last}" if signed else lowest, f"IF({known},MAX(MAX({areas}),-MIN({areas})),1)"
    else:
        there = places[bar_name(shown)].seen_from(place.sheet)
        ends = there.at(0, 0), there.at(0, there.columns - 1)

    steps = max(1, cells - 1)

    def text(_: int, n: int) -> str:
        if n == steps or cells == 1:
            return ends[1]
        return ends[0] if n == 0 else f"{first}*{(steps - n) / steps}+{last}*{n / steps}"

    line = [least * ((steps - n) / steps) + largest * (n / steps) for n in range(steps)]
    line = [least, *line[1:], largest] if cells > 1 else [largest]
    return ComputedRange(name, text, [line])


def areas_of(grids: Grids, sheet: str) -> list[str]:
    """The cells of grids for a formula, those in the same columns as one tall area."""
    return [grid.seen_from(sheet).area for grid in in_columns(grid for _, grid in flat(grids))]
