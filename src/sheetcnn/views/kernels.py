"""Kernels to choose from: beside each kernel of the first layer a list of classic ones, and the numbers as built."""

from __future__ import annotations

import numpy as np

from ..arrays.grid import Grid, Grids
from ..kernels import KERNELS
from ..layers.base import CellFormula, Drawing, Shape
from ..layers.conv2d import Conv2d
from ..network import INPUT, Network, Node

BANK = "_kernels"  # the hidden sheet of the classic kernels and of the kernels as built
AS_BUILT = "as built"
NAMES = (AS_BUILT, *KERNELS)
MOST = 20_000  # numbers that are kept as built; the kernels to choose for are always kept
MOST_CHANNELS = 64  # of an input whose kernels have lists
MOST_KERNELS = 2000  # side by side, or with a list below each


def choosable(node: Node) -> bool:
    """Whether a classic kernel can be chosen: in layers that read the input, by kernels with a middle for its 3×3 numbers."""
    layer = node.layer
    if not isinstance(layer, Conv2d) or node.inputs[0] != INPUT or node.share is not None:
        return False
    channels = node.in_shapes[0][0]
    if channels > MOST_CHANNELS or channels // layer.groups * layer.out_channels > MOST_KERNELS:
        return False
    return all(size >= 3 and size % 2 for size in layer.kernel_size)


def kept(network: Network, detail: str) -> dict[str, Drawing]:
    """The kernels of which a copy as built is kept, by layer: those to choose for, and others while there is room."""
    found = {}
    room = MOST
    for node in network.nodes:
        for drawing in node.drawings(detail):
            if drawing.label != "kernel" or drawing.role != "parameter":
                continue
            size, beside = int(np.prod(drawing.shape)), int(np.prod(drawing.shape[1 : drawing.lead]))
            if choosable(node) or (size <= room and beside <= MOST_KERNELS):
                room -= size
                found[node.name] = Drawing(drawing.key, "built", "bank", drawing.shape, drawing.lead)
    return found


def kernel_formula(node: Node, built: Grids, choices: Grids, names: Grid, presets: Grid) -> CellFormula:
    """The function that writes a kernel cell: as built, or the number of the chosen kernel.

    `choices` has a cell for each kernel, `names` the list, `presets` a row with the 3×3 numbers for each name after the
    first, which is "as built".
    """
    assert isinstance(node.layer, Conv2d)
    top, left = ((size - 3) // 2 for size in node.layer.kernel_size)
    classic = Grid(names.sheet, names.top + 1, names.left, names.rows - 1, 1, prefix=names.prefix).area
    columns = [
        Grid(presets.sheet, presets.top, presets.left + n, presets.rows, 1, prefix=presets.prefix).area for n in range(9)
    ]

    def write(at: Shape) -> str:
        k, c, a, b = at
        choice = choices[k][c].area
        number = "0"
        if 0 <= a - top < 3 and 0 <= b - left < 3:
            number = f"INDEX({columns[(a - top) * 3 + b - left]},MATCH({choice},{classic},0))"
        return f'IF({choice}="{AS_BUILT}",{built[k][c].at(a, b)},{number})'

    return write


def kernel_values(built: np.ndarray, chosen: str) -> np.ndarray | None:
    """The numbers of one kernel when a name is chosen; None where there is no such name."""
    chosen = chosen.lower()
    if chosen == AS_BUILT:
        return built
    if chosen not in KERNELS:
        return None
    numbers = np.zeros_like(built)
    top, left = ((size - 3) // 2 for size in built.shape)
    numbers[top : top + 3, left : left + 3] = KERNELS[chosen]
    return numbers
