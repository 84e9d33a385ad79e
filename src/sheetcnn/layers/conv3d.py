"""Convolution that also slides across the stack of maps."""

from functools import cached_property
from itertools import product
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BeforeValidator

from ..arrays.array import Array, Margin, Shape
from ..arrays.grid import Grids
from ..arrays.window import Window
from .activation import Activated
from .backward import Local, added, laid_back, laid_whole, margin_back, shape_of, stamped, turned_back, turned_kernels
from .base import OnnxGraph, counted, example
from .reduction import Reduction
from .settings import Amount, Count, Flag
from .sliding import correlated, group_of, kernel_factors


def _three(value: Any) -> Any:
    return [value] * 3 if isinstance(value, int) else value


Counts3 = Annotated[
    tuple[Count, Count, Count], BeforeValidator(_three, json_schema_input_type=Count | tuple[Count, Count, Count])
]  # n or [depth, rows, columns]


def _six(value: Any) -> Any:
    """n, or [depth, rows, columns], as both ends of each."""
    value = _three(value)
    return [*value, *value] if isinstance(value, list | tuple) and len(value) == 3 else value


Three = tuple[Amount, Amount, Amount]
Six = tuple[Amount, Amount, Amount, Amount, Amount, Amount]
# Front, top, left, back, bottom, right.
Ends3 = Annotated[Six, BeforeValidator(_six, json_schema_input_type=Amount | Three | Six)]


