"""Kernels to choose from: below each filter of the first layer a list of classic ones, and the numbers as built."""

from __future__ import annotations

import numpy as np

from ...arrays.array import Array, CellFormula, Shape
from ...arrays.computed_range import ComputedRange
from ...arrays.grid import Grid, Grids
from ...arrays.kernels import KERNELS, in_the_middle
from ...model.graph import Graph
from ...model.network import Node
from ...model.settings import INPUT

BANK = "_kernels"  # the hidden sheet of the classic kernels, and of the kernels as built of layers without lists
AS_BUILT = "as built"
NAMES = (AS_BUILT, *KERNELS)
LISTED = Array("names", (len(NAMES), 1), owner="kernel", role="bank")
PRESETS = Array("presets", (len(KERNELS), 9), owner="kernel", role="bank")
MOST = 20_000  # numbers that are kept as built; the kernels to choose for are always kept
MOST_CHANNELS = 32  # of a filter with a list: the formula of its state names all its kernels
MOST_KERNELS = 2000  # side by side, or of a layer with lists
EDITED, NO_NUMBER = "edited", "not a number: 0"  # states


def choosable(node: Node) -> bool:
    """Whether a classic kernel can be chosen: in layers that read the input, by kernels with a middle for its 3×3 numbers."""
    if not (node.live and node.layer.classic_kernels) or node.inputs[0] != INPUT or node.share is not None:
        return False
    filters, channels, *size = node.layer.parameters(*node.in_shapes)["weight"]
    if channels > MOST_CHANNELS or filters * channels > MOST_KERNELS or node.layer.wide(*node.in_shapes):
        return False
    return all(side >= 3 and side % 2 for side in size)


def kept(graph: Graph) -> list[Array]:
    """The kernels of which the hidden sheet keeps a copy as built: those without lists, while there is room."""
    found = []
    room = MOST
    for array in graph:
        if array.label != "kernel" or array.role != "parameter":
            continue
        beside = int(np.prod(array.shape[1 : array.grid_axes]))
        if choosable(graph.network.by_name[array.owner]):
            room -= array.count
        elif array.count <= room and beside <= MOST_KERNELS:
            room -= array.count
            found.append(built_of(array, (1, 1)))
    return found


def built_of(kernels: Array, spacing: tuple[int, int]) -> Array:
    """The copy of a layer's kernels as built; where it is to be copied from, with the spacing of the kernels."""
    return Array(
        "built",
        kernels.shape,
        owner=kernels.owner,
        role="bank",
        grid_axes=kernels.grid_axes,
        inputs=(kernels,),
        spacing=spacing,
    )


def choices_of(kernels: Array) -> Array:
    """The cells in which kernels are chosen, one for each filter."""
    return Array("choice", kernels.shape[:1], owner=kernels.owner, role="view", grid_axes=1)


def states_of(kernels: Array) -> Array:
    """The cells beside them, which say whether the numbers are those of the list."""
    return Array("state", kernels.shape[:1], owner=kernels.owner, role="view", grid_axes=1)


def chosen_of(kernels: Array) -> Array:
    """The classic kernel that each filter's list names, as large as the filter's own."""
    shape = (kernels.shape[0], *kernels.size)
    return Array("chosen", shape, owner=kernels.owner, role="bank", grid_axes=1, spacing=kernels.spacing)


def name_of(kernels: np.ndarray) -> str:
    """What the list of a filter with these kernels shows: the classic kernel that they all are, or "as built"."""
    rows, columns = kernels.shape[1:]
    names = (name for name in KERNELS if (kernels == in_the_middle(name, rows, columns)).all())
    return next(names, AS_BUILT)


# -- formulas --------------------------------------------------------------------------------------------------------
def chosen_formula(kernels: Array, choices: list[Grid], names: Grid, presets: Grid) -> CellFormula:
    """The function that writes a cell of `chosen_of`.

    `names` is the list, `presets` has a row with the 3×3 numbers for each name after the first, which is "as built".
    """
    top, left = ((size - 3) // 2 for size in kernels.size)
    classic = Grid(names.sheet, names.top + 1, names.left, names.rows - 1, 1, prefix=names.prefix).area
    columns = [
        Grid(presets.sheet, presets.top, presets.left + n, presets.rows, 1, prefix=presets.prefix).area for n in range(9)
    ]

    def write(at: Shape) -> str:
        k, a, b = at
        if not (0 <= a - top < 3 and 0 <= b - left < 3):
            return "0"
        choice = choices[k].area
        return f'IF({choice}="{AS_BUILT}",0,INDEX({columns[(a - top) * 3 + b - left]},MATCH({choice},{classic},0)))'

    return write


def kernel_formula(built: Grids, choices: list[Grid], chosen: list[Grid]) -> CellFormula:
    """The function that writes a kernel's cell: as built, or the number of the classic kernel that the filter's list names."""

    def write(at: Shape) -> str:
        k, c, a, b = at
        return f'IF({choices[k].area}="{AS_BUILT}",{built[k][c].at(a, b)},{chosen[k].at(a, b)})'

    return write


def state_formula(kernels: list[Grid], built: list[Grid], choice: Grid, chosen: Grid) -> str:
    """The text of the formula that compares a filter's kernels with what its list says, and with what they were."""

    def apart(others: list[Grid]) -> str:
        return "+".join(f"SUMPRODUCT(({one.area}<>{other.area})*1)" for one, other in zip(kernels, others, strict=True))

    count = sum(grid.rows * grid.columns for grid in kernels)
    as_built, as_listed = f"{apart(built)}=0", f"{apart([chosen] * len(kernels))}=0"
    listed = f'IF({as_listed},"",IF({as_built},"{AS_BUILT}","{EDITED}"))'
    same = f'IF({choice.area}="{AS_BUILT}",IF({as_built},"","{EDITED}"),{listed})'
    return f'IF(COUNT({",".join(grid.area for grid in kernels)})<{count},"{NO_NUMBER}",{same})'


# -- in NumPy --------------------------------------------------------------------------------------------------------
def listed_values(built: np.ndarray, chosen: str) -> np.ndarray | None:
    """The numbers of a filter's kernels when a name is chosen; None where there is no such name."""
    chosen = chosen.lower()
    if chosen == AS_BUILT:
        return built
    if chosen not in KERNELS:
        return None
    return np.broadcast_to(in_the_middle(chosen, *built.shape[1:]), built.shape)


def state_view(
    name: str, formula: str, numbers: np.ndarray, built: np.ndarray, listed: np.ndarray, whole: bool
) -> ComputedRange:
    """A filter's state, from its kernels' numbers now; `whole` where each cell holds one."""
    if not whole:
        state = NO_NUMBER
    elif (numbers == listed).all():
        state = ""
    else:
        state = AS_BUILT if (numbers == built).all() else EDITED
    also = {"", AS_BUILT, EDITED} - {state} if whole and _nearly(numbers, listed, built) else set()
    return ComputedRange(name, lambda i, j: formula, [[state]], {(0, 0): also} if also else {})


def _nearly(numbers: np.ndarray, listed: np.ndarray, built: np.ndarray) -> bool:
    """Whether programs may differ on what is equal, since some numbers differ in their last digits only."""
    return any(bool(((numbers != other) & np.isclose(numbers, other, 1e-12, 1e-12)).any()) for other in (listed, built))
