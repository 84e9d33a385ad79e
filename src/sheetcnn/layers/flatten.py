"""Feature maps as one vector."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from ..arrays.grid import Grids
from ..arrays.receptive_field import ReceptiveField
from .backward import Moving
from .base import Layer, example
from .reduction import Place


class Flatten(Moving, Layer):
    """All cells as one column: map after map, row after row. Source: torch.nn.Flatten."""

    type: ClassVar[str] = "flatten"
    family: ClassVar[str] = "shape"
    onnx_operator: ClassVar[str] = "Flatten"
    about: ClassVar[str] = "all maps as one column: map after map, row after row"
    words: ClassVar[str] = "out = every cell, map after map, row after row"
    takes: ClassVar[str] = "any"
    unrolls: ClassVar[bool] = True
    examples: ClassVar = (
        example([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], [1, 2, 3, 4, 5, 6, 7, 8]),
        example([3, 1, 2], [3, 1, 2]),
    )

    def output_shape(self, shape: Shape) -> Shape:
        return (int(np.prod(shape)),)

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(-1)

    def formula(self, at: Shape, x: Grids) -> str:
        if not isinstance(x, list):
            return x.at(at[0], 0)
        k, rest = divmod(at[0], x[0].rows * x[0].columns)
        return x[k].at(*divmod(rest, x[k].columns))

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        if len(shapes[0]) == 1:
            return (at,)
        (_, rows, columns), (_, n, _) = shapes[0], at
        return ((n // (rows * columns), n // columns % rows, n % columns),)

    def receptive_field(self, axis: int, shapes: tuple[Shape, ...], fields: list[ReceptiveField]) -> ReceptiveField:
        return fields[0].in_a_vector(shapes[0], axis) if len(shapes[0]) == 3 else fields[0]

    def torch(self, shape: Shape) -> str:
        return "torch.nn.Flatten()"

    def size_words(self, shape: Shape) -> str:
        return f"{'·'.join(map(str, shape))} = {int(np.prod(shape))}"
