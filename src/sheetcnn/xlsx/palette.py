"""Colours and number formats, chosen so that numbers stay readable and colour-blind readers can tell signs apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

_AT_ONCE = 1_000_000  # numbers that are looked at together
INK = "1F2937"  # titles
SOFT = "6B7280"  # labels
LINK = "1D4ED8"
WARNING = "B45309"
NO_NUMBER = "DC2626"  # where a number is needed
RIGHT, RIGHT_INK = "DCFCE7", "14532D"  # a right answer, and its text
WRONG, WRONG_INK = "FECACA", "7F1D1D"  # a wrong one, and what is typed and is no number
CHANGED = "FDE68A"  # other than as built
WINNER = "FCD34D"  # the cell of a window that is its largest
BLANK, STEP = "E5E7EB", "EEF2FF"  # a blank cell in a window; a number on the way to the cell
RULE = "D1D5DB"  # lines between cells
EDGE = "6B7280"  # the outline of a grid
CHOICE = "FEF9C3"  # a cell with a drop-down
BAR = "4B5563"  # of an answer; that of a number below 0 is blue
OUTLINE = "EA580C"  # around what the inspector shows
FRAME = "E5E7EB"  # around thumbnails
BOX, LEARNS = "F9FAFB", "EEF0FB"  # a layer's box in the diagram; one that has weights
LINES = (EDGE, LINK, WARNING, "047857")  # between layers: of those that cross
PADDING = "9CA3AF"  # hatching

# One rule for all numbers, wherever they are shown; blue is negative everywhere. Zero is dark on maps, so that a map looks like
# the picture that it is of, and so that ReLU is seen to leave what is positive as it was; weights are white paper for numbers.
MAPS_RULE = "Maps and pixels: the lighter the larger, 0 is dark, blue is negative."
WEIGHTS_RULE = "Weights: 0 is white, orange is positive, blue is negative."
NEGATIVE, DARK, LIGHT = "4A7DF0", "2E2E2E", "FFFFFF"
ZERO, POSITIVE = "FFFFFF", "F9A04E"
MAPS, WEIGHTS, GRAY = (NEGATIVE, DARK, LIGHT), (NEGATIVE, ZERO, POSITIVE), (DARK, LIGHT)
# An input channel from dark to light in its own colour, so that a photograph looks like one.
CHANNELS = {"R": ("3B0000", "FFB3A8"), "G": ("00260B", "A6F0B0"), "B": ("000C3D", "B3CFFF")}

# What numbers are written in: the shade on white, then those for cells on which it cannot be read, the best liked first.
INKS = {
    "formula": ("000000", "FFFFFF"),
    "typed": ("0000CC", "DCEBFF", "000058", "FFFFFF", "00002B"),
    "listed": ("00665F", "B5F5EC", "002B28", "000000", "FFFFFF"),  # set by a list, until it is typed over
}
TYPED, LISTED = INKS["typed"][0], INKS["listed"][0]
CONTRAST = 4.5  # at least, between a number and its cell: WCAG 2.1, level AA
STEPS = 25  # places looked at between two points of a scale
Shade = str | Sequence[float]  # RRGGBB, or its parts from 0 to 255


def luminance(colour: Shade) -> float:
    """The relative luminance of an sRGB colour. Source: WCAG 2.1."""
    parts = [part / 255 for part in (bytes.fromhex(colour) if isinstance(colour, str) else colour)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Shade, other: Shade) -> float:
    """The contrast of two colours, from 1 to 21. Source: WCAG 2.1."""
    return _contrast(luminance(one), luminance(other))


def _contrast(one: float, other: float) -> float:
    """The contrast of two luminances."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def between(colours: tuple[str, ...], place: float) -> list[float]:
    """The colour at a place of a scale, 0 being its first colour, 1 its second."""
    first = min(int(place), len(colours) - 2)
    one, other = (bytes.fromhex(colour) for colour in colours[first : first + 2])
    return [a + (b - a) * (place - first) for a, b in zip(one, other, strict=True)]


@lru_cache
def shades(colours: tuple[str, ...], ink: str) -> tuple[tuple[float, float, str], ...]:
    """Where along a scale an ink is not in its first shade: from, to, and the shade; places are as for `between`."""

    inks = {shade: luminance(shade) for shade in INKS[ink]}

    def chosen(place: float) -> str:
        cell = luminance(between(colours, place))
        readable = (shade for shade, light in inks.items() if _contrast(light, cell) >= CONTRAST)
        return next(readable, "") or max(inks, key=lambda shade: _contrast(inks[shade], cell))

    last = len(colours) - 1.0
    places = [step / STEPS for step in range(STEPS * (len(colours) - 1) + 1)]
    found: list[tuple[float, float, str]] = []
    start, now = 0.0, chosen(0.0)
    for left, right in pairwise(places):
        if chosen(right) == now:
            continue
        while right - left > 1e-6:
            middle = (left + right) / 2
            left, right = (middle, right) if chosen(middle) == now else (left, middle)
        found.append((start, round(left, 5), now))
        start, now = round(left, 5), chosen(right)
    return tuple(run for run in [*found, (start, last, now)] if run[2] != INKS[ink][0])


@dataclass(frozen=True)
class Scale:
    """Colours over values. Where there is a cell `largest`, the values are parts of what it holds, and the colours follow."""

    colours: tuple[str, ...]
    values: tuple[float, ...]
    largest: str | None = None  # an absolute address

    def at(self, place: float) -> str:
        """The value at a place, as formulas write it."""
        first = min(int(place), len(self.values) - 2)
        one, other = self.values[first : first + 2]
        value = float(one + (other - one) * (place - first))
        if self.largest is None or not value:
            return f"{value:.6g}" if value != int(value) else str(int(value))
        return f"{value:.6g}*{self.largest}"


# Formats that fit a cell of 22 pixels at 7 points: three digits, or two with a sign and a point. All programs agree on them:
# with conditions, they agree on the sign of negative numbers only where these fall into the first section.
FITTING = "General"  # as many decimals as there is room for; whole numbers as they are
THOUSANDS = '[<999.5]0;[<9950]0.0,"k";0,"k"'
ONE_DECIMAL = "0.0;-0.0;0"


def number_format(values: np.ndarray, typed: bool = False, fine: bool = False) -> str:
    """As many decimals as a small square cell has room for; of what is typed, or filled in by lists, no more than it has.

    Of `fine` numbers, such as gradients, most are much smaller than the largest.
    """
    if not values.size:
        return FITTING
    largest, least = float(values.max()), float(values.min())
    size = max(largest, -least)
    if size < 99.5 and whole(values):
        return FITTING
    if size >= 999.5 or whole(values):
        return THOUSANDS
    if 0 < size < (0.095 if fine else 0.005):
        return "0E+0;-0E+0;0"
    two = "#.0#" if typed else "#.00"
    positive = two if largest < 9.995 else "0.0" if largest < 99.95 else "0"
    negative = two if least > -0.995 or typed else "0.0" if least > -9.95 else "0"
    return f"{positive};-{negative};0"


def needs_room(values: np.ndarray) -> np.ndarray:
    """Which numbers of typed ones have a sign and three digits, so that they need a format of one decimal."""
    low = values <= -0.995
    low[low] = values[low] != np.rint(values[low] * 10) / 10
    return low


def whole(values: np.ndarray) -> bool:
    """Whether all numbers are whole ones; of very many mostly the first tell that they are not."""
    flat = values.reshape(-1)
    return all((part == np.rint(part)).all() for part in (flat[n : n + _AT_ONCE] for n in range(0, flat.size, _AT_ONCE)))