class Conv3d(Activated):
    """Filters of depth × rows × columns that slide across a stack of maps as well as over its rows and columns.

    The input's maps are in_channels volumes of equal depth, one after the other; so are the output's, one per filter.
    Weights are (out_channels, in_channels, depth, rows, columns). Source: torch.nn.Conv3d.
    """

    type: ClassVar[str] = "conv3d"
    family: ClassVar[str] = "convolution"
    about: ClassVar[str] = "filters that also slide across the stack of maps: each makes a stack of maps"
    words: ClassVar[str] = "map = bias + Σ over the filter's depth of (kernel * map of the stack)"
    examples: ClassVar = (
        example(  # one volume of depth 3, a filter of depth 2: two maps
            [[[1, 2]], [[3, 4]], [[5, 6]]],
            [[[13, 18]], [[23, 28]]],
            out_channels=1,
            kernel_size=[2, 1, 1],
            parameters={"weight": [[[[[2]], [[3]]]]], "bias": [2]},
        ),
        example(
            [[[1, 2], [3, 4]], [[5, 6], [7, 8]]],
            [[[36]], [[-36]]],
            out_channels=2,
            kernel_size=2,
            bias=False,
            parameters={"weight": [[[[[1, 1], [1, 1]], [[1, 1], [1, 1]]]], [[[[-1, -1], [-1, -1]], [[-1, -1], [-1, -1]]]]]},
        ),
        example(  # padding in depth, every second place: (0, 1, 2) and (2, 3, 0) with the weights (100, 1, 10)
            [[[1]], [[2]], [[3]]],
            [[[21]], [[203]]],
            out_channels=1,
            kernel_size=[3, 1, 1],
            stride=[2, 1, 1],
            padding=[1, 0, 0],
            bias=False,
            parameters={"weight": [[[[[100]], [[1]], [[10]]]]]},
        ),
        example(  # every second map of the stack, 1·1 + 10·3, and every second column
            [[[1, 5]], [[2, 6]], [[3, 7]]],
            [[[31, 75]]],
            out_channels=1,
            kernel_size=[2, 1, 1],
            dilation=[2, 1, 1],
            bias=False,
            parameters={"weight": [[[[[1]], [[10]]]]]},
        ),
        example(
            [[[1, 2, 3]]],
            [[[31]]],
            out_channels=1,
            kernel_size=[1, 1, 2],
            dilation=[1, 1, 2],
            bias=False,
            parameters={"weight": [[[[[1, 10]]]]]},
        ),
        example(  # two filters over a stack with padding in depth: (0, 1) and (2, 0) with (1, 10), then with (100, 0)
            [[[1]], [[2]]],
            [[[10]], [[2]], [[0]], [[200]]],
            out_channels=2,
            kernel_size=[2, 1, 1],
            stride=[2, 1, 1],
            padding=[1, 0, 0],
            bias=False,
            parameters={"weight": [[[[[1]], [[10]]]], [[[[100]], [[0]]]]]},
        ),
        example(  # padding at the back alone: (1, 2) and (2, 0) with (1, 10)
            [[[1]], [[2]]],
            [[[21]], [[2]]],
            out_channels=1,
            kernel_size=[2, 1, 1],
            padding=[0, 0, 0, 1, 0, 0],
            bias=False,
            parameters={"weight": [[[[[1]], [[10]]]]]},
        ),
        example(  # each volume has a filter of its own
            [[[1]], [[2]], [[3]], [[4]]],
            [[[1]], [[2]], [[30]], [[40]]],
            out_channels=2,
            in_channels=2,
            kernel_size=1,
            groups=2,
            bias=False,
            parameters={"weight": [[[[[1]]]], [[[[10]]]]]},
        ),
        example(  # two volumes of depth 2 are summed
            [[[1]], [[2]], [[3]], [[4]]],
            [[[31]], [[42]]],
            out_channels=1,
            in_channels=2,
            kernel_size=1,
            bias=False,
            parameters={"weight": [[[[[1]]], [[[10]]]]]},
        ),
    )

    out_channels: Count
    kernel_size: Counts3
    in_channels: Count = 1
    stride: Counts3 = (1, 1, 1)
    padding: Ends3 = (0, 0, 0, 0, 0, 0)
    dilation: Counts3 = (1, 1, 1)
    groups: Count = 1
    bias: Flag = True

    @cached_property
    def window(self) -> Window:
        """The window along depth, rows and columns."""
        return Window(self.kernel_size, self.stride, self.padding[:3], self.padding[3:], self.dilation, (1, 1, 1))

    def _volume(self, shape: Shape) -> Shape:
        """Depth, rows and columns of one volume of the input."""
        return (shape[0] // self.in_channels, *shape[1:])

    def _positions(self, shape: Shape) -> tuple[int, ...]:
        return self.window.positions(*self._volume(shape))

    def check(self, shape: Shape) -> None:
        if shape[0] % self.in_channels:
            raise ValueError(f"in_channels (={self.in_channels}) must divide the {shape[0]} maps of its input")
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"groups (={self.groups}) must divide in_channels (={self.in_channels}) and out_channels (={self.out_channels})"
            )
        if min(self._positions(shape)) < 1:
            volume = "×".join(map(str, self._volume(shape)))
            raise ValueError(
                f"kernel_size {list(self.kernel_size)} is larger than its {volume} input; use padding, or a smaller kernel"
            )

    def parameters(self, shape: Shape) -> dict[str, Shape]:
        weight = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        return {"weight": weight} | ({"bias": (self.out_channels,)} if self.bias else {})

    def factor_words(self, key: str, shape: Shape) -> str:
        if key != "weight":
            return super().factor_words(key, shape)
        return kernel_factors(shape, counted(shape[1], "channel"))

    def output_shape(self, shape: Shape) -> Shape:
        depth, rows, columns = self._positions(shape)
        return (self.out_channels * depth, rows, columns)

    def kernel_spacing(self) -> tuple[int, int]:
        return self.dilation[1], self.dilation[2]

    def channels_of(self, k: int, channels: int) -> slice:
        return group_of(k, self.out_channels, self.groups, channels)

    def margin(self, shape: Shape) -> Margin:
        return self.padding[1], self.padding[2], self.padding[4], self.padding[5]

    def forward(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
        volumes = x.reshape(self.in_channels, *self._volume(x.shape))
        view = self.window.views(volumes, 0)
        y = np.zeros((self.out_channels, *self._positions(x.shape)))
        each = self.in_channels // self.groups, self.out_channels // self.groups  # channels and filters of a group
        for group, z, level in np.ndindex(self.groups, y.shape[1], self.kernel_size[0]):
            own, made = (slice(group * size, (group + 1) * size) for size in each)
            y[made, z] += correlated(view[own, z, :, :, level], weight[made, :, level])
        if bias is not None:
            y += bias[:, None, None, None]
        return y.reshape(self.output_shape(x.shape))

    def formula(self, at: Shape, x: Grids, weight: Grids, bias: Grids | None = None) -> str:
        place, i, j = at
        depth = len(x) // self.in_channels
        k, z = divmod(place, self.window.count(0, depth))
        first, *corner = self.window.corner(z, i, j)
        terms = []
        group = k // (self.out_channels // self.groups)
        for c, kernels in enumerate(weight[k], start=group * len(weight[k])):
            for step, kernel in enumerate(kernels):
                level = first + step * self.dilation[0]
                if 0 <= level < depth:  # beyond the stack there is only padding
                    window = x[c * depth + level].windows[(*corner, *self.window.reach[1:])]
                    terms.append(f"SUMPRODUCT({window},{kernel.area})")
        total = "+".join(terms) or "0"
        return total if bias is None else f"{bias[k].area}+{total}"

    def grad_spacing(self) -> tuple[int, int]:
        return self.stride[1], self.stride[2]

    def grad_margin(self, shape: Shape) -> Margin:
        return margin_back(self.window.along(1, 2), shape)

    def grad_steps(self, shape: Shape) -> list[Array]:
        return [turned_kernels(self.parameters(shape)["weight"], self.kernel_spacing())]

    def _levels(self, shape: Shape) -> list[tuple[int, int, int]]:
        """Every level of the output with a slice of the kernels and the level of the input that this lies on."""
        depth = self._volume(shape)[0]
        pairs = np.ndindex(self._positions(shape)[0], self.kernel_size[0])
        found = [(z, step, z * self.stride[0] - self.padding[0] + step * self.dilation[0]) for z, step in pairs]
        return [(z, step, level) for z, step, level in found if 0 <= level < depth]

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        (x,), weight, found = of.xs, turned_back(of), np.zeros(of.xs[0].shape)
        grad = of.grad.reshape(self.out_channels, -1, *of.grad.shape[1:])
        depth, window = self._volume(x.shape)[0], self.window.along(1, 2)
        for (z, step, level), c in product(self._levels(x.shape), range(self.in_channels)):
            filters, own = self._filters(c)
            found[c * depth + level] += stamped(grad[filters, z], weight[filters, own, step], window, x.shape)
        return found

    def _filters(self, c: int) -> tuple[slice, int]:
        """The filters that read a volume, and which of their kernels it is."""
        group, own = divmod(c, self.in_channels // self.groups)
        each = self.out_channels // self.groups
        return slice(group * each, (group + 1) * each), own

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        shape, (place, i, j) = shape_of(of.xs[0]), at
        c, level = divmod(place, self._volume(shape)[0])
        filters, own = self._filters(c)
        levels = [(z, step) for z, step, there in self._levels(shape) if there == level]
        maps, every = self._positions(shape)[0], range(self.out_channels)[filters]
        pairs = [(of.grad[k * maps + z], of.own["turned"][k][own][step]) for k in every for z, step in levels]
        return laid_back(self.window.along(1, 2), (i, j), *map(list, zip(*pairs, strict=True))) if pairs else ""

    def grad_parameter(self, key: str, of: Local[np.ndarray]) -> np.ndarray:
        grad = of.grad.reshape(self.out_channels, -1, *of.grad.shape[1:])
        if key == "bias":
            return grad.sum(axis=(1, 2, 3))
        (x,), found = of.xs, np.zeros(of.own["weight"].shape)
        views = self.window.along(1, 2).views(x, 0)
        depth = self._volume(x.shape)[0]
        for (z, step, level), c in product(self._levels(x.shape), range(self.in_channels)):
            filters, own = self._filters(c)
            found[filters, own, step] += np.einsum("kij,ijab->kab", grad[filters, z], views[c * depth + level])
        return found

    def grad_parameter_cell(self, key: str, at: Shape, of: Local[Grids]) -> str:
        shape, k = shape_of(of.xs[0]), at[0]
        maps = self._positions(shape)[0]
        if key == "bias":
            return "+".join([f"SUM({of.grad[k * maps + z].area})" for z in range(maps)])
        _, own, slice_, a, b = at
        c = self.channels_of(k, self.in_channels).start + own
        depth, window = self._volume(shape)[0], self.window.along(1, 2)
        pairs = [
            (of.xs[0][c * depth + level], of.grad[k * maps + z]) for z, step, level in self._levels(shape) if step == slice_
        ]
        return added([laid_whole(window, (a, b), x, grad) for x, grad in pairs])

    def reduction(self, shape: Shape) -> Reduction | None:
        if self.in_channels > 1:
            return None
        depth = self._volume(shape)[0]
        return Reduction(
            "sum",
            self.window.along(1, 2),
            terms=self.kernel_size[0],
            maps=self._positions(shape)[0],
            depth=depth,
            levels=(self.stride[0], self.padding[0], self.dilation[0]),
            kernel="weight",
        )

    def reads(self, axis: int, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
        return self.window.reads(1 + axis, shape[1 + axis])

    def multiplications(self, shape: Shape) -> int:
        per_cell = self.in_channels // self.groups * int(np.prod(self.kernel_size))
        return int(np.prod(self.output_shape(shape))) * per_cell

    def size_words(self, shape: Shape) -> str:
        words = zip(("depth", "rows", "columns"), self.window.size_words(*self._volume(shape)), strict=True)
        return ", ".join(f"{name} {text}" for name, text in words)

    def torch(self, shape: Shape) -> str:
        if self.padding[:3] != self.padding[3:]:
            return ""
        text = f"torch.nn.Conv3d({self.in_channels}, {self.out_channels}, {self.kernel_size}"
        for name, value, default in (
            ("stride", self.stride, (1, 1, 1)),
            ("padding", self.padding[:3], (0, 0, 0)),
            ("dilation", self.dilation, (1, 1, 1)),
            ("groups", self.groups, 1),
        ):
            text += "" if value == default else f", {name}={value}"
        return text + ("" if self.bias else ", bias=False") + ")"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...], **parameters: np.ndarray) -> str:
        maps, rows, columns = shapes[0]
        volume = to.integers(f"{name}.volume", [1, self.in_channels, maps // self.in_channels, rows, columns])
        x = to.add("Reshape", f"{name}_volume", *xs, volume)
        window = {"kernel_shape": self.kernel_size, "strides": self.stride, "dilations": self.dilation}
        given = [to.weight(key, array) for key, array in parameters.items()]
        y = to.add("Conv", f"{name}_stacks", x, *given, pads=self.padding, group=self.groups, **window)
        return to.add("Reshape", name, y, to.integers(f"{name}.maps", [1, *self.output_shape(shapes[0])]))
