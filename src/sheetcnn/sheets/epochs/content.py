"""Recorded epochs: a list chooses one, and every parameter's cell takes the number that it had then."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ...a1 import LETTERS
from ...arrays.array import Array, CellFormula, Shape
from ...arrays.computed_range import ComputedRange
from ...arrays.grid import Grid
from ...errors import NetworkError, located
from ...model.graph import Graph
from ...model.network import Network
from ...model.snapshots import MEASURED, MOST, MOST_NUMBERS, Recorded
from ..kernels.content import built_of, choosable

EPOCHS = "_epochs"  # the hidden sheet: a column for each epoch, a row for each number
CHOICE = "epoch"  # what is chosen
NUMBER = "epoch_number"  # which of the epochs that is
LISTED = "epoch_list"  # the numbers of the epochs


@dataclass(frozen=True)
class Recording:
    """Which epochs a workbook has: how many, of which parameters, and what was measured."""

    count: int
    parameters: tuple[str, ...]  # their ids
    measured: tuple[str, ...]

    def description(self) -> dict[str, Any]:
        """As plain data, as a workbook carries it along."""
        return {"count": self.count, "parameters": list(self.parameters), "measured": list(self.measured)}

    def sizes(self, graph: Graph) -> dict[str, tuple[int, int]]:
        """Rows and columns of the hidden sheet's named rectangles."""
        found = {LISTED: (1, self.count)} | {measured_name(key): (1, self.count) for key in self.measured}
        return found | {bank_name(array): (array.count, self.count) for array in followers(graph, self.parameters)}

    def chosen_sizes(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of what is chosen, and of what was measured then."""
        return dict.fromkeys((CHOICE, NUMBER, *map(chosen_name, self.measured)), (1, 1))


def recording_of(recorded: Recorded) -> Recording:
    """What a workbook has of the epochs that are recorded."""
    return Recording(len(recorded.epochs), tuple(recorded.parameters), tuple(recorded.measured))


def recording_from(data: Any, network: Network) -> Recording | None:
    """What a workbook says of its epochs. Raises ValueError."""
    if data is None:
        return None
    shapes = {
        f"{node.name}.{key}": shape
        for node in network.nodes
        for key, shape in node.layer.all_parameters(*node.in_shapes).items()
    }
    count, parameters, measured = (data[key] for key in ("count", "parameters", "measured"))
    if type(count) is not int or not 1 <= count <= MOST:
        raise ValueError(f"unknown epochs {count!r:.20}")
    for names, allowed in ((parameters, shapes.keys()), (measured, {*MEASURED})):
        if not isinstance(names, list) or not all(isinstance(name, str) and name in allowed for name in names):
            raise ValueError(f"unknown epochs of {names!r:.40}")
    if count * sum(prod(shapes[name]) for name in {*parameters}) > MOST_NUMBERS:
        raise ValueError(f"{count} epochs have too many numbers")
    return Recording(count, tuple(dict.fromkeys(parameters)), tuple(dict.fromkeys(measured)))


def measured_name(key: str) -> str:
    """The name of what was measured at each epoch."""
    return f"epoch_{key}"


def chosen_name(key: str) -> str:
    """The name of what was measured at the chosen one."""
    return f"epoch_{key}_now"


def bank_name(array: Array) -> str:
    """The name of a parameter's numbers in all epochs."""
    return f"epoch_{array.owner}_{array.label}"


def followers(graph: Graph, names: Collection[str]) -> list[Array]:
    """The parameters of which epochs are recorded."""
    return [array for array in graph if array.role == "parameter" and array.id in names]


def follower_of(network: Network, array: Array) -> Array:
    """Where a parameter's recorded numbers are seen: in its own cells, or, where a list can put others there, in the copy as built."""
    listed = array.label == "kernel" and choosable(network.by_name[array.owner])
    return built_of(array, array.spacing) if listed else array


def refuse_names(network: Network) -> None:
    """Raise NetworkError where a layer's name is taken by what epochs draw."""
    for node in network.nodes:
        name = node.name.lower()
        if name in (EPOCHS, "epoch") or name.startswith("epoch_"):
            with located(file=network.source, layer=node.name):
                raise NetworkError(
                    f"{network.source}: {node.title}: name {node.name!r} is taken by the recorded epochs; choose another"
                )


# -- formulas, and the same in NumPy ---------------------------------------------------------------------------------
def recorded_formula(shape: Shape, bank: Grid, number: Grid) -> CellFormula:
    """The function that writes a parameter's cell: the number that it had after the chosen epoch; it may be copied anywhere.

    `bank` has a row for each of its numbers, in order, and a column for each epoch.
    """
    first, last = (f"${LETTERS[column]}$" for column in (bank.left, bank.right))
    steps = [prod(shape[axis + 1 :]) for axis in range(len(shape))]

    def write(at: Shape) -> str:
        row = bank.top + sum(place * step for place, step in zip(at, steps, strict=False))
        return f"INDEX({bank.prefix}{first}{row}:{last}{row},{number.area})"

    return write


def chosen_epoch(choice: Any, epochs: Sequence[float]) -> int | None:
    """Which of the epochs is chosen, counted from 0; None where there is no such epoch."""
    return list(epochs).index(choice) if isinstance(choice, int | float) and choice in epochs else None


def chosen_views(
    places: Mapping[str, Grid], measured: Mapping[str, np.ndarray], chosen: int | None, now: int | None
) -> list[ComputedRange]:
    """Which of the epochs is `chosen`, and what was measured at the one that the workbook shows `now`, counted from 0.

    Written for the sheet on which it is chosen.
    """
    sheet = places[NUMBER].sheet
    seen = {name: grid.seen_from(sheet).area for name, grid in places.items()}
    which = f"MATCH({seen[CHOICE]},{seen[LISTED]},0)"
    views = [ComputedRange(NUMBER, lambda *_: which, [["#N/A" if chosen is None else chosen + 1.0]])]
    for key, numbers in measured.items():
        text = f"INDEX({seen[measured_name(key)]},{seen[NUMBER]})"
        value = "#N/A" if now is None else float(numbers.reshape(-1)[now])
        views.append(ComputedRange(chosen_name(key), lambda *_, text=text: text, [[value]]))
    return views
