"""Product of layers."""

from functools import reduce
from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .base import example
from .joining import Joining


class Multiply(Joining):
    """Inputs multiplied cell by cell; C×1×1 scales whole maps, as in squeeze-and-excitation. Source: torch.mul."""

    type: ClassVar[str] = "multiply"
    onnx_operator: ClassVar[str] = "Mul"
    about: ClassVar[str] = "inputs multiplied cell by cell; an input of C×1×1 scales whole maps"
    words: ClassVar[str] = "map = a · b"
    sign: ClassVar[str] = "*"
    examples: ClassVar = (
        example([[[[1, 2]]], [[[10, 20]]]], [[[10, 40]]]),
        example([[[[1, 2]], [[3, 4]]], [[[10]], [[-1]]]], [[[10, 20]], [[-3, -4]]]),
    )

    def forward(self, *xs: np.ndarray) -> np.ndarray:
        return reduce(np.multiply, xs)

    def multiplications(self, *shapes: Shape) -> int:
        return int(np.prod(self.output_shape(*shapes))) * (len(shapes) - 1)
