"""Exponential linear unit."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import NEAR, NEAR_TEXT, factor
from .base import example, literal
from .settings import Number


class ELU(Elementwise):
    """x where x > 0, alpha · (exp(x) − 1) elsewhere. Source: torch.nn.ELU."""

    type: ClassVar[str] = "elu"
    onnx_operator: ClassVar[str] = "Elu"
    onnx_settings: ClassVar[dict[str, str]] = {"alpha": "alpha"}
    about: ClassVar[str] = "x where x > 0, alpha · (exp(x) − 1) elsewhere"
    words: ClassVar[str] = "out = x where x > 0, else alpha · (exp(x) − 1)"
    examples: ClassVar = (
        example([3, 0, -1000], [3, 0, -1]),
        example([-0.6931471805599453], [-1.5], alpha=3.0, source="exp(−ln 2) = ½, so 3 · (½ − 1)"),
    )

    alpha: Number = 1.0

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))

    def cell(self, x: str) -> str:
        return f"IF({x}>0,{x},{literal(self.alpha)}*(EXP(MIN({x},0))-1))"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(x > NEAR, 1, self.alpha * np.exp(np.minimum(x, 0)))

    def through(self, g: str, x: str, y: str) -> str:
        return f"{factor(g)}*IF({x}>{NEAR_TEXT},1,{literal(self.alpha)}*EXP(MIN({x},0)))"

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.ELU({self.alpha!r})"
