"""Colours and number formats, chosen so that numbers stay readable and colour-blind readers can tell signs apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

INK = "1F2937"  # titles
SOFT = "6B7280"  # labels
LINK = "1D4ED8"
TYPED = "0000FF"  # numbers to type over
RULE = "D1D5DB"  # lines between cells
EDGE = "6B7280"  # the outline of a grid
PADDING = "9CA3AF"  # hatching

NEGATIVE, ZERO, POSITIVE = "8AB4F0", "FFFFFF", "F5A58E"  # kernels and signed maps: black and blue text stay readable
LIGHT, DARK = "FFFFFF", "26336B"  # feature maps
PALE_TEXT = "FFFFFF"  # on dark cells
PALE_TYPED = "BFE3FF"  # numbers to type over, on dark cells

# An input channel from dark to light in its own colour, so that a photograph looks like one.
CHANNELS = {"R": ("3B0000", "FF9C8F"), "G": ("002A0C", "8FE69A"), "B": ("000C3D", "9CC0FF")}
GRAY = ("111111", "FFFFFF")


@dataclass(frozen=True)
class Scale:
    """A colour scale over values: its points as (value, colour), and from where on text must be pale."""

    points: tuple[tuple[float | str, str], ...]  # a number, "min" or "max"
    pale_below: float | None = None
    pale_above: float | None = None  # as a part of the largest value


def number_format(values: np.ndarray) -> str:
    """As many decimals as a small square cell has room for."""
    largest = float(np.abs(values).max()) if values.size else 0.0
    if (values == np.rint(values)).all() and largest < 100_000:
        return "0"
    if largest >= 99.5:
        return "0" if largest < 99_999.5 else "0E+0"
    return "0.0" if largest >= 9.95 else "0.00" if largest >= 0.005 else "0E+0"
