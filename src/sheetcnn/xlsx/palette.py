"""Colours and number formats, chosen so that numbers stay readable and colour-blind readers can tell signs apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

INK = "1F2937"  # titles
SOFT = "6B7280"  # labels
LINK = "1D4ED8"
WARNING = "B45309"
TYPED = "0000CC"  # numbers to type over
RULE = "D1D5DB"  # lines between cells
EDGE = "6B7280"  # the outline of a grid
CHOICE = "FEF9C3"  # a cell with a drop-down
BAR = "4F5B93"  # of an answer
OUTLINE = "EA580C"  # around what the inspector shows
FRAME = "E5E7EB"  # around thumbnails
PADDING = "9CA3AF"  # hatching

NEGATIVE, ZERO, POSITIVE = "8AB4F0", "FFFFFF", "F5A58E"  # kernels and signed maps: black and blue text stay readable
LIGHT, DARK = "FFFFFF", "26336B"  # feature maps
PALE_TEXT = "FFFFFF"  # on dark cells
PALE_TYPED = "DCEBFF"  # numbers to type over, on dark cells

# An input channel from dark to light in its own colour, so that a photograph looks like one.
CHANNELS = {"R": ("3B0000", "FFB3A8"), "G": ("00260B", "A6F0B0"), "B": ("000C3D", "B3CFFF")}
GRAY = ("111111", "FFFFFF")


def luminance(colour: np.ndarray) -> float:
    """The relative luminance of an sRGB colour of numbers from 0 to 255. Source: WCAG 2.1."""
    part = colour / 255
    return float(np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def pale_until(dark: str, light: str) -> float:
    """How far along a scale from dark to light pale text reads better than blue text, as a part of the scale."""
    ends = [np.array(list(bytes.fromhex(shade)), float) for shade in (dark, light)]
    blue, pale = (luminance(np.array(list(bytes.fromhex(shade)), float)) for shade in (TYPED, PALE_TYPED))
    for part in np.linspace(0, 1, 101):
        cell = luminance(ends[0] * (1 - part) + ends[1] * part)
        if (cell + 0.05) / (blue + 0.05) > (pale + 0.05) / (cell + 0.05):
            return float(part)
    return 1.0


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
