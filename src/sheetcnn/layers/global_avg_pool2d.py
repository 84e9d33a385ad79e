"""Global average pooling."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from ..arrays.grid import Grids
from ..arrays.window import Window
from .backward import Averaging
from .base import Layer, example
from .reduction import Reduction


class GlobalAvgPool2d(Averaging, Layer):
    """The mean of each whole map: C×H×W becomes C×1×1. Source: torch.nn.AdaptiveAvgPool2d(1)."""

    type: ClassVar[str] = "global_avg_pool2d"
    family: ClassVar[str] = "pooling"
    onnx_operator: ClassVar[str] = "GlobalAveragePool"
    about: ClassVar[str] = "the mean of each whole map: one number per map"
    words: ClassVar[str] = "map = mean of all cells of the map"
    examples: ClassVar = (example([[[1, 2], [3, 6]], [[0, 0], [0, 4]]], [[[3]], [[1]]]),)

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0], 1, 1)

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x.mean(axis=(1, 2), keepdims=True)

    def formula(self, at: Shape, x: Grids) -> str:
        return f"AVERAGE({x[at[0]].window(0, 0, x[at[0]].rows, x[at[0]].columns)})"

    def reduction(self, shape: Shape) -> Reduction:
        return Reduction("mean", Window(shape[1:]), maps=shape[0], depth=shape[0], levels=(1, 0, 1))

    def reads(self, axis: int, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
        return np.array([0]), np.array([shape[1 + axis] - 1])

    def torch(self, shape: Shape) -> str:
        return "torch.nn.AdaptiveAvgPool2d(1)"
