"""What an engine is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

Place = tuple[str, int, int]  # sheet, row, column
Answer = float | str | bool  # errors are told by their text
TIME = 20.0  # seconds that an engine may take for a workbook


class Engine(Protocol):
    """Who computes cells of workbooks; what it does not know is missing from its answer."""

    name: str

    def compute(self, books: Sequence[bytes], cells: Mapping[Place, str]) -> list[dict[Place, Answer]]:
        """The values of cells in each of several workbooks; the cells' formulas stand beside them."""
