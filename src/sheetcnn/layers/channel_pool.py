"""All channels made one."""

from typing import Any, ClassVar, Literal

import numpy as np

from ..arrays.array import Shape
from ..arrays.grid import Grids
from .backward import NEAR, NEAR_TEXT, Local
from .base import Layer, OnnxGraph, combined, example


class ChannelPool(Layer):
    """The mean, largest, smallest or sum of what all channels have at each place, as spatial attention takes it.

    Source: torch.mean, amax, amin and sum along dim=1.
    """

    type: ClassVar[str] = "channel_pool"
    family: ClassVar[str] = "pooling"
    about: ClassVar[str] = "the mean (or largest, smallest, sum) of all channels at each place: one map"
    words: ClassVar[str] = "map = {} of all channels, place by place"
    examples: ClassVar = (
        example([[[1, 2]], [[3, 8]]], [[[2, 5]]]),
        example([[[1, -2]], [[3, -8]]], [[[3, -2]]], mode="max"),
        example([[[1, -2]], [[3, -8]]], [[[1, -8]]], mode="min"),
        example([[[1, 2]], [[3, 8]]], [[[4, 10]]], mode="sum"),
    )

    mode: Literal["mean", "max", "min", "sum"] = "mean"

    def formula_words(self) -> str:
        return self.words.format({"max": "largest", "min": "smallest"}.get(self.mode, self.mode))

    def output_shape(self, shape: Shape) -> Shape:
        return (1, *shape[1:])

    def forward(self, x: np.ndarray) -> np.ndarray:
        y: np.ndarray = getattr(np, self.mode)(x, axis=0, keepdims=True)
        return y

    def formula(self, at: Shape, x: Grids) -> str:
        cells = [grid.at(*at[1:]) for grid in x]
        if self.mode in ("max", "min"):
            return combined(self.mode.upper(), cells)
        return combined("SUM", cells) + (f"/{len(cells)}" if self.mode == "mean" else "")

    def cells_read(self, shape: Shape) -> int:
        return int(np.prod(shape))

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        x = of.xs[0]
        if self.mode in ("mean", "sum"):
            return np.broadcast_to(of.grad, x.shape) / (len(x) if self.mode == "mean" else 1)
        signed = x if self.mode == "max" else -x
        first = (signed >= signed.max(axis=0) - NEAR).argmax(axis=0)
        return np.where(np.arange(len(x))[:, None, None] == first, of.grad, 0)

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        (k, *place), x = at, of.xs[0]
        own = of.grad[0].at(*place)
        if self.mode in ("mean", "sum"):
            return own if self.mode == "sum" else f"{own}/{len(x)}"
        more, sign, less = (">=", "-", "<") if self.mode == "max" else ("<=", "+", ">")
        best = f"{of.y[0].at(*place)}{sign}{NEAR_TEXT}"  # type: ignore[index]
        before = [grid.at(*place) for grid in x[:k]]
        inner = f"IF({combined(self.mode.upper(), before)}{less}{best},{own},0)" if before else own
        return f"IF({x[k].at(*place)}{more}{best},{inner},0)"

    def torch(self, shape: Shape) -> str:
        return f"x.{ {'max': 'amax', 'min': 'amin'}.get(self.mode, self.mode) }(dim=1, keepdim=True)"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...], **_: Any) -> str:
        return to.add(f"Reduce{self.mode.capitalize()}", name, *xs, to.integers(f"{name}.axes", [1]), keepdims=1)
