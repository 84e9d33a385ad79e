"""Rectified linear unit with a ceiling of 6."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import NEAR, NEAR_TEXT
from .base import OnnxGraph, example


class ReLU6(Elementwise):
    """min(max(0, x), 6), cell by cell. Source: torch.nn.ReLU6."""

    type: ClassVar[str] = "relu6"
    about: ClassVar[str] = "max(0, x), but no more than 6"
    words: ClassVar[str] = "out = min(max(0, x), 6)"
    reads_once: ClassVar[bool] = True
    examples: ClassVar = (example([-1, 2.5, 6, 9], [0, 2.5, 6, 6]),)

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.clip(x, 0, 6)

    def cell(self, x: str) -> str:
        return f"MIN(MAX(0,{x}),6)"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (y > NEAR) & (y < 6 - NEAR)

    def through(self, g: str, x: str, y: str) -> str:
        return f"IF({y}>{NEAR_TEXT},IF({y}<6-{NEAR_TEXT},{g},0),0)"

    def torch(self, shape: Shape) -> str:
        return "torch.nn.ReLU6()"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        low, high = to.constant(f"{name}.min", np.array(0.0)), to.constant(f"{name}.max", np.array(6.0))
        return to.add("Clip", name, *xs, low, high)
