"""Computed cells of an added sheet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TOLERANCE = "0.000000001"  # of comparisons on the sheets, as formulas write it


@dataclass(frozen=True)
class ComputedRange:
    """A rectangle of computed cells: its defined name, the text of each formula, and what NumPy says that it shows."""

    name: str
    formula: Callable[[int, int], str]  # row and column, counted from 0
    values: list[list[Any]]  # numbers and texts
    also: dict[tuple[int, int], set[str]] = field(default_factory=dict)  # texts as right: numbers tie, or programs differ

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.values), len(self.values[0])
