"""Formulas that are written for a whole grid at once are the same, letter by letter, as those written cell by cell."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from networks import Case, cases

from sheetcnn.arrays.grid import Grid
from sheetcnn.arrays.pattern import FEWEST, Moving, pattern_of
from sheetcnn.model.limits import graph_of
from sheetcnn.model.network import parse_network
from sheetcnn.sheets.layout import drawn_for, lay_out
from sheetcnn.sheets.step.place import grids_of

NETWORKS = int(os.environ.get("NETWORKS", "100"))
GRID = Grid("other%", 3, 30, 60, 60).seen_from("own")
Write = Callable[[Any], str]


def texts_of(write: Write, index: tuple[int, ...], rows: int, columns: int) -> list[list[str]] | None:
    pattern = pattern_of(write, index, rows, columns)
    return None if pattern is None else [pattern.texts(i) for i in range(rows)]


def test_by_hand() -> None:
    """Rows move by 2 and columns by 3; AA follows Z; a % in a sheet's name stays one."""
    pattern = pattern_of(
        lambda at: f"SUM({Grid('50%', 1, 20, 9, 9).seen_from('own').window(2 * at[0], 3 * at[1], 2, 2)})", (), 4, 9
    )
    assert pattern is not None
    assert pattern.texts(1)[:3] == ["SUM('50%'!T3:U4)", "SUM('50%'!W3:X4)", "SUM('50%'!Z3:AA4)"]
    assert len(pattern.texts(1)) == 9


MOVES: dict[str, Write] = {
    "a cell": lambda at: GRID.at(at[0], at[1]),
    "turned": lambda at: GRID.at(at[1], at[0]),
    "backwards": lambda at: GRID.at(20 - at[0], 20 - 2 * at[1]),
    "a window": lambda at: f"MAX({GRID.window(at[0] * 2 - 1, at[1] * 3 - 2, 3, 4)})",
    "in steps": lambda at: f"IF({GRID.at(2 * at[0], at[1])}>0,{at[1] + 1}*50%,{GRID.area})",
}
LOOKS: dict[str, Write] = {
    "divided": lambda at: GRID.at(at[0], at[1] // 2),
    "the rest": lambda at: GRID.at(at[0] % 2, at[1]),
    "at the edge": lambda at: GRID.at(at[0], max(0, at[1] - 1)),
    "the first column": lambda at: "0" if at[1] == 0 else GRID.at(at[0], at[1]),
    "not the first row": lambda at: GRID.at(at[0], at[1]) if at[0] else "0",
    "a list": lambda at: GRID.at(at[0], [0, 1, 3, 2, 4, 5, 6, 7][at[1]]),
    "a slice": lambda at: f"{[1, 2, 3][: at[1]]}{GRID.at(at[0], at[1])}",
    "a square": lambda at: GRID.at(at[0], at[1] * at[1]),
    "its text": lambda at: "0" if GRID.at(at[0], at[1]).endswith("D3") else GRID.at(at[0], at[1]),
    "a half": lambda at: GRID.at(at[0], int(at[1] * 0.5)),
    "a number of NumPy": lambda at: GRID.at(at[0], int(np.arange(8)[at[1]])),
    "the same along a row": lambda at: GRID.at(at[0], 0),
}


@pytest.mark.parametrize("how", MOVES)
def test_what_moves_has_a_pattern(how: str) -> None:
    write = MOVES[how]
    if how == "turned":  # its column changes with the row
        assert texts_of(write, (), 6, 8) is None
    else:
        assert texts_of(write, (), 6, 8) == [[write((i, j)) for j in range(8)] for i in range(6)]


@pytest.mark.parametrize("how", LOOKS)
def test_what_looks_at_its_place_has_none(how: str) -> None:
    assert texts_of(LOOKS[how], (), 6, 8) is None


def test_a_place_is_no_number() -> None:
    place = Moving(0, 1, 0)
    assert {place: 1}[Moving(0, 1, 0)] == 1
    for look in (lambda: place == 3, lambda: bool(place), lambda: place < 3, lambda: [1][place], lambda: place / 2):  # type: ignore[index,operator]
        with pytest.raises(TypeError):
            look()


def test_random_networks() -> None:
    """Every formula of random networks of all layers, steps and mirrors; of most kinds some have patterns."""
    found: Counter[str] = Counter()

    def compare(case: Case) -> None:
        network = parse_network(case.network, "net.toml")
        graph = graph_of(network, drawn_for(network, case.options.get("detail", "auto"), None))
        pages = lay_out(graph)
        grids = grids_of([*pages.values()])
        for name, page in pages.items():
            for array in graph.of[name]:
                if array.formula is None or len(array.shape) - array.grid_axes != 2:
                    continue
                write = array.written(grids, page.sheet)
                for index in array.indexes():
                    rows, columns = array.size
                    texts = texts_of(write, index, rows, columns)
                    if texts is not None:
                        found[next((n.layer.type for n in network.nodes if n.name == name), name)] += 1
                        assert texts == [[write((*index, i, j)) for j in range(columns)] for i in range(rows)], array.id

    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]
    drawn = settings(
        max_examples=NETWORKS, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=checks
    )
    seed(5)(drawn(given(cases())(compare)))()
    assert len(found) > 10, found
    assert FEWEST > 1
