"""Design a kernel: find kernel values that give a target map."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from ...arrays.grid import Grid, flat
from ...model.network import Network
from ...model.settings import Text
from ...xlsx import palette
from ...xlsx.cells import CellBlock
from ...xlsx.colours import colour, map_scale
from ...xlsx.draft import area_of
from ...xlsx.labels import put
from ..draft import Box, HandoutDraft
from ..marking import Graded, Work
from ..variant import Variant
from .task import Task, node_of


class Design(Task):
    """A filter whose kernels are blank, and beside its map the target that they are to give; any that do are right."""

    kind: ClassVar[str] = "design"

    layer: Text
    map: Annotated[int, Field(strict=True, ge=1)] = 1
    bias: bool = False  # whether the bias is to be found too

    def check(self, network: Network) -> None:
        node = node_of(network, self.layer)
        if not node.layer.filter_makes_map(*node.in_shapes) or node.share is not None:
            raise ValueError(f"layer {self.layer!r} has no kernels of its own to design; choose a plain conv2d layer")
        if borrower := next((other.name for other in network.nodes if other.share == self.layer), None):
            raise ValueError(f"layer {self.layer!r} shares its kernels with {borrower!r}, which would show them")
        if self.map > node.shape[0]:
            raise ValueError(f"map {self.map}: layer {self.layer!r} has {node.shape[0]} maps")
        if self.bias and "bias" not in node.layer.parameters(*node.in_shapes):
            raise ValueError(f"bias: layer {self.layer!r} has none; leave it out")

    def layers(self, network: Network) -> list[str]:
        return [self.layer]

    def blanks(self, network: Network) -> dict[str, np.ndarray]:
        node = node_of(network, self.layer)
        found = {}
        for key in self._keys:
            mask = found[f"{self.layer}.{key}"] = np.zeros(node.layer.parameters(*node.in_shapes)[key], bool)
            mask[self.map - 1] = True
        return found

    @property
    def _keys(self) -> tuple[str, ...]:
        """The parameters that are to be found."""
        return ("weight", "bias") if self.bias else ("weight",)

    @property
    def sheet(self) -> str:
        return self.layer

    def instruction(self, variant: Variant, number: int) -> str:
        node = node_of(variant.network, self.layer)
        channels = variant.parameters[f"{self.layer}.weight"].shape[1]
        what = "the blank kernel" if channels == 1 else f"the {channels} blank kernels"
        more = " and the bias" if self.bias else ""
        return (
            f"Find numbers for {what}{more} of filter {self.map} so that map {self.map} of {node.name} becomes its target, "
            "which stands at the right end of the sheet. Any numbers that give it are right."
        )

    def draw(self, draft: HandoutDraft, number: int) -> None:
        """Blank kernels, and the target beside everything else."""
        k, of = self.map - 1, draft.content.grids
        # What a student types is shown as it is: a format that fits the right numbers would tell of them.
        weight = draft.variant.parameters[f"{self.layer}.weight"]
        style = draft.style("todo_number", palette.number_format(weight) if draft.key else "General")
        asked = tuple(grid for key in self._keys for _, grid in flat(of[f"{self.layer}.{key}"][k]))
        for grid in asked:
            draft.leave_blank(grid, np.ndindex(grid.rows, grid.columns), style)
        right = draft.variant.values[f"{self.layer}.output"]
        target, own = right[k] + 0.0, of[f"{self.layer}.output"][k]
        place = Grid(own.sheet, own.top, draft.content.pages[self.layer].columns + 3, own.rows, own.columns)
        sheet = draft.book[own.sheet]
        put(sheet, place.top - 1, place.left, f"target of map {self.map}", "label")
        draft.name(f"{self.layer}_target_{self.map}", place)
        draft.fill(own.sheet, CellBlock(place, target, draft.style("formula", palette.number_format(right))))
        colour(sheet, area_of(place), map_scale(right))
        if number in draft.live:
            tolerance = self.tolerance * (1 + float(np.abs(target).max()))
            draft.boxes.append(Box(number, own, target, tolerance, float(target.max()), shown=place, given=asked))

    def grade(self, work: Work, number: int) -> Graded:
        variant, k = work.variant, self.map - 1
        weight, bias = work.kernels(self.layer, k, self.bias)
        if np.isnan(weight).all():
            return Graded(0.0, self.points, 0, 0, ["the kernel was left blank"])
        # What a filter of zeros gives already is no merit.
        target = variant.values[f"{self.layer}.output"][k]
        given, nothing = (self.map_of(variant, np.nan_to_num(numbers), bias) for numbers in (weight, np.zeros_like(weight)))
        scale = 1 + float(np.abs(target).max())
        counts = np.abs(nothing - target) > self.tolerance * scale
        right = np.abs(given - target) <= self.tolerance * scale
        if not counts.any():
            counts = np.ones_like(right)
        spoilt = int((~right & ~counts).sum())
        cells, good = int(counts.sum()), max(0, int((right & counts).sum()) - spoilt)
        remarks = [] if good == cells else [f"the map equals its target in {int(right.sum()):,} of {right.size:,} cells"]
        return Graded(round(self.points * good / cells, 2), self.points, good, cells, remarks)

    def map_of(self, variant: Variant, weight: np.ndarray, bias: float) -> np.ndarray:
        """The map that a filter of these numbers makes of what was handed out."""
        node, k = node_of(variant.network, self.layer), self.map - 1
        xs, right = variant.read_by(node)
        numbers = {key: array.copy() for key, array in right.items()}
        numbers["weight"][k] = weight
        if self.bias:
            numbers["bias"][k] = bias
        return node.layer.activated(*xs, **numbers)[k]
