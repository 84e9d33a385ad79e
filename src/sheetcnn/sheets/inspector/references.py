"""How the inspector's formulas point at its own cells."""

from __future__ import annotations

from ...arrays.grid import Grid
from .table import AT, FIELDS, Inspector

MOST_CHOSEN = 30  # LibreOffice's CHOOSE takes no more (seen with 7.4)


class References:
    """The texts of cells, seen from the visible or the hidden sheet; `places` are all named rectangles."""

    def __init__(self, inspector: Inspector, places: dict[str, Grid]) -> None:
        self.inspector, self.places = inspector, places
        self.visible, self.hidden = places["inspector_layer"].sheet, places["inspector_table"].sheet

    def area(self, name: str, sheet: str) -> str:
        """All of a rectangle."""
        return self.places[f"inspector_{name}"].seen_from(sheet).area

    def cell(self, name: str, row: int, column: int, sheet: str) -> str:
        """One of its cells."""
        return self.places[f"inspector_{name}"].seen_from(sheet).at(row, column)

    def fixed(self, name: str, row: int, column: int, sheet: str) -> str:
        """The same cell, written with $."""
        grid = self.places[f"inspector_{name}"]
        top, left = grid.top + row * grid.spacing[0], grid.left + column * grid.spacing[1]
        return Grid(grid.sheet, top, left, 1, 1).seen_from(sheet).area

    def column(self, name: str, column: int, sheet: str) -> str:
        """A column of a rectangle."""
        grid = self.places[f"inspector_{name}"]
        return Grid(grid.sheet, grid.top, grid.left + column, grid.rows, 1).seen_from(sheet).area

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
        stacks = self.inspector.stacks.values()
        spans = [index(stack.span(self.visible), place) if stack.id in known else "0" for stack in stacks]
        return self.choose(which, spans)

    def choose(self, which: str, options: list[str]) -> str:
        """What differs between layers or stacks; where nothing does, no CHOOSE."""
        if len(set(options)) == 1:
            return options[0]
        first, others = options[:MOST_CHOSEN], options[MOST_CHOSEN:]
        found = f"CHOOSE({which},{','.join(first)})"
        return f"IF({which}<={MOST_CHOSEN},{found},{self.choose(f'{which}-{MOST_CHOSEN}', others)})" if others else found


def index(area: str, place: str) -> str:
    """A cell of an area; of an area of one cell itself, since not every program takes INDEX of that."""
    return f"INDEX({area},{place})" if ":" in area else area
