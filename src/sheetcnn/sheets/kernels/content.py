"""Kernels to choose from: beside each kernel of the first layer a list of classic ones, and the numbers as built."""

from __future__ import annotations

import numpy as np

from ...arrays.array import Array, CellFormula, Shape
from ...arrays.grid import Grid, Grids
from ...arrays.kernels import KERNELS, in_the_middle
from ...model.graph import Graph
from ...model.network import Node
from ...model.settings import INPUT

BANK = "_kernels"  # the hidden sheet of the classic kernels and of the kernels as built
AS_BUILT = "as built"
NAMES = (AS_BUILT, *KERNELS)
LISTED = Array("names", (len(NAMES), 1), owner="kernel", role="bank")
PRESETS = Array("presets", (len(KERNELS), 9), owner="kernel", role="bank")
MOST = 20_000  # numbers that are kept as built; the kernels to choose for are always kept
MOST_CHANNELS = 64  # of an input whose kernels have lists
MOST_KERNELS = 2000  # side by side, or with a list below each


def choosable(node: Node) -> bool:
    """Whether a classic kernel can be chosen: in layers that read the input, by kernels with a middle for its 3×3 numbers."""
    if not node.layer.classic_kernels or node.inputs[0] != INPUT or node.share is not None:
        return False
    filters, channels, *size = node.layer.parameters(*node.in_shapes)["weight"]
    if node.in_shapes[0][0] > MOST_CHANNELS or filters * channels > MOST_KERNELS:
        return False
    return all(side >= 3 and side % 2 for side in size)


def kept(graph: Graph) -> list[Array]:
    """The kernels of which a copy as built is kept: those to choose for, and others while there is room."""
    found = []
    room = MOST
    for array in graph:
        if array.label != "kernel" or array.role != "parameter":
            continue
        beside = int(np.prod(array.shape[1 : array.grid_axes]))
        if choosable(graph.network.by_name[array.owner]) or (array.count <= room and beside <= MOST_KERNELS):
            room -= array.count
            found.append(built_of(array))
    return found


def built_of(kernels: Array) -> Array:
    """The copy of a layer's kernels as built."""
    return Array("built", kernels.shape, owner=kernels.owner, role="bank", grid_axes=kernels.grid_axes, inputs=(kernels,))


def choices_of(kernels: Array) -> Array:
    """The cells in which kernels are chosen, one for each."""
    return Array("choice", kernels.shape[: kernels.grid_axes], owner=kernels.owner, role="view", grid_axes=kernels.grid_axes)


def kernel_formula(kernels: Array, built: Grids, choices: Grids, names: Grid, presets: Grid) -> CellFormula:
    """The function that writes a kernel cell: as built, or the number of the chosen kernel.

    `choices` has a cell for each kernel, `names` the list, `presets` a row with the 3×3 numbers for each name after the
    first, which is "as built".
    """
    top, left = ((size - 3) // 2 for size in kernels.size)
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
    return in_the_middle(chosen, *built.shape)
