"""Channels of groups interleaved."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape
from ..arrays.grid import Grids
from .backward import Moving
from .base import Layer, OnnxGraph, example
from .reduction import Place
from .settings import Count


class ChannelShuffle(Moving, Layer):
    """The maps of groups dealt out in turn, so that the next grouped layer sees all groups. Source: torch.nn.ChannelShuffle."""

    type: ClassVar[str] = "channel_shuffle"
    family: ClassVar[str] = "shape"
    about: ClassVar[str] = "the maps of groups in turn: first of each group, then second of each"
    words: ClassVar[str] = "maps = first of each group, then second of each group, …"
    examples: ClassVar = (
        example([[[1]], [[2]], [[3]], [[4]], [[5]], [[6]]], [[[1]], [[4]], [[2]], [[5]], [[3]], [[6]]], groups=2),
    )

    groups: Count

    def check(self, shape: Shape) -> None:
        if shape[0] % self.groups:
            raise ValueError(f"groups (={self.groups}) must divide the {shape[0]} channels of its input")

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(self.groups, -1, *x.shape[1:]).swapaxes(0, 1).reshape(x.shape)

    def formula(self, at: Shape, x: Grids) -> str:
        k, i, j = at
        size = len(x) // self.groups
        return x[k % self.groups * size + k // self.groups].at(i, j)

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        k, i, j = at
        return ((k % self.groups * (shapes[0][0] // self.groups) + k // self.groups, i, j),)

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.ChannelShuffle({self.groups})"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        channels, rows, columns = shapes[0]
        split = to.integers(f"{name}.split", [1, self.groups, channels // self.groups, rows, columns])
        turned = to.add("Transpose", f"{name}_turned", to.add("Reshape", f"{name}_split", *xs, split), perm=[0, 2, 1, 3, 4])
        return to.add("Reshape", name, turned, to.integers(f"{name}.maps", [1, *shapes[0]]))
