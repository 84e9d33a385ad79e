"""Grids that belong together on a sheet, one below the other or side by side at the same distance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...arrays.array import Margin
from ...arrays.grid import Grid


@dataclass(frozen=True)
class Stack:
    """The grids of an array, in which windows and cells are looked up and outlined."""

    id: str  # of the array
    name: str  # of the cells that say what is outlined
    grids: list[Grid]
    margin: Margin
    prefix: str = "channel"  # what one of them is called, before its number
    named: int = 1  # which number: NAMED
    shade: int = 0  # 1 where it is the picture, whose channels have colours of their own

    @cached_property
    def size(self) -> tuple[int, int]:
        """Rows and columns of cells of one grid, those between its elements included."""
        one = self.grids[0]
        return one.bottom - one.top + 1, one.right - one.left + 1

    @cached_property
    def pitch(self) -> tuple[int, int]:
        """How many rows and columns each lies further than the one before it."""
        if len(self.grids) == 1:
            return self.size[0], 0
        first, second = self.grids[:2]
        return second.top - first.top, second.left - first.left

    @property
    def regular(self) -> bool:
        """Whether they run down rows or along columns at one distance: always, unless a sheet was cut up by hand."""
        first, (down, along) = self.grids[0], self.pitch
        places = [(grid.sheet, grid.top - first.top, grid.left - first.left) for grid in self.grids]
        straight = min(down, along) == 0 < max(down, along)
        return straight and places == [(first.sheet, n * down, n * along) for n in range(len(places))]

    def span(self, sheet: str) -> str:
        """The smallest rectangle around all of them, seen from a sheet."""
        return around(self.grids, sheet)


NAMED = ("channel", "colour", "row", "column", "term")  # what the number of a term's name is


def around(grids: list[Grid], sheet: str) -> str:
    """The smallest rectangle around grids."""
    top, left = min(grid.top for grid in grids), min(grid.left for grid in grids)
    rows, columns = max(grid.bottom for grid in grids) - top + 1, max(grid.right for grid in grids) - left + 1
    return Grid(grids[0].sheet, top, left, rows, columns).seen_from(sheet).area


@dataclass(frozen=True)
class KernelPitch:
    """How many rows and columns a kernel lies further for each filter, channel and term than the first of all."""

    by_filter: tuple[int, int] = (0, 0)
    by_channel: tuple[int, int] = (0, 0)
    by_term: tuple[int, int] = (0, 0)

    def place(self, k: int, channel: int, term: int) -> tuple[int, int]:
        """Rows and columns from the first kernel."""
        rows, columns = (
            k * f + channel * c + term * t for f, c, t in zip(self.by_filter, self.by_channel, self.by_term, strict=True)
        )
        return rows, columns


def kernel_pitch(kernels: list[list[Grid]], filters: int, group: int) -> KernelPitch | None:
    """The distances of kernels; so many filters after each other read the same group of channels. None where there are none.

    Kernels stand where their filter and their channel have them, or their filter and the number of their term.
    """
    first = kernels[0][0]

    def apart(k: int, t: int) -> tuple[int, int]:
        return kernels[k][t].top - first.top, kernels[k][t].left - first.left

    def minus(one: tuple[int, int], other: tuple[int, int], times: int) -> tuple[int, int]:
        return one[0] - times * other[0], one[1] - times * other[1]

    step = apart(0, 1) if len(kernels[0]) > 1 else (0, 0)
    found = []
    for by_channel in (True, False):
        between = filters and 1 // filters * group  # channels from the first filter's to the second's
        each = apart(1, 0) if len(kernels) > 1 else (0, 0)
        if by_channel:
            if len(kernels[0]) == 1 and filters > 1 and len(kernels) > filters and group:
                step = tuple(n // group for n in minus(apart(filters, 0), each, filters))  # type: ignore[assignment]
            found.append(KernelPitch(minus(each, step, between), step))
        else:
            found.append(KernelPitch(each, by_term=step))
    for pitch in found:
        if all(
            (grid.sheet, grid.top - first.top, grid.left - first.left)
            == (first.sheet, *pitch.place(k, k // filters * group + t, t))
            for k, of_filter in enumerate(kernels)
            for t, grid in enumerate(of_filter)
        ):
            return pitch
    return None
