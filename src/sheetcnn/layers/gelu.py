"""Gaussian error linear unit."""

import math
from typing import ClassVar, Literal

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import factor
from .base import example

ROOT = math.sqrt(2 / math.pi)
_erfc = np.vectorize(math.erfc, otypes=[float])


class GELU(Elementwise):
    """x · Φ(x), Φ being the normal distribution; or its approximation with tanh. Source: torch.nn.GELU."""

    type: ClassVar[str] = "gelu"
    onnx_operator: ClassVar[str] = "Gelu"
    onnx_settings: ClassVar[dict[str, str]] = {"approximate": "approximate"}
    about: ClassVar[str] = "x times the share of the normal distribution below x"
    words: ClassVar[str] = "out = x · Φ(x), Φ being the normal distribution"
    examples: ClassVar = (
        example([0, 50, -50], [0, 50, 0]),
        example([1, -1], [0.8413447460685429, -0.15865525393145707], source="tables of the normal distribution, Φ(1)"),
        example([1], [0.8411919906082768], approximate="tanh", source="0.5 · (1 + tanh(√(2/π) · 1.044715))"),
    )

    approximate: Literal["none", "tanh"] = "none"

    def formula_words(self) -> str:
        if self.approximate == "tanh":
            return "out = ½ · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))"
        return self.words

    def forward(self, x: np.ndarray) -> np.ndarray:
        if self.approximate == "tanh":
            return 0.5 * x * (1 + np.tanh(ROOT * (x + 0.044715 * x**3)))
        return x * 0.5 * _erfc(-x / np.sqrt(2))

    def cell(self, x: str) -> str:
        if self.approximate == "tanh":
            return f"0.5*{x}*(1+TANH({ROOT!r}*({x}+0.044715*{x}^3)))"
        return f"{x}*NORMSDIST({x})"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        if self.approximate == "tanh":
            t = np.tanh(ROOT * (x + 0.044715 * x**3))
            return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ROOT * (1 + 0.134145 * x * x)
        return 0.5 * _erfc(-x / np.sqrt(2)) + x * np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)

    def through(self, g: str, x: str, y: str) -> str:
        if self.approximate == "tanh":
            t = f"TANH({ROOT!r}*({x}+0.044715*{x}^3))"
            return f"{factor(g)}*(0.5*(1+{t})+0.5*{x}*(1-{t}^2)*{ROOT!r}*(1+0.134145*{x}*{x}))"
        return f"{factor(g)}*(NORMSDIST({x})+{x}*EXP(-0.5*{x}*{x})/{float(np.sqrt(2 * np.pi))!r})"

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.GELU(approximate={self.approximate!r})"
