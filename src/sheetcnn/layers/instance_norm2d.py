"""Normalisation of each map by itself."""

from typing import ClassVar

from ..arrays.array import Shape
from .base import example
from .group_norm import GroupStatistics
from .settings import Flag


class InstanceNorm2d(GroupStatistics):
    """Each map minus its mean, over its deviation, of the picture at hand. Source: torch.nn.InstanceNorm2d."""

    type: ClassVar[str] = "instance_norm2d"
    onnx_operator: ClassVar[str] = "InstanceNormalization"
    onnx_settings: ClassVar[dict[str, str]] = {"epsilon": "eps"}
    about: ClassVar[str] = "each map minus its own mean, over its own deviation"
    words: ClassVar[str] = "map = (x − mean of the map) / √(variance of the map + eps) · weight + bias"
    examples: ClassVar = (
        example([[[1, 3]], [[10, 30]]], [[[-1, 1]], [[-1, 1]]], eps=0.0),
        example(
            [[[1, 3]], [[10, 30]]],
            [[[-2, 2]], [[4, 6]]],
            eps=0.0,
            affine=True,
            parameters={"weight": [2, 1], "bias": [0, 5]},
        ),
    )

    affine: Flag = False

    def groups_of(self, channels: int) -> int:
        return channels

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.InstanceNorm2d({shape[0]}, eps={self.eps!r}{', affine=True' if self.affine else ''})"
