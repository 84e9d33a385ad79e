"""What tasks on chosen cells of a layer's output share: which cells these are, blanks, and their grade."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field

from ...arrays.array import shape_text
from ...arrays.grid import Grid, flat
from ...layers.settings import Counts
from ...model.network import Network
from ...model.settings import Text
from ...xlsx import palette
from ..draft import Box, HandoutDraft
from ..marking import EXACT, Graded, Tally, Work
from .task import Task, node_of


def _list(value: Any) -> Any:
    return [value] if isinstance(value, int) and not isinstance(value, bool) else value


Maps = Annotated[tuple[Annotated[int, Field(strict=True, ge=1)], ...], BeforeValidator(_list), Field(min_length=1)]


class Cells(Task):
    """A task on chosen cells of one layer's output: whole maps, parts of them, or single cells."""

    layer: Text
    map: Maps | None = None  # n or a list; all, where not given
    rows: Counts | None = None  # n or [first, last], counted from 1
    columns: Counts | None = None

    def check(self, network: Network) -> None:
        self.mask(network)

    def layers(self, network: Network) -> list[str]:
        return [self.layer]

    def blanks(self, network: Network) -> dict[str, np.ndarray]:
        return {f"{self.layer}.output": self.mask(network)}

    @property
    def sheet(self) -> str:
        return self.layer

    @property
    def typed(self) -> bool:
        """Whether numbers may be typed, and are right as far as the tolerance goes."""
        return True

    def mask(self, network: Network) -> np.ndarray:
        """Which cells of the layer's output are meant."""
        shape = node_of(network, self.layer).shape
        mask = np.zeros(shape, bool)
        given: dict[str, tuple[int, ...] | None] = {"map": self.map, "rows": self.rows, "columns": self.columns}
        if len(shape) == 1 and (self.map or self.columns):
            raise ValueError(f"layer {self.layer!r} puts out a vector of {shape[0]}; choose among its rows only")
        axes = ("map", "rows", "columns") if len(shape) == 3 else ("rows",)
        places = []
        for axis, size in zip(axes, shape, strict=True):
            chosen = given[axis] or (range(1, size + 1) if axis == "map" else (1, size))
            if max(chosen) > size:
                what = {"map": "maps"}.get(axis, axis)
                raise ValueError(f"{axis} {list(chosen)}: layer {self.layer!r} is {shape_text(shape)}, it has {size} {what}")
            if axis != "map":
                if chosen[0] > chosen[-1]:
                    raise ValueError(f"{axis} {list(chosen)}: give the first and the last, in this order")
                chosen = range(chosen[0], chosen[-1] + 1)
            places.append([n - 1 for n in chosen])
        mask[np.ix_(*places)] = True
        return mask

    def place_words(self, network: Network) -> str:
        """Which cells these are: `map 1, rows 2 to 4 of conv1`."""
        shape = node_of(network, self.layer).shape
        words = []
        if self.map and len(shape) == 3:
            *most, last = map(str, self.map)
            words.append(f"maps {', '.join(most)} and {last}" if most else f"map {last}")
        for name, span in (("row", self.rows), ("column", self.columns)):
            if span:
                words.append(f"{name} {span[0]}" if span[0] == span[1] else f"{name}s {span[0]} to {span[1]}")
        return f"{', '.join(words)} of {self.layer}" if words else f"all of {self.layer}"

    def draw(self, draft: HandoutDraft, number: int) -> None:
        """The cells are blank and yellow; in the key only yellow."""
        right = draft.variant.values[f"{self.layer}.output"]
        mask = self.mask(draft.variant.network)
        tolerance = max(self.tolerance if self.typed else 0.0, EXACT * max(1.0, float(np.abs(right).max())))
        style = draft.style("todo_number" if self.typed else "todo", palette.number_format(right))
        for index, grid in flat(draft.content.grids[f"{self.layer}.output"]):
            inside = mask[index].reshape(grid.rows, grid.columns)
            if not inside.any():
                continue
            draft.leave_blank(grid, [(i, j) for i, j in np.argwhere(inside).tolist()], style)
            if number in draft.live:
                (top, left), (bottom, end) = np.argwhere(inside).min(axis=0), np.argwhere(inside).max(axis=0)
                part = Grid(grid.sheet, grid.top + top, grid.left + left, bottom - top + 1, end - left + 1)
                values = right[index].reshape(grid.rows, grid.columns)[top : bottom + 1, left : end + 1]
                largest = 0.0 if self.typed else float(right.max())
                draft.boxes.append(Box(number, part, values, tolerance, largest, self.typed))

    def grade(self, work: Work, number: int) -> Graded:
        """Every cell by itself: as a formula that must follow other pixels and kernels, or as a number."""
        tally = Tally()
        mask = self.mask(work.variant.network)
        tally.output(work, self.layer, mask, formula=not self.typed, tolerance=self.tolerance)
        return tally.graded(self.points)
