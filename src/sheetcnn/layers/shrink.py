"""Numbers far from 0."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from ..arrays.array import Shape
from .activation import Elementwise
from .backward import NEAR
from .base import example, literal
from .settings import Number


class Shrink(Elementwise):
    """0 from −lambd to lambd; what lies beyond, nearer to 0 by shift.

    Source: ONNX's Shrink; with shift 0 it is torch.nn.Hardshrink, with shift = lambd torch.nn.Softshrink.
    """

    type: ClassVar[str] = "shrink"
    onnx_operator: ClassVar[str] = "Shrink"
    onnx_settings: ClassVar[dict[str, str]] = {"lambd": "lambd", "bias": "shift"}
    about: ClassVar[str] = "0 from −lambd to lambd; what lies beyond, nearer to 0 by shift"
    words: ClassVar[str] = "out = x − shift where x > lambd, x + shift where x < −lambd, else 0"
    examples: ClassVar = (
        example([-2, -0.5, 0.25, 0.5, 3], [-2, 0, 0, 0, 3]),
        example([[[-2, 0.5], [0.75, 3]]], [[[-1.5, 0], [0.25, 2.5]]], lambd=0.5, shift=0.5),
    )

    lambd: Number = Field(0.5, ge=0)
    shift: Number = 0.0

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.where(np.abs(x) > self.lambd, x - np.sign(x) * self.shift, 0.0)

    def cell(self, x: str) -> str:
        lambd, shift = literal(self.lambd), literal(self.shift)
        return f"IF({x}>{lambd},{x}-{shift},IF({x}<-{lambd},{x}+{shift},0))"

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.abs(x) > self.lambd + NEAR

    def through(self, g: str, x: str, y: str) -> str:
        return f"IF(ABS({x})>{literal(self.lambd + NEAR)},{g},0)"

    def torch(self, shape: Shape) -> str:
        kind = "Hardshrink" if self.shift == 0 else "Softshrink" if self.shift == self.lambd else ""
        return f"torch.nn.{kind}({self.lambd!r})" if kind else ""
