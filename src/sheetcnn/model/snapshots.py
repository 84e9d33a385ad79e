"""Recorded epochs: what a network's numbers were at some points of its training, and what was measured there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..a1 import MAX_ROWS
from ..arrays.array import Values
from ..errors import LimitError, NetworkError, located
from .archives import Arrays, open_file
from .network import Network, Node

EPOCH = "epoch"  # the array of their numbers
MEASURED = ("loss", "accuracy")  # arrays of what was measured at each, on pictures from which nothing was learned
MOST = 200  # epochs
MOST_NUMBERS = 2_000_000  # of all parameters in all epochs: each is a cell
ROOM = 100  # rows that are kept free for what else stands on their sheet


@dataclass(frozen=True)
class Recorded:
    """The recorded epochs of a network."""

    epochs: tuple[int, ...]
    parameters: Values  # by their ids, an epoch after the other
    measured: Values  # a number for each epoch, by what it is

    @property
    def last(self) -> Values:
        """The parameters after the last epoch."""
        return {name: numbers[-1] for name, numbers in self.parameters.items()}

    @property
    def layers(self) -> frozenset[str]:
        """The layers that have them."""
        return frozenset(name.rpartition(".")[0] for name in self.parameters)


def load_snapshots(network: Network, folder: Path) -> Recorded:
    """The recorded epochs that a network file names, every number checked; `folder` is where it lies.

    Raises NetworkError where it names none, or its file has no such arrays, and LimitError where they are too many.
    """
    name = network.training.snapshots
    with located(file=network.source, setting="training.snapshots"):
        if name is None:
            raise NetworkError(
                f'{network.source}: has no recorded epochs: write  snapshots = "FILE.npz"  below [training]; '
                "`sheetcnn train` records them"
            )
        archive = open_file(network, folder, "snapshots", name)
        epochs = _epochs(archive)
        found = {one: own for one, own in _expected(network) if f"{own[0].prefix}.{own[1]}" in archive.names}
        if not found:
            raise NetworkError(f"{archive.where}: has no array of any layer, such as {_first(network)}; record them anew")
        _refuse_many(archive, found, len(epochs))
        parameters = {one: _stack(archive, node, key, len(epochs)) for one, (node, key) in found.items()}
        measured = {key: _finite(archive, key, (len(epochs),)) for key in MEASURED if key in archive.names}
    return Recorded(epochs, parameters, measured)


def _expected(network: Network) -> Iterator[tuple[str, tuple[Node, str]]]:
    """The id of each parameter that may be recorded, with its layer and its key there."""
    for node in network.nodes:
        if node.share is None:
            yield from ((f"{node.name}.{key}", (node, key)) for key in node.layer.all_parameters(*node.in_shapes))


def _first(network: Network) -> str:
    return next((f"{node.prefix}.{key}" for _, (node, key) in _expected(network)), "conv1.weight")


def _epochs(archive: Arrays) -> tuple[int, ...]:
    """The numbers of the epochs, which must rise."""
    shape = archive.shape(EPOCH) if EPOCH in archive.names else None
    if shape is None or len(shape) != 1:
        raise NetworkError(
            f"{archive.where}: needs an array {EPOCH!r} with the numbers of the epochs, such as 0, 1, 2, 5, 10"
        )
    if not 1 <= shape[0] <= MOST:
        raise LimitError(f"{archive.where}: has {shape[0]:,} epochs; record 1 to {MOST} of them")
    numbers = _finite(archive, EPOCH, shape)
    if (numbers != np.rint(numbers)).any() or (np.diff(numbers) <= 0).any() or numbers[0] < 0 or numbers[-1] > 1e9:
        raise NetworkError(f"{archive.where}: {EPOCH}: must be whole numbers from 0 on that rise, such as 0, 1, 2, 5, 10")
    return tuple(int(n) for n in numbers)


def _refuse_many(archive: Arrays, found: dict[str, tuple[Node, str]], epochs: int) -> None:
    """Raise LimitError where a workbook cannot hold so many numbers, a row for each parameter and a column for each epoch."""
    rows = sum(int(np.prod(node.layer.all_parameters(*node.in_shapes)[key], dtype=object)) for node, key in found.values())
    if rows * epochs > MOST_NUMBERS or rows > MAX_ROWS - ROOM - 2 * len(found):
        raise LimitError(
            f"{archive.where}: {epochs} epochs of {rows:,} parameters are {rows * epochs:,} numbers; a workbook takes "
            f"{MOST_NUMBERS:,}; record fewer epochs"
        )


def _stack(archive: Arrays, node: Node, key: str, epochs: int) -> np.ndarray:
    """A parameter's numbers, an epoch after the other."""
    shape = node.layer.file_shape(key, node.layer.all_parameters(*node.in_shapes)[key])
    numbers = _finite(archive, f"{node.prefix}.{key}", (epochs, *shape))
    return np.stack([node.layer.from_file(key, one) for one in numbers])


def _finite(archive: Arrays, name: str, shape: tuple[int, ...]) -> np.ndarray:
    numbers = archive.read(name, shape)
    if numbers.shape != shape:
        raise NetworkError(f"{archive.where}: {name}: has the shape {list(numbers.shape)}, not {list(shape)}")
    if not np.isfinite(numbers).all():
        raise NetworkError(
            f"{archive.where}: {name}: has numbers that are not finite; a workbook can hold finite numbers only"
        )
    return numbers
