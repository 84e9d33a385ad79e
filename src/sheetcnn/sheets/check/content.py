"""What the Check sheet computes: which output grids an edit has reached."""

from __future__ import annotations

import numpy as np

from ...arrays.array import Values
from ...arrays.computed_range import TOLERANCE, ComputedRange
from ...arrays.grid import Grid, Grids, flat
from ...model.graph import Graph
from ...model.network import Network, Node

CHECK = "Check"  # the sheet


def outputs(graph: Graph, grids: dict[str, Grids]) -> list[tuple[str, tuple[int, ...], Grid]]:
    """The output grids in the order of the Check sheet's rows: each one's layer, its index, and where it is."""
    arrays = [graph.output(node.name) for node in _reached(graph.network)]
    return [(array.owner, index, grid) for array in arrays for index, grid in flat(grids[array.id])]


def _reached(network: Network) -> list[Node]:
    """The layers that an edit may reach: those that are live, where any are."""
    return [node for node in network.nodes if node.live] or [*network.nodes]


def check_sizes(network: Network) -> dict[str, tuple[int, int]]:
    """Rows and columns of the Check sheet's named columns."""
    rows = sum(node.shape[0] if len(node.shape) == 3 else 1 for node in _reached(network))
    return {f"check_{name}": (rows, 1) for name in ("sum_built", "sum", "largest_built", "largest", "state")}


def check_views(
    graph: Graph,
    grids: dict[str, Grids],
    places: dict[str, Grid],
    values: Values,
    built: tuple[np.ndarray, np.ndarray],
) -> list[ComputedRange]:
    """The live columns of the Check sheet, written for that of the sums; `built` are the sums and the largest values when the workbook was made."""
    rows = outputs(graph, grids)
    sheet = places["check_sum"].sheet
    places = {name: grid.seen_from(sheet) for name, grid in places.items()}  # people move one to another sheet
    areas = [grid.seen_from(sheet).area for *_, grid in rows]
    arrays = [values[f"{layer}.output"][index] for layer, index, _ in rows]
    sums, largest = ([float(measure(array)) for array in arrays] for measure in (np.sum, np.max))
    state = [
        int(abs(s - s0) + abs(m - m0) > float(TOLERANCE) * (1 + abs(s0) + abs(m0)))
        for s, m, s0, m0 in zip(sums, largest, *built, strict=True)
    ]

    def changed(i: int, _: int) -> str:
        s0, s, m0, m = (places[f"check_{name}"].at(i, 0) for name in ("sum_built", "sum", "largest_built", "largest"))
        return f"IF(ABS({s}-{s0})+ABS({m}-{m0})<={TOLERANCE}*(1+ABS({s0})+ABS({m0})),0,1)"

    return [
        ComputedRange("check_sum", lambda i, _: f"SUM({areas[i]})", [[n] for n in sums]),
        ComputedRange("check_largest", lambda i, _: f"MAX({areas[i]})", [[n] for n in largest]),
        ComputedRange("check_state", changed, [[n] for n in state]),
    ]
