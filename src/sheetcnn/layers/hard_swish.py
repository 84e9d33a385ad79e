"""Swish of straight lines."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import NEAR, NEAR_TEXT, factor
from .base import example


class HardSwish(Elementwise):
    """x · min(max(0, x + 3), 6) / 6, cell by cell. Source: torch.nn.Hardswish."""

    type: ClassVar[str] = "hard_swish"
    onnx_operator: ClassVar[str] = "HardSwish"
    about: ClassVar[str] = "x times its hard sigmoid"
    words: ClassVar[str] = "out = x · min(max(0, x + 3), 6) / 6"
    examples: ClassVar = (example([-4, 0, 1.5, 4], [0, 0, 1.125, 4]),)

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x * np.clip(x + 3, 0, 6) / 6

    def cell(self, x: str) -> str:
        return f"{x}*MIN(MAX(0,{x}+3),6)/6"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(x > 3 - NEAR, 1, np.where(x > NEAR - 3, (2 * x + 3) / 6, 0))

    def through(self, g: str, x: str, y: str) -> str:
        return f"{factor(g)}*IF({x}>3-{NEAR_TEXT},1,IF({x}>{NEAR_TEXT}-3,(2*{x}+3)/6,0))"

    def torch(self, shape: Shape) -> str:
        return "torch.nn.Hardswish()"
