"""Scaled exponential linear unit."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import NEAR, NEAR_TEXT, factor
from .base import example

SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772


class SELU(Elementwise):
    """scale · (x where x > 0, alpha · (exp(x) − 1) elsewhere), with the constants that keep mean and variance.

    Source: torch.nn.SELU; Klambauer and others, "Self-Normalizing Neural Networks", 2017.
    """

    type: ClassVar[str] = "selu"
    onnx_operator: ClassVar[str] = "Selu"
    about: ClassVar[str] = "scaled ELU that keeps mean 0 and variance 1 from layer to layer"
    words: ClassVar[str] = "out = 1.0507 · (x where x > 0, else 1.67326 · (exp(x) − 1))"
    examples: ClassVar = (
        example([1, 0, -1000], [1.0507009873554805, 0, -1.7580993408473766], source="the paper's constants λ and −λα"),
    )

    def forward(self, x: np.ndarray) -> np.ndarray:
        return SCALE * np.where(x > 0, x, ALPHA * np.expm1(np.minimum(x, 0)))

    def cell(self, x: str) -> str:
        return f"{SCALE!r}*IF({x}>0,{x},{ALPHA!r}*(EXP(MIN({x},0))-1))"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return SCALE * np.where(x > NEAR, 1, ALPHA * np.exp(np.minimum(x, 0)))

    def through(self, g: str, x: str, y: str) -> str:
        return f"{factor(g)}*{SCALE!r}*IF({x}>{NEAR_TEXT},1,{ALPHA!r}*EXP(MIN({x},0)))"

    def torch(self, shape: Shape) -> str:
        return "torch.nn.SELU()"
