"""A vector as feature maps."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape, shape_text
from ..arrays.grid import Grids
from ..arrays.receptive_field import ReceptiveField
from .backward import Moving
from .base import Layer, OnnxGraph, example
from .reduction import Place
from .settings import Count


class Unflatten(Moving, Layer):
    """The numbers of a vector put into maps: map after map, row after row. Source: torch.nn.Unflatten(1, …)."""

    type: ClassVar[str] = "unflatten"
    family: ClassVar[str] = "shape"
    about: ClassVar[str] = "a vector put into maps of a given size: map after map, row after row"
    words: ClassVar[str] = "map = the vector's numbers, map after map, row after row"
    takes: ClassVar[str] = "vector"
    examples: ClassVar = (
        example([1, 2, 3, 4, 5, 6, 7, 8], [[[1, 2], [3, 4]], [[5, 6], [7, 8]]], size=[2, 2, 2]),
        example([5, 7], [[[5]], [[7]]], size=[2, 1, 1]),
    )

    size: tuple[Count, Count, Count]  # channels, rows, columns

    def check(self, shape: Shape) -> None:
        if int(np.prod(self.size, dtype=object)) != shape[0]:
            raise ValueError(f"size {shape_text(self.size)} does not hold the {shape[0]:,} numbers of its input")

    def output_shape(self, shape: Shape) -> Shape:
        return self.size

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(self.size)

    def formula(self, at: Shape, x: Grids) -> str:
        k, i, j = at
        return x.at((k * self.size[1] + i) * self.size[2] + j, 0)

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        return ((0, (at[0] * self.size[1] + at[1]) * self.size[2] + at[2], 0),)

    def receptive_field(self, axis: int, shapes: tuple[Shape, ...], fields: list[ReceptiveField]) -> ReceptiveField:
        return fields[0].in_maps(self.size, axis)

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.Unflatten(1, {self.size})"

    def size_words(self, shape: Shape) -> str:
        return f"{'·'.join(map(str, self.size))} = {shape[0]}"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        return to.add("Reshape", name, *xs, to.integers(f"{name}.size", [1, *self.size]))
