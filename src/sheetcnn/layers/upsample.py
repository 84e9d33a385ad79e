"""Enlarging maps."""

from typing import ClassVar, Literal

import numpy as np

from ..arrays.array import Shape
from ..arrays.grid import Grids
from .base import Layer, OnnxGraph, example, literal
from .reduction import Place
from .settings import Counts, Flag
from .sliding import pair


class Upsample(Layer):
    """Each map scale_factor times as large, by repeating cells or by straight lines between them.

    Output place i lies at (i + ½) / scale − ½ of the input (held to its first and last cell), or with align_corners at
    i · (N − 1) / (scale · N − 1). Source: torch.nn.Upsample.
    """

    type: ClassVar[str] = "upsample"
    family: ClassVar[str] = "shape"
    about: ClassVar[str] = "each map enlarged, by repeating cells (nearest) or by lines between them (bilinear)"
    words: ClassVar[str] = "map = x enlarged"
    examples: ClassVar = (
        example([[[1, 2]]], [[[1, 1, 2, 2], [1, 1, 2, 2]]], scale_factor=2),
        example([[[0, 4]]], [[[0, 1, 3, 4]]], scale_factor=[1, 2], mode="bilinear"),
        example([[[0, 3]]], [[[0, 1, 2, 3]]], scale_factor=[1, 2], mode="bilinear", align_corners=True),
        example(
            [[[0, 3], [6, 9]]],
            [[[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7], [6, 7, 8, 9]]],
            scale_factor=2,
            mode="bilinear",
            align_corners=True,
        ),
    )

    scale_factor: Counts
    mode: Literal["nearest", "bilinear"] = "nearest"
    align_corners: Flag = False

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0], shape[1] * self.scale_factor[0], shape[2] * self.scale_factor[1])

    def check(self, shape: Shape) -> None:
        if self.align_corners and self.mode == "nearest":
            raise ValueError('align_corners goes with mode "bilinear"; leave it out')

    def _source(self, axis: int, place: int, size: int) -> tuple[int, int, float]:
        """The two input rows (or columns) that an output row lies between, and the weight of the second."""
        scale = self.scale_factor[axis]
        if self.mode == "nearest":
            return place // scale, place // scale, 0.0
        if self.align_corners:
            where = place * (size - 1) / (scale * size - 1) if scale * size > 1 else 0.0
        else:
            where = min(max((place + 0.5) / scale - 0.5, 0.0), size - 1.0)
        first = min(int(where), size - 1)
        return first, min(first + 1, size - 1), where - first

    def _matrix(self, axis: int, size: int) -> np.ndarray:
        """How much of each input row (or column) goes into each output row."""
        matrix = np.zeros((size * self.scale_factor[axis], size))
        for place in range(len(matrix)):
            first, second, part = self._source(axis, place, size)
            matrix[place, first] += 1 - part
            matrix[place, second] += part
        return matrix

    def forward(self, x: np.ndarray) -> np.ndarray:
        return self._matrix(0, x.shape[1]) @ x @ self._matrix(1, x.shape[2]).T

    def formula(self, at: Shape, x: Grids) -> str:
        k, i, j = at
        top, bottom, down = self._source(0, i, x[k].rows)
        left, right, along = self._source(1, j, x[k].columns)
        corners = [(top, left, (1 - down) * (1 - along)), (top, right, (1 - down) * along)]
        corners += [(bottom, left, down * (1 - along)), (bottom, right, down * along)]
        terms = [(x[k].at(row, column), part) for row, column, part in corners if part]
        return "+".join([cell if part == 1 else f"{literal(part)}*{cell}" for cell, part in terms])

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        (down, along), (k, i, j) = self.scale_factor, at
        return ((k, i // down, j // along),) if self.mode == "nearest" else ()

    def reads(self, axis: int, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
        size = shape[1 + axis]
        found = [self._source(axis, place, size) for place in range(size * self.scale_factor[axis])]
        return np.array([first for first, _, _ in found]), np.array([last if part else first for first, last, part in found])

    def torch(self, shape: Shape) -> str:
        more = f", mode={self.mode!r}" if self.mode != "nearest" else ""
        return f"torch.nn.Upsample(scale_factor={pair(self.scale_factor)}{more}{', align_corners=True' if self.align_corners else ''})"

    def size_words(self, shape: Shape) -> str:
        (down, along), (_, rows, columns) = self.scale_factor, shape
        return f"rows {rows}·{down} = {rows * down}, columns {columns}·{along} = {columns * along}"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        scales = to.constant(f"{name}.scales", np.array([1, 1, *self.scale_factor], float))
        how = "align_corners" if self.align_corners else "half_pixel"
        settings = {"mode": "linear", "coordinate_transformation_mode": how}
        if self.mode == "nearest":
            settings = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return to.add("Resize", name, *xs, "", scales, **settings)
