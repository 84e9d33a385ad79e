"""A handout's sheets in the making, which all that changes them shares."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ...arrays.grid import Grid
from ...handout.variant import Variant
from ...layout import Page
from ..cells import Cell, Pour
from ..dress import Dressed
from ..model import Model

EXERCISE, FEEDBACK = "Exercise", "_feedback"  # the sheets


@dataclass
class Box:
    """A rectangle of cells that turn green when they are right."""

    task: int
    grid: Grid
    right: np.ndarray
    tolerance: float
    largest: float = 0.0  # of the whole layer, where the picture is to appear in shades of green
    typed: bool = False  # whether numbers are typed, and are right as far as the tolerance goes
    shown: Grid | None = None  # what is compared with, where that may be seen


@dataclass
class Making:
    """The sheets in the making, and the boxes and frames found so far."""

    dressed: Dressed
    model: Model
    variant: Variant
    key: bool
    boxes: list[Box] = field(default_factory=list)

    def page(self, layer: str) -> Page:
        return self.model.pages[layer]

    def pour_at(self, grid: Grid) -> tuple[list[Pour], int]:
        """Where a grid's pour is kept."""
        pours = self.dressed.pours[grid.sheet]
        places = (n for n, pour in enumerate(pours) if (pour.grid.top, pour.grid.left) == (grid.top, grid.left))
        return pours, next(places)

    def put_cells(self, grid: Grid, cells: dict[tuple[int, int], Cell]) -> None:
        """Write some cells of a grid otherwise."""
        pours, n = self.pour_at(grid)
        pours[n] = replace(pours[n], cells={**pours[n].cells, **cells})

    def cell(self, grid: Grid, i: int, j: int) -> Cell:
        """What is written in a cell so far."""
        pours, n = self.pour_at(grid)
        pour = pours[n]
        if (i, j) in pour.cells:
            return pour.cells[i, j]
        formula = None if pour.formula is None else pour.formula(i)[j]
        return Cell(pour.style, formula, float(pour.values[i, j]))
