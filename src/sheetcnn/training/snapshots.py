"""What a network was like after some epochs, as files of arrays have it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from ..arrays.array import Values
from ..model.network import Network, Node
from ..model.weights import looked_for

LOSS_DECIMALS = 6  # more of them hang on the processor


@dataclass(frozen=True)
class Snapshot:
    """A network's weights after an epoch, and what these measure on pictures from which nothing is learned."""

    epoch: int
    weights: Values  # as `load_parameters` calls them
    loss: float
    right: int  # how many of the pictures it is right on


def recorded(epochs: int) -> list[int]:
    """The epochs that are kept of so many: 0, 1, 2, 5, 10, 20, 50 …, none close to the last, and the last."""
    kept = [0]
    for power in range(len(str(epochs))):
        kept += [step * 10**power for step in (1, 2, 5) if 2 * step * 10**power <= epochs]
    return [*kept, epochs]


def moving(network: Network) -> dict[str, bool]:
    """The arrays that training changes, and whether by gradients: running means follow the pictures."""
    return {
        f"{node.name}.{key}": key in node.layer.trainable(*node.in_shapes)
        for node in network.nodes
        if node.share is None and node.train
        for key in node.layer.all_parameters(*node.in_shapes)
    }


def weights_file(network: Network, weights: Values) -> Values:
    """The arrays of a file of weights: all that training changes, and what the network file does not say of others."""
    return {
        f"{node.prefix}.{key}": node.layer.to_file(key, weights[f"{node.name}.{key}"])
        for node, key in _kept(network)
        if node.train or looked_for(node, key)
    }


def snapshots_file(network: Network, snapshots: Sequence[Snapshot], held_out: int) -> Values:
    """The arrays of a file of recorded epochs: `epoch`, the measured `loss` and `accuracy`, and each array that training changes, an epoch after the other."""
    arrays = {
        f"{node.prefix}.{key}": np.stack([node.layer.to_file(key, one.weights[f"{node.name}.{key}"]) for one in snapshots])
        for node, key in _kept(network)
        if node.train
    }
    return arrays | {
        "epoch": np.array([one.epoch for one in snapshots]),
        "loss": np.round([one.loss for one in snapshots], LOSS_DECIMALS),
        "accuracy": np.array([one.right / held_out for one in snapshots]),
    }


def save(stream: BinaryIO, arrays: Values) -> None:
    """Write arrays as an .npz file."""
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]


def _kept(network: Network) -> Iterator[tuple[Node, str]]:
    for node in network.nodes:
        if node.share is None:
            yield from ((node, key) for key in node.layer.all_parameters(*node.in_shapes))
