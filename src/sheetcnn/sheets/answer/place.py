"""How much room the answer needs on a sheet of square cells."""

from __future__ import annotations

from ...arrays.grid import Grid
from ...model.network import Network
from ..page import room_for
from .content import answer_sizes

HEAD = 4  # rows above the bars: the answer, whether it is right, a blank one, the full bar
BAR_COLUMNS, NUMBER_COLUMNS = 7, 3
MOST_NAME, LEAST_NAME = 8, 3  # columns


def answer_room(network: Network) -> tuple[int, int]:
    """Rows and columns that the answer needs."""
    rows, _ = answer_sizes(network, "", False)["_bar"]
    return HEAD + rows, _name_columns(network) + BAR_COLUMNS + NUMBER_COLUMNS


def answer_places(network: Network, room: Grid, home: str, truth: bool) -> dict[str, Grid]:
    """Where each of the answer's rectangles stands in its room; of wide cells the first column."""
    names = room.left + _name_columns(network) - 1  # right-aligned: longer ones reach to the left
    bars, numbers = names + 1, names + 1 + BAR_COLUMNS
    first = room.top + HEAD
    corners = {
        "answer": (room.top, room.left + LEAST_NAME), "verdict": (room.top + 1, room.left),
        "truly": (room.top + 1, room.left + LEAST_NAME), "full": (first - 1, numbers),
        "name": (first, names), "bar": (first, bars), "number": (first, numbers),
    }  # fmt: skip
    sizes = answer_sizes(network, home, truth)
    return {name: Grid(room.sheet, *corners[name.removeprefix(f"{home}_")], *size) for name, size in sizes.items()}


def _name_columns(network: Network) -> int:
    return min(MOST_NAME, max(LEAST_NAME, *(room_for(name) + 1 for name in network.answers)))
