"""Predict the shape: output sizes and parameter counts left blank in the layer table."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from ...arrays.grid import Grid
from ...model.network import Network, Node
from ...model.settings import INPUT, Text
from ...xlsx.cells import Cell, CellBlock
from ...xlsx.labels import put
from ..draft import EXERCISE, Box, HandoutDraft
from ..marking import Graded, Tally, Work
from ..variant import Variant
from .task import Task, node_of

NEAR = 1e-3  # numbers are whole
HEADS = ("channels", "rows", "columns", "parameters")
LINE_LENGTH = 56  # of a layer's words in a line of the table


class Shapes(Task):
    """Sizes and parameters of layers, to be typed into a table."""

    kind: ClassVar[str] = "shapes"
    asks_sizes: ClassVar[bool] = True
    below: ClassVar[bool] = True

    layer: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None  # which layers; all, where not given

    def check(self, network: Network) -> None:
        self.nodes(network)

    def nodes(self, network: Network) -> list[Node]:
        """The layers that are asked for."""
        return [node_of(network, name) for name in self.layer] if self.layer else list(network.nodes)

    def wanted(self, network: Network) -> list[list[int | None]]:
        """What is to be typed, a row for each layer; None where nothing is asked."""
        found: list[list[int | None]] = []
        for node in self.nodes(network):
            size: list[int | None] = list(node.shape) if len(node.shape) == 3 else [node.shape[0], None, None]
            found.append([*size, node.parameter_count])
        return found

    def instruction(self, variant: Variant, number: int) -> str:
        return (
            "Predict the size of each layer's output and the number of its parameters (weights and biases): "
            "fill in the table below."
        )

    def draw_table(self, draft: HandoutDraft, number: int, row: int) -> int:
        """The layer table with blanks."""
        sheet, network, wanted = draft.home, draft.variant.network, self.wanted(draft.variant.network)
        put(sheet, row, 3, f"task {number}: layer and its settings", "head")
        for column, head in enumerate(HEADS, start=4):
            put(sheet, row, column, head, "head_right")
        place = Grid(EXERCISE, row + 1, 4, len(wanted), len(HEADS))
        draft.name(f"task_{number}_shapes", place)
        values = np.array([[np.nan if n is None else float(n) for n in line] for line in wanted])
        style, blank = draft.style("answer", "0"), draft.style("blank")
        cells = {
            (i, j): Cell(blank if np.isnan(values[i, j]) else style, None, float(values[i, j]) if draft.key else np.nan)
            for i, j in np.ndindex(values.shape)
        }
        draft.fill(EXERCISE, CellBlock(place, values, style, None, cells=cells))
        before = INPUT
        for line, node in enumerate(self.nodes(network), start=row + 1):
            reads = "" if node.inputs == (before,) else f"  ← {', '.join(node.inputs)}"
            settings = node.layer.setting_words()
            put(sheet, line, 3, f"{node.name}{reads}  ·  {node.layer.type}" + (f": {settings}" if settings else ""), "body")
            sheet.row_dimensions[line].height = 27 if len(f"{node.name}{reads}{settings}") > LINE_LENGTH else 16
            before = node.name
        if number in draft.live:
            # A fingerprint is of a whole number of steps, which must not be too many of them.
            draft.boxes.append(Box(number, place, values, min(0.4, max(NEAR, np.nanmax(values) / 4e7)), typed=True))
        return row + len(wanted) + 2

    def grade(self, work: Work, number: int) -> Graded:
        wanted = self.wanted(work.variant.network)
        given = work.answers(f"task_{number}_shapes", len(wanted), len(HEADS))
        tally = Tally()
        for node, row, answers in zip(self.nodes(work.variant.network), wanted, given, strict=True):
            for head, want, have in zip(HEADS, row, answers, strict=True):
                if want is None:
                    continue
                where = f"{head if len(node.shape) == 3 or head == 'parameters' else 'numbers'} of {node.name}"
                if have is None or have == "":
                    tally.add(where, "left blank")
                elif not isinstance(have, float):
                    tally.add(where, "a text where a number is needed")
                else:
                    tally.add(where, *(() if abs(have - want) <= NEAR else ("wrong", f"is {have:.10g}, should be {want}")))
        return tally.graded(self.points)
