"""The gallery: which maps it shows, and what its cells say."""

from __future__ import annotations

import numpy as np

from ...arrays.array import Array, Shape
from ...arrays.grid import Grids
from ...model.graph import Graph

GALLERY = "Gallery"  # the sheet
GALLERY_CELLS = 20_000  # how many cells it has at most
BAR = 4  # how many cells wide a vector is in it
LONG = 64  # and how many numbers it has at most


def thumbnails(graph: Graph, limit: int) -> list[Array]:
    """The maps that a gallery of so many cells shows, an array for each layer (its name is the key).

    All maps where they fit, else the first few of each layer; where not even the first ones fit, the layers with the
    largest maps are left out. A vector is shown as a column of bars, each `BAR` cells wide, unless it is so long that it
    would not fit a screen.
    """
    shapes = {name: shape for name, shape in graph.network.shapes.items() if len(shape) == 3 or shape[0] <= LONG}
    stacks = {name: shape if len(shape) == 3 else (1, shape[0], BAR) for name, shape in shapes.items()}
    if limit <= 0:
        return []
    for name in sorted(stacks, key=lambda name: -stacks[name][1] * stacks[name][2]):
        if sum(h * w for _, h, w in stacks.values()) > limit:
            del stacks[name]
    if not stacks:
        return []
    most = max(stack[0] for stack in stacks.values())
    while sum(min(c, most) * h * w for c, h, w in stacks.values()) > limit:
        most -= 1
    return [_thumbnail(graph.output(name), (min(c, most), h, w)) for name, (c, h, w) in stacks.items()]


def _thumbnail(shown: Array, shape: Shape) -> Array:
    """The first maps of an output, each cell the map's own, or a vector as bars of equal cells."""
    vector = len(shown.shape) == 1

    def forward(x: np.ndarray) -> np.ndarray:
        return np.repeat(x[None, :, None], BAR, axis=2) if vector else x[: shape[0]]

    def formula(at: Shape, x: Grids) -> str:
        return x.at(at[1], 0) if vector else x[at[0]].at(at[1], at[2])

    return Array(shown.owner, shape, forward, formula, owner=GALLERY.lower(), role="thumbnail", grid_axes=1, inputs=(shown,))
