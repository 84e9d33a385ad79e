"""Rectified linear unit."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import NEAR, NEAR_TEXT
from .base import example


class ReLU(Elementwise):
    """max(0, x), cell by cell. Source: torch.nn.ReLU."""

    type: ClassVar[str] = "relu"
    onnx_operator: ClassVar[str] = "Relu"
    about: ClassVar[str] = "max(0, x): negative numbers become 0"
    words: ClassVar[str] = "out = max(0, x)"
    reads_once: ClassVar[bool] = True
    back_words: ClassVar[str] = "The gate of ReLU: where its output is 0, nothing passes."
    examples: ClassVar = (
        example([[[-2, 3], [0, -0.5]]], [[[0, 3], [0, 0]]]),
        example([-1, 4], [0, 4]),
    )

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0)

    def cell(self, x: str) -> str:
        return f"MAX(0,{x})"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return y > NEAR

    def through(self, g: str, x: str, y: str) -> str:
        return f"IF({y}>{NEAR_TEXT},{g},0)"

    def torch(self, shape: Shape) -> str:
        return "torch.nn.ReLU()"
