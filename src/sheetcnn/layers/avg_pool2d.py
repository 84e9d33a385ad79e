"""Average pooling."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from ..arrays.grid import Grids
from .backward import Averaging
from .base import Layer, OnnxGraph, example
from .reduction import Reduction
from .registry import LAYERS
from .settings import Flag
from .sliding import Pooling


class AvgPool2d(Averaging, Pooling):
    """The mean of each window, map by map. Source: torch.nn.AvgPool2d."""

    type: ClassVar[str] = "avg_pool2d"
    about: ClassVar[str] = "the mean of each window, map by map"
    words: ClassVar[str] = "map = mean of the window, each map by itself"
    examples: ClassVar = (
        example([[[1, 2, 3, 4], [5, 6, 7, 8]]], [[[3.5, 5.5]]], kernel_size=2),
        example([[[4, 8]]], [[[1, 3, 2]]], kernel_size=2, stride=1, padding=[0, 1, 1, 1]),
        example([[[4, 8]]], [[[4, 6, 8]]], kernel_size=[1, 2], stride=1, padding=[0, 1], count_include_pad=False),
        example([[[1, 2, 3]]], [[[1.5, 3]]], kernel_size=[1, 2], ceil_mode=True),
        example([[[1, 2, 3]]], [[[2]]], kernel_size=[1, 4], stride=[1, 2], ceil_mode=True),
    )

    dilation: ClassVar[tuple[int, int]] = (1, 1)  # type: ignore[misc]  # no setting: PyTorch's has none either
    count_include_pad: Flag = True

    def cells(self, shape: Shape) -> np.ndarray:
        """How many cells each window is divided by: all, or those inside the input where padding is not counted."""
        top, left, bottom, right = self.sides if self.count_include_pad else (0, 0, 0, 0)
        counts = []
        for axis, (before, after) in enumerate(((top, bottom), (left, right))):
            start = self.window.starts(axis, shape[1 + axis])
            end = np.minimum(start + self.kernel_size[axis], shape[1 + axis] + after)
            counts.append(end - np.maximum(start, -before))
        return np.outer(*counts)

    def reduction(self, shape: Shape) -> Reduction:
        return replace(
            super().reduction(shape), kind="mean", counted_padding=self.sides if self.count_include_pad else (0, 0, 0, 0)
        )

    def forward(self, x: np.ndarray) -> np.ndarray:
        return self.reduced(x, 0, np.add) / self.cells(x.shape)

    def formula(self, at: Shape, x: Grids) -> str:
        k, i, j = at
        window = x[k].window(*self.corner(i, j), *self.kernel_size)
        if not self.count_include_pad:
            return f"AVERAGE({window})"  # blank cells do not count
        # A last window that ceil_mode lets reach beyond the padding is divided by what lies within it.
        rows, columns = (
            min(size, x_size + after - start)
            for size, x_size, after, start in zip(
                self.kernel_size, (x[k].rows, x[k].columns), self.sides[2:], self.corner(i, j), strict=True
            )
        )
        return f"SUM({window})/{rows * columns}"

    def divisors(self, shape: Shape) -> np.ndarray:
        return self.cells(shape)

    def mistaken(self, shape: Shape) -> dict[str, Layer]:
        return super().mistaken(shape) | {"max_for_average": LAYERS["max_pool2d"](**self.window_settings())}

    def shifted(self, x: np.ndarray, by: tuple[int, int], **_: np.ndarray) -> np.ndarray:
        # The sum is still divided by the number of cells that the window has where it belongs.
        return self.but(padding=0).window.views(self.moved(x, by), 0).sum(axis=(3, 4)) / self.cells(x.shape)

    def torch(self, shape: Shape) -> str:
        top, left, bottom, right = self.sides
        if (top, left) != (bottom, right) and not self.count_include_pad:
            return ""  # what is padded before would count
        more = ", ceil_mode=True" if self.ceil_mode else ""
        return self.code("AvgPool2d(", more + ("" if self.count_include_pad else ", count_include_pad=False"))

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        counts = self.count_include_pad
        return to.add("AveragePool", name, *xs, count_include_pad=int(counts), **self.onnx_pool(shapes[0], counts))
