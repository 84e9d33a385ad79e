"""Difference of layers."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from ..arrays.grid import Grids
from .backward import Local, factor, shape_of, summed
from .base import example
from .joining import Joining, stretched


class Subtract(Joining):
    """The first input minus the second, cell by cell. Source: torch.sub."""

    type: ClassVar[str] = "subtract"
    onnx_operator: ClassVar[str] = "Sub"
    back_words: ClassVar[str] = "What goes back: the same to the first layer, its negative to the others."
    about: ClassVar[str] = "the first input minus the second, cell by cell"
    words: ClassVar[str] = "map = a − b"
    inputs: ClassVar[tuple[int, int]] = (2, 2)
    sign: ClassVar[str] = "-"
    examples: ClassVar = (
        example([[[[1, 2]]], [[[10, 0]]]], [[[-9, 2]]]),
        example([[[[1, 2]], [[3, 4]]], [[[10]], [[20]]]], [[[-9, -8]], [[-17, -16]]]),
    )

    def slope(self, n: int, xs: tuple[np.ndarray, ...]) -> np.ndarray:
        return np.array([-1.0 if n else 1.0])

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        shapes = [shape_of(x) for x in of.xs]
        text = summed(of.grad, stretched(at, shapes[n], self.output_shape(*shapes)))
        return f"-{factor(text)}" if n else text

    def forward(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a - b
