"""What the gallery shows of one layer, and how many of its cells that needs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

from ...arrays.array import Array

NAME, SHAPE, LABEL = 14, 11, 11  # the heights of texts in pixels
NAME_LETTER, SMALL_LETTER, MARGINS = 6.6, 6, 6  # and the widths of their letters
APART, BETWEEN, HEAD, TRACK = 6, 4, 12, 6  # pixels between maps, between kernels, of an arrow's head, between lines


@dataclass(frozen=True)
class Stack:
    """What is shown of one layer, in cells of so many pixels, its maps in so many columns.

    Sizes are kept, since they are asked for again in every arrangement that is tried.
    """

    name: str
    title: tuple[str, ...]  # its name, and the shape of its output or other lines
    size: int  # of a cell
    maps: Array | None
    kernels: Array | None
    names: tuple[str, ...]  # of its maps, or of the numbers of a vector
    channels: tuple[str, ...]  # that its kernels lie on
    across: int = 1  # maps side by side

    def cells(self, pixels: float) -> int:
        """How many cells so many pixels are."""
        return math.ceil(pixels / self.size)

    @cached_property
    def vector(self) -> bool:
        return self.maps is not None and len(self.maps.inputs[0].shape) == 1

    @cached_property
    def label(self) -> int:
        """The columns of the number before a map."""
        return 0 if self.vector else self.cells(max(map(len, self.names), default=0) * SMALL_LETTER + 5)

    @cached_property
    def head(self) -> int:
        """The rows of the title and, over kernels, of the channels' names."""
        return (
            self.cells(NAME)
            + (len(self.title) - 1) * self.cells(SHAPE)
            + 1
            + (self.cells(LABEL) if self.tells_channels else 0)
        )

    @cached_property
    def tells_channels(self) -> bool:
        """Whether above the kernels stands on which channel each lies."""
        wide = max(map(len, self.channels), default=0) * SMALL_LETTER + 5
        return self.kernels is not None and len(self.channels) > 1 and self.pitch_of_kernels[1] * self.size >= wide

    @cached_property
    def pitch(self) -> tuple[int, int]:
        """From map to map, down and across."""
        assert self.maps is not None
        _, rows, columns = self.maps.shape
        beside = self.kernels.shape[2] if self.kernels is not None and self.across == 1 else 0
        high = max(rows, beside, 0 if self.vector else self.cells(LABEL))
        return high + self.cells(APART), self.label + columns + self.cells(APART)

    @cached_property
    def pitch_of_kernels(self) -> tuple[int, int]:
        """From kernel to kernel: down those of a filter's map, where maps stand in one column."""
        assert self.kernels is not None
        own = self.kernels.shape[2] + self.cells(BETWEEN)
        return self.pitch[0] if self.aligned else own, self.kernels.shape[3] + self.cells(BETWEEN)

    @cached_property
    def aligned(self) -> bool:
        """Whether each filter's kernels stand beside its map."""
        return (
            self.kernels is not None
            and self.maps is not None
            and self.across == 1
            and self.kernels.shape[0] == self.maps.shape[0]
        )

    @cached_property
    def numbers(self) -> int:
        """The columns of the filters' numbers before their kernels."""
        return 0 if self.kernels is None or self.aligned else self.cells(len(str(self.kernels.shape[0])) * SMALL_LETTER + 5)

    @cached_property
    def before(self) -> int:
        """The columns of the kernels, with their filters' numbers where these do not stand before the maps, and a space."""
        if self.kernels is None:
            return 0
        return self.numbers + self.kernels.shape[1] * self.pitch_of_kernels[1] + self.cells(APART)

    @cached_property
    def title_width(self) -> int:
        """The columns of the title."""
        name, *words = self.title
        return self.cells(max(len(name) * NAME_LETTER, *(len(text) * SMALL_LETTER for text in words)) + MARGINS)

    @cached_property
    def width(self) -> int:
        """The columns of title and maps."""
        if self.maps is None:
            return self.title_width
        names = self.cells(max(map(len, self.names), default=0) * SMALL_LETTER + MARGINS) if self.vector else 0
        return max(self.title_width, self.across * self.pitch[1] - self.cells(APART) + names)

    @cached_property
    def height(self) -> int:
        """Its rows, title and all."""
        below = 0
        if self.maps is not None:
            below = math.ceil(self.maps.shape[0] / self.across) * self.pitch[0]
        if self.kernels is not None:
            below = max(below, self.kernels.shape[0] * self.pitch_of_kernels[0])
        return self.head + below

    def within(self, rows: int) -> Stack:
        """Its maps in so few columns that it is not higher than that; or all side by side."""
        if self.maps is None or self.height <= rows:
            return self
        several = replace(self, across=2)
        count = self.maps.shape[0]
        return replace(self, across=math.ceil(count / max(1, (rows - several.head) // several.pitch[0])))
