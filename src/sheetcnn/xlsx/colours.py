"""Colour scales, outlines and shades of text: what cells look like as their numbers change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from openpyxl.styles import Border, Font, Side

from . import palette
from .labels import Sheet
from .rules import End, Rule, compared, where

LEAST = "0.000000001"  # the largest number of a map of zeros, whose scale would have no room for colours
OUTLINED = "formula"  # the ink of what is outlined, which has few shades: each takes three rules more


@dataclass(frozen=True)
class Outline:
    """When cells get an orange box.

    `inside`, `right` and `below` are lists of tests, separated by commas: for the cells themselves, and for those beside
    and below them, whose own borders would hide the box's. `around` are the ranges of padding that may be outlined.
    """

    inside: str
    right: str
    below: str
    around: str

    def rules(self, *more: str, **format_: Any) -> list[Rule]:
        """The rules, with further tests and formats."""
        side = Side("thin", color=palette.OUTLINE)
        borders = (Border(side, side, side, side), Border(left=side), Border(top=side))
        return [
            where(f"AND({','.join([tests, *more])})", border=border, **format_)
            for tests, border in zip((self.inside, self.right, self.below), borders, strict=True)
        ]


def colour(sheet: Sheet, ranges: str, scale: palette.Scale, ink: str = "formula", outline: Outline | None = None) -> None:
    """Lay a colour scale over ranges, whose numbers are written in an ink, each in a shade that can be read on its cell.

    LibreOffice gives a cell the format of one rule only, and sees one set of rules where ranges overlap: what is outlined
    and in another shade has a rule of its own, before the others.
    """
    if outline is not None:
        corner = ranges.split(" ")[0].split(":")[0]
        for operator, limits, font in shades_of(scale, OUTLINED):
            sheet.add_rules(ranges, *outline.rules(*tests_of(corner, operator, limits), font=font))
        sheet.add_rules(ranges, *outline.rules(font=Font(color=palette.INKS[OUTLINED][0])))
    shades = [compared(operator, limits, font=font) for operator, limits, font in shades_of(scale, ink)]
    sheet.add_rules(ranges, scale_rule(scale), *shades)


def scale_rule(scale: palette.Scale, when: str | None = None) -> Rule:
    """The rule of a colour scale, which may be for cells only `when` a test holds: programs take no scale whose ends are texts."""
    ends: list[End] = []
    for value, shade in zip(scale.values, scale.colours, strict=True):
        follows = scale.largest is not None and value != 0
        end = f"{value:g}*MAX({scale.largest},{LEAST})" if follows else value
        kind = "formula" if follows or when is not None else "num"
        ends.append((kind, end if when is None else f'IF({when},{end},"")', shade))
    return Rule("colorScale", ends=tuple(ends))


def shades_of(scale: palette.Scale, ink: str) -> list[tuple[str, list[str], Font]]:
    """For which numbers an ink has another shade than on white: the comparison, its limits, and the font."""
    found = []
    last = len(scale.colours) - 1
    for start, end, shade in palette.shades(scale.colours, ink):
        limits = [scale.at(place) for place in (start, end) if 0 < place < last]
        operator = "between" if len(limits) == 2 else "lessThan" if start == 0 else "greaterThan"
        found.append((operator, limits, _ink(shade)))
    return found


@cache
def _ink(shade: str) -> Font:
    """The font of a rule for numbers in a shade."""
    return Font(color=shade)


def tests_of(cell: str, operator: str, limits: list[str]) -> list[str]:
    """The same comparison as tests of a formula."""
    signs = {"lessThan": ("<",), "greaterThan": (">",), "between": (">=", "<=")}[operator]
    return [f"{cell}{sign}{limit}" for sign, limit in zip(signs, limits, strict=True)]


def known(array: np.ndarray) -> np.ndarray:
    """The numbers of an array that may be shown: those that a student is to find are NaN."""
    hidden = np.isnan(array)
    return array[~hidden] if hidden.any() else array


def size_of(values: np.ndarray) -> float:
    """The size of an array's largest number, of either sign; of zeros it is 1."""
    numbers = known(values)
    return max(float(numbers.max(initial=0.0)), -float(numbers.min(initial=0.0))) or 1.0


def map_scale(values: np.ndarray, largest: str | None = None) -> palette.Scale:
    """The scale of maps, as wide as these numbers are large, or as what the cell `largest` holds."""
    size = 1.0 if largest is not None else size_of(values)
    return palette.Scale(palette.MAPS, (-size, 0.0, size), largest)


def weight_scale(values: np.ndarray, largest: str | None = None) -> palette.Scale:
    """The scale of kernels and other weights, as wide as these numbers are large, or as what the cell `largest` holds."""
    size = 1.0 if largest is not None else size_of(values)
    return palette.Scale(palette.WEIGHTS, (-size, 0.0, size), largest)
