"""Convolution channel by channel."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Array, Margin, Shape
from ..arrays.grid import Grids
from .activation import Activated
from .backward import Local, laid_back, laid_whole, margin_back, stamped, turned_kernels
from .base import OnnxGraph, Reduction, example
from .settings import Flag
from .sliding import Sliding


class DepthwiseConv2d(Activated, Sliding):
    """Each channel has one kernel of its own and makes one map. Source: torch.nn.Conv2d with as many groups as channels."""

    type: ClassVar[str] = "depthwise_conv2d"
    family: ClassVar[str] = "convolution"
    classic_kernels: ClassVar[bool] = True
    about: ClassVar[str] = "one kernel for each channel, which makes one map"
    words: ClassVar[str] = "map = bias + (kernel * channel)"
    examples: ClassVar = (
        example(
            [[[1, 2]], [[3, 4]]],
            [[[21, 42]], [[298, 398]]],
            kernel_size=1,
            parameters={"weight": [[[[21]]], [[[100]]]], "bias": [0, -2]},
        ),
        example(  # every second column, two apart, with a blank one before them: (0, 2) and (2, 4) with (1, 10)
            [[[1, 2, 3, 4]]],
            [[[20, 42]]],
            kernel_size=[1, 2],
            stride=[1, 2],
            padding=[0, 1],
            dilation=[1, 2],
            bias=False,
            activation="relu",
            parameters={"weight": [[[[1, 10]]]]},
        ),
    )

    bias: Flag = True

    def parameters(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": (shape[0], 1, *self.kernel_size)} | ({"bias": (shape[0],)} if self.bias else {})

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0], *self.positions(shape))

    def channels_of(self, k: int, channels: int) -> slice:
        return slice(k, k + 1)

    def kernel_spacing(self) -> tuple[int, int]:
        return self.dilation

    def forward(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
        y = np.einsum("cijab,cab->cij", self.window.views(x, 0), weight[:, 0])
        return y if bias is None else y + bias[:, None, None]

    def formula(self, at: Shape, x: Grids, weight: Grids, bias: Grids | None = None) -> str:
        k, i, j = at
        product = f"SUMPRODUCT({x[k].window(*self.corner(i, j), *self.reach)},{weight[k][0].area})"
        return product if bias is None else f"{bias[k].area}+{product}"

    def grad_spacing(self) -> tuple[int, int]:
        return self.stride

    def grad_margin(self, shape: Shape) -> Margin:
        return margin_back(self.window, shape)

    def grad_steps(self, shape: Shape) -> list[Array]:
        return [turned_kernels(self.parameters(shape)["weight"], self.dilation)]

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        maps, shape = range(len(of.grad)), of.xs[0].shape
        return np.stack([stamped(of.grad[[k]], of.own["weight"][k], self.window, shape) for k in maps])

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        k, i, j = at
        return laid_back(self.window, (i, j), [of.grad[k]], [of.own["turned"][k][0]])

    def grad_parameter(self, key: str, of: Local[np.ndarray]) -> np.ndarray:
        if key == "bias":
            return of.grad.sum(axis=(1, 2))
        return np.einsum("cij,cijab->cab", of.grad, self.window.views(of.xs[0], 0))[:, None]

    def grad_parameter_cell(self, key: str, at: Shape, of: Local[Grids]) -> str:
        if key == "bias":
            return f"SUM({of.grad[at[0]].area})"
        k, _, a, b = at
        return laid_whole(self.window, (a, b), of.xs[0][k], of.grad[k])

    def reduction(self, shape: Shape) -> Reduction:
        return Reduction("sum", self.window, filters=1, group=1, kernel="weight")

    def multiplications(self, shape: Shape) -> int:
        return int(np.prod(self.output_shape(shape)) * np.prod(self.kernel_size))

    def torch(self, shape: Shape) -> str:
        return self.code(f"Conv2d({shape[0]}, {shape[0]}, ", f", groups={shape[0]}{'' if self.bias else ', bias=False'}")

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...], **given: np.ndarray) -> str:
        weights = [to.weight(key, array) for key, array in given.items()]
        return to.add("Conv", name, *xs, *weights, group=shapes[0][0], **self.onnx_window())
