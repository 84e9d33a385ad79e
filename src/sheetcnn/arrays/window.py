"""A window that slides over an input, along any number of axes: how often it fits, where it stands and what it reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from operator import mul, sub
from typing import Any

import numpy as np

from .receptive_field import touched


@dataclass(frozen=True)
class Window:
    """Along each axis `size` cells, `dilation` apart, in steps of `stride`, over an input with padding before and after it.

    Negative padding: the first window starts inside the input. The input's cells lie `spacing` apart, with blank ones
    between them, where it is spread out for a transposed convolution.
    """

    size: tuple[int, ...]
    stride: tuple[int, ...] = (1, 1)
    before: tuple[int, ...] = (0, 0)
    after: tuple[int, ...] = (0, 0)
    dilation: tuple[int, ...] = (1, 1)
    spacing: tuple[int, ...] = (1, 1)
    rounded_up: bool = False  # whether a last window may reach beyond the padding

    def along(self, *axes: int) -> Window:
        """The same window along some of its axes only."""
        parts = (self.size, self.stride, self.before, self.after, self.dilation, self.spacing)
        size, stride, before, after, dilation, spacing = (tuple(part[axis] for axis in axes) for part in parts)
        return Window(size, stride, before, after, dilation, spacing, self.rounded_up)

    @cached_property
    def reach(self) -> tuple[int, ...]:
        """How many cells the window covers along each axis, the holes of dilation included."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.size, self.dilation, strict=True))

    def rest(self, axis: int, cells: int) -> int:
        """How far the window can move over so many cells of the input and their padding."""
        return (cells - 1) * self.spacing[axis] + 1 + self.before[axis] + self.after[axis] - self.reach[axis]

    def count(self, axis: int, cells: int) -> int:
        """The output's size along an axis: floor((N + P − D·(K − 1) − 1) / S) + 1, P being the padding of both sides.

        Source: torch.nn.Conv2d, section "Shape".
        """
        stride = self.stride[axis]
        if not self.rounded_up:
            return self.rest(axis, cells) // stride + 1
        # Rounded up, except that the last window must begin inside the input or its padding at the start.
        count = -(-self.rest(axis, cells) // stride) + 1
        return count - 1 if (count - 1) * stride >= cells + self.before[axis] else count

    def positions(self, *shape: int) -> tuple[int, ...]:
        """The output's size along all axes."""
        return tuple(self.count(axis, cells) for axis, cells in enumerate(shape))

    def corner(self, *place: int) -> tuple[int, ...]:
        """The first input cell, counted from 0, that an output cell's window covers; negative in the padding."""
        return tuple(map(sub, map(mul, place, self.stride), self.before))

    def top_left(self, row: int, column: int) -> tuple[int, int]:
        """The same along two axes, in a fifth of the time: nearly every formula of a workbook asks."""
        stride, before = self.stride, self.before
        return row * stride[0] - before[0], column * stride[1] - before[1]

    def margin(self, *shape: int) -> tuple[int, ...]:
        """The padding that windows cover: before the input along each axis, then after it."""
        after = list(self.after)
        for axis, (count, cells) in enumerate(zip(self.positions(*shape), shape, strict=True)):
            end = (count - 1) * self.stride[axis] - self.before[axis] + self.reach[axis]
            after[axis] = max(after[axis], end - ((cells - 1) * self.spacing[axis] + 1))
        return (*self.before, *after)

    def starts(self, axis: int, cells: int) -> np.ndarray:
        """Where all windows begin along an axis."""
        return np.arange(self.count(axis, cells)) * self.stride[axis] - self.before[axis]

    def reads(self, axis: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
        """The first and last cell of the input that each cell of the output reads along an axis."""
        return touched(self.starts(axis, cells), self.size[axis], self.dilation[axis], cells, self.spacing[axis])

    def views(self, x: np.ndarray, fill: float) -> np.ndarray:
        """Every window without a copy: channels × places along each axis × cells along each axis, padding being `fill`."""
        axes, shape = len(self.size), x.shape[1:]
        sides = self.margin(*shape)
        padded = np.pad(x, ((0, 0), *zip(sides[:axes], sides[axes:], strict=True)), constant_values=fill)
        view = np.lib.stride_tricks.sliding_window_view(padded, self.reach, axis=tuple(range(1, axes + 1)))
        steps: tuple[Any, ...] = tuple(slice(None, None, step) for step in (*self.stride, *self.dilation))
        counts = tuple(slice(count) for count in self.positions(*shape))
        return view[(slice(None), *steps)][(slice(None), *counts)]

    def size_words(self, *shape: int) -> list[str]:
        """How the output's size comes about along each axis: `(28 − 5 + 2·2)/1 + 1 = 28`."""
        words = []
        for axis, (cells, out) in enumerate(zip(shape, self.positions(*shape), strict=True)):
            before, after, stride = self.before[axis], self.after[axis], self.stride[axis]
            padding = f" + 2·{before}" if before == after else f" + {before} + {after}"
            opening, closing = ("⌈⌉" if self.rounded_up else "⌊⌋") if self.rest(axis, cells) % stride else ("", "")
            text = f"({cells} − {self.reach[axis]}{padding if before or after else ''})/{stride}"
            words.append(f"{opening}{text}{closing} + 1 = {out}")
        return words
