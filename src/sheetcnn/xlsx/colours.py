"""Colour scales, outlines and pale text: what cells look like as their numbers change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from openpyxl.formatting.rule import CellIsRule, ColorScaleRule, FormulaRule
from openpyxl.styles import Border, Font, Side
from openpyxl.worksheet.worksheet import Worksheet

from . import palette


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

    def rules(self, *more: str, **format_: Any) -> list[FormulaRule]:
        """The rules, with further tests and formats."""
        side = Side("thin", color=palette.OUTLINE)
        borders = (Border(side, side, side, side), Border(left=side), Border(top=side))
        return [
            FormulaRule([f"AND({','.join([tests, *more])})"], border=border, **format_)
            for tests, border in zip((self.inside, self.right, self.below), borders, strict=True)
        ]


def add_rules(sheet: Worksheet, ranges: str, rules: list[FormulaRule]) -> None:
    """Lay several rules over ranges, the first before the others."""
    for rule in rules:
        sheet.conditional_formatting.add(ranges, rule)


def colour(
    sheet: Worksheet, ranges: str, scale: palette.Scale, largest: str | None, typed: bool, outline: Outline | None = None
) -> None:
    """Lay a colour scale over ranges, and make text pale where cells are dark; `largest` is the maximum, or its cell.

    LibreOffice gives a cell the format of one rule only, and sees one set of rules where ranges overlap: what is outlined
    and dark has a rule of its own, before the others.
    """
    dark = []
    if scale.pale_below is not None:
        dark.append(("lessThan", "<", repr(scale.pale_below)))
    if scale.pale_above is not None and largest is not None:
        dark.append(("greaterThan", ">", f"{scale.pale_above}*{largest}"))
    pale = Font(color=palette.PALE_TYPED if typed else palette.PALE_TEXT)
    if outline is not None:
        corner = ranges.split(" ")[0].split(":")[0]
        for _, sign, limit in dark:
            add_rules(sheet, ranges, outline.rules(f"{corner}{sign}{limit}", font=pale))
        add_rules(sheet, ranges, outline.rules())
    points = scale.points
    keys = ("start", "mid", "end") if len(points) == 3 else ("start", "end")
    arguments: dict[str, Any] = {}
    for key, (value, shade) in zip(keys, points, strict=True):
        arguments[f"{key}_type"] = value if isinstance(value, str) else "num"
        arguments[f"{key}_value"] = None if isinstance(value, str) else value
        arguments[f"{key}_color"] = shade
    sheet.conditional_formatting.add(ranges, ColorScaleRule(**arguments))
    for operator, _, limit in dark:
        sheet.conditional_formatting.add(ranges, CellIsRule(operator, [limit], font=pale))


def known(array: np.ndarray) -> np.ndarray:
    """The numbers of an array that may be shown: those that a student is to find are NaN."""
    hidden = np.isnan(array)
    return array[~hidden] if hidden.any() else array


def signed_scale(values: list[np.ndarray]) -> palette.Scale:
    """Blue, white, red, centred on 0 and as wide as the largest value."""
    size = max((float(np.abs(array).max()) for array in values if array.size), default=0.0) or 1.0
    return palette.Scale(((-size, palette.NEGATIVE), (0.0, palette.ZERO), (size, palette.POSITIVE)))
