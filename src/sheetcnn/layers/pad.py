"""Padding as a layer of its own."""

from typing import Any, ClassVar, Literal

import numpy as np

from ..arrays.array import Shape
from ..arrays.grid import Grids
from .backward import Moving
from .base import Layer, OnnxGraph, example, literal
from .reduction import Place
from .settings import Number
from .sliding import Sides

_NUMPY = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}


class Pad(Moving, Layer):
    """Cells added around each map: a constant, or the map's own cells mirrored or repeated.

    Source: torch.nn.ConstantPad2d, ReflectionPad2d, ReplicationPad2d.
    """

    type: ClassVar[str] = "pad"
    family: ClassVar[str] = "shape"
    about: ClassVar[str] = "cells around each map: a constant, mirrored (reflect) or repeated (replicate)"
    words: ClassVar[str] = "map = x with cells added around it"
    examples: ClassVar = (
        example([[[1, 2]]], [[[0, 0, 0, 0], [0, 1, 2, 0], [0, 0, 0, 0]]], padding=1),
        example([[[1, 2]]], [[[7, 1, 2], [7, 7, 7]]], padding=[0, 1, 1, 0], value=7.0),
        example([[[1, 2, 3]]], [[[3, 2, 1, 2, 3, 2]]], padding=[0, 2, 0, 1], mode="reflect"),
        example([[[1, 2, 3, 4]]], [[[1, 2, 3, 4, 3, 2]]], padding=[0, 0, 0, 2], mode="reflect"),
        example([[[1, 2], [3, 4]]], [[[1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]], padding=[0, 1, 1, 1], mode="replicate"),
    )

    padding: Sides
    mode: Literal["constant", "reflect", "replicate"] = "constant"
    value: Number = 0.0

    def check(self, shape: Shape) -> None:
        top, left, bottom, right = self.padding
        if self.mode == "reflect" and (max(top, bottom) >= shape[1] or max(left, right) >= shape[2]):
            raise ValueError(
                f"padding {list(self.padding)} cannot mirror a map of {shape[1]}×{shape[2]}; use less than its size"
            )

    def output_shape(self, shape: Shape) -> Shape:
        top, left, bottom, right = self.padding
        return (shape[0], shape[1] + top + bottom, shape[2] + left + right)

    def forward(self, x: np.ndarray) -> np.ndarray:
        top, left, bottom, right = self.padding
        more = {"constant_values": self.value} if self.mode == "constant" else {}
        return np.pad(x, ((0, 0), (top, bottom), (left, right)), _NUMPY[self.mode], **more)  # type: ignore[call-overload]

    def formula(self, at: Shape, x: Grids) -> str:
        k, i, j = at
        row, column = i - self.padding[0], j - self.padding[1]
        rows, columns = x[k].rows, x[k].columns
        if self.mode == "constant" and not (0 <= row < rows and 0 <= column < columns):
            return literal(self.value)
        return x[k].at(self._inside(row, rows), self._inside(column, columns))

    def _inside(self, place: int, size: int) -> int:
        """The input's row (or column) that stands for one outside."""
        if self.mode == "replicate":
            return min(max(place, 0), size - 1)
        return abs(place) if place < size else 2 * (size - 1) - place

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        k, row, column = at[0], at[1] - self.padding[0], at[2] - self.padding[1]
        if self.mode == "constant":  # blank cells count as 0, and as nothing else
            return ((k, row, column),) if self.value == 0 else ()
        _, rows, columns = shapes[0]
        return ((k, self._mirrored(row, rows - 1), self._mirrored(column, columns - 1)),)

    def _mirrored(self, place: Any, last: int) -> Any:
        """The same as `_inside` by arithmetic alone."""
        if self.mode == "replicate":
            return (abs(place) - abs(place - last) + last) // 2
        return last - abs(last - abs(place))

    def reads(self, axis: int, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
        size, before, after = shape[1 + axis], self.padding[axis], self.padding[2 + axis]
        if self.mode == "constant":
            places = np.arange(-before, size + after)
        else:
            places = np.pad(np.arange(size), (before, after), "reflect" if self.mode == "reflect" else "edge")
        return places, places

    def torch(self, shape: Shape) -> str:
        top, left, bottom, right = self.padding
        name = {"constant": "ConstantPad2d", "reflect": "ReflectionPad2d", "replicate": "ReplicationPad2d"}[self.mode]
        return f"torch.nn.{name}({(left, right, top, bottom)}{f', {self.value!r}' if self.mode == 'constant' else ''})"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        top, left, bottom, right = self.padding
        pads = to.integers(f"{name}.pads", [0, 0, top, left, 0, 0, bottom, right])
        value = [to.constant(f"{name}.value", np.array(self.value))] if self.mode == "constant" else []
        return to.add("Pad", name, *xs, pads, *value, mode={"replicate": "edge"}.get(self.mode, self.mode))
