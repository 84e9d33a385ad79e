"""Values held between two bounds."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import NEAR
from .base import OnnxGraph, example, literal
from .settings import Number


class Clip(Elementwise):
    """min(max(low, x), high), cell by cell. Source: torch.nn.Hardtanh, whose names and defaults these are."""

    type: ClassVar[str] = "clip"
    about: ClassVar[str] = "holds every number between min_val and max_val"
    words: ClassVar[str] = "out = min(max(min_val, x), max_val)"
    reads_once: ClassVar[bool] = True
    examples: ClassVar = (
        example([-3, 0.5, 2], [-1, 0.5, 1]),
        example([-3, 0.5, 2], [0, 0.5, 1.5], min_val=0.0, max_val=1.5),
    )

    min_val: Number = -1.0
    max_val: Number = 1.0

    def check(self, shape: Shape) -> None:
        if self.min_val > self.max_val:
            raise ValueError(f"min_val (={self.min_val}) must not be larger than max_val (={self.max_val})")

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.clip(x, self.min_val, self.max_val)

    def cell(self, x: str) -> str:
        return f"MIN(MAX({literal(self.min_val)},{x}),{literal(self.max_val)})"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (y > self.min_val + NEAR) & (y < self.max_val - NEAR)

    def through(self, g: str, x: str, y: str) -> str:
        return f"IF({y}>{literal(self.min_val + NEAR)},IF({y}<{literal(self.max_val - NEAR)},{g},0),0)"

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.Hardtanh({self.min_val!r}, {self.max_val!r})"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        low, high = to.constant(f"{name}.min", np.array(self.min_val)), to.constant(f"{name}.max", np.array(self.max_val))
        return to.add("Clip", name, *xs, low, high)
