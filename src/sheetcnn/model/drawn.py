"""Which steps of a network are drawn besides its maps, and which layers show on their own sheet what they read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from ..arrays.array import Shape
from .network import Network, Node
from .settings import INPUT, MAX_STEPS

Steps = Literal[
    "compact", "products", "steps"
]  # no more than formulas need; products and sums; sums also without activation
MOST_PICTURES = 254  # of more, the formula of a pixel that chooses among them would be too long
MOST_CHANNELS = 16  # a layer that reads more of them does not show them once more
MOST_COLUMNS = 500  # nor maps that are wider
MOST_NUMBERS = 400  # nor a vector of more
MOST_WEIGHTS = 4_000  # of a fully connected layer that are shown as maps
MOST_CELLS = 100_000  # of all that layers read; in larger networks none is shown once more


@dataclass(frozen=True)
class Drawn:
    """What is drawn: the steps of each layer, "compact" where nothing is said, and the layers with mirrors.

    Of `folded` layers the weights are shown as maps besides. With `training` the backward pass and so many `updates` of the
    weights are drawn, too; then the target is an answer, or `typed`, and each update may take the next of several `pictures`.
    """

    steps: Mapping[str, Steps] = field(default_factory=dict)
    mirrors: frozenset[str] = frozenset()
    folded: frozenset[str] = frozenset()
    training: bool = False
    typed: bool = False
    updates: int = 1
    pictures: int = 1

    def of(self, name: str) -> Steps:
        """The steps of a layer."""
        return self.steps.get(name, "compact")

    def description(self) -> dict[str, Any]:
        """As plain data, as a workbook carries it along."""
        found = {"detail": dict(self.steps), "mirrors": sorted(self.mirrors), "folded": sorted(self.folded)}
        training: dict[str, Any] = {"typed": self.typed} | ({"steps": self.updates} if self.updates > 1 else {})
        training |= {"pictures": self.pictures} if self.pictures > 1 else {}
        return found | ({"training": training} if self.training else {})


PLAIN = Drawn()  # no more than formulas need


def drawn_from(data: Mapping[str, Any], network: Network) -> Drawn:
    """What a workbook says of itself. Raises ValueError."""
    detail = data["detail"]
    names = [node.name for node in network.nodes]
    if isinstance(detail, str):  # of version 0.1
        detail = dict.fromkeys(names, detail)
    if not isinstance(detail, dict) or not set(detail) <= set(names) or not set(detail.values()) <= {*get_args(Steps)}:
        raise ValueError(f"unknown detail {detail!r:.40}")
    training = data.get("training")
    if training is not None and not _is_training(training):
        raise ValueError(f"unknown training {training!r:.40}")
    return Drawn(
        detail,
        _listed(data.get("mirrors", []), {node.name for node in network.nodes if can_mirror(node)}),
        _listed(data.get("folded", []), {node.name for node in network.nodes if maps_behind(network, node) is not None}),
        training is not None,
        training is not None and training["typed"],
        1 if training is None else training.get("steps", 1),
        1 if training is None else training.get("pictures", 1),
    )


def _is_training(data: Any) -> bool:
    if not isinstance(data, dict) or type(data.get("typed")) is not bool:
        return False
    steps, pictures = data.get("steps", 1), data.get("pictures", 1)
    return type(steps) is type(pictures) is int and 1 <= steps <= MAX_STEPS and 1 <= pictures <= MOST_PICTURES


def _listed(names: Any, known: set[str]) -> frozenset[str]:
    if not isinstance(names, list) or not all(isinstance(name, str) and name in known for name in names):
        raise ValueError(f"unknown layers {names!r:.40}")
    return frozenset(names)


def can_mirror(node: Node) -> bool:
    """Whether a layer's formulas can read mirrors: not where they need what they read in its place, nor read it elsewhere."""
    return node.live and node.layer.mirrors and not node.layer.wide(*node.in_shapes)


def mirrored(network: Network, wanted: bool | None) -> frozenset[str]:
    """The layers that show what they read: all that can, none, or those for which it costs little."""
    if wanted is False:
        return frozenset()
    found = [node for node in network.nodes if can_mirror(node)]
    if wanted is None:
        cells = sum(int(np.prod(shape, dtype=object)) for node in network.nodes for shape in node.in_shapes)
        found = [node for node in found if cells <= MOST_CELLS and _few(node)]
    return frozenset(node.name for node in found)


def _few(node: Node) -> bool:
    """Whether so few channels and numbers are read that there is room for them on a layer's sheet."""
    channels = sum(shape[0] if len(shape) == 3 else 1 for shape in node.in_shapes)
    fit = all(shape[2] <= MOST_COLUMNS if len(shape) == 3 else shape[0] <= MOST_NUMBERS for shape in node.in_shapes)
    return channels <= MOST_CHANNELS and fit


def folded(network: Network) -> frozenset[str]:
    """The fully connected layers whose weights are shown as maps."""
    return frozenset(
        node.name
        for node in network.nodes
        if (maps := maps_behind(network, node)) is not None
        and node.shape[0] * int(np.prod(maps[1], dtype=object)) <= MOST_WEIGHTS
    )


def maps_behind(network: Network, node: Node) -> tuple[str, Shape] | None:
    """The maps that a fully connected layer reads as one vector, by their layer's name; None where it reads something else."""
    if not (node.live and node.layer.folds) or node.share is not None:
        return None
    name = node.inputs[0]
    while name != INPUT:
        before = network.by_name[name]
        if before.layer.unrolls and len(before.in_shapes[0]) == 3:
            return before.inputs[0], before.in_shapes[0]
        if not (before.layer.cellwise or before.layer.family == "passing"):
            return None
        name = before.inputs[0]
    return None
