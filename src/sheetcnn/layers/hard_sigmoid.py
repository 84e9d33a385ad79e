"""Sigmoid of straight lines."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import NEAR, NEAR_TEXT, factor
from .base import example, literal
from .settings import Number


class HardSigmoid(Elementwise):
    """alpha · x + beta, held between 0 and 1. Source: torch.nn.Hardsigmoid, alpha = 1/6 and beta = 1/2."""

    type: ClassVar[str] = "hard_sigmoid"
    onnx_operator: ClassVar[str] = "HardSigmoid"
    onnx_settings: ClassVar[dict[str, str]] = {"alpha": "alpha", "beta": "beta"}
    about: ClassVar[str] = "alpha · x + beta, held between 0 and 1"
    words: ClassVar[str] = "out = min(max(0, alpha · x + beta), 1)"
    reads_once: ClassVar[bool] = True
    examples: ClassVar = (
        example([-4, 0, 1.5, 4], [0, 0.5, 0.75, 1]),
        example([-1, 1, 5], [0.3, 0.7, 1], alpha=0.2),
    )

    alpha: Number = 1 / 6
    beta: Number = 0.5

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.clip(self.alpha * x + self.beta, 0, 1)

    def cell(self, x: str) -> str:
        return f"MIN(MAX(0,{literal(self.alpha)}*({x})+{literal(self.beta)}),1)"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where((y > NEAR) & (y < 1 - NEAR), self.alpha, 0)

    def through(self, g: str, x: str, y: str) -> str:
        return f"IF({y}>{NEAR_TEXT},IF({y}<1-{NEAR_TEXT},{factor(g)}*{literal(self.alpha)},0),0)"

    def torch(self, shape: Shape) -> str:
        return "torch.nn.Hardsigmoid()" if (self.alpha, self.beta) == (1 / 6, 0.5) else ""
