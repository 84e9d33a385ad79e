"""What the tensors of a graph stand for while it is read: constants, or the cells of a layer in some order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..arrays.array import Shape, shape_text
from .curves import Curve
from .file import Node, UnsupportedError

MOST_CELLS = 10_000_000  # of one tensor; the largest that networks of ImageNet make have three million
# What an operator's function stumbles over where a damaged node has attributes or weights of other kinds than it should.
MISFITS = (TypeError, ValueError, IndexError, KeyError, AttributeError, ArithmeticError)


def refusal(error: Exception) -> UnsupportedError:
    """Why a node cannot be drawn, whatever went wrong with it."""
    if isinstance(error, UnsupportedError):
        return error
    return UnsupportedError(f"its attributes or weights do not fit the operator ({type(error).__name__}: {str(error)[:80]})")


@dataclass(frozen=True)
class Cells:
    """A layer's output as a tensor has it: the tensor's n-th number is the layer's `order[n]`-th, or its n-th."""

    layer: int
    order: np.ndarray | None = None


@dataclass(eq=False)
class Value:
    """A tensor that depends on the picture. It is drawn when somebody needs its cells.

    `curves` has its numbers as a function of those of earlier values, where each depends on one of theirs.
    """

    shape: Shape
    draw: Callable[[], Cells]
    curves: dict[Value, Curve] = field(default_factory=dict)
    node: Node | None = None
    depth: int = 0
    base: tuple[Value, np.ndarray] | None = (
        None  # where cells were moved: the value that they come from, and their places there
    )
    _cells: Cells | None = None

    @property
    def cells(self) -> Cells:
        if self._cells is None:
            try:
                self._cells = self.draw()
            except (UnsupportedError, *MISFITS) as error:
                refused = refusal(error)
                refused.node = refused.node or self.node
                raise refused from None
        return self._cells


def stacked(shape: Shape) -> Shape:
    """The shape of maps, or of a vector, that a tensor's shape means: the axis of one picture is left out."""
    if len(shape) > 1 and shape[0] == 1:
        shape = shape[1:]
    if len(shape) <= 1:
        return shape or (1,)
    return (int(np.prod(shape[:-2])), *shape[-2:])


def nothing(shape: Shape) -> Cells:
    """What a tensor without cells is drawn as. Raises UnsupportedError."""
    raise UnsupportedError(f"it leaves nothing of {shape_text(shape)}")


Result = np.ndarray | Value  # what a name in a graph stands for
