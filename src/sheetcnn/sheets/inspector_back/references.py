"""How the sheet's formulas point at its own cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...a1 import LETTERS
from ...arrays.grid import Grid
from ...arrays.terms import Area
from .table import AT, BEFORE, FIELDS


class To:
    """The texts of the sheet's own cells, seen from the visible or the hidden sheet."""

    def __init__(self, places: dict[str, Grid]) -> None:
        self.places = places
        self.visible, self.hidden = places[f"{BEFORE}row"].sheet, places[f"{BEFORE}table"].sheet

    def area(self, name: str, sheet: str) -> str:
        """All of a rectangle."""
        return self.places[BEFORE + name].seen_from(sheet).area

    def cell(self, name: str, row: int, column: int, sheet: str) -> str:
        """One of its cells, written with $."""
        grid = self.places[BEFORE + name].seen_from(sheet)
        top, left = grid.top + row * grid.spacing[0], grid.left + column * grid.spacing[1]
        return f"{grid.prefix}${LETTERS[left]}${top}"

    def part(self, name: str, row: int, column: int, rows: int, columns: int, sheet: str) -> str:
        """A part of a rectangle of the hidden sheet."""
        grid = self.places[BEFORE + name].seen_from(sheet)
        return Grid(grid.sheet, grid.top + row, grid.left + column, rows, columns, prefix=grid.prefix).area

    def line_of(self, name: str, y: int, columns: int, sheet: str) -> str:
        """A line of a visible rectangle."""
        grid = self.places[BEFORE + name].seen_from(sheet)
        return Grid(grid.sheet, grid.top + y * grid.spacing[0], grid.left, 1, columns, prefix=grid.prefix).area

    def of(self, field: str, sheet: str) -> str:
        """A number of the chosen gradient."""
        return self.cell("chosen", 0, FIELDS.index(field), sheet)

    def at(self, field: str, sheet: str) -> str:
        """A number of the chosen place."""
        return self.cell("at", 0, AT.index(field), sheet)

    def count(self, n: int, sheet: str) -> str:
        """A cell that holds this number."""
        return self.cell("count", n, 0, sheet)


def plain(rows: list[list[Any]]) -> list[list[Any]]:
    """Numbers as Python's own."""
    return [[value.item() if isinstance(value, np.generic) else value for value in row] for row in rows]


def seen(area: Area) -> str:
    """An area as formulas of another sheet write it."""
    grid = Grid(area.sheet, area.top, area.left, area.rows, area.columns)
    return grid.reference


def index(area: str, place: str) -> str:
    """A cell of an area; of an area of one cell itself, since not every program takes INDEX of that."""
    return f"INDEX({area},{place})" if ":" in area else area


def index_at(area: str, row: str) -> Callable[[int], str]:
    """The cells of a row of an area, by their columns."""
    return lambda column: index(area, f"{row},{column + 1}")
