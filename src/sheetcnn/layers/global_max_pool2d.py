"""Global max pooling."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from ..arrays.grid import Grids
from ..arrays.window import Window
from .backward import Largest
from .base import Layer, example
from .reduction import Reduction


class GlobalMaxPool2d(Largest, Layer):
    """The largest cell of each whole map: C×H×W becomes C×1×1. Source: torch.nn.AdaptiveMaxPool2d(1)."""

    type: ClassVar[str] = "global_max_pool2d"
    family: ClassVar[str] = "pooling"
    onnx_operator: ClassVar[str] = "GlobalMaxPool"
    about: ClassVar[str] = "the largest cell of each whole map: one number per map"
    words: ClassVar[str] = "map = largest of all cells of the map"
    examples: ClassVar = (example([[[1, 2], [3, 6]], [[-3, -1], [-2, -4]]], [[[6]], [[-1]]]),)

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0], 1, 1)

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x.max(axis=(1, 2), keepdims=True)

    def formula(self, at: Shape, x: Grids) -> str:
        return f"MAX({x[at[0]].window(0, 0, x[at[0]].rows, x[at[0]].columns)})"

    def reduction(self, shape: Shape) -> Reduction:
        return Reduction("largest", Window(shape[1:]), maps=shape[0], depth=shape[0], levels=(1, 0, 1))

    def reads(self, axis: int, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
        return np.array([0]), np.array([shape[1 + axis] - 1])

    def slid(self, shape: Shape) -> Window:
        return Window(shape[1:])

    def torch(self, shape: Shape) -> str:
        return "torch.nn.AdaptiveMaxPool2d(1)"
