"""The largest of layers."""

from functools import reduce
from typing import ClassVar

import numpy as np

from .base import example
from .joining import Extreme


class Maximum(Extreme):
    """The larger of the inputs' cells, place by place. Source: torch.maximum."""

    type: ClassVar[str] = "maximum"
    onnx_operator: ClassVar[str] = "Max"
    function: ClassVar[str] = "MAX"
    about: ClassVar[str] = "the largest of the inputs' cells, place by place"
    words: ClassVar[str] = "map = larger of a and b"
    examples: ClassVar = (
        example([[[[1, 20]]], [[[10, 2]]]], [[[10, 20]]]),
        example([[[[1, -2]], [[3, 4]]], [[[0]], [[5]]]], [[[1, 0]], [[5, 5]]]),
        example([[1, -9], [2, -3], [4, -5]], [4, -3]),
    )

    def forward(self, *xs: np.ndarray) -> np.ndarray:
        return reduce(np.maximum, xs)
