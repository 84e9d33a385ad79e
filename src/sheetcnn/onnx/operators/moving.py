"""Cells moved: slices, crops, flips, repeats, other orders. All become `rearrange`, or the layer that is made for it."""

from __future__ import annotations

import numpy as np

from ...arrays.array import shape_text
from ..file import Node, UnsupportedError
from ..reading import Reading
from ..values import MOST_CELLS, Result, Value
from .registry import axis_of, operator


def index_of(x: Value) -> np.ndarray:
    """The number of each cell of a tensor, in its shape."""
    return np.arange(int(np.prod(x.shape))).reshape(x.shape)


@operator("Slice")
def slice_(read: Reading, node: Node) -> Result:
    """Some places along some axes, also backwards."""
    x = read.value(node, 0)
    rank = len(x.shape)
    starts = node.get("starts") or read.optional_integers(node, 1) or []
    ends = node.get("ends") or read.optional_integers(node, 2) or []
    axes = node.get("axes") or read.optional_integers(node, 3) or list(range(len(starts)))
    steps = read.optional_integers(node, 4) or [1] * len(starts)
    cut = [slice(None)] * rank
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        n, size = axis_of(axis, rank), x.shape[axis_of(axis, rank)]
        if step < 0:  # ONNX holds the end between −1 and size − 1, Python takes −1 for the last
            start = min(start + size if start < 0 else start, size - 1)
            end = max(end + size if end < 0 else end, -1)
            cut[n] = slice(start, end if end >= 0 else None, step)
        else:
            cut[n] = slice(start, end, step)
    return read.moved(node, x, index_of(x)[tuple(cut)])


@operator("Split")
def split(read: Reading, node: Node) -> tuple[Result, ...]:
    """Places along an axis, in parts."""
    x = read.value(node, 0)
    axis = axis_of(node.get("axis", 0), len(x.shape))
    size, count = x.shape[axis], len(node.outputs)
    parts = node.get("split") or read.optional_integers(node, 1)
    if parts is None:
        each = -(-size // count)
        parts = [each] * (count - 1) + [size - each * (count - 1)]
    if len(parts) != count or sum(parts) != size or min(parts) < 1:
        raise UnsupportedError(f"it splits {size} into {parts} for {count} outputs")
    ends = np.cumsum(parts)
    pieces = np.split(index_of(x), ends[:-1], axis=axis)
    return tuple(read.moved(node, x, piece) for piece in pieces)


@operator("Gather")
def gather(read: Reading, node: Node) -> Result:
    """Places along an axis that a constant names."""
    x = read.value(node, 0)
    axis = axis_of(node.get("axis", 0), len(x.shape))
    given = read.weight(node, 1).astype(int)
    if given.size and not (-x.shape[axis] <= given.min() and given.max() < x.shape[axis]):
        raise UnsupportedError(f"it takes place {given.max()} of {x.shape[axis]}")
    refuse_large(given.size * int(np.prod(x.shape)) // x.shape[axis])
    return read.moved(node, x, index_of(x).take(given, axis=axis))


@operator("GatherND")
def gather_nd(read: Reading, node: Node) -> Result:
    """Places along the first axes that a constant names."""
    x, given = read.value(node, 0), read.weight(node, 1).astype(int)
    if node.get("batch_dims", 0) or not given.ndim or not 1 <= given.shape[-1] <= len(x.shape):
        raise UnsupportedError("its places are named in a way that no layer follows")
    refuse_large(given.size * int(np.prod(x.shape[given.shape[-1] :])))
    return read.moved(node, x, index_of(x)[tuple(np.moveaxis(given, -1, 0))])


@operator("GatherElements")
def gather_elements(read: Reading, node: Node) -> Result:
    """For each cell the place along an axis that a constant names."""
    x, given = read.value(node, 0), read.weight(node, 1).astype(int)
    axis = axis_of(node.get("axis", 0), len(x.shape))
    return read.moved(node, x, np.take_along_axis(index_of(x), given, axis))


@operator("Tile")
def tile(read: Reading, node: Node) -> Result:
    """All places along an axis, several times."""
    x = read.value(node, 0)
    repeats = read.optional_integers(node, 1) or []
    if len(repeats) != len(x.shape) or min(repeats, default=1) < 1:
        raise UnsupportedError(f"it repeats {shape_text(x.shape)} {repeats} times")
    refuse_large(int(np.prod(x.shape)) * int(np.prod(repeats, dtype=object)))
    return read.moved(node, x, np.tile(index_of(x), repeats))


@operator("Expand")
def expand(read: Reading, node: Node) -> Result:
    """Places of axes that have one, repeated."""
    x = read.value(node, 0)
    try:
        shape = np.broadcast_shapes(x.shape, tuple(read.optional_integers(node, 1) or ()))
    except ValueError:
        raise UnsupportedError(f"{shape_text(x.shape)} cannot be repeated as {read.optional_integers(node, 1)}") from None
    if int(np.prod(shape, dtype=object)) == int(np.prod(x.shape)):
        return read.reshaped(x, shape)
    refuse_large(int(np.prod(shape, dtype=object)))
    return read.moved(node, x, np.broadcast_to(index_of(x), shape))


@operator("DepthToSpace")
def depth_to_space(read: Reading, node: Node) -> Result:
    """Channels as blocks of cells: pixel_shuffle, or rearrange in the mode DCR."""
    x, r = read.value(node, 0), node.get("blocksize", 1)
    if len(x.shape) != 4 or r < 1 or x.shape[1] % r**2:
        raise UnsupportedError(f"it cannot divide the channels of {shape_text(x.shape)} by {r}²")
    batch, channels, rows, columns = x.shape
    less = channels // r**2
    if node.get("mode", "DCR") == "CRD":
        parts, turn = (batch, less, r, r, rows, columns), (0, 1, 4, 2, 5, 3)
    else:
        parts, turn = (batch, r, r, less, rows, columns), (0, 3, 4, 1, 5, 2)
    moved = read.transposed(read.reshaped(x, parts), turn)
    return read.reshaped(moved, (batch, less, rows * r, columns * r))


@operator("SpaceToDepth")
def space_to_depth(read: Reading, node: Node) -> Result:
    """Blocks of cells as channels."""
    x, r = read.value(node, 0), node.get("blocksize", 1)
    if len(x.shape) != 4 or r < 1 or x.shape[2] % r or x.shape[3] % r:
        raise UnsupportedError(f"it cannot divide the cells of {shape_text(x.shape)} by {r}×{r}")
    batch, channels, rows, columns = x.shape
    parts = (batch, channels, rows // r, r, columns // r, r)
    turn = (0, 1, 3, 5, 2, 4) if node.get("mode", "DCR") == "CRD" else (0, 3, 5, 1, 2, 4)
    moved = read.transposed(read.reshaped(x, parts), turn)
    return read.reshaped(moved, (batch, channels * r**2, rows // r, columns // r))


@operator("Transpose")
def transpose(read: Reading, node: Node) -> Result:
    """The same cells in another order, which a later layer may undo or have in its weights."""
    x = read.value(node, 0)
    turn = tuple(node.get("perm") or reversed(range(len(x.shape))))
    if sorted(turn) != list(range(len(x.shape))):
        raise UnsupportedError(f"perm {list(turn)} does not fit {shape_text(x.shape)}")
    return read.transposed(x, turn)


def refuse_large(cells: int) -> None:
    """Raise UnsupportedError where so many cells would not fit a workbook."""
    if cells > MOST_CELLS:
        raise UnsupportedError(f"it makes {cells:,} cells; sheetcnn takes {MOST_CELLS:,} of a tensor")
