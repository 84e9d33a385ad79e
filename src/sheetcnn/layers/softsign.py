"""Softsign."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import factor
from .base import example


class Softsign(Elementwise):
    """x / (1 + |x|), cell by cell. Source: torch.nn.Softsign."""

    type: ClassVar[str] = "softsign"
    onnx_operator: ClassVar[str] = "Softsign"
    about: ClassVar[str] = "x over 1 plus its absolute value: squeezes every number between −1 and 1"
    words: ClassVar[str] = "out = x / (1 + |x|)"
    examples: ClassVar = (example([0, 1, -3], [0, 0.5, -0.75]),)

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x / (1 + np.abs(x))

    def cell(self, x: str) -> str:
        return f"{x}/(1+ABS({x}))"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.abs(x)) ** 2

    def through(self, g: str, x: str, y: str) -> str:
        return f"{factor(g)}/(1+ABS({x}))^2"

    def torch(self, shape: Shape) -> str:
        return "torch.nn.Softsign()"
