"""The input of a graph as a picture: which of its axes are channels, rows and columns, and what it leaves free."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from ..arrays.array import Shape, shape_text
from ..errors import LimitError, NetworkError
from .file import Graph, Node, readers_of
from .values import MOST_CELLS, stacked

_WINDOWS = ("Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization",
            "InstanceNormalization", "LRN", "Resize", "Upsample", "DepthToSpace", "SpaceToDepth", "PRelu", "FusedConv")  # fmt: skip
MAX_SIDE = 16_384  # columns of a sheet
_FEW = (1, 3, 4)  # channels that pictures have


@dataclass(frozen=True)
class Picture:
    """The input as a tensor of the graph and as maps; `order` has the numbers of the maps' cells in the tensor's order."""

    shape: Shape
    maps: Shape
    order: np.ndarray | None = field(default=None, repr=False)
    batch: int = 1  # for how many pictures at once the model was exported
    own: Shape | None = None  # the model's own maps, where another size was asked for


def picture_of(graph: Graph, size: tuple[int, int] | None) -> Picture:
    """The graph's input, its free sizes filled in. Raises NetworkError where it is no picture of a known size."""
    source, free = graph.source, graph.dimensions
    rank = len(free)
    last, row = _layout(graph)
    batch = free[0] or 1 if rank > 3 or row else 1
    sizes = [1 if n == 0 and (batch > 1 or (rank > 1 and given is None)) else given for n, given in enumerate(free)]
    fixed = list(sizes)
    if size is not None and row and size[0] != 1:
        raise NetworkError(f"{source}: reads one row; give its length with --size 1xN to build or import")
    sides = _sides(rank, last, row)
    if size is not None:
        for n, given in zip(sides, size[-len(sides) :], strict=False):
            sizes[n] = given
    elif None in [sizes[n] for n in sides]:
        raise NetworkError(
            f"{source}: leaves the size of its input free; give it with --size ROWSxCOLUMNS to build or import"
        )
    if None in sizes:
        what = ", ".join("?" if given is None else str(given) for given in sizes)
        raise NetworkError(
            f"{source}: its input is {what}; only rows and columns may be free; export it with the others fixed"
        )
    shape = tuple(given for given in sizes if given is not None)
    if (cells := int(np.prod(shape, dtype=object))) > MOST_CELLS:
        raise LimitError(
            f"{source}: reads {cells:,} numbers ({shape_text(shape)}); sheetcnn takes {MOST_CELLS:,} of a tensor"
        )
    maps = _maps(shape, last, row, size)
    if max(maps) > MAX_SIDE:
        raise LimitError(f"{source}: reads {shape_text(maps)}; a sheet holds {MAX_SIDE:,} cells along each side")
    if size is not None and maps[1:] != size:
        raise NetworkError(f"{source}: size {size[0]}x{size[1]} is given, the model reads {shape_text(maps)}; leave it out")
    order = np.arange(cells).reshape(maps).transpose(1, 2, 0).reshape(-1) if last else None
    own = tuple(given for given in fixed if given is not None)
    resized = len(own) == rank and own != shape
    return Picture(shape, maps, order, batch, _maps(own, last, row, None) if resized else None)


def _sides(rank: int, last: bool, row: bool) -> tuple[int, ...]:
    """The axes that are rows and columns, or columns alone; none where the input is a vector."""
    if row:
        return (1,) if last else (2,)
    if rank < 3:
        return ()
    return (1, 2) if last and rank == 4 else (rank - 2, rank - 1)


def _maps(shape: Shape, last: bool, row: bool, size: tuple[int, int] | None) -> Shape:
    """Channels, rows and columns of the input."""
    if row:
        return (shape[2], 1, shape[1]) if last else (shape[1], 1, shape[2])
    if last:
        return (shape[3], *shape[1:3])
    maps = stacked(shape) if len(shape) > 1 else shape
    maps = (*[1] * (3 - len(maps)), *maps)
    if size is not None and len(shape) <= 2 and maps[2] % (size[0] * size[1]) == 0:
        return (maps[2] // (size[0] * size[1]), *size)  # a vector that is a picture
    return maps


def _layout(graph: Graph) -> tuple[bool, bool]:
    """Whether channels come last, and whether there is but one row: what the first node says that cares for axes."""
    dimensions = graph.dimensions
    rank = len(dimensions)
    if rank not in (3, 4):
        return False, False
    readers, row = readers_of(graph.all_nodes), False
    waiting, seen = deque([graph.input]), {graph.input}
    while waiting:
        for node in readers.get(waiting.popleft(), []):
            perm, operator = node.get("perm"), node.operator
            if operator == "Transpose" and perm in ([0, 3, 1, 2], [0, 2, 1]):
                row = rank == 3 and (row or perm == [0, 2, 1])
                return rank == 4 or row, row
            if operator in _WINDOWS:
                return False, rank == 3 and _along_one(node, graph)  # after Reshape nothing is known: first as well
            if operator == "MatMul" and _rows_of(node, graph) == dimensions[-1] != dimensions[1]:
                return True, rank == 3
            if operator in ("Reshape", "Flatten", "Squeeze") and dimensions[-1] == 1 != dimensions[1]:
                return True, rank == 3
            if operator == "Unsqueeze" and rank == 3:
                axes = node.get("axes") or [int(n) for name in node.inputs[1:2] if name in graph.constants
                                            for n in graph.constants[name].reshape(-1)]  # fmt: skip
                row = row or axes in ([1], [2], [-2], [-3])
            if operator in ("Shape", "Flatten", "Squeeze", "Transpose"):
                continue
            waiting.extend(name for name in node.outputs if name not in seen)
            seen.update(node.outputs)
    turned = any(node.get("perm") == [0, 3, 1, 2] for node in graph.nodes)
    return rank == 4 and turned and dimensions[3] in _FEW and dimensions[1] not in _FEW, False


def _along_one(node: Node, graph: Graph) -> bool:
    """Whether a window moves along one axis only."""
    if "kernel_shape" in node.attributes:
        return len(node.get("kernel_shape")) == 1
    weight = graph.constants[node.inputs[1]] if node.inputs[1:] and node.inputs[1] in graph.constants else None
    return node.operator.startswith("Conv") and weight is not None and weight.ndim == 3


def _rows_of(node: Node, graph: Graph) -> int | None:
    """How many rows the matrix of a product has."""
    name = node.inputs[1] if len(node.inputs) > 1 else ""
    return graph.constants[name].shape[0] if name in graph.constants and graph.constants[name].ndim == 2 else None
