"""Channels turned into finer rows and columns."""

from typing import Any, ClassVar

import numpy as np

from ..arrays.array import Shape
from ..arrays.grid import Grids
from .backward import Moving
from .base import Layer, example
from .reduction import Place
from .settings import Count


class PixelShuffle(Moving, Layer):
    """r² maps become one map that is r times as high and wide: C·r²×H×W to C×H·r×W·r. Source: torch.nn.PixelShuffle."""

    type: ClassVar[str] = "pixel_shuffle"
    family: ClassVar[str] = "shape"
    onnx_operator: ClassVar[str] = "DepthToSpace"
    onnx_attributes: ClassVar[dict[str, Any]] = {"mode": "CRD"}
    onnx_settings: ClassVar[dict[str, str]] = {"blocksize": "upscale_factor"}
    about: ClassVar[str] = "r² maps interleaved into one that is r times as high and wide"
    words: ClassVar[str] = "map = cells of r² maps, interleaved"
    examples: ClassVar = (
        example([[[1]], [[2]], [[3]], [[4]]], [[[1, 2], [3, 4]]], upscale_factor=2),
        example(
            [[[1, 5]], [[2, 6]], [[3, 7]], [[4, 8]]],
            [[[1, 2, 5, 6], [3, 4, 7, 8]]],
            upscale_factor=2,
        ),
    )

    upscale_factor: Count

    def check(self, shape: Shape) -> None:
        if shape[0] % self.upscale_factor**2:
            raise ValueError(
                f"upscale_factor (={self.upscale_factor}) squared must divide the {shape[0]} channels of its input"
            )

    def output_shape(self, shape: Shape) -> Shape:
        r = self.upscale_factor
        return (shape[0] // r**2, shape[1] * r, shape[2] * r)

    def forward(self, x: np.ndarray) -> np.ndarray:
        r, (_, rows, columns) = self.upscale_factor, x.shape
        split = x.reshape(-1, r, r, rows, columns)  # C, r, r, H, W
        return split.transpose(0, 3, 1, 4, 2).reshape(self.output_shape(x.shape))

    def formula(self, at: Shape, x: Grids) -> str:
        k, i, j = at
        r = self.upscale_factor
        return x[k * r**2 + i % r * r + j % r].at(i // r, j // r)

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        (k, i, j), r = at, self.upscale_factor
        return ((k * r**2 + i % r * r + j % r, i // r, j // r),)

    def reads(self, axis: int, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
        places = np.arange(shape[1 + axis] * self.upscale_factor) // self.upscale_factor
        return places, places

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.PixelShuffle({self.upscale_factor})"
