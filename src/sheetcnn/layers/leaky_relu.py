"""Leaky rectified linear unit."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import NEAR, NEAR_TEXT, factor
from .base import example, literal
from .settings import Number


class LeakyReLU(Elementwise):
    """x where x > 0, negative_slope · x elsewhere. Source: torch.nn.LeakyReLU."""

    type: ClassVar[str] = "leaky_relu"
    onnx_operator: ClassVar[str] = "LeakyRelu"
    onnx_settings: ClassVar[dict[str, str]] = {"alpha": "negative_slope"}
    about: ClassVar[str] = "x where x > 0, negative_slope · x elsewhere"
    words: ClassVar[str] = "out = x where x > 0, else negative_slope · x"
    examples: ClassVar = (
        example([[[-2, 3], [0, -0.5]]], [[[-0.02, 3], [0, -0.005]]]),
        example([-4, 4], [-8, 4], negative_slope=2.0),
    )

    negative_slope: Number = 0.01

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.where(x > 0, x, self.negative_slope * x)

    def cell(self, x: str) -> str:
        return f"IF({x}>0,{x},{literal(self.negative_slope)}*{x})"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(x > NEAR, 1, self.negative_slope)

    def through(self, g: str, x: str, y: str) -> str:
        return f"{factor(g)}*IF({x}>{NEAR_TEXT},1,{literal(self.negative_slope)})"

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.LeakyReLU({self.negative_slope!r})"
