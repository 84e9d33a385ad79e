"""The smallest of layers."""

from functools import reduce
from typing import ClassVar

import numpy as np

from .base import example
from .joining import Extreme


class Minimum(Extreme):
    """The smaller of the inputs' cells, place by place. Source: torch.minimum."""

    type: ClassVar[str] = "minimum"
    onnx_operator: ClassVar[str] = "Min"
    function: ClassVar[str] = "MIN"
    about: ClassVar[str] = "the smallest of the inputs' cells, place by place"
    words: ClassVar[str] = "map = smaller of a and b"
    examples: ClassVar = (
        example([[[[1, 20]]], [[[10, 2]]]], [[[1, 2]]]),
        example([[[[1, -2]], [[3, 4]]], [[[0]], [[5]]]], [[[0, -2]], [[3, 4]]]),
        example([[1, -9], [2, -3], [4, -5]], [1, -9]),
    )

    def forward(self, *xs: np.ndarray) -> np.ndarray:
        return reduce(np.minimum, xs)
