"""The gallery: which maps it shows, and what its cells say."""

from __future__ import annotations

import numpy as np

from ..arrays.grid import Grids, seen_from
from ..layers.base import Arrays, CellFormula, Drawing
from ..network import Network

GALLERY = "Gallery"  # the sheet
GALLERY_CELLS = 20_000  # how many cells it has at most
BAR = 4  # how many cells wide a vector is in it
LONG = 64  # and how many numbers it has at most


def thumbnails(network: Network, limit: int) -> list[Drawing]:
    """The maps that a gallery of so many cells shows, a drawing for each layer (its name is the key).

    All maps where they fit, else the first few of each layer; where not even the first ones fit, the layers with the
    largest maps are left out. A vector is shown as a column of bars, each `BAR` cells wide, unless it is so long that it
    would not fit a screen.
    """
    shapes = {name: shape for name, shape in network.shapes.items() if len(shape) == 3 or shape[0] <= LONG}
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
    return [Drawing(name, name, "gallery", (min(c, most), h, w), 1) for name, (c, h, w) in stacks.items()]


def thumbnail_formula(network: Network, name: str, grids: dict[str, dict[str, Grids]]) -> CellFormula:
    """The function that writes a gallery cell's formula: the map's own cell, or a vector's in all cells of a bar."""
    shown = seen_from(network.output_of(name, grids), GALLERY)
    if isinstance(shown, list):
        return lambda at: shown[at[0]].at(at[1], at[2])
    return lambda at: shown.at(at[1], 0)


def thumbnail_values(name: str, values: dict[str, Arrays]) -> np.ndarray:
    """What a gallery shows of a layer, in NumPy: maps, or a vector as bars."""
    arrays = values[name]
    shown = arrays.get("output", arrays.get("normalized", arrays.get("channel")))
    assert shown is not None
    return shown if shown.ndim == 3 else np.repeat(shown[None, :, None], BAR, axis=2)
