"""Sigmoid linear unit, also called swish."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import factor
from .base import OnnxGraph, example


class SiLU(Elementwise):
    """x · sigmoid(x), cell by cell. Source: torch.nn.SiLU."""

    type: ClassVar[str] = "silu"
    about: ClassVar[str] = "x times its sigmoid (also called swish)"
    words: ClassVar[str] = "out = x · sigmoid(x)"
    examples: ClassVar = (
        example([0, 1000, -1000], [0, 1000, 0]),
        example([1.0986122886681098], [0.8239592165010823], source="ln 3 · ¾"),
    )

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x * 0.5 * (1 + np.tanh(x / 2))

    def cell(self, x: str) -> str:
        return f"{x}*0.5*(1+TANH({x}/2))"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 0.5 * (1 + np.tanh(x / 2)) + y * 0.5 * (1 - np.tanh(x / 2))

    def through(self, g: str, x: str, y: str) -> str:
        return f"{factor(g)}*(0.5*(1+TANH({x}/2))+{y}*0.5*(1-TANH({x}/2)))"

    def torch(self, shape: Shape) -> str:
        return "torch.nn.SiLU()"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        return to.add("Mul", name, *xs, to.add("Sigmoid", f"{name}_sigmoid", *xs))
