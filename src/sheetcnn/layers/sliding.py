"""What convolution and pooling share: a window that slides over padded maps."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from ..arrays.array import Margin, Shape, shape_text
from ..arrays.receptive_field import touched
from .base import Layer, MadeOf
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

    @property
    def rounding(self) -> tuple[str, str]:
        """The brackets around a division of the output's size that leaves a rest: rounded down, or up."""
        return ("⌊", "⌋")

    @cached_property
    def reach(self) -> tuple[int, int]:
        """Rows and columns that the window covers, the holes of dilation included."""
        rows, columns = (d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation, strict=True))
        return rows, columns

    @cached_property
    def sides(self) -> Margin:
        """Padding at top, left, bottom and right; "same" puts the odd cell at the bottom and right, as PyTorch does."""
        if self.padding == "valid":
            return (0, 0, 0, 0)
        if self.padding == "same":
            rows, columns = (size - 1 for size in self.reach)
            return rows // 2, columns // 2, rows - rows // 2, columns - columns // 2
        return self.padding

    def check(self, shape: Shape) -> None:
        if self.padding == "same" and self.stride != (1, 1):
            raise ValueError(f'padding "same" needs stride 1, not {pair(self.stride)}; give the padding as numbers')
        top, left, bottom, right = self.sides
        padded = shape[1] + top + bottom, shape[2] + left + right
        if self.reach[0] > padded[0] or self.reach[1] > padded[1]:
            size = pair(self.kernel_size) + ("" if self.dilation == (1, 1) else f" with dilation {pair(self.dilation)}")
            what = "input" if padded == shape[1:] else f"input, {shape_text(padded)} with its padding"
            raise ValueError(
                f"kernel_size {size} is larger than its {shape_text(shape[1:])} {what}; use padding, or a smaller kernel"
            )

    def positions(self, shape: Shape) -> tuple[int, int]:
        """Rows and columns of the output: floor((N + P − D·(K − 1) − 1) / S) + 1, P being the padding of both sides.

        Source: torch.nn.Conv2d, section "Shape".
        """
        top, left, bottom, right = self.sides
        return (
            (shape[1] + top + bottom - self.reach[0]) // self.stride[0] + 1,
            (shape[2] + left + right - self.reach[1]) // self.stride[1] + 1,
        )

    def margin(self, shape: Shape) -> Margin:
        top, left, bottom, right = self.sides
        rows, columns = self.positions(shape)
        # With ceil_mode the last window may reach further than the padding.
        below = (rows - 1) * self.stride[0] + self.reach[0] - top - shape[1]
        beyond = (columns - 1) * self.stride[1] + self.reach[1] - left - shape[2]
        return top, left, max(bottom, below), max(right, beyond)

    def reads(self, axis: int, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
        starts = np.arange(self.positions(shape)[axis]) * self.stride[axis] - self.sides[axis]
        return touched(starts, self.kernel_size[axis], self.dilation[axis], shape[1 + axis])

    @cached_property
    def _stride_and_padding(self) -> tuple[int, int, int, int]:
        return (*self.stride, *self.sides[:2])

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """The input cell, counted from 0, at the top left of an output cell's window; negative in the padding."""
        down, along, top, left = self._stride_and_padding
        return row * down - top, column * along - left

    def windows(self, x: np.ndarray, fill: float) -> np.ndarray:
        """A view of every window: C × rows out × columns out × kernel rows × kernel columns, padding being `fill`."""
        top, left, bottom, right = self.margin(x.shape)
        padded = np.pad(x, ((0, 0), (top, bottom), (left, right)), constant_values=fill)
        view = np.lib.stride_tricks.sliding_window_view(padded, self.reach, axis=(1, 2))
        rows, columns = self.positions(x.shape)
        view = view[:, :: self.stride[0], :: self.stride[1], :: self.dilation[0], :: self.dilation[1]]
        return view[:, :rows, :columns]

    def textbook(self, shape: Shape) -> bool:
        return not (self.wide(shape) or self.draws_sum("compact") or self.steps(shape, detail="compact"))

    def filter_makes_map(self, shape: Shape) -> bool:
        made = self.made_of(shape)
        return made is not None and made.kernel == "weight" and made.maps == 1

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
        top, left, bottom, right = self.sides
        sides = ((top, bottom), (left, right))
        words = []
        for n, reach, s, (before, after), out in zip(
            shape[1:], self.reach, self.stride, sides, self.positions(shape), strict=True
        ):
            padding = f" + 2·{before}" if before == after else f" + {before} + {after}"
            opening, closing = self.rounding if (n + before + after - reach) % s else ("", "")
            words.append(f"{opening}({n} − {reach}{padding if before or after else ''})/{s}{closing} + 1 = {out}")
        return words[0] if words[0] == words[1] else f"rows {words[0]}, columns {words[1]}"

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

    @property
    def rounding(self) -> tuple[str, str]:
        return ("⌈", "⌉") if self.ceil_mode else ("⌊", "⌋")

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

    def made_of(self, shape: Shape) -> MadeOf:
        maps, levels = shape[0], (1, 0, 1)  # a map reads the channel of its own number
        return MadeOf(
            "largest", self.kernel_size, self.stride, self.sides[:2], self.dilation, maps=maps, depth=maps, levels=levels
        )

    def positions(self, shape: Shape) -> tuple[int, int]:
        rows, columns = super().positions(shape)
        if not self.ceil_mode:
            return rows, columns
        top, left, bottom, right = self.sides

        def up(size: int, before: int, after: int, reach: int, stride: int) -> int:
            # Rounded up, except that the last window must begin inside the input or its padding at the start.
            out = -(-(size + before + after - reach) // stride) + 1
            return out - 1 if (out - 1) * stride >= size + before else out

        return (
            up(shape[1], top, bottom, self.reach[0], self.stride[0]),
            up(shape[2], left, right, self.reach[1], self.stride[1]),
        )

    def window_settings(self) -> dict[str, Any]:
        """The settings that every pooling has."""
        return {key: getattr(self, key) for key in ("kernel_size", "stride", "padding", "ceil_mode")}

    def onnx_pool(self, shape: Shape, counts_padding: bool = False) -> dict[str, Any]:
        """The window of a pool; what ceil_mode adds is padding at the end where that counts nothing: runtimes differ in it."""
        settings = self.onnx_window()
        if self.ceil_mode and self.positions(shape) != self.model_copy(update={"ceil_mode": False}).positions(shape):
            if counts_padding:
                settings["ceil_mode"] = 1
            else:
                settings["pads"] = self.margin(shape)
        return settings
