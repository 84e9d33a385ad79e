"""The logarithm of the sigmoid."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import factor
from .base import OnnxGraph, example


class LogSigmoid(Elementwise):
    """ln(1 / (1 + exp(−x))), written so that nothing overflows. Source: torch.nn.LogSigmoid."""

    type: ClassVar[str] = "log_sigmoid"
    about: ClassVar[str] = "ln of the sigmoid: x far below 0, nearly 0 far above"
    words: ClassVar[str] = "out = ln(1 / (1 + exp(−x)))"
    examples: ClassVar = (
        example([0, 1000, -1000], [-0.6931471805599453, 0, -1000]),
        example([1.0986122886681098], [-0.2876820724517809], source="ln(3 / 4)"),
    )

    def forward(self, x: np.ndarray) -> np.ndarray:
        return -np.logaddexp(0, -x)

    def cell(self, x: str) -> str:
        return f"MIN({x},0)-LN(1+EXP(-ABS({x})))"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 0.5 * (1 - np.tanh(x / 2))

    def through(self, g: str, x: str, y: str) -> str:
        return f"{factor(g)}*0.5*(1-TANH({x}/2))"

    def torch(self, shape: Shape) -> str:
        return "torch.nn.LogSigmoid()"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        return to.add("Neg", name, to.add("Softplus", f"{name}_soft", to.add("Neg", f"{name}_turned", *xs)))
