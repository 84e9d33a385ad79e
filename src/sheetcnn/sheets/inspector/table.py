"""Which layers can be looked into, and the tables of their geometry."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ...arrays.array import Array, Margin
from ...arrays.grid import Grid, Grids, flat
from ...layers.reduction import Reduction
from ...model.graph import Graph
from ...model.network import Node
from ...model.settings import INPUT
from ...model.trace import as_maps, compared, folds, operations_of, reads, reduction_of
from .inspected import FINE, SHOT, Inspected, shot, unlisted
from .stack import NAMED, KernelPitch, Stack, kernel_pitch

NOTHING = "none"  # where the hidden sheet has no text: of a blank cell programs make texts of different kinds
INSPECTOR = "Inspector"  # the sheet
TABLE = "_inspector"  # the hidden sheet with its tables and its arithmetic
LONGEST = 1000  # numbers in a drop-down

# The columns of the table of layers. Places count from 0.
FIELDS = (
    "maps", "rows", "columns", "terms", "height", "width", "pitch", "pictured", "shot_high", "shot_step", "shot_zoom", "own_step",
    "own_zoom", "own", "source", "windowed", "has_kernel",
    "vector", "maps_each", "filters", "group", "depth", "level_stride", "level_start", "level_step", "down", "top",
    "step_down", "count_top", "count_bottom", "along", "left", "step_along", "count_left", "count_right", "fold", "counted",
    "divisor", "kernel_filter_down", "kernel_channel_down", "kernel_term_down", "kernel_down", "kernel_filter_along",
    "kernel_channel_along", "kernel_term_along", "kernel_along", "kernel_fold",
)  # fmt: skip
PLACES = FIELDS[FIELDS.index("kernel_filter_down") :]  # those that say how far grids stand apart
STACK = (
    "rows",
    "columns",
    "hole_down",
    "hole_along",
    "pitch_down",
    "pitch_along",
    "named",
    "shade",
)  # the columns of that of stacks
CHOICES = ("layer", "map", "row", "column")
AT = (*CHOICES, "filter", "depth", "channel", "level", "top", "left", "divisor", "digits")
ORIGIN = ("stack", "channel", "row", "column")  # of each single cell that is read
TERM = ("stack", "channel", "top", "left", *STACK[:6], "shade")  # of each window
ROW = ("term", "line", "source", "kernel", "offset")  # of each line of windows
RAY = ("term", "source", "columns", "along", "stack")  # of each row of thumbnails
MARKS = (
    "first channel", "last channel", "first row", "last row", "first column", "last column", "rows", "columns", "channels",
)  # fmt: skip


class Inspector:
    """All cells of the inspector: `grids` has those of all arrays, by their ids."""

    def __init__(self, graph: Graph, grids: dict[str, Grids]) -> None:
        self.graph, self.network, self.grids = graph, graph.network, grids
        self.stacks: dict[str, Stack] = {}
        nodes, self.unlisted = unlisted(graph)
        layers = [self._layer(node) for node in nodes]
        self.layers = [layer for layer in layers if _regular(layer) and self._even(layer.node, grids)]
        self.displaced = [layer.node.name for layer in layers if layer not in self.layers]  # grids were cut and pasted

    def _even(self, node: Node, grids: dict[str, Grids]) -> bool:
        """Whether a layer's biases, and all else that has a grid for each map or filter, still stand below each other."""
        single = [
            array for array in self.graph.of[node.name] if array.grid_axes == 1 and array.role in ("parameter", "shared")
        ]
        return all(_apart_alike(grids[array.id]) for array in single)

    def _layer(self, node: Node) -> Inspected:
        reduction = reduction_of(self.graph, node)
        assert reduction is not None
        found = [self._stack(array, node, reduction) for array in reads(self.graph, node)]
        own = self._stack(self.graph.output(node.name), None, None)
        sums = compared(self.graph, node)
        cells = own if sums.id == own.id else Stack(sums.id, "", _listed(self.grids[sums.id]), (0, 0, 0, 0))
        kernels = [] if reduction.kernel is None else self.grids[f"{node.name}.{reduction.kernel}"]
        if reduction.folded:
            kernels = [[kernels]]
        kernels = [[grid for _, grid in flat(of_filter)] for of_filter in kernels]
        pitch = KernelPitch((1, 0)) if reduction.folded else None
        if kernels and pitch is None:
            pitch = kernel_pitch(kernels, reduction.filters, reduction.group)
        windowed = node.layer.reduction(*node.in_shapes) is not None
        done = operations_of(self.graph, node, reduction)
        return Inspected(node, reduction, windowed, found, own, cells, kernels, pitch, done)

    def _stack(self, array: Array, node: Node | None, reduction: Reduction | None) -> Stack:
        """The stack of an array; what it is called where one layer alone reads it."""
        output = array is self.graph.output(array.owner)
        name = array.owner if output else f"{array.owner}_{array.key}"
        if name in self.stacks:
            return self.stacks[name]
        shown = array.inputs[0] if array.role == "mirror" else array
        margin: Margin = array.margin if not output else self.graph.margin(array.owner)
        prefix, named = f"{shown.owner} map", "channel"
        if shown.owner == INPUT:
            prefix, named = "channel", "colour" if shown.shape[0] == 3 else "channel"
        elif node is not None and reduction is not None and reduction.source is not None:
            prefix = f"{node.inputs[0]} map"
            if reduction.folded:
                before = folds(self.graph, node)
                prefix, named = ("inputs from", "column") if before is None else (f"{before.inputs[0]} map", "term")
        elif len(shown.shape) == 1:
            prefix, named = f"{shown.owner} row", "row"
        shade = int(shown is self.graph.output(INPUT))
        grids = _listed(self.grids[array.id])
        stack = Stack(array.id, f"{name}_inspected", grids, margin, prefix, NAMED.index(named) + 1, shade)
        return self.stacks.setdefault(name, stack)

    # -- the tables --------------------------------------------------------------------------------------------------
    def number(self, stack: Stack) -> int:
        """A stack's number, from 1."""
        return [one is stack for one in self.stacks.values()].index(True) + 1

    def _geometry(self, layer: Inspected) -> dict[str, int]:
        node, reduction = layer.node, layer.reduction
        window, pitch = reduction.window, layer.pitch or KernelPitch()
        maps, rows, columns = as_maps(node.shape)
        width, cells = window.size[1], window.size[0] * window.size[1]
        found = {
            "maps": maps,
            "rows": rows,
            "columns": columns,
            "terms": reduction.terms,
            "height": window.size[0],
            "width": width,
            "pitch": layer.lines,
            "pictured": layer.pictured,
            "shot_high": self.high(layer),
            "shot_step": layer.shot[0],
            "shot_zoom": layer.shot[1],
            "own_step": shot(*layer.own.size)[0],
            "own_zoom": shot(*layer.own.size)[1],
            "own": self.number(layer.own),
            "source": self.number(layer.reads[0]),
            "windowed": int(layer.windowed),
            "has_kernel": int(bool(layer.kernels)),
            "vector": int(len(node.shape) == 1),
            "maps_each": reduction.maps,
            "filters": reduction.filters,
            "group": reduction.group,
            "depth": reduction.depth,
            "fold": width if reduction.folded else 0,
            "counted": int(reduction.kind == "mean"),
            "divisor": reduction.divisor,
            "kernel_fold": width if reduction.folded else 0,
        }
        found |= dict(zip(("level_stride", "level_start", "level_step"), reduction.levels, strict=True))
        for axis, (stride, start, step, before, after) in enumerate(
            (
                ("down", "top", "step_down", "count_top", "count_bottom"),
                ("along", "left", "step_along", "count_left", "count_right"),
            )
        ):
            moves = not reduction.folded
            found |= {stride: window.stride[axis] * moves, start: window.before[axis], step: window.dilation[axis]}
            found |= {before: reduction.counted_padding[axis], after: reduction.counted_padding[axis + 2]}
        for axis, way in enumerate(("down", "along")):
            found |= {
                f"kernel_filter_{way}": pitch.by_filter[axis],
                f"kernel_channel_{way}": pitch.by_channel[axis],
                f"kernel_term_{way}": pitch.by_term[axis],
                f"kernel_{way}": layer.kernels[0][0].spacing[axis] if layer.kernels else 0,
            }
        if reduction.folded:
            found |= {"step_down": 0, "kernel_down": 0, "kernel_term_along": cells}
        return found

    @cached_property
    def table(self) -> np.ndarray:
        """A row of numbers for each layer."""
        rows = [self._geometry(layer) for layer in self.layers]
        return np.array([[row[field] for field in FIELDS] for row in rows], dtype=float)

    @cached_property
    def places(self) -> np.ndarray:
        """A row of numbers for each stack."""
        return np.array(
            [[*s.size, *s.grids[0].spacing, *s.pitch, s.named, s.shade] for s in self.stacks.values()], dtype=float
        )

    @cached_property
    def names(self) -> list[list[str]]:
        """The layers in the drop-down."""
        return [[layer.node.name] for layer in self.layers]

    def texts(self, which: str) -> list[list[str]]:
        """For each layer the signs ("sign") or the words ("head") of its steps, `NOTHING` where there are none."""
        rows = [[getattr(box, which) or NOTHING for box in layer.boxes] for layer in self.layers]
        return [row + [NOTHING] * (self.boxes - len(row)) for row in rows]

    # -- sizes -------------------------------------------------------------------------------------------------------
    @cached_property
    def boxes(self) -> int:
        """How many steps a layer has at most."""
        return max(len(layer.boxes) for layer in self.layers)

    @cached_property
    def terms(self) -> int:
        """How many windows a layer has at most."""
        return max(layer.reduction.terms for layer in self.layers)

    @cached_property
    def origins(self) -> int:
        """How many single cells a layer reads at most."""
        return max((layer.reduction.terms for layer in self.layers if not layer.windowed), default=1)

    @cached_property
    def lines(self) -> int:
        """How many lines of numbers the windows of a layer take at most."""
        return max(layer.reduction.terms * layer.lines for layer in self.layers)

    @cached_property
    def rays(self) -> int:
        """How many rows of thumbnails those of a layer take at most."""
        return max(layer.pictured * self.high(layer) for layer in self.layers)

    @staticmethod
    def high(layer: Inspected) -> int:
        """Rows from one thumbnail to the next; the only one may reach beside other windows."""
        return FINE * layer.lines if layer.pictured == layer.reduction.terms else SHOT

    @cached_property
    def widths(self) -> tuple[int, int]:
        """Columns of the widest window, and of the widest kernel."""
        kernels = [layer.reduction.window.size[1] for layer in self.layers if layer.kernels]
        return max(layer.reduction.window.size[1] for layer in self.layers), max(kernels, default=0)

    @property
    def counted(self) -> int:
        """How many numbers from 0 on are written as such, so that formulas of one kind differ in references only."""
        return max(self.lines, self.rays, self.terms, self.longest, SHOT)

    @cached_property
    def longest(self) -> int:
        """How many numbers a drop-down has at most."""
        return min(LONGEST, int(self.table[:, :3].max()))

    @cached_property
    def activates_each(self) -> bool:
        """Whether a layer has an activation of each channel's sum."""
        return any(layer.reduction.term_activation is not None for layer in self.layers)

    def first_choice(self) -> dict[str, Any]:
        """What is shown at first: a cell in the middle of the first layer's first map."""
        _, rows, columns = as_maps(self.layers[0].node.shape)
        return {"layer": self.layers[0].node.name, "map": 1, "row": (rows + 1) // 2, "column": (columns + 1) // 2}

    def constants(self) -> dict[str, list[list[str]]]:
        """The texts on the hidden sheet that nobody computes, by the names of their rectangles."""
        prefixes = [[stack.prefix] for stack in self.stacks.values()]
        found = {"layers": self.names, "prefixes": prefixes, "signs": self.texts("sign"), "heads": self.texts("head")}
        return {f"inspector_{name}": texts for name, texts in found.items()}

    def tables(self) -> dict[str, np.ndarray]:
        """The numbers there that nobody computes."""
        count = np.arange(float(self.counted))[:, None]
        return {"inspector_table": self.table, "inspector_stacks": self.places, "inspector_count": count}

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of every named rectangle on the visible sheet, in the order of drawing."""
        window, kernel = self.widths
        visible = {f"inspector_{choice}": (1, 1) for choice in CHOICES}
        visible |= {f"inspector_{name}": (1, 1) for name in (*LIMITS, "note", "sentence", "reaches", "tick", "map_name")}
        visible |= {"inspector_scale": (len(SIZES), 1)}
        visible |= {"inspector_sign": (1, self.boxes), "inspector_head": (1, self.boxes), "inspector_box": (1, self.boxes)}
        if self.rays:
            visible |= {"inspector_shot": (self.rays, SHOT), "inspector_shot_mark": (self.rays, 2)}
            visible |= {"inspector_shot_shade": (self.rays, 1)}
        visible |= {"inspector_map_shot": (SHOT, SHOT), "inspector_map_mark": (SHOT, 2)}
        visible |= {"inspector_channel": (self.lines, 1), "inspector_window": (self.lines, window)}
        visible |= {"inspector_window_shade": (self.lines, 1)}
        if kernel:
            visible |= {"inspector_kernel": (self.lines, kernel), "inspector_product": (self.lines, kernel)}
            visible |= {"inspector_sum": (self.lines, 1)}
        if self.activates_each:
            visible |= {"inspector_part": (self.lines, 1)}
        return visible

    def spacings(self) -> dict[str, tuple[int, int]]:
        """How far the cells of named rectangles lie apart, where they are not neighbours."""
        lines = dict.fromkeys(("channel", "window", "window_shade", "kernel", "product", "sum", "part"), (FINE, 1))
        boxes = dict.fromkeys(("sign", "head", "box"), (1, BOX_COLUMNS))
        return {f"inspector_{name}": spacing for name, spacing in (lines | boxes).items()}

    def hidden_sizes(self) -> dict[str, tuple[int, int]]:
        """The same for the hidden sheet."""
        found = {
            "layers": (len(self.layers), 1),
            "table": (len(self.layers), len(FIELDS)),
            "stacks": (len(self.stacks), len(STACK)),
            "prefixes": (len(self.stacks), 1),
            "signs": (len(self.layers), self.boxes),
            "heads": (len(self.layers), self.boxes),
            "count": (self.counted, 1),
            "numbers": (self.longest, 3),
            "chosen": (1, len(FIELDS)),
            "at": (1, len(AT)),
            "origins": (len(self.layers), self.origins * len(ORIGIN)),
            "terms": (self.terms, len(TERM)),
            "across": (1, self.widths[0]),
            "lines": (self.lines, len(ROW)),
            "found": (self.lines, self.widths[0]),
            "marks": (len(MARKS), 2),
            "steps": (len(self.layers), self.boxes),
            "results": (len(self.layers), 2),
            "sentences": (len(self.layers), 1),
            "map_rays": (SHOT, len(RAY)),
            "offsets": (2, SHOT),
        }
        if self.rays:
            found["rays"] = (self.rays, len(RAY))
        if self.widths[1]:
            found["total"] = (self.lines, 1)
        return {f"inspector_{name}": size for name, size in found.items()}


SIZES = ("read", "kernel", "product", "own")  # of the largest numbers, for the colours
LIMITS = ("maps", "rows", "columns")
BOX_COLUMNS = 8  # of a step


def _listed(grids: Grids) -> list[Any]:
    """The grids of maps, or the one of a vector, in a list."""
    return [grid for _, grid in flat(grids)]


def _apart_alike(grids: list[Grid]) -> bool:
    """Whether grids stand one below the other, as far apart as the first two."""
    pitch = grids[1].top - grids[0].top if len(grids) > 1 else 0
    places = [(grid.sheet, grid.left, grid.top - n * pitch) for n, grid in enumerate(grids)]
    return len(set(places)) == 1


def _regular(layer: Inspected) -> bool:
    """Whether all grids stand where the tables say: always, unless a sheet was cut up by hand."""
    stacks = [*layer.reads, layer.own, layer.cells]
    return all(stack.regular for stack in stacks) and (layer.pitch is not None or not layer.kernels)


def chosen(inspector: Inspector, choice: dict[str, Any]) -> tuple[int, tuple[int, ...]]:
    """The number of the layer that is chosen, and the place as the inspector takes it: the nearest that there is, from 0."""
    number = [layer.node.name.lower() for layer in inspector.layers].index(str(choice["layer"]).lower())
    shape = as_maps(inspector.layers[number].node.shape)
    return number, tuple(_clamped(choice[key], size) for key, size in zip(CHOICES[1:], shape, strict=True))


def _clamped(value: Any, size: int) -> int:
    """A choice as the inspector takes it: the nearest that there is, counted from 0."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else size
    return int(np.floor(max(1, min(number, size)) + 0.5)) - 1


def zeros(values: list[list[Any]]) -> dict[tuple[int, int], set[str]]:
    """Where a cell may be a blank one of the sheet: to LibreOffice a formula that points at it gives no 0 but ""."""
    return {(i, j): {""} for i, row in enumerate(values) for j, value in enumerate(row) if value == 0 and value != ""}
