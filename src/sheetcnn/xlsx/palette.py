"""Colours and number formats, chosen so that numbers stay readable and colour-blind readers can tell signs apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

INK = "1F2937"  # titles
SOFT = "6B7280"  # labels
LINK = "1D4ED8"
WARNING = "B45309"
RULE = "D1D5DB"  # lines between cells
EDGE = "6B7280"  # the outline of a grid
CHOICE = "FEF9C3"  # a cell with a drop-down
BAR = "4F5B93"  # of an answer
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
TYPED = INKS["typed"][0]
CONTRAST = 4.5  # at least, between a number and its cell: WCAG 2.1, level AA
STEPS = 200  # places looked at between two points of a scale


def luminance(colour: str | np.ndarray) -> float:
    """The relative luminance of an sRGB colour. Source: WCAG 2.1."""
    part = np.array(list(bytes.fromhex(colour)), float) / 255 if isinstance(colour, str) else colour / 255
    return float(np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str | np.ndarray, other: str | np.ndarray) -> float:
    """The contrast of two colours, from 1 to 21. Source: WCAG 2.1."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def between(colours: tuple[str, ...], place: float) -> np.ndarray:
    """The colour at a place of a scale, 0 being its first colour, 1 its second."""
    first = min(int(place), len(colours) - 2)
    one, other = (np.array(list(bytes.fromhex(colour)), float) for colour in colours[first : first + 2])
    return one + (other - one) * (place - first)


@lru_cache
def shades(colours: tuple[str, ...], ink: str) -> tuple[tuple[float, float, str], ...]:
    """Where along a scale an ink is not in its first shade: from, to, and the shade; places are as for `between`."""

    def chosen(place: float) -> str:
        cell = between(colours, place)
        readable = [shade for shade in INKS[ink] if contrast(shade, cell) >= CONTRAST]
        return readable[0] if readable else max(INKS[ink], key=lambda shade: contrast(shade, cell))

    last = float(len(colours) - 1)
    places = np.linspace(0, last, STEPS * (len(colours) - 1) + 1).tolist()
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


def number_format(values: np.ndarray) -> str:
    """As many decimals as a small square cell has room for."""
    largest = float(np.abs(values).max()) if values.size else 0.0
    if (values == np.rint(values)).all() and largest < 100_000:
        return "0"
    if largest >= 99.5:
        return "0" if largest < 99_999.5 else "0E+0"
    return "0.0" if largest >= 9.95 else "0.00" if largest >= 0.005 else "0E+0"
