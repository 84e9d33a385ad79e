"""Hyperbolic tangent."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import factor
from .base import example


class Tanh(Elementwise):
    """tanh x, cell by cell. Source: torch.nn.Tanh."""

    type: ClassVar[str] = "tanh"
    onnx_operator: ClassVar[str] = "Tanh"
    about: ClassVar[str] = "tanh x: squeezes every number between −1 and 1"
    words: ClassVar[str] = "out = tanh(x)"
    reads_once: ClassVar[bool] = True
    examples: ClassVar = (
        example([0, 1000, -1000], [0, 1, -1]),
        example([0.5493061443340549], [0.5], source="x = ½ ln 3: (3 − 1) / (3 + 1)"),
    )

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.tanh(x)

    def cell(self, x: str) -> str:
        return f"TANH({x})"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 1 - y * y

    def through(self, g: str, x: str, y: str) -> str:
        return f"{factor(g)}*(1-{y}*{y})"

    def torch(self, shape: Shape) -> str:
        return "torch.nn.Tanh()"
