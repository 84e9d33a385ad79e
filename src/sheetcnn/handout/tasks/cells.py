"""What tasks on chosen cells of a layer's output share: which cells these are, blanks, and their grade."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from ...arrays.array import Shape, shape_text
from ...arrays.grid import Grid, flat
from ...layers.settings import Counts
from ...model.network import Network
from ...model.settings import Text
from ...model.training import back_of
from ...xlsx import palette
from ..draft import Box, HandoutDraft
from ..marking import Graded, Tally, Work, precision
from ..variant import Variant
from .task import Task, node_of

KEYS = {"kernel": "weight", "bias": "bias"}  # what PyTorch calls them


def _list(value: Any) -> Any:
    return [value] if isinstance(value, int) and not isinstance(value, bool) else value


Maps = Annotated[tuple[Annotated[int, Field(strict=True, ge=1)], ...], BeforeValidator(_list), Field(min_length=1)]


class Cells(Task):
    """A task on chosen cells of one layer's output: whole maps, parts of them, or single cells.

    Or of its gradients, or of what a step makes of its weights.
    """

    layer: Text
    what: Literal["output", "gradient", "after"] = "output"
    of: Literal["kernel", "bias", "map"] | None = None  # whose gradient, or value after the step
    map: Maps | None = None  # n or a list; all, where not given
    channel: Maps | None = None  # of kernels
    rows: Counts | None = None  # n or [first, last], counted from 1
    columns: Counts | None = None

    def check(self, network: Network) -> None:
        self.mask(network)

    def layers(self, network: Network) -> list[str]:
        return [self.layer] if self.what == "output" else [node.name for node in network.nodes]

    def blanks(self, network: Network) -> dict[str, np.ndarray]:
        return {self.array(network): self.mask(network)}

    @property
    def sheet(self) -> str:
        return self.layer if self.what == "output" else back_of(self.layer)

    @property
    def learns(self) -> bool:
        return self.what != "output"

    def part(self, network: Network) -> str:
        """What of the layer is meant: its kernels, where it has any, its biases, or its maps."""
        return "map" if self.what == "output" else self.of or ("kernel" if "weight" in self._trained(network) else "map")

    def _trained(self, network: Network) -> dict[str, Shape]:
        node = node_of(network, self.layer)
        own = node.layer.parameters(*node.in_shapes) if node.share is None and node.train else {}
        return {key: shape for key, shape in own.items() if key not in node.layer.buffers}

    def array(self, network: Network) -> str:
        """The id of the array that is meant."""
        node, part = node_of(network, self.layer), self.part(network)
        if self.what == "output":
            return f"{self.layer}.output"
        if part != "map":
            return f"{self.layer}.{'grad' if self.what == 'gradient' else 'after'}_{KEYS[part]}"
        kind = "map" if len(node.shape) == 3 else "out"
        return f"{self.layer}.grad_{'sum' if node.layer.final is not None else kind}"

    def _shape(self, network: Network) -> Shape:
        node, part = node_of(network, self.layer), self.part(network)
        if self.what == "output" and self.of is not None:
            raise ValueError(f'of = "{self.of}" goes with what = "gradient" or "after"')
        if part == "map":
            if self.what == "after":
                raise ValueError('a step changes kernels and biases; choose of = "kernel" or "bias"')
            return node.shape
        if KEYS[part] not in (trained := self._trained(network)) or len(trained[KEYS[part]]) > 4:
            raise ValueError(f"layer {self.layer!r} ({node.layer.type}) has no {part} of its own that a step changes so")
        return trained[KEYS[part]]

    def _axes(self, network: Network, shape: Shape) -> tuple[str, ...]:
        maps = len(node_of(network, self.layer).shape) == 3
        return {1: ("map",) if maps and self.part(network) == "bias" else ("rows",), 2: ("rows", "columns"),
                3: ("map", "rows", "columns"), 4: ("map", "channel", "rows", "columns")}[len(shape)]  # fmt: skip

    @property
    def typed(self) -> bool:
        """Whether numbers may be typed, and are right as far as the tolerance goes."""
        return True

    def mask(self, network: Network) -> np.ndarray:
        """Which cells of the layer's output are meant."""
        shape = self._shape(network)
        mask = np.zeros(shape, bool)
        given: dict[str, tuple[int, ...] | None] = {
            "map": self.map, "channel": self.channel, "rows": self.rows, "columns": self.columns,
        }  # fmt: skip
        axes = self._axes(network, shape)
        if self.what == "output" and len(shape) == 1 and (self.map or self.columns):
            raise ValueError(f"layer {self.layer!r} puts out a vector of {shape[0]}; choose among its rows only")
        if none := [axis for axis, chosen in given.items() if chosen and axis not in axes]:
            raise ValueError(
                f"{none[0]}: there is none to choose from; what is meant of layer {self.layer!r} is {shape_text(shape)}"
            )
        places = []
        for axis, size in zip(axes, shape, strict=True):
            listed = axis in ("map", "channel")
            chosen = given[axis] or (range(1, size + 1) if listed else (1, size))
            if max(chosen) > size:
                what = {"map": "maps", "channel": "channels"}.get(axis, axis)
                raise ValueError(f"{axis} {list(chosen)}: layer {self.layer!r} is {shape_text(shape)}, it has {size} {what}")
            if not listed:
                if chosen[0] > chosen[-1]:
                    raise ValueError(f"{axis} {list(chosen)}: give the first and the last, in this order")
                chosen = range(chosen[0], chosen[-1] + 1)
            places.append([n - 1 for n in chosen])
        mask[np.ix_(*places)] = True
        return mask

    def place_words(self, network: Network) -> str:
        """Which cells these are: `map 1, rows 2 to 4 of conv1`."""
        axes = self._axes(network, self._shape(network))
        words = []
        what = {"gradient": "the gradient of ", "after": "the value after the step of "}.get(self.what, "")
        owner = {"kernel": "kernel", "bias": "bias"}.get(self.part(network), "map") if what else "map"
        for axis, called, chosen in (("map", owner, self.map), ("channel", "channel", self.channel)):
            if chosen and axis in axes:
                *most, last = map(str, chosen)
                words.append(f"{called}s {', '.join(most)} and {last}" if most else f"{called} {last}")
        for name, span in (("row", self.rows), ("column", self.columns)):
            if span:
                words.append(f"{name} {span[0]}" if span[0] == span[1] else f"{name}s {span[0]} to {span[1]}")
        if what:
            part = self.part(network)
            which = (
                ""
                if (words and words[0].startswith(owner))
                else {"kernel": "the weights", "bias": "the biases"}.get(part, "the maps")
            )
            return f"{what}{', '.join([which] * bool(which) + words)} of {self.layer}"
        return f"{', '.join(words)} of {self.layer}" if words else f"all of {self.layer}"

    def draw(self, draft: HandoutDraft, number: int) -> None:
        """The cells are blank and yellow; in the key only yellow."""
        id = self.array(draft.variant.network)
        right, mask = draft.variant.values[id], self.mask(draft.variant.network)
        tolerance = max(self._tolerance(draft.variant) if self.typed else 0.0, precision(right, draft.variant.scale(id)))
        style = draft.style("todo_number" if self.typed else "todo", palette.number_format(right))
        for index, grid in flat(draft.content.grids[id]):
            inside = mask[index].reshape(grid.rows, grid.columns)
            if not inside.any():
                continue
            draft.leave_blank(grid, [(i, j) for i, j in np.argwhere(inside).tolist()], style)
            if number in draft.live:
                (top, left), (bottom, end) = np.argwhere(inside).min(axis=0), np.argwhere(inside).max(axis=0)
                (down, along) = grid.spacing
                part = Grid(grid.sheet, grid.top + top * down, grid.left + left * along, bottom - top + 1, end - left + 1,
                            grid.spacing)  # fmt: skip
                values = right[index].reshape(grid.rows, grid.columns)[top : bottom + 1, left : end + 1]
                largest = 0.0 if self.typed or self.learns else float(right.max())
                draft.boxes.append(Box(number, part, values, tolerance, largest, self.typed))

    def grade(self, work: Work, number: int) -> Graded:
        """Every cell by itself: as a formula that must follow other pixels and kernels, or as a number."""
        tally = Tally()
        mask = self.mask(work.variant.network)
        id = self.array(work.variant.network)
        tally.output(work, id, mask, formula=not self.typed, tolerance=self._tolerance(work.variant))
        return tally.graded(self.points)

    def _tolerance(self, variant: Variant) -> float:
        """How far a typed number may be off; where all gradients are below 1, by as much less."""
        return self.tolerance * (min(1.0, variant.scale(self.array(variant.network))) if self.learns else 1.0)
