"""Convolution."""

from typing import Any, ClassVar

import numpy as np
from pydantic import model_validator

from ..grid import Grids, span
from ..kernels import KERNELS
from .base import Activated, Count, Shape, Step, example
from .sliding import Sliding, pair

WIDE = 16  # up to so many channels a formula has one term each; beyond, its text would grow too long


class Conv2d(Activated, Sliding):
    """Each filter lays one kernel per input channel on the window and sums everything into one map.

    Weights are (out_channels, in_channels / groups, kernel rows, kernel columns). Source: torch.nn.Conv2d.
    """

    type: ClassVar[str] = "conv2d"
    about: ClassVar[str] = "each filter: one kernel per input channel, all products summed into one map"
    words: ClassVar[str] = "map = bias + Σ over channels of (kernel * channel)"
    examples: ClassVar = (
        example(
            [[[1, 2, 0], [0, 1, 3], [2, 1, 1]]],
            [[[2, 5], [1, 2]]],
            out_channels=1,
            kernel_size=2,
            bias=False,
            parameters={"weight": [[[[1, 0], [0, 1]]]]},
        ),
        example(  # two channels are summed, the bias is added once, and only then ReLU: 4 − 9 + 3 = −2 becomes 0
            [[[1, 4]], [[2, 9]]],
            [[[2, 0]], [[0, 6]]],
            out_channels=2,
            kernel_size=1,
            activation="relu",
            parameters={"weight": [[[[1]], [[-1]]], [[[2]], [[0]]]], "bias": [3, -2]},
        ),
        example(
            [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]],
            [[[12, 16], [24, 28]]],
            out_channels=1,
            kernel_size=2,
            stride=1,
            parameters={"weight": [[[[1, 1], [1, 1]]]], "bias": [0]},
        ),
        example(
            [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]],
            [[[1, 5], [11, 28]]],
            out_channels=1,
            kernel_size=2,
            stride=2,
            padding=[1, 1, 0, 0],
            bias=False,
            parameters={"weight": [[[[1, 1], [1, 1]]]]},
        ),
        example(
            [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]],
            [[[20]]],
            out_channels=1,
            kernel_size=2,
            dilation=2,
            bias=False,
            parameters={"weight": [[[[1, 1], [1, 1]]]]},
        ),
        example(  # two groups: the second filter never sees the first channel
            [[[1, 2]], [[3, 4]]],
            [[[10, 20]], [[300, 400]]],
            out_channels=2,
            kernel_size=1,
            groups=2,
            bias=False,
            parameters={"weight": [[[[10]]], [[[100]]]]},
        ),
    )

    out_channels: Count
    groups: Count = 1
    bias: bool = True
    kernels: tuple[str, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _count_kernels(cls, settings: Any) -> Any:
        if isinstance(settings, dict) and isinstance(settings.get("kernels"), list):
            return {"out_channels": len(settings["kernels"]), "kernel_size": 3} | settings
        return settings

    @model_validator(mode="after")
    def _kernels_exist(self) -> "Conv2d":
        if self.kernels is None:
            return self
        for name in self.kernels:
            if name not in KERNELS:
                raise ValueError(f"kernels: unknown kernel {name!r}; there are {', '.join(KERNELS)}")
        if len(self.kernels) != self.out_channels:
            raise ValueError(
                f"kernels names {len(self.kernels)} kernels, out_channels is {self.out_channels}; one per filter"
            )
        if any(size < 3 or size % 2 == 0 for size in self.kernel_size):
            raise ValueError(f"classic kernels are 3×3; kernel_size {pair(self.kernel_size)} cannot hold one in its middle")
        return self

    def check(self, shape: Shape) -> None:
        if shape[0] % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"groups (={self.groups}) must divide the {shape[0]} input channels and out_channels (={self.out_channels})"
            )
        super().check(shape)

    def parameters(self, shape: Shape) -> dict[str, Shape]:
        weight = (self.out_channels, shape[0] // self.groups, *self.kernel_size)
        return {"weight": weight} | ({"bias": (self.out_channels,)} if self.bias else {})

    def output_shape(self, shape: Shape) -> Shape:
        return (self.out_channels, *self.positions(shape))

    def spread(self) -> tuple[int, int]:
        return self.dilation

    def wide(self, shape: Shape) -> bool:
        return shape[0] // self.groups > WIDE

    def _channels(self, k: int, channels: int) -> slice:
        """The input channels that filter k sees: those of its group."""
        size = channels // self.groups
        first = k // (self.out_channels // self.groups) * size
        return slice(first, first + size)

    def steps(self, shape: Shape, detail: str) -> list[Step]:
        if detail != "steps" or self.wide(shape):
            return []
        size = (self.out_channels, shape[0] // self.groups, *self.positions(shape))
        return [Step("product", size, self._products, self._product_formula)]

    def _products(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
        view = self.windows(x, 0)
        seen = [view[self._channels(k, len(x))] for k in range(self.out_channels)]
        return np.stack([np.einsum("cijab,cab->cij", v, w) for v, w in zip(seen, weight, strict=True)])

    def _product_formula(self, at: Shape, x: Grids, weight: Grids, bias: Grids | None = None) -> str:
        k, c, i, j = at
        channel = x[self._channels(k, len(x))][c]
        return f"SUMPRODUCT({channel.window(*self.corner(i, j), *self.reach)},{weight[k][c].area})"

    def forward(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
        view = self.windows(x, 0)
        y = np.zeros(self.output_shape(x.shape))
        filters = self.out_channels // self.groups
        for g in range(self.groups):
            part = slice(g * filters, (g + 1) * filters)
            seen = view[self._channels(g * filters, len(x))]
            for a, b in np.ndindex(*self.kernel_size):  # one kernel position at a time needs no copy of the windows
                y[part] += np.tensordot(weight[part, :, a, b], seen[..., a, b], axes=1)
        return y if bias is None else y + bias[:, None, None]

    def formula(self, at: Shape, x: Grids, weight: Grids, bias: Grids | None = None, product: Grids | None = None) -> str:
        k, i, j = at
        channels = x if self.groups == 1 else x[self._channels(k, len(x))]
        kernels = weight[k]
        if product is not None:
            total = "+".join([step.at(i, j) for step in product[k]])
        elif len(channels) > WIDE:
            height = kernels[-1].bottom - kernels[0].top + 1
            window = (*self.corner(i, j), height, self.reach[1])
            total = f"SUMPRODUCT({channels[0].windows[window]},{span(kernels)})"
        else:
            window = (*self.corner(i, j), *self.reach)
            total = "+".join([f"SUMPRODUCT({c.windows[window]},{w.area})" for c, w in zip(channels, kernels, strict=True)])
        return total if bias is None else f"{bias[k].area}+{total}"

    def multiplications(self, shape: Shape) -> int:
        rows, columns = self.positions(shape)
        return self.out_channels * rows * columns * (shape[0] // self.groups) * self.kernel_size[0] * self.kernel_size[1]

    def torch(self, shape: Shape) -> str:
        more = "" if self.groups == 1 else f", groups={self.groups}"
        more += "" if self.bias else ", bias=False"
        return self.code(f"Conv2d({shape[0]}, {self.out_channels}, ", more)
