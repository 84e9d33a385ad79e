"""A layer that can be looked into, and the steps to a cell of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...arrays.grid import Grids
from ...layers.reduction import Reduction
from ...model.graph import Graph
from ...model.network import Node
from ...model.trace import LARGEST, Done, final_of, reduction_of
from .stack import KernelPitch, Stack

MOST_LAYERS, MOST_TERMS, MOST_ORIGINS = 60, 64, 8  # layers, windows for one cell, single cells for one cell
MOST_PICTURED = 4  # channels that are all shown as thumbnails beside their windows; of more the first, all having one place
SHOT = 16  # rows and columns of a thumbnail; of larger maps it shows every second cell, or third …
FINE = 3  # rows of thumbnails beside one row of numbers


@dataclass(frozen=True)
class Box:
    """A number on the way to the cell, with the sign before it and the words above it."""

    kind: str  # "together", "number" (beside an operation's sign), "function", "so far" or "cell"
    sign: str
    head: str
    done: Done | None = None


@dataclass(frozen=True)
class Inspected:
    """A layer that can be looked into."""

    node: Node
    reduction: Reduction
    windowed: bool  # whether windows slide; else single cells are read
    reads: list[Stack]
    own: Stack
    cells: Stack  # what the result is compared with: the maps, or the pre-activations
    kernels: Grids
    pitch: KernelPitch | None
    done: list[Done]

    @cached_property
    def boxes(self) -> list[Box]:
        """The steps from what is read to the cell."""
        found, counted, acted = [Box("together", "", _together(self.reduction))], False, False
        for done in self.done:
            one = done.operation
            if one.function is not None and counted:
                found.append(Box("so far", "=", "sum" if self.kernels else "so far"))
            acted = acted or one.function is not None
            counted = not acted
            found.append(Box("number" if one.function is None else "function", one.sign, one.label, done))
        acts = self.node.layer.final is None or final_of(self.node) is not None
        return [*found, Box("cell", "=", "cell on its sheet" if acts else "sum on its sheet")]

    @property
    def pictured(self) -> int:
        """How many of its windows have a thumbnail beside them."""
        if self.reduction.folded or min(self.reads[0].size) == 1:
            return 0
        return self.reduction.terms if self.reduction.terms <= MOST_PICTURED else 1

    @property
    def lines(self) -> int:
        """Lines of numbers from one window to the next."""
        all_ = self.pictured == self.reduction.terms
        high = [-(-rows_shown(stack, self.shot) // FINE) for stack in self.reads] if all_ else []
        return max([self.reduction.window.size[0], *high]) + 1

    @property
    def shot(self) -> tuple[int, int]:
        """Which cells its thumbnails show, and how large."""
        return shot(max(stack.size[0] for stack in self.reads), max(stack.size[1] for stack in self.reads))


def shot(rows: int, columns: int) -> tuple[int, int]:
    """Every which cell of a map of such a size a thumbnail shows, and how many cells high and wide it shows each."""
    largest = max(rows, columns)
    return (largest - 1) // SHOT + 1, max(1, SHOT // largest)


def rows_shown(stack: Stack, shot: tuple[int, int]) -> int:
    """How many rows a thumbnail of a stack's grids has."""
    step, zoom = shot
    return ((stack.size[0] - 1) // step + 1) * zoom


def unlisted(graph: Graph) -> tuple[list[Node], dict[str, str]]:
    """The layers that can be looked into, and of the others why not."""
    found: list[Node] = []
    why: dict[str, str] = {}
    for node in graph.network.nodes:
        reduction = reduction_of(graph, node)
        single = node.layer.reduction(*node.in_shapes) is None
        if not node.live:
            why[node.name] = "not live: numbers that NumPy computed"
        elif reduction is None:
            why[node.name] = "no sum over windows or over a few cells"
        elif reduction.terms > (MOST_ORIGINS if single else MOST_TERMS):
            why[node.name] = f"more than {MOST_ORIGINS if single else MOST_TERMS} windows for one cell"
        elif max(reduction.window.size) > LARGEST:
            why[node.name] = f"a window larger than {LARGEST}×{LARGEST}"
        elif len(found) == MOST_LAYERS:
            why[node.name] = f"beyond {MOST_LAYERS} layers"
        else:
            found.append(node)
    return found, why


def _together(reduction: Reduction) -> str:
    """What the windows of a cell give together, in words."""
    if reduction.kernel is not None:
        words = "Σ of the products" if reduction.terms == 1 else "Σ of the sums"
        return words if reduction.sum_activation is None else f"{reduction.sum_activation.type}({words})"
    return {
        "largest": "largest of the window",
        "mean": "Σ of the window",
        "squares": "Σ of squares",
        "sum": "sum of the cells",
        "product": "product of the cells",
        "difference": "first − second",
        "cell": "the cell it reads",
    }[reduction.kind]
