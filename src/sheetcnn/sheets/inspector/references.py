"""How the inspector's formulas point at its own cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from ...a1 import LETTERS
from ...arrays.computed_range import choose
from ...arrays.grid import Grid
from .table import AT, FIELDS, Inspector


class References:
    """The texts of cells, seen from the visible or the hidden sheet; `places` are all named rectangles."""

    def __init__(self, inspector: Inspector, places: dict[str, Grid]) -> None:
        self.inspector, self.places = inspector, places
        self.visible, self.hidden = places["inspector_layer"].sheet, places["inspector_table"].sheet

        self._seen: dict[tuple[str, str], Grid] = {}
        self._spans: dict[str, str] = {}  # by the array's id
        self._texts: dict[tuple[str, int, int, str], str] = {}

    def _at(self, name: str, sheet: str) -> Grid:
        """A rectangle for formulas on a sheet: thousands of them ask for the same few."""
        if (grid := self._seen.get((name, sheet))) is None:
            grid = self._seen[name, sheet] = self.places[f"inspector_{name}"].seen_from(sheet)
        return grid

    def area(self, name: str, sheet: str) -> str:
        """All of a rectangle."""
        return self._at(name, sheet).area

    def cell(self, name: str, row: int, column: int, sheet: str) -> str:
        """One of its cells."""
        return self._at(name, sheet).at(row, column)

    def fixed(self, name: str, row: int, column: int, sheet: str) -> str:
        """The same cell, written with $."""
        key = (name, row, column, sheet)
        if (text := self._texts.get(key)) is None:
            grid = self._at(name, sheet)
            top, left = grid.top + row * grid.spacing[0], grid.left + column * grid.spacing[1]
            text = self._texts[key] = f"{grid.prefix}${LETTERS[left]}${top}"
        return text

    def column(self, name: str, column: int, sheet: str) -> str:
        """A column of a rectangle."""
        grid = self._at(name, sheet)
        return Grid(grid.sheet, grid.top, grid.left + column, grid.rows, 1, prefix=grid.prefix).area

    def count(self, number: int, sheet: str) -> str:
        """A cell that holds this number."""
        return self.fixed("count", number, 0, sheet)

    def of(self, field: str, sheet: str) -> str:
        """A number of the chosen layer."""
        return self.fixed("chosen", 0, FIELDS.index(field), sheet)

    def at(self, field: str, sheet: str) -> str:
        """A number of the chosen place."""
        return self.fixed("at", 0, AT.index(field), sheet)

    def of_stack(self, which: str, place: str, known: set[str]) -> str:
        """A cell of the stack with this number, among those of these arrays."""
        if not self._spans:
            self._spans = {stack.id: stack.span(self.visible) for stack in self.inspector.stacks.values()}
        spans = [index(span, place) if id_ in known else "0" for id_, span in self._spans.items()]
        return self.choose(which, spans)

    choose = staticmethod(choose)  # between what differs from layer to layer, or from stack to stack


def index(area: str, place: str) -> str:
    """A cell of an area; of an area of one cell itself, since not every program takes INDEX of that."""
    return f"INDEX({area},{place})" if ":" in area else area


class Pointing(Protocol):
    """What points at cells of an inspector by their names."""

    def area(self, name: str, sheet: str) -> str:
        """What is typed."""

    def at(self, field: str, sheet: str) -> str:
        """What is shown."""

    def of(self, field: str, sheet: str) -> str:
        """How many there are."""


def place_note(
    to: Pointing,
    sheet: str,
    names: Iterable[tuple[str, str]],
    sizes: Sequence[int],
    place: Sequence[int],
    choice: Mapping[str, Any],
) -> tuple[str, str]:
    """What is wrong with the place that was chosen, as a formula and as NumPy says it.

    `names` are what is chosen and what there are of it: row and rows.
    """
    texts, values = [], []
    for (name, limit), size, at in zip(names, sizes, place, strict=True):
        typed, shown, most = to.area(name, sheet), to.at(name, sheet), to.of(limit, sheet)
        there = f'IF({most}=1,"1 {name}",{most}&" {limit}")'
        texts.append(f'IF({typed}={shown},"","✗ only "&{there}&": {name} "&{shown}&" is shown  ")')
        given = choice[name]
        right = type(given) in (int, float) and given == at + 1
        there = f"1 {name}" if size == 1 else f"{size} {limit}"
        values.append("" if right else f"✗ only {there}: {name} {at + 1} is shown  ")
    return "&".join(texts), "".join(values)
