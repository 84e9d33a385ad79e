"""Difference of layers."""

from typing import ClassVar

import numpy as np

from .base import example
from .joining import Joining


class Subtract(Joining):
    """The first input minus the second, cell by cell. Source: torch.sub."""

    type: ClassVar[str] = "subtract"
    onnx_operator: ClassVar[str] = "Sub"
    about: ClassVar[str] = "the first input minus the second, cell by cell"
    words: ClassVar[str] = "map = a − b"
    inputs: ClassVar[tuple[int, int]] = (2, 2)
    sign: ClassVar[str] = "-"
    examples: ClassVar = (
        example([[[[1, 2]]], [[[10, 0]]]], [[[-9, 2]]]),
        example([[[[1, 2]], [[3, 4]]], [[[10]], [[20]]]], [[[-9, -8]], [[-17, -16]]]),
    )

    def forward(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a - b
