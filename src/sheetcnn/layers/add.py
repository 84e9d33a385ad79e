"""Sum of layers."""

from functools import reduce
from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from ..arrays.grid import Grids
from .backward import Local, shape_of, summed
from .base import example
from .joining import Joining, stretched


class Add(Joining):
    """Inputs added cell by cell, as in a residual block. Source: torch.add."""

    type: ClassVar[str] = "add"
    onnx_operator: ClassVar[str] = "Add"
    back_words: ClassVar[str] = "What goes back: the same to each layer that is added."
    about: ClassVar[str] = "inputs added cell by cell: the joint of a residual block"
    words: ClassVar[str] = "map = a + b"
    sign: ClassVar[str] = "+"
    examples: ClassVar = (
        example([[[[1, 2]]], [[[10, 20]]]], [[[11, 22]]]),
        example([[[[1, 2]], [[3, 4]]], [[[10]], [[20]]]], [[[11, 12]], [[23, 24]]]),
        example([[1, -9], [2, 3], [4, 5]], [7, 0], activation="relu"),
    )

    def slope(self, n: int, xs: tuple[np.ndarray, ...]) -> np.ndarray:
        return np.ones(1)

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        shapes = [shape_of(x) for x in of.xs]
        return summed(of.grad, stretched(at, shapes[n], self.output_shape(*shapes)))

    def forward(self, *xs: np.ndarray) -> np.ndarray:
        return reduce(np.add, xs)
