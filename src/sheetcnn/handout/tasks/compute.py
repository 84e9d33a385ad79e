"""Compute by hand: a few cells to be worked out, with the windows and kernels that they are made of outlined."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...arrays.grid import Grid, flat
from ...formula.parser import Reference, references_in
from ...model.network import Network
from ...xlsx import palette
from ..draft import HandoutDraft
from ..variant import Variant
from .cells import Cells
from .task import node_of

MOST = 12  # cells


class Compute(Cells):
    """A few blank cells to be worked out by hand."""

    kind: ClassVar[str] = "compute"

    def check(self, network: Network) -> None:
        node, cells = node_of(network, self.layer), int(self.mask(network).sum())
        reduction = node.layer.reduction(*node.in_shapes)
        if self.learns:
            pass  # its formulas tell what it is made of
        elif reduction is None or reduction.source is not None:
            raise ValueError(f"layer {self.layer!r} ({node.layer.type}) has no windows to outline; use a fill task")
        if cells > MOST:
            raise ValueError(
                f"{cells} cells are too many to be worked out by hand; choose at most {MOST} with rows and columns"
            )

    def instruction(self, variant: Variant, number: int) -> str:
        cells = int(self.mask(variant.network).sum())
        what = "the blank cell" if cells == 1 else f"the {cells} blank cells"
        return (
            f"Work out {what} by hand ({self.place_words(variant.network)}) and type the "
            f"result{'s' if cells > 1 else ''}. A cell in a coloured frame is made of all that has a frame in that colour."
        )

    def outline(self, draft: HandoutDraft) -> None:
        """A frame in its own colour around blank cells and what they are made of, as long as no window crosses another's."""
        network = draft.variant.network
        if self.learns:
            self._outline_what_is_read(draft)
            return
        node = node_of(network, self.layer)
        reduction, grids = node.layer.reduction(*node.in_shapes), draft.content.grids
        assert reduction is not None
        source = grids[draft.content.graph.read_by(self.layer)[0].id]
        framed: list[tuple[int, str]] = []  # filters and colours
        for m, i, j in np.argwhere(self.mask(network)).tolist():
            (top, left), (rows, columns) = reduction.window.corner(i, j), reduction.window.reach
            windows = []
            for _, channel in reduction.channels(m):
                grid = source[channel]
                up, before = max(top, 0), max(left, 0)
                last = min(top + rows, grid.rows) - 1, min(left + columns, grid.columns) - 1
                windows.append((grid, (up, before), last))
            areas = [_area(*window) for window in windows]
            colour = draft.own_colour(areas)
            if colour is None:
                continue
            draft.frame(grids[f"{self.layer}.output"][m], (i, j), (i, j), colour)
            for window in windows:
                draft.frame(*window, colour)
            framed.append((m // reduction.maps, colour))
        if reduction.kernel is not None:
            filters = [k for k, _ in framed]
            for k, colour in dict(reversed(framed)).items():
                for _, grid in flat(grids[f"{self.layer}.{reduction.kernel}"][k]):
                    shown = colour if filters.count(k) == 1 else palette.INK
                    draft.frame(grid, (0, 0), (grid.rows - 1, grid.columns - 1), shown)

    def _outline_what_is_read(self, draft: HandoutDraft) -> None:
        """A frame in its own colour around blank cells and what their right formulas read, as long as none crosses another's."""
        id, grids = self.array(draft.variant.network), draft.content.grids
        array = draft.variant.arrays[id]
        every = [grid for one in draft.variant.graph for _, grid in flat(grids[one.id]) if one.id != id]
        for at in map(tuple, np.argwhere(self.mask(draft.variant.network)).tolist()):
            own = dict(flat(grids[id]))[at[: array.grid_axes]]
            text = array.written(grids, own.sheet)(at)
            read = [part for _, area in references_in(text) if (part := _read_part(every, own.sheet, area))]
            areas = [_area(*part) for part in read]
            colour = draft.own_colour(areas)
            if colour is None:
                continue
            i, j = (*at[array.grid_axes :], 0, 0)[:2]
            draft.frame(own, (i, j), (i, j), colour)
            for part in read:
                draft.frame(*part, colour)


def _read_part(grids: list[Grid], sheet: str, area: Reference) -> tuple[Grid, tuple[int, int], tuple[int, int]] | None:
    """The cells of a grid that a reference covers, its padding left out; None where it covers none."""
    for grid in grids:
        (down, along), bottom, right = grid.spacing, area.top + area.rows - 1, area.left + area.columns - 1
        first = max(0, -(-(area.top - grid.top) // down)), max(0, -(-(area.left - grid.left) // along))
        last = min(grid.rows - 1, (bottom - grid.top) // down), min(grid.columns - 1, (right - grid.left) // along)
        if grid.sheet == (area.sheet or sheet) and first[0] <= last[0] and first[1] <= last[1]:
            return grid, first, last
    return None


def _area(grid: Grid, first: tuple[int, int], last: tuple[int, int]) -> Grid:
    """Some cells of a grid of maps as a grid."""
    (top, left), (bottom, right) = first, last
    return Grid(grid.sheet, grid.top + top, grid.left + left, bottom - top + 1, right - left + 1)
