"""Logistic sigmoid."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import factor
from .base import example


class Sigmoid(Elementwise):
    """1 / (1 + exp(−x)), written with tanh, which cannot overflow. Source: torch.nn.Sigmoid."""

    type: ClassVar[str] = "sigmoid"
    onnx_operator: ClassVar[str] = "Sigmoid"
    about: ClassVar[str] = "1 / (1 + exp(−x)): squeezes every number between 0 and 1"
    words: ClassVar[str] = "out = 1 / (1 + exp(−x)), computed as ½ · (1 + tanh(x / 2))"
    reads_once: ClassVar[bool] = True
    examples: ClassVar = (
        example([0, 1000, -1000], [0.5, 1, 0]),
        example([1.0986122886681098], [0.75], source="x = ln 3: 1 / (1 + 1/3)"),
    )

    def forward(self, x: np.ndarray) -> np.ndarray:
        small = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, small) / (1 + small)

    def cell(self, x: str) -> str:
        return f"0.5*(1+TANH(({x})/2))"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return y * (1 - y)

    def through(self, g: str, x: str, y: str) -> str:
        return f"{factor(g)}*{y}*(1-{y})"

    def torch(self, shape: Shape) -> str:
        return "torch.nn.Sigmoid()"
