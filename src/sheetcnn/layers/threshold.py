"""Numbers above a threshold."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import NEAR
from .base import OnnxGraph, example, literal
from .settings import Number


class Threshold(Elementwise):
    """x where x > threshold, value elsewhere. Source: torch.nn.Threshold, whose names these are."""

    type: ClassVar[str] = "threshold"
    about: ClassVar[str] = "x where x > threshold, value elsewhere"
    words: ClassVar[str] = "out = x where x > threshold, else value"
    examples: ClassVar = (
        example([[[-2, 0.5], [0.75, 3]]], [[[0, 0], [0.75, 3]]], threshold=0.5, value=0.0),
        example([-2, 0, 3], [-1, 0, 3], threshold=-1.0, value=-1.0),
    )

    threshold: Number = 0.0
    value: Number = 0.0

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.where(x > self.threshold, x, self.value)

    def cell(self, x: str) -> str:
        return f"IF({x}>{literal(self.threshold)},{x},{literal(self.value)})"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return x > self.threshold + NEAR

    def through(self, g: str, x: str, y: str) -> str:
        return f"IF({x}>{literal(self.threshold + NEAR)},{g},0)"

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.Threshold({self.threshold!r}, {self.value!r})"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        above = to.add("Greater", f"{name}_above", *xs, to.constant(f"{name}.threshold", np.array(self.threshold)))
        return to.add("Where", name, above, *xs, to.constant(f"{name}.value", np.array(self.value)))
