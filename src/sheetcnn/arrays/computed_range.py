"""Computed cells of an added sheet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TOLERANCE = "0.000000001"  # of comparisons on the sheets, as formulas write it
MOST_CHOSEN = 30  # LibreOffice's CHOOSE takes no more (seen with 7.4)


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


def choose(which: str, options: list[str]) -> str:
    """The option with this number, counted from 1, as a formula; where all are the same, that one."""
    if len(set(options)) == 1:
        return options[0]
    first, others = options[:MOST_CHOSEN], options[MOST_CHOSEN:]
    found = f"CHOOSE({which},{','.join(first)})"
    return f"IF({which}<={MOST_CHOSEN},{found},{choose(f'{which}-{MOST_CHOSEN}', others)})" if others else found
