"""Mish."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import factor
from .base import example


class Mish(Elementwise):
    """x · tanh(ln(1 + exp(x))), cell by cell. Source: torch.nn.Mish."""

    type: ClassVar[str] = "mish"
    onnx_operator: ClassVar[str] = "Mish"
    about: ClassVar[str] = "x times the tanh of its softplus"
    words: ClassVar[str] = "out = x · tanh(ln(1 + exp(x)))"
    examples: ClassVar = (
        example([0, 1000, -1000], [0, 1000, 0]),
        example([0.6931471805599453], [0.5545177444479562], source="1 + exp(ln 2) = 3, tanh(ln 3) = 0.8"),
    )

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x * np.tanh(np.logaddexp(0, x))

    def cell(self, x: str) -> str:
        return f"{x}*TANH(MAX({x},0)+LN(1+EXP(-ABS({x}))))"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        t = np.tanh(np.logaddexp(0, x))
        return t + x * (1 - t * t) * 0.5 * (1 + np.tanh(x / 2))

    def through(self, g: str, x: str, y: str) -> str:
        t = f"TANH(MAX({x},0)+LN(1+EXP(-ABS({x}))))"
        return f"{factor(g)}*({t}+{x}*(1-{t}^2)*0.5*(1+TANH({x}/2)))"

    def torch(self, shape: Shape) -> str:
        return "torch.nn.Mish()"
