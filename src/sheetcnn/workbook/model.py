"""All that a workbook shows, gathered before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..costs import Cost, costs
from ..layers.base import Arrays
from ..layout import Page
from ..network import Network


@dataclass(frozen=True)
class Model:
    """All that a workbook shows: the network, its numbers, and where every grid goes."""

    network: Network
    detail: str
    parameters: dict[str, Arrays]
    values: dict[str, Arrays]  # what NumPy computed, by layer and key
    pages: dict[str, Page]
    pngs: dict[str, bytes]  # the input as pictures, by name
    inspector: bool = False
    gallery: int = 0  # how many cells the gallery may have; 0: there is none
    pictures: dict[str, np.ndarray] = field(default_factory=dict)  # by name, where there are several to choose from
    home: str = "Overview"  # the first sheet, to which the others link back
    saved: dict[str, Arrays] | None = None  # the values to write, where colours and formats are made for others

    @property
    def written(self) -> dict[str, Arrays]:
        """The values that cells are written with."""
        return self.values if self.saved is None else self.saved

    @cached_property
    def costs(self) -> dict[str, Cost]:
        """What each layer costs, by name."""
        return costs(self.network)
