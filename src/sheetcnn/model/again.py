"""What back sheets show once more of others, so that cause and effect stand on one screen."""

from __future__ import annotations

from dataclasses import replace

from ..arrays.array import Array, mirror, same, same_cell
from .network import Node

BEFORE = "before_"  # before the keys of parameters as they are before a step
READS = "back_reads"  # the label of what a layer reads
MOST_NUMBERS = 4_000  # of an array that is shown once more beside its gradient


def before_step(parameter: Array) -> list[Array]:
    """A parameter beside its gradient, so that kernel − rate · gradient reads like the equation; none where that is too much."""
    return [again(parameter, BEFORE)] if parameter.count <= MOST_NUMBERS else []


def read_back(node: Node, shown: Array) -> Array:
    """What a layer reads, with the padding that it wants."""
    found = mirror(node.name, shown, 1, 1, node.layer.margin(*node.in_shapes))
    return replace(found, key=f"{READS}_1", label=READS)


def again(shown: Array, before: str) -> Array:
    """An array of a layer on its back sheet, its names with something before them."""
    return Array(f"{before}{shown.key}", shown.shape, same, same_cell, owner=shown.owner, label=f"{before}{shown.label}",
                 role="view", grid_axes=shown.grid_axes, inputs=(shown,), spacing=shown.spacing)  # fmt: skip
