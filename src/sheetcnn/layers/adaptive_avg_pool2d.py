"""Average pooling to a given size."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from ..arrays.grid import Grids
from ..arrays.window import Window
from .backward import Averaging
from .base import Layer, OnnxGraph, example
from .reduction import Reduction
from .settings import Counts
from .sliding import pair


class AdaptiveAvgPool2d(Averaging, Layer):
    """The mean of windows that divide each map into output_size parts, as even as can be.

    Row i reads the rows from floor(i · H / out) to ceil((i + 1) · H / out). Source: torch.nn.AdaptiveAvgPool2d.
    """

    type: ClassVar[str] = "adaptive_avg_pool2d"
    family: ClassVar[str] = "pooling"
    about: ClassVar[str] = "the mean of windows chosen so that the output has a given size"
    words: ClassVar[str] = "map = mean of the window; windows divide the map evenly"
    examples: ClassVar = (
        example([[[1, 2, 3, 4], [5, 6, 7, 8]]], [[[3.5, 5.5]]], output_size=[1, 2]),
        example([[[3, 5, 7]]], [[[4, 6]]], output_size=[1, 2]),
        example([[[4, 8]]], [[[4, 4, 6, 8, 8]]], output_size=[1, 5]),
    )

    output_size: Counts

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0], *self.output_size)

    def span(self, axis: int, place: int, size: int) -> tuple[int, int]:
        """The first input row (or column) of an output row, and how many it reads."""
        out = self.output_size[axis]
        start = place * size // out
        return start, -(-(place + 1) * size // out) - start

    def forward(self, x: np.ndarray) -> np.ndarray:
        y = np.empty(self.output_shape(x.shape))
        for i, j in np.ndindex(*self.output_size):
            (top, rows), (left, columns) = self.span(0, i, x.shape[1]), self.span(1, j, x.shape[2])
            y[:, i, j] = x[:, top : top + rows, left : left + columns].mean(axis=(1, 2))
        return y

    def formula(self, at: Shape, x: Grids) -> str:
        k, i, j = at
        (top, rows), (left, columns) = self.span(0, i, x[k].rows), self.span(1, j, x[k].columns)
        return f"AVERAGE({x[k].window(top, left, rows, columns)})"

    def reads(self, axis: int, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
        start, size = np.array([self.span(axis, place, shape[1 + axis]) for place in range(self.output_size[axis])]).T
        return start, start + size - 1

    def reduction(self, shape: Shape) -> Reduction | None:
        size = tuple(cells // out for cells, out in zip(shape[1:], self.output_size, strict=True))
        if any(cells % out for cells, out in zip(shape[1:], self.output_size, strict=True)):
            return None  # windows of several sizes
        return Reduction("mean", Window(size, size), maps=shape[0], depth=shape[0], levels=(1, 0, 1))

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.AdaptiveAvgPool2d({pair(self.output_size)})"

    def _means(self, axis: int, size: int) -> np.ndarray:
        """How much of each input row (or column) goes into each output row."""
        matrix = np.zeros((self.output_size[axis], size))
        for place in range(len(matrix)):
            start, count = self.span(axis, place, size)
            matrix[place, start : start + count] = 1 / count
        return matrix

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        _, rows, columns = shapes[0]  # the means of rows, then those of columns, each a product with a matrix
        down = to.constant(f"{name}.rows", self._means(0, rows))
        along = to.constant(f"{name}.columns", self._means(1, columns).T)
        return to.add("MatMul", name, to.add("MatMul", f"{name}_rows", down, *xs), along)
