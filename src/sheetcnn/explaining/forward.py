"""How one cell of a layer comes about: its windows, kernels, products and sums, as the Inspector shows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays.array import Values, shape_text
from ..errors import NetworkError, located
from ..model.graph import Graph
from ..model.trace import CellTrace, Step, as_maps, reduction_of
from ..plain import near

COUNTED = ("cells", "channels")  # what a sum is divided by


@dataclass(frozen=True)
class Explanation:
    """One cell taken apart. Arrays have a window for each channel: terms × rows × columns; NaN is a blank cell."""

    layer: str
    type: str
    place: tuple[int, int, int]  # map, row, column, from 1
    reads: str
    kind: str  # what is made of the windows: "sum", "largest", "mean" …, or "relu(sum)" where ReLU acts before the bias
    windows: np.ndarray
    kernels: np.ndarray  # none where there are no kernels
    products: np.ndarray
    sums: np.ndarray  # of each window's products
    together: float
    done: list[Step]  # what is done with that, one after the other
    value: float  # of the cell

    @property
    def bias(self) -> float | None:
        """The bias, where there is one."""
        return next((step.number for step in self.done if step.label == "bias"), None)

    @property
    def divisor(self) -> float:
        """What the sum of the windows is divided by."""
        return next((step.number for step in self.done if step.label in COUNTED), 1.0)

    @property
    def total(self) -> float:
        """What there is before an activation."""
        return next((self._before(step) for step in self.done if step.sign == "→"), self._before(None))

    @property
    def activation(self) -> str | None:
        """The activation at the end, where there is one."""
        return self.done[-1].label if self.done and self.done[-1].sign == "→" else None

    def __str__(self) -> str:
        lines = [f"{self.layer} ({self.type}), map {self.place[0]}, row {self.place[1]}, column {self.place[2]}"]
        for number, window in enumerate(self.windows, start=1):
            lines.append(f"window {number} of {self.reads}: {in_one_line(window)}")
            if len(self.kernels):
                lines.append(f"  × kernel {in_one_line(self.kernels[number - 1])} = {self.sums[number - 1]:.6g}")
        lines.append(" ".join(self.steps))
        return "\n".join(lines)

    @property
    def steps(self) -> list[str]:
        """What becomes of the windows, up to the cell: `sum 4`, `+ bias 1`, `= 5`, `relu → 5`."""
        words, counted = [f"{self.kind} {self.together:.6g}"], False
        for step in self.done:
            if step.sign == "→":
                words += [f"= {self._before(step):.6g}"] if counted else []
                words.append(f"{step.label} → {step.number:.6g}")
                counted = False
                continue
            number = f"{step.number:g}" if step.sign == "÷" else f"{step.number:.6g}"
            words.append(f"÷ {number}" if step.label in COUNTED else f"{step.sign} {step.label} {number}")
            counted = True
        return [*words, *([f"= {self.done[-1].so_far:.6g}"] if counted else [])]

    def _before(self, step: Step | None) -> float:
        """What there is before a step, or after all."""
        n = len(self.done) if step is None else self.done.index(step)
        return self.done[n - 1].so_far if n else self.together

    def _repr_html_(self) -> str:
        from ..notebook import numbers, table, text  # only notebooks ask

        place = "map {}, row {}, column {}".format(*self.place)
        rows = []
        for number, window in enumerate(self.windows):
            cells = [number + 1, numbers(window)]
            if len(self.kernels):
                cells += [
                    numbers(self.kernels[number]),
                    numbers(self.products[number], signed=True),
                    f"{self.sums[number]:.4g}",
                ]
            rows.append(cells)
        heads = ("channel", f"window of {self.reads}", "× kernel", "= products", "sum")[: len(rows[0])]
        title = text(f"{self.layer} ({self.type}): {place}")
        return f"<h4>{title}</h4>{table(heads, rows)}<p>{text('  '.join(self.steps))}</p>"


def explanation(graph: Graph, values: Values, layer: str, place: tuple[int, int, int]) -> Explanation:
    """How a cell comes about; places count from 1. Raises NetworkError where there is no such cell, or nothing to take apart."""
    with located(layer=layer):
        return _explained(graph, values, layer, place)


def _explained(graph: Graph, values: Values, layer: str, place: tuple[int, int, int]) -> Explanation:
    node = graph.network.by_name.get(layer)
    if node is None:
        names = graph.network.by_name
        raise NetworkError(f"layer {layer!r:.60} is none of the network{near(layer, names)}; there are {', '.join(names)}")
    if not node.live:
        raise NetworkError(
            f"layer {layer!r} is not live: its numbers are NumPy's, and its weights are not drawn; choose another"
        )
    reduction = reduction_of(graph, node)
    if reduction is None:
        raise NetworkError(f"layer {layer!r} ({node.layer.type}) is no sum over windows or over a few cells; choose another")
    if not all(type(n) is int and 1 <= n <= size for n, size in zip(place, as_maps(node.shape), strict=True)):
        whole = "" if len(node.shape) == 3 else ", one map of one column"
        raise NetworkError(
            f"layer {layer!r} has no cell {place}; it puts out {shape_text(node.shape)}{whole}: map, row and column count from 1"
        )
    seen = CellTrace(graph, values, node, tuple(n - 1 for n in place))
    kind = reduction.kind if reduction.sum_activation is None else f"{reduction.sum_activation.type}({reduction.kind})"
    output = values[graph.output(layer).id]
    return Explanation(
        layer, node.layer.type, place, ", ".join(node.inputs), kind, seen.windows, seen.kernels, seen.products, seen.sums,
        seen.together, seen.steps, float(output.reshape(as_maps(output.shape))[seen.place]),
    )  # fmt: skip


def in_one_line(numbers: np.ndarray) -> str:
    """Rows of numbers: [1 2; 3 ·]."""
    return "[" + "; ".join(" ".join("·" if n != n else f"{n:.4g}" for n in row) for row in numbers.tolist()) + "]"
