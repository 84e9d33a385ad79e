"""Softmax over a vector."""

from typing import ClassVar

import numpy as np

from ..grid import Grids
from .base import Layer, Shape, Step, example


class Softmax(Layer):
    """exp(x) / Σ exp(x), the maximum subtracted first so that nothing overflows. Source: torch.nn.Softmax."""

    type: ClassVar[str] = "softmax"
    about: ClassVar[str] = "exp(x) / Σ exp(x): positive numbers that sum to 1"
    words: ClassVar[str] = "exp = exp(x − largest x);  out = exp / Σ exp"
    takes: ClassVar[str] = "vector"
    examples: ClassVar = (
        example([0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25]),
        example([1000, 1000 + 1.0986122886681098], [0.25, 0.75], source="exp(ln 3) = 3, so 1 to 3"),
    )

    def steps(self, shape: Shape, detail: str) -> list[Step]:
        return [Step("exp", shape, lambda x: np.exp(x - x.max()), lambda at, x: f"EXP({x.at(*at, 0)}-MAX({x.area}))")]

    def forward(self, x: np.ndarray) -> np.ndarray:
        exp = np.exp(x - x.max())
        return exp / exp.sum()

    def formula(self, at: Shape, x: Grids, exp: Grids) -> str:
        return f"{exp.at(*at, 0)}/SUM({exp.area})"

    def torch(self, shape: Shape) -> str:
        return "torch.nn.Softmax(dim=1)"
