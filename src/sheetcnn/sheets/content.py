"""All that a workbook shows, gathered before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..arrays.array import Values
from ..arrays.grid import Grids
from ..model.costs import Cost, costs
from ..model.graph import Graph
from ..model.network import Network
from ..model.snapshots import Recorded
from .answer.content import gives_answer
from .page import Page


@dataclass(frozen=True)
class WorkbookContent:
    """All that a workbook shows: the network, its numbers, and where every grid goes."""

    graph: Graph
    values: Values  # of all its arrays
    pages: dict[str, Page]
    pngs: dict[str, bytes]  # the input as pictures, by name
    inspector: bool = False
    gallery: int = 0  # how many cells the gallery may have; 0: there is none
    pictures: dict[str, np.ndarray] = field(default_factory=dict)  # by name, where there are several to choose from
    truth: dict[str, int] = field(
        default_factory=dict
    )  # the number of the label that is right, 0 where none is known, by picture
    home: str = "Overview"  # the first sheet, to which the others link back
    pixel_range: tuple[float, float] = (0.0, 255.0)  # the darkest and the lightest number of the input
    random: frozenset[str] = frozenset()  # layers whose weights are random numbers
    learning: dict[str, Page] = field(default_factory=dict)  # of the backward pass: the loss, back sheets, the step
    banks: dict[str, Page] = field(default_factory=dict)  # hidden: of several pictures, and of kernels to choose from
    right: dict[str, str] = field(default_factory=dict)  # the right answer of each picture, by its name
    recorded: Recorded | None = None  # epochs to choose from
    saved: Values | None = None  # the values to write, where colours and formats are made for others

    @property
    def network(self) -> Network:
        return self.graph.network

    @cached_property
    def grids(self) -> dict[str, Grids]:
        """Where every array is, by its id."""
        return {
            name: grids
            for page in (*self.pages.values(), *self.learning.values(), *self.banks.values())
            for name, grids in page.grids.items()
        }

    @property
    def knows_truth(self) -> bool:
        """Whether the right answer to any picture is known."""
        return gives_answer(self.network) and any(self.truth.values())

    @property
    def written(self) -> Values:
        """The values that cells are written with."""
        return self.values if self.saved is None else self.saved

    @cached_property
    def costs(self) -> dict[str, Cost]:
        """What each layer costs, by name."""
        return costs(self.network)
