"""Softplus."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import factor
from .base import OnnxGraph, example, literal
from .settings import Number


class Softplus(Elementwise):
    """ln(1 + exp(beta · x)) / beta, written so that nothing overflows.

    Source: torch.nn.Softplus, without its threshold, which only saves time.
    """

    type: ClassVar[str] = "softplus"
    about: ClassVar[str] = "ln(1 + exp(x)): a smooth ReLU"
    words: ClassVar[str] = "out = ln(1 + exp(beta · x)) / beta"
    examples: ClassVar = (
        example([0, 1000, -1000], [0.6931471805599453, 1000, 0]),
        example([0.5493061443340549], [0.6931471805599453], beta=2.0, source="ln(1 + 3) / 2 = ln 2"),
    )

    beta: Number = Field(1.0, gt=0)

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.logaddexp(0, self.beta * x) / self.beta

    def cell(self, x: str) -> str:
        beta = literal(self.beta)
        return f"(MAX({beta}*{x},0)+LN(1+EXP(-ABS({beta}*{x}))))/{beta}"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 0.5 * (1 + np.tanh(self.beta * x / 2))

    def through(self, g: str, x: str, y: str) -> str:
        return f"{factor(g)}*0.5*(1+TANH({literal(self.beta)}*{x}/2))"

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.Softplus({self.beta!r})"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        if self.beta == 1:
            return to.add("Softplus", name, *xs)
        beta = to.constant(f"{name}.beta", np.array(self.beta))
        return to.add("Div", name, to.add("Softplus", f"{name}_soft", to.add("Mul", f"{name}_scaled", *xs, beta)), beta)
