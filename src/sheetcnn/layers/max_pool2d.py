"""Max pooling."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from ..arrays.grid import Grids
from ..arrays.window import Window
from .backward import Largest
from .base import Layer, OnnxGraph, example
from .registry import LAYERS
from .sliding import Pooling


class MaxPool2d(Largest, Pooling):
    """The largest cell of each window, map by map; padding never wins. Source: torch.nn.MaxPool2d."""

    type: ClassVar[str] = "max_pool2d"
    blank: ClassVar[float] = -np.inf
    about: ClassVar[str] = "the largest cell of each window, map by map"
    pads: ClassVar[str] = "torch.nn.ConstantPad2d({}, -torch.inf)"
    words: ClassVar[str] = "map = largest cell of the window, each map by itself"
    examples: ClassVar = (
        example([[[1, 2, 3, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]], [[[6, 8], [3, 4]]], kernel_size=2,
                source="CS231n course notes, section Pooling Layer"),
        example([[[-1, -2], [-3, -4]]], [[[-1, -1], [-1, -1]]], kernel_size=3, stride=1, padding=1),
        example([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]], [[[9]]], kernel_size=2, stride=1, dilation=2),
        example([[[5], [9], [1]]], [[[5]]], kernel_size=[2, 1], stride=1, dilation=[2, 1]),
        example([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]], [[[5, 6], [8, 9]]], kernel_size=2, ceil_mode=True),
        example([[[1, 2, 3]]], [[[2]]], kernel_size=[1, 2], stride=[1, 3], ceil_mode=True),
        example([[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]]], [[[11], [11]]], kernel_size=[2, 3],
                dilation=2, ceil_mode=True),
    )  # fmt: skip

    def forward(self, x: np.ndarray) -> np.ndarray:
        return self.reduced(x, self.blank, np.maximum)

    def formula(self, at: Shape, x: Grids) -> str:
        k, i, j = at
        top, left = self.corner(i, j)
        if self.dilation == (1, 1):
            return f"MAX({x[k].window(top, left, *self.kernel_size)})"
        (rows, columns), (down, right) = self.kernel_size, self.dilation
        cells = [x[k].window(top + a * down, left + b * right, 1, 1) for a in range(rows) for b in range(columns)]
        return f"MAX({','.join(cells)})"

    def check(self, shape: Shape) -> None:
        super().check(shape)
        cells = self.kernel_size[0] * self.kernel_size[1]
        if self.dilation != (1, 1) and cells > 255:
            raise ValueError(f"a dilated window of {cells} cells needs as many arguments to MAX; Excel allows 255")

    def slid(self, shape: Shape) -> Window:
        return self.window

    def mistaken(self, shape: Shape) -> dict[str, Layer]:
        if self.dilation != (1, 1):
            return super().mistaken(shape)
        settings = self.window_settings() | {"count_include_pad": False}
        return super().mistaken(shape) | {"average_for_max": LAYERS["avg_pool2d"](**settings)}

    def torch(self, shape: Shape) -> str:
        return self.code("MaxPool2d(", ", ceil_mode=True" if self.ceil_mode else "")

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        return to.add("MaxPool", name, *xs, **self.onnx_pool(shapes[0]))
