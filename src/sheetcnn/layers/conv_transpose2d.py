"""Transposed convolution."""

from functools import cached_property
from typing import ClassVar

import numpy as np

from ..arrays.array import Array, Margin, Shape
from ..arrays.grid import Grid, Grids
from ..arrays.window import Window
from .activation import Activated
from .backward import Local
from .base import OnnxGraph, counted, example
from .reduction import Reduction
from .settings import Amounts, Count, Counts, Flag
from .sliding import Sides, group_of, group_words, kernel_factors, pair


class ConvTranspose2d(Activated):
    """A convolution of the input with blank cells put between its cells, by kernels turned by 180°.

    Weights in files are (in_channels, out_channels / groups, kernel rows, kernel columns), as PyTorch has them; here and
    in the workbook filters come first, as in every convolution. The output has
    (N − 1)·S − P + D·(K − 1) + output_padding + 1 rows, P being the padding of both sides.
    Source: torch.nn.ConvTranspose2d; Dumoulin and Visin, "A guide to convolution arithmetic", 2016, chapter 4.
    """

    type: ClassVar[str] = "conv_transpose2d"
    family: ClassVar[str] = "convolution"
    mirrors: ClassVar[bool] = False  # the channels spread out are
    about: ClassVar[str] = "a convolution of the input spread out with blanks, by kernels turned around: it enlarges"
    words: ClassVar[str] = "map = bias + Σ over channels of (kernel turned by 180° * channel spread out)"
    examples: ClassVar = (
        example(  # each input cell stamps the kernel, weighted, onto the output
            [[[1, 2]]],
            [[[1, 2, 2, 4], [3, 4, 6, 8]]],
            out_channels=1,
            kernel_size=2,
            stride=2,
            bias=False,
            parameters={"weight": [[[[1, 2], [3, 4]]]]},
        ),
        example(  # stamps that overlap are summed
            [[[1, 2]]],
            [[[1.5, 4.5, 4.5], [3.5, 10.5, 8.5]]],
            out_channels=1,
            kernel_size=2,
            parameters={"weight": [[[[1, 2], [3, 4]]]], "bias": [0.5]},
        ),
        example(
            [[[1, 2], [3, 4]]],
            [[[2, 6, 4], [6, 12, 8]]],
            out_channels=1,
            kernel_size=[1, 2],
            stride=[1, 2],
            padding=[0, 1],
            output_padding=[0, 1],
            bias=False,
            parameters={"weight": [[[[3, 2]]]]},
        ),
        example(
            [[[1]]],
            [[[3], [0], [4]]],
            out_channels=1,
            kernel_size=[2, 1],
            dilation=[2, 1],
            bias=False,
            parameters={"weight": [[[[3], [4]]]]},
        ),
        example(
            [[[1]], [[10]]],
            [[[1, 0, 2]], [[30, 0, 40]]],
            out_channels=2,
            kernel_size=[1, 2],
            dilation=[1, 2],
            groups=2,
            bias=False,
            parameters={"weight": [[[[1, 2]]], [[[3, 4]]]]},
        ),
    )

    out_channels: Count
    kernel_size: Counts
    stride: Counts = (1, 1)
    padding: Sides = (0, 0, 0, 0)
    output_padding: Amounts = (0, 0)
    dilation: Counts = (1, 1)
    groups: Count = 1
    bias: Flag = True

    @cached_property
    def window(self) -> Window:
        """The window of the turned kernel over the spread-out input; with much padding the first one starts inside it."""
        (down, along), (top, left, bottom, right) = self.output_padding, self.padding
        rows, columns = (d * (k - 1) for k, d in zip(self.kernel_size, self.dilation, strict=True))
        before, after = (rows - top, columns - left), (rows - bottom + down, columns - right + along)
        return Window(self.kernel_size, (1, 1), before, after, self.dilation, self.stride)

    def check(self, shape: Shape) -> None:
        if shape[0] % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"groups (={self.groups}) must divide the {shape[0]} input channels and out_channels (={self.out_channels})"
            )
        for more, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True):
            if more and more >= max(s, d):
                raise ValueError(f"output_padding (={more}) must be smaller than stride (={s}) or dilation (={d})")
        if min(self.output_shape(shape)[1:]) < 1:
            raise ValueError(f"padding {list(self.padding)} leaves nothing of its {shape[1]}×{shape[2]} input; use less")

    def formula_words(self) -> str:
        return super().formula_words().replace("channels of", group_words(self.groups), 1)

    def parameters(self, shape: Shape) -> dict[str, Shape]:
        weight = (self.out_channels, shape[0] // self.groups, *self.kernel_size)
        return {"weight": weight} | ({"bias": (self.out_channels,)} if self.bias else {})

    def factor_words(self, key: str, shape: Shape) -> str:
        if key != "weight":
            return super().factor_words(key, shape)
        return kernel_factors(shape, counted(shape[1], "channel") + ("" if self.groups == 1 else " each"))

    def file_shape(self, key: str, shape: Shape) -> Shape:
        if key != "weight":
            return shape
        return (shape[1] * self.groups, shape[0] // self.groups, *shape[2:])

    def from_file(self, key: str, array: np.ndarray) -> np.ndarray:
        if key != "weight":
            return array
        split = array.reshape(self.groups, -1, *array.shape[1:])  # groups, inputs, outputs, rows, columns
        return split.swapaxes(1, 2).reshape(self.out_channels, -1, *array.shape[2:])

    def to_file(self, key: str, array: np.ndarray) -> np.ndarray:
        if key != "weight":
            return array
        split = array.reshape(self.groups, -1, *array.shape[1:])  # groups, outputs, inputs, rows, columns
        return split.swapaxes(1, 2).reshape(-1, self.out_channels // self.groups, *array.shape[2:])

    def output_shape(self, shape: Shape) -> Shape:
        return (self.out_channels, *self.window.positions(*shape[1:]))

    def kernel_spacing(self) -> tuple[int, int]:
        return self.dilation

    def steps(self, shape: Shape, detail: str) -> list[Array]:
        top, left, bottom, right = (max(0, side) for side in (*self.window.before, *self.window.after))
        filters = (self.out_channels, shape[0] // self.groups, *self.kernel_size)
        spread, turned = ("channel {k}, spread out", "channel {k}", "{k}"), ("filter {k}, turned", "turned", "{c}")
        return [
            Array(
                "spread",
                shape,
                lambda x, **_: x,
                lambda at, x, **_: x[at[0]].at(*at[1:]),
                spacing=self.stride,
                margin=(top, left, bottom, right),
                labels=spread,
                sign="",  # the input once more: no term of the equation
            ),
            Array(
                "turned",
                filters,
                self._turned,
                self._turned_formula,
                spacing=self.dilation,
                labels=turned,
                sign="→",
                of_weights=True,
            ),
        ]

    def _turned(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
        return weight[:, :, ::-1, ::-1]

    def _turned_formula(self, at: Shape, x: Grids, weight: Grids, **_: Grids) -> str:
        k, c, a, b = at
        return weight[k][c].at(self.kernel_size[0] - 1 - a, self.kernel_size[1] - 1 - b)

    def forward(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
        (_, rows, columns), (down, along), (top, left, _, _) = x.shape, self.stride, self.padding
        _, high, wide = self.output_shape(x.shape)
        whole = np.zeros((self.out_channels, high + sum(self.padding[::2]), wide + sum(self.padding[1::2])))
        size, filters = len(x) // self.groups, self.out_channels // self.groups
        for g in range(self.groups):  # every input cell stamps its kernel onto the output
            seen, part = x[g * size : (g + 1) * size], weight[g * filters : (g + 1) * filters]
            for a, b in np.ndindex(*self.kernel_size):
                i, j = a * self.dilation[0], b * self.dilation[1]
                target = whole[g * filters : (g + 1) * filters, i : i + rows * down : down, j : j + columns * along : along]
                target[:, :rows, :columns] += np.tensordot(part[:, :, a, b], seen, axes=1)
        y = whole[:, top : top + high, left : left + wide]
        return y if bias is None else y + bias[:, None, None]

    def formula(self, at: Shape, x: Grids, spread: Grids, turned: Grids, bias: Grids | None = None, **_: Grids) -> str:
        k, i, j = at
        place = (*self.window.corner(i, j), *self.window.reach)
        pairs = zip(spread[self.channels_of(k, len(x))], turned[k], strict=True)
        total = "+".join([f"SUMPRODUCT({c.window(*place)},{w.area})" for c, w in pairs])
        return total if bias is None else f"{bias[k].area}+{total}"

    def channels_of(self, k: int, channels: int) -> slice:
        return group_of(k, self.out_channels, self.groups, channels)

    def grad_margin(self, shape: Shape) -> Margin:
        sides = []
        for axis, (size, out) in enumerate(zip(shape[1:], self.output_shape(shape)[1:], strict=True)):
            before = self.padding[axis]
            sides.append((before, max(0, (size - 1) * self.stride[axis] - before + self.window.reach[axis] - out)))
        (top, bottom), (left, right) = sides
        return top, left, bottom, right

    def _filters(self, c: int, channels: int) -> list[tuple[int, int]]:
        """The filters that read a channel, each with which of its kernels."""
        seen = ((k, self.channels_of(k, channels)) for k in range(self.out_channels))
        return [(k, c - part.start) for k, part in seen if part.start <= c < part.stop]

    def _stamps(self, grad: np.ndarray, shape: Shape) -> np.ndarray:
        """What lies under each cell's kernel: filters × rows × columns of the input × rows and columns of the kernel."""
        top, left, bottom, right = self.grad_margin(shape)
        whole = np.pad(grad, ((0, 0), (top, bottom), (left, right)))
        view = np.lib.stride_tricks.sliding_window_view(whole, self.window.reach, axis=(1, 2))
        (down, along), (high, wide) = self.stride, self.dilation
        return view[:, ::down, ::along, ::high, ::wide][:, : shape[1], : shape[2]]

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        (x,), weight = of.xs, of.own["weight"]
        stamps, found = self._stamps(of.grad, x.shape), np.zeros(x.shape)
        for c in range(len(x)):
            for k, w in self._filters(c, len(x)):
                found[c] += np.einsum("ijab,ab->ij", stamps[k], weight[k, w])
        return found

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        c, i, j = at
        corner = i * self.stride[0] - self.padding[0], j * self.stride[1] - self.padding[1]
        terms = [(of.grad[k], of.own["weight"][k][w]) for k, w in self._filters(c, len(of.xs[0]))]
        return "+".join([f"SUMPRODUCT({g.window(*corner, *self.window.reach)},{kernel.area})" for g, kernel in terms])

    def grad_parameter(self, key: str, of: Local[np.ndarray]) -> np.ndarray:
        if key == "bias":
            return of.grad.sum(axis=(1, 2))
        (x,), found = of.xs, np.zeros(of.own["weight"].shape)
        stamps = self._stamps(of.grad, x.shape)
        for c in range(len(x)):
            for k, w in self._filters(c, len(x)):
                found[k, w] = np.einsum("ijab,ij->ab", stamps[k], x[c])
        return found

    def grad_parameter_cell(self, key: str, at: Shape, of: Local[Grids]) -> str:
        if key == "bias":
            return f"SUM({of.grad[at[0]].area})"
        k, w, a, b = at
        spread: Grid = of.own["spread"][self.channels_of(k, len(of.xs[0])).start + w]
        corner = a * self.dilation[0] - self.padding[0], b * self.dilation[1] - self.padding[1]
        size = spread.bottom - spread.top + 1, spread.right - spread.left + 1
        return f"SUMPRODUCT({of.grad[k].window(*corner, *size)},{spread.area})"

    def reduction(self, shape: Shape) -> Reduction:
        channels = shape[0] // self.groups
        return Reduction(
            "sum",
            self.window,
            terms=channels,
            filters=self.out_channels // self.groups,
            group=channels,
            depth=channels,
            kernel="turned",
            source="spread",
        )

    def reads(self, axis: int, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
        return self.window.reads(axis, shape[1 + axis])

    def multiplications(self, shape: Shape) -> int:
        return int(np.prod(shape)) * (self.out_channels // self.groups) * self.kernel_size[0] * self.kernel_size[1]

    def size_words(self, shape: Shape) -> str:
        (top, left, bottom, right), out = self.padding, self.output_shape(shape)
        words = []
        for n, s, p, reach, extra, size in zip(
            shape[1:],
            self.stride,
            (top + bottom, left + right),
            self.window.reach,
            self.output_padding,
            out[1:],
            strict=True,
        ):
            words.append(f"({n} − 1)·{s}{f' − {p}' if p else ''} + {reach}{f' + {extra}' if extra else ''} = {size}")
        return words[0] if words[0] == words[1] else f"rows {words[0]}, columns {words[1]}"

    def torch(self, shape: Shape) -> str:
        top, left, bottom, right = self.padding
        if (top, left) != (bottom, right):
            return ""  # PyTorch has the same padding on both sides
        text = f"torch.nn.ConvTranspose2d({shape[0]}, {self.out_channels}, {pair(self.kernel_size)}"
        settings: tuple[tuple[str, tuple[int, int], tuple[int, int]], ...] = (
            ("stride", self.stride, (1, 1)),
            ("padding", (top, left), (0, 0)),
            ("output_padding", self.output_padding, (0, 0)),
            ("dilation", self.dilation, (1, 1)),
        )
        for name, value, default in settings:
            text += "" if value == default else f", {name}={pair(value)}"
        text += "" if self.groups == 1 else f", groups={self.groups}"
        return text + ("" if self.bias else ", bias=False") + ")"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...], **given: np.ndarray) -> str:
        weight = to.weight("weight", self.to_file("weight", given["weight"]))
        window = {"kernel_shape": self.kernel_size, "strides": self.stride, "dilations": self.dilation, "pads": self.padding}
        settings = window | {"output_padding": self.output_padding, "group": self.groups}
        if "bias" not in given:
            return to.add("ConvTranspose", name, *xs, weight, **settings)
        if self.groups == 1:
            return to.add("ConvTranspose", name, *xs, weight, to.weight("bias", given["bias"]), **settings)
        # onnx.reference gives the bias of the first group to all groups, so it is added by itself.
        y = to.add("ConvTranspose", f"{name}_unbiased", *xs, weight, **settings)
        return to.add("Add", name, y, to.weight("bias", given["bias"][:, None, None]))
