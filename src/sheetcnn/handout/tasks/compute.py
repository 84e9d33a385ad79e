"""Compute by hand: a few cells to be worked out, with the windows and kernels that they are made of outlined."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...arrays.grid import flat
from ...model.network import Network
from ...xlsx import palette
from ..draft import HandoutDraft
from ..variant import Variant
from .cells import Cells
from .task import node_of

MOST = 12  # cells
FRAMES = ("DB2777", "2563EB", "EA580C", "7C3AED", "0D9488", "CA8A04")  # of cells to compute, and their windows


class Compute(Cells):
    """A few blank cells to be worked out by hand."""

    kind: ClassVar[str] = "compute"

    def check(self, network: Network) -> None:
        node, cells = node_of(network, self.layer), int(self.mask(network).sum())
        reduction = node.layer.reduction(*node.in_shapes)
        if reduction is None or reduction.source is not None:
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
            f"result{'s' if cells > 1 else ''}. What each is made of has a frame in its colour."
        )

    def outline(self, draft: HandoutDraft) -> None:
        """A frame in its own colour around each blank cell and its windows; around kernels too."""
        network = draft.variant.network
        node = node_of(network, self.layer)
        reduction, grids = node.layer.reduction(*node.in_shapes), draft.content.grids
        assert reduction is not None
        source = grids[draft.content.graph.output(node.inputs[0]).id]
        cells = np.argwhere(self.mask(network)).tolist()
        filters = [m // reduction.maps for m, _, _ in cells]
        for n, (m, i, j) in enumerate(cells):
            colour = FRAMES[n % len(FRAMES)]
            draft.frame(grids[f"{self.layer}.output"][m], (i, j), (i, j), colour)
            (top, left), (rows, columns) = reduction.window.corner(i, j), reduction.window.reach
            for _, channel in reduction.channels(m):
                grid = source[channel]
                last = min(top + rows, grid.rows) - 1, min(left + columns, grid.columns) - 1
                draft.frame(grid, (max(top, 0), max(left, 0)), last, colour)
            if reduction.kernel is not None and filters.index(k := filters[n]) == n:
                for _, grid in flat(grids[f"{self.layer}.{reduction.kernel}"][k]):
                    shown = colour if filters.count(k) == 1 else palette.INK
                    draft.frame(grid, (0, 0), (grid.rows - 1, grid.columns - 1), shown)
