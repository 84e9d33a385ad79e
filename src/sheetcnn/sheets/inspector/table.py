"""Which layers can be looked into, and the table of their geometry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...arrays.array import Array, Margin
from ...arrays.grid import Grid, Grids, flat
from ...layers.base import Layer, Reduction
from ...model.graph import Graph
from ...model.network import Network, Node
from ...model.trace import activation_of, compared

INSPECTOR = "Inspector"  # the sheet
TABLE = "_inspector"  # the hidden sheet with its table and its arithmetic
MOST_LAYERS, MOST_TERMS, LARGEST = 60, 64, 12  # layers, windows for one cell, and rows or columns of a window
KINDS = ("sum", "largest", "mean")

# The columns of the table. Places on a sheet count from the first cell of the first grid of a stack.
FIELDS = (
    "maps",
    "rows",
    "columns",
    "kind",
    "terms",
    "height",
    "width",
    "own",
    "source",
    "has_kernel",
    "has_bias",
    "has_activation",
    "maps_each",
    "filters",
    "group",
    "depth",
    "level_stride",
    "level_start",
    "level_step",
    "divisor",
    "down",
    "top",
    "step_down",
    "hole_down",
    "height_in",
    "count_top",
    "count_bottom",
    "along",
    "left",
    "step_along",
    "hole_along",
    "width_in",
    "count_left",
    "count_right",
    "pitch_in",
    "pitch_out",
    "pitch_bias",
    "kernel_filter_down",
    "kernel_channel_down",
    "kernel_down",
    "kernel_filter_along",
    "kernel_term_along",
    "kernel_along",
)
PLACES = FIELDS[FIELDS.index("pitch_in") :]  # those that say how far grids stand apart
CHOICES = ("layer", "map", "row", "column")
AT = (*CHOICES, "filter", "depth", "channel", "level", "top", "left", "divisor")  # places after the choices count from 0
ROW = ("term", "line", "source", "kernel", "offset")  # of each line of windows
MARKS = (
    "first channel",
    "last channel",
    "first row",
    "last row",
    "first column",
    "last column",
    "rows",
    "columns",
    "channels",
)
RESULTS = ("together", "bias", "total", "activated", "cell", "tick")


@dataclass(frozen=True)
class Stack:
    """Maps of one layer one below the other on a sheet, in which windows and cells are outlined."""

    id: str  # of the array
    name: str  # of the cells that say what is outlined
    grids: list[Grid]
    margin: Margin

    @property
    def pitch(self) -> int:
        return self.grids[1].top - self.grids[0].top if len(self.grids) > 1 else self.grids[0].bottom - self.grids[0].top + 1


@dataclass(frozen=True)
class Inspected:
    """A layer that can be looked into."""

    node: Node
    reduction: Reduction
    source: Stack
    own: Stack
    kernels: list[list[Grid]]
    biases: list[Grid]
    cells: list[Grid]  # what the result is compared with: the maps, or the pre-activations

    @property
    def activation(self) -> Layer | None:
        return activation_of(self.node)


def inspectable(network: Network) -> list[Node]:
    """The layers with windows that are few and small enough to be shown."""
    found = []
    for node in network.nodes:
        reduction = node.layer.reduction(*node.in_shapes)
        if reduction is not None and reduction.terms <= MOST_TERMS and max(reduction.window.size) <= LARGEST:
            found.append(node)
    return found[:MOST_LAYERS]


class Inspector:
    """All cells of the inspector: `grids` has those of all arrays, by their ids."""

    def __init__(self, graph: Graph, grids: dict[str, Grids]) -> None:
        self.graph, self.network = graph, graph.network
        self.stacks: dict[str, Stack] = {}
        layers = [self._layer(node, grids) for node in inspectable(self.network)]
        self.layers = [layer for layer in layers if _regular(layer, self._geometry(layer))]
        self.displaced = [layer.node.name for layer in layers if layer not in self.layers]  # grids were cut and pasted

    def _layer(self, node: Node, grids: dict[str, Grids]) -> Inspected:
        reduction = node.layer.reduction(*node.in_shapes)
        assert reduction is not None
        own = self._stack(self.graph.output(node.name), grids, self.graph.margin(node.name))
        if reduction.source is None:
            read = self.graph.output(node.inputs[0])
            source = self._stack(read, grids, self.graph.margin(read.owner))
        else:
            spread = self.graph.get(node.name, reduction.source)
            source = self._stack(spread, grids, spread.margin)
        kernels = _listed(grids[f"{node.name}.{reduction.kernel}"]) if reduction.kernel else []
        biases = list(grids.get(f"{node.name}.bias", []))
        return Inspected(node, reduction, source, own, kernels, biases, grids[compared(self.graph, node).id])

    def _stack(self, array: Array, grids: dict[str, Grids], margin: Margin) -> Stack:
        name = array.owner if array is self.graph.output(array.owner) else f"{array.owner}_{array.key}"
        return self.stacks.setdefault(name, Stack(array.id, f"{name}_inspected", grids[array.id], margin))

    # -- the table ---------------------------------------------------------------------------------------------------
    def _geometry(self, layer: Inspected) -> dict[str, int]:
        node, reduction, source, kernels = layer.node, layer.reduction, layer.source, layer.kernels
        window = reduction.window
        stacks = list(self.stacks)
        first = source.grids[0]
        wide = node.layer.wide(*node.in_shapes)
        found = {
            "maps": node.shape[0],
            "rows": node.shape[1],
            "columns": node.shape[2],
            "kind": KINDS.index(reduction.kind) + 1,
            "terms": reduction.terms,
            "height": window.size[0],
            "width": window.size[1],
            "own": stacks.index(node.name) + 1,
            "source": [stack is source for stack in self.stacks.values()].index(True) + 1,
            "has_kernel": int(bool(kernels)),
            "has_bias": int(bool(layer.biases)),
            "has_activation": int(layer.activation is not None),
            "maps_each": reduction.maps,
            "filters": reduction.filters,
            "group": reduction.group,
            "depth": reduction.depth,
            "divisor": reduction.divisor,
            "pitch_in": source.pitch,
            "pitch_out": layer.cells[1].top - layer.cells[0].top if len(layer.cells) > 1 else 0,
            "pitch_bias": layer.biases[1].top - layer.biases[0].top if len(layer.biases) > 1 else 0,
        }
        found |= dict(zip(("level_stride", "level_start", "level_step"), reduction.levels, strict=True))
        for axis, (stride, start, step, hole, size, before, after) in enumerate(
            (
                ("down", "top", "step_down", "hole_down", "height_in", "count_top", "count_bottom"),
                ("along", "left", "step_along", "hole_along", "width_in", "count_left", "count_right"),
            )
        ):
            extent = (first.bottom - first.top, first.right - first.left)[axis] + 1
            found |= {stride: window.stride[axis], start: window.before[axis], step: window.dilation[axis]}
            found |= {hole: first.spacing[axis], size: extent}
            found |= {before: reduction.counted_padding[axis], after: reduction.counted_padding[axis + 2]}
        found |= dict.fromkeys(FIELDS[-6:], 0)
        if kernels:
            one = kernels[0][0]
            found |= {"kernel_down": one.spacing[0], "kernel_along": one.spacing[1]}
            if wide:
                found["kernel_channel_down"] = source.pitch
                found["kernel_filter_along"] = kernels[1][0].left - one.left if len(kernels) > 1 else 0
            else:
                found["kernel_filter_down"] = kernels[1][0].top - one.top if len(kernels) > 1 else 0
                found["kernel_term_along"] = kernels[0][1].left - one.left if len(kernels[0]) > 1 else 0
        return found

    @cached_property
    def table(self) -> np.ndarray:
        """A row of numbers for each layer."""
        rows = [self._geometry(layer) for layer in self.layers]
        return np.array([[row[field] for field in FIELDS] for row in rows], dtype=float)

    @cached_property
    def names(self) -> list[list[str]]:
        """The layers in the drop-down."""
        return [[layer.node.name] for layer in self.layers]

    @cached_property
    def words(self) -> list[list[str]]:
        """For each layer what the results are called: what is read, what windows give, the activation, the cell."""
        return [
            [
                layer.node.inputs[0] if layer.reduction.source is None else f"{layer.node.inputs[0]}, spread out",
                _together(layer.reduction),
                "no activation" if layer.activation is None else f"{layer.activation.type}(total)",
                "the cell on its sheet" if layer.cells is layer.own.grids else "the pre-activation on its sheet",
            ]
            for layer in self.layers
        ]

    @cached_property
    def labels(self) -> list[list[str]]:
        """The names of channels, and beside them those of a colour picture."""
        count = max(len(layer.source.grids) for layer in self.layers)
        colours = ["R", "G", "B"] if self.network.input.channels == 3 else []
        return [
            [f"channel {c + 1}", f"channel {colours[c]}" if c < len(colours) else f"channel {c + 1}"] for c in range(count)
        ]

    # -- sizes -------------------------------------------------------------------------------------------------------
    @cached_property
    def lines(self) -> int:
        """How many rows of cells the windows of a layer take at most."""
        return max(layer.reduction.terms * (layer.reduction.window.size[0] + 1) for layer in self.layers)

    @cached_property
    def widths(self) -> tuple[int, int]:
        """Columns of the widest window, and of the widest kernel."""
        kernels = [layer.reduction.window.size[1] for layer in self.layers if layer.kernels]
        return max(layer.reduction.window.size[1] for layer in self.layers), max(kernels, default=0)

    @cached_property
    def longest(self) -> int:
        """How many numbers a drop-down has at most."""
        return int(self.table[:, :3].max())

    @cached_property
    def activates_each(self) -> bool:
        """Whether a layer has an activation of each channel's sum."""
        return any(layer.reduction.term_activation is not None for layer in self.layers)

    def first_choice(self) -> dict[str, Any]:
        """What is shown at first: a cell in the middle of the first layer's first map."""
        _, rows, columns = self.layers[0].node.shape
        return {"layer": self.layers[0].node.name, "map": 1, "row": (rows + 1) // 2, "column": (columns + 1) // 2}

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of every named rectangle on the visible and the hidden sheet, in the order of drawing."""
        window, kernel = self.widths
        visible = {f"inspector_{choice}": (1, 1) for choice in CHOICES}
        visible |= {
            "inspector_limit": (3, 1),
            "inspector_source": (1, 1),
            "inspector_first": (2, 1),
            "inspector_last": (2, 1),
        }
        visible |= {"inspector_word": (len(RESULTS), 1), "inspector_result": (len(RESULTS), 1), "inspector_scale": (2, 1)}
        visible |= {"inspector_divisor": (1, 1)}
        visible |= {"inspector_channel": (self.lines, 1), "inspector_window": (self.lines, window)}
        if kernel:
            visible |= {"inspector_kernel": (self.lines, kernel), "inspector_product": (self.lines, kernel)}
            visible |= {"inspector_sum": (self.lines, 1)}
        if self.activates_each:
            visible |= {"inspector_part": (self.lines, 1)}
        return visible

    def hidden_sizes(self) -> dict[str, tuple[int, int]]:
        """The same for the hidden sheet."""
        return {
            "inspector_layers": (len(self.layers), 1),
            "inspector_table": (len(self.layers), len(FIELDS)),
            "inspector_words": (len(self.layers), 4),
            "inspector_labels": (len(self.labels), 2),
            "inspector_numbers": (self.longest, 3),
            "inspector_chosen": (1, len(FIELDS)),
            "inspector_at": (1, len(AT)),
            "inspector_marks": (len(MARKS), 2),
            "inspector_columns": (2, self.widths[0]),
            "inspector_lines": (self.lines, len(ROW)),
        } | ({"inspector_total": (self.lines, 1)} if self.widths[1] else {})


def _listed(grids: Grids) -> list[list[Grid]]:
    """Kernels by filter and term, whatever numbers the terms."""
    return [[grid for _, grid in flat(of_filter)] for of_filter in grids]


def _regular(layer: Inspected, geometry: dict[str, int]) -> bool:
    """Whether all grids stand where the table says: always, unless a sheet was cut up by hand."""
    reduction, kernels = layer.reduction, layer.kernels
    for grids, pitch in (
        (layer.source.grids, geometry["pitch_in"]),
        (layer.cells, geometry["pitch_out"]),
        (layer.biases, geometry["pitch_bias"]),
    ):
        places = [(g.sheet, g.top - grids[0].top, g.left - grids[0].left) for g in grids]
        if any(place != (grids[0].sheet, n * pitch, 0) for n, place in enumerate(places)):
            return False
    for k, of_filter in enumerate(kernels):
        first = k // reduction.filters * reduction.group
        for t, grid in enumerate(of_filter):
            down = k * geometry["kernel_filter_down"] + (first + t) * geometry["kernel_channel_down"]
            along = k * geometry["kernel_filter_along"] + t * geometry["kernel_term_along"]
            first_of_all = kernels[0][0]
            place = grid.sheet, grid.top - first_of_all.top, grid.left - first_of_all.left
            if place != (first_of_all.sheet, down, along):
                return False
    return True


def chosen(inspector: Inspector, choice: dict[str, Any]) -> tuple[int, tuple[int, ...]]:
    """The number of the layer that is chosen, and the place as the inspector takes it: the nearest that there is, from 0."""
    number = [layer.node.name.lower() for layer in inspector.layers].index(str(choice["layer"]).lower())
    shape = inspector.layers[number].node.shape
    return number, tuple(_clamped(choice[key], size) for key, size in zip(CHOICES[1:], shape, strict=True))


def _clamped(value: Any, size: int) -> int:
    """A choice as the inspector takes it: the nearest that there is, counted from 0."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else size
    return int(np.floor(max(1, min(number, size)) + 0.5)) - 1


def _together(reduction: Reduction) -> str:
    """What the windows of a cell give together, in words."""
    words = {"sum": "Σ of the sums", "largest": "largest of the window", "mean": "Σ of the window"}[reduction.kind]
    return words if reduction.sum_activation is None else f"{reduction.sum_activation.type}({words})"
