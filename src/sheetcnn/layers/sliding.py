"""What convolution and pooling share: a window that slides over padded maps."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from ..arrays.array import Margin, Shape, shape_text
from ..arrays.window import Window
from .base import Layer, counted
from .reduction import Reduction
from .settings import Amount, Counts, Flag

_AT_ONCE = 200_000  # numbers of windows that are copied


def _sides(value: Any) -> Any:
    """n, [rows, columns] or [top, left, bottom, right] as the four sides."""
    if isinstance(value, int):
        return [value] * 4
    if isinstance(value, list | tuple) and len(value) == 2:
        return [*value, *value]
    if isinstance(value, str) and value not in ("same", "valid"):
        raise ValueError(f'{value!r} is none of n, [rows, columns], [top, left, bottom, right], "same" and "valid"')
    return value


def kernel_factors(weight: Shape, channels: str) -> str:
    """The numbers in all kernels of a layer, filters first in the shape of its weights: `4 filters · 3 channels · 3·3 kernel`."""
    return f"{counted(weight[0], 'filter')} · {channels} · {'·'.join(map(str, weight[2:]))} kernel"


def correlated(windows: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Σ over channels and kernel cells: C × rows × columns × kernel windows with filters × C × kernel, one map a filter.

    A row of the kernel at a time, over so few rows of the output that the copy of their windows stays small: one matrix
    product for each is much faster than one for each kernel cell where channels or filters are few.
    """
    channels, rows, columns, high, wide = windows.shape
    y = np.zeros((len(weight), rows, columns))
    step = max(1, _AT_ONCE // (channels * columns * wide))
    for i in range(0, rows, step):
        for a in range(high):
            y[:, i : i + step] += np.tensordot(weight[:, :, a], windows[:, i : i + step, :, a], axes=((1, 2), (0, 3)))
    return y


Four = tuple[Amount, Amount, Amount, Amount]
Given = Amount | tuple[Amount, Amount] | Four
Sides = Annotated[Four, BeforeValidator(_sides, json_schema_input_type=Given)]
Padding = Annotated[
    Four | Literal["same", "valid"], BeforeValidator(_sides, json_schema_input_type=Given | Literal["same", "valid"])
]


def pair(sizes: tuple[int, int]) -> str:
    """Rows and columns as PyTorch code: 3, or (3, 5)."""
    return str(sizes[0]) if sizes[0] == sizes[1] else str(sizes)


def group_words(groups: int) -> str:
    """Over which channels a filter sums."""
    return "channels of" if groups == 1 else f"the channels of the filter's group (1 of {groups}) of"


def group_of(k: int, filters: int, groups: int, channels: int) -> slice:
    """The input channels that filter k reads, of so many filters: those of its group."""
    size = channels // groups
    first = k // (filters // groups) % groups * size
    return slice(first, first + size)


class Sliding(Layer):
    """A window of kernel_size cells, stride apart, its cells dilation apart, over an input with padding around it."""

    takes: ClassVar[str] = "maps"
    pads: ClassVar[str] = "torch.nn.ZeroPad2d({})"  # PyTorch's layer that pads each side by itself
    pads_same: ClassVar[bool] = True  # whether PyTorch's layer takes padding="same"

    blank: ClassVar[float] = 0.0  # what a blank cell counts as, in the padding and beyond

    kernel_size: Counts
    stride: Counts = (1, 1)
    padding: Padding = (0, 0, 0, 0)
    dilation: Counts = (1, 1)

    @property
    def usual_stride(self) -> tuple[int, int]:
        """The stride that PyTorch takes where none is given."""
        return (1, 1)

    @cached_property
    def sides(self) -> Margin:
        """Padding at top, left, bottom and right; "same" puts the odd cell at the bottom and right, as PyTorch does."""
        if self.padding == "valid":
            return (0, 0, 0, 0)
        if self.padding == "same":
            rows, columns = (d * (k - 1) for k, d in zip(self.kernel_size, self.dilation, strict=True))
            return rows // 2, columns // 2, rows - rows // 2, columns - columns // 2
        return self.padding

    @cached_property
    def window(self) -> Window:
        """The window, its padding known."""
        return Window(self.kernel_size, self.stride, self.sides[:2], self.sides[2:], self.dilation)

    @cached_property
    def reach(self) -> tuple[int, ...]:
        """Rows and columns that the window covers, the holes of dilation included."""
        return self.window.reach

    def check(self, shape: Shape) -> None:
        if self.padding == "same" and self.stride != (1, 1):
            raise ValueError(f'padding "same" needs stride 1, not {pair(self.stride)}; give the padding as numbers')
        top, left, bottom, right = self.sides
        padded = shape[1] + top + bottom, shape[2] + left + right
        if min(self.positions(shape)) < 1:
            size = pair(self.kernel_size) + ("" if self.dilation == (1, 1) else f" with dilation {pair(self.dilation)}")
            what = "input" if padded == shape[1:] else f"input, {shape_text(padded)} with its padding"
            raise ValueError(
                f"kernel_size {size} is larger than its {shape_text(shape[1:])} {what}; use padding, or a smaller kernel"
            )

    def positions(self, shape: Shape) -> tuple[int, int]:
        """Rows and columns of the output."""
        rows, columns = self.window.positions(*shape[1:])
        return rows, columns

    def margin(self, shape: Shape) -> Margin:
        top, left, bottom, right = self.window.margin(*shape[1:])
        return top, left, bottom, right

    def reads(self, axis: int, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
        return self.window.reads(axis, shape[1 + axis])

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """The input cell, counted from 0, at the top left of an output cell's window; negative in the padding."""
        return self.window.top_left(row, column)

    def textbook(self, shape: Shape) -> bool:
        return not (self.wide(shape) or self.draws_sum("compact") or self.steps(shape, detail="compact"))

    def shifted(self, x: np.ndarray, by: tuple[int, int], **parameters: np.ndarray) -> np.ndarray:
        found = self.but(padding=0).activated(self.moved(x, by), **parameters)
        return np.where(np.isinf(found), 0.0, found)  # of blank cells only

    def moved(self, x: np.ndarray, by: tuple[int, int]) -> np.ndarray:
        """The input with its padding around it, so many cells further up and to the left; blank cells lie beyond."""
        (down, along), (top, left, bottom, right) = by, self.margin(x.shape)
        around = ((0, 0), (top, bottom + down), (left, right + along))
        return np.pad(x, around, constant_values=self.blank)[:, down:, along:]

    def mistaken(self, shape: Shape) -> dict[str, Layer]:
        if not self.textbook(shape) or max(self.stride) == 1:
            return {}
        return {"wrong_stride": self.but(stride=[max(1, step - 1) for step in self.stride])}

    def size_words(self, shape: Shape) -> str:
        rows, columns = self.window.size_words(*shape[1:])
        return rows if rows == columns else f"rows {rows}, columns {columns}"

    def code(self, opening: str, more: str) -> str:
        """The layer as PyTorch code, the settings that have PyTorch's defaults left out."""
        top, left, bottom, right = self.sides
        before, text = "", pair(self.kernel_size)
        if self.stride != self.usual_stride:
            text += f", stride={pair(self.stride)}"
        if self.padding == "same" and self.pads_same:
            text += ', padding="same"'
        elif (top, left) != (bottom, right):
            before = f"{self.pads.format((left, right, top, bottom))}, then "
        elif top or left:
            text += f", padding={pair((top, left))}"
        text += "" if self.dilation == (1, 1) else f", dilation={pair(self.dilation)}"
        return f"{before}torch.nn.{opening}{text}{more})"

    def onnx_window(self) -> dict[str, Any]:
        """The window as the attributes of an ONNX operator."""
        sides = {"kernel_shape": self.kernel_size, "strides": self.stride, "dilations": self.dilation}
        return sides | {"pads": self.sides}


class Pooling(Sliding):
    """A window that takes the largest or the mean of its cells, map by map."""

    pads_same: ClassVar[bool] = False
    family: ClassVar[str] = "pooling"

    stride: Counts = Field(default_factory=lambda given: given["kernel_size"])  # windows that touch, as in PyTorch
    ceil_mode: Flag = False

    @property
    def usual_stride(self) -> tuple[int, int]:
        return self.kernel_size

    def cells_read(self, *shapes: Shape) -> int:
        rows, columns = self.positions(shapes[0])
        return shapes[0][0] * rows * columns * self.kernel_size[0] * self.kernel_size[1]

    @cached_property
    def window(self) -> Window:
        return replace(super().window, rounded_up=self.ceil_mode)

    def reduced(self, x: np.ndarray, fill: float, reduce: np.ufunc) -> np.ndarray:
        """What is largest in each window, or its sum: along rows first, then along columns, so that large windows cost little."""
        top, left, bottom, right = self.margin(x.shape)
        y = np.pad(x, ((0, 0), (top, bottom), (left, right)), constant_values=fill)
        for axis in (1, 0):
            view = np.lib.stride_tricks.sliding_window_view(y, self.reach[axis], axis=1 + axis)
            view = np.moveaxis(view, 1 + axis, 0)[:: self.stride[axis]][: self.positions(x.shape)[axis]]
            y = np.moveaxis(reduce.reduce(view[..., :: self.dilation[axis]], axis=-1), 0, 1 + axis)
        return np.ascontiguousarray(y)

    def check(self, shape: Shape) -> None:
        super().check(shape)
        for axis in (0, 1):
            first, last = self.reads(axis, shape)
            if (first > last).any():
                raise ValueError(
                    f"with padding {list(self.sides)} a window of kernel_size {pair(self.kernel_size)} "
                    "would hold nothing but padding; use less"
                )

    def code(self, opening: str, more: str) -> str:
        top, left, bottom, right = self.sides
        if (top, left) == (bottom, right) and (top > self.reach[0] // 2 or left > self.reach[1] // 2):
            return ""  # PyTorch pads pools by half of the window at most
        if (top, left) != (bottom, right) and self.ceil_mode:
            return ""  # what is padded before counts as input, in which a last window may begin
        return super().code(opening, more)

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0], *self.positions(shape))

    def textbook(self, shape: Shape) -> bool:
        return not self.ceil_mode and super().textbook(shape)

    def reduction(self, shape: Shape) -> Reduction:
        maps = shape[0]  # each reads the channel of its own number
        return Reduction("largest", self.window, maps=maps, depth=maps, levels=(1, 0, 1))

    def window_settings(self) -> dict[str, Any]:
        """The settings that every pooling has."""
        return {key: getattr(self, key) for key in ("kernel_size", "stride", "padding", "ceil_mode")}

    def onnx_pool(self, shape: Shape, counts_padding: bool = False) -> dict[str, Any]:
        """The window of a pool; what ceil_mode adds is padding at the end where that counts nothing: runtimes differ in it."""
        settings = self.onnx_window()
        down = replace(self.window, rounded_up=False)
        if down.positions(*shape[1:]) != self.window.positions(*shape[1:]):
            if counts_padding:
                settings["ceil_mode"] = 1
            else:
                settings["pads"] = self.margin(shape)
        return settings
