"""Sum of layers."""

from functools import reduce
from typing import ClassVar

import numpy as np

from .base import example
from .joining import Joining


class Add(Joining):
    """Inputs added cell by cell, as in a residual block. Source: torch.add."""

    type: ClassVar[str] = "add"
    onnx_operator: ClassVar[str] = "Add"
    about: ClassVar[str] = "inputs added cell by cell: the joint of a residual block"
    words: ClassVar[str] = "map = a + b"
    sign: ClassVar[str] = "+"
    examples: ClassVar = (
        example([[[[1, 2]]], [[[10, 20]]]], [[[11, 22]]]),
        example([[[[1, 2]], [[3, 4]]], [[[10]], [[20]]]], [[[11, 12]], [[23, 24]]]),
        example([[1, -9], [2, 3], [4, 5]], [7, 0], activation="relu"),
    )

    def forward(self, *xs: np.ndarray) -> np.ndarray:
        return reduce(np.add, xs)
