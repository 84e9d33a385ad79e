"""The reverse sweep: from what the loss passes back, the gradient of every array, as arrays of the graph. It knows no layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays.array import Array, CellFormula, Shape, cell_of
from ..arrays.grid import Grids
from ..layers.backward import Local, added
from ..layers.base import PREFIX, Layer
from .again import MOST_NUMBERS, again, read_back
from .network import Node
from .optimizer import AFTER
from .settings import INPUT


@dataclass(frozen=True)
class Term:
    """One thing that reaches an array: the arrays that a rule reads, and the rule, in NumPy and as a cell's text."""

    local: Local[Array]
    numbers: Callable[[Local[np.ndarray]], np.ndarray]
    text: Callable[[Shape, Local[Grids]], str]


@dataclass(frozen=True)
class Through:
    """An activation (or a normalisation) that a sum of terms goes through: the arrays that it reads, and both of its forms."""

    reads: tuple[Array, ...]
    numbers: Callable[..., np.ndarray]  # the total, then what it reads
    text: Callable[..., str]  # the text of the total, the index, then the grids


def gradient(terms: Sequence[Term], through: Through | None = None, **look: Any) -> Array:
    """The array in which all that reaches something is summed; `look` are the other fields of the array."""
    reads = {array.id: array for term in terms for array in term.local.all()}
    if through is not None:
        reads |= {array.id: array for array in through.reads}

    def forward(*numbers: np.ndarray) -> np.ndarray:
        of = dict(zip(reads, numbers, strict=True))
        total: np.ndarray = sum(term.numbers(term.local.of(lambda array: of[array.id])) for term in terms)  # type: ignore[assignment]
        return total if through is None else through.numbers(total, *[of[array.id] for array in through.reads])

    def bound(*grids: Grids) -> CellFormula:
        of = dict(zip(reads, grids, strict=True))
        locals_ = [(term.text, term.local.of(lambda array: of[array.id])) for term in terms]
        last = None if through is None else [of[array.id] for array in through.reads]

        def write(at: Shape) -> str:
            text = added([text(at, local) for text, local in locals_])
            return text if through is None or last is None else through.text(text, at, *last)

        return write

    return Array(
        forward=forward, formula=lambda at, *grids: bound(*grids)(at), bound=bound, inputs=tuple(reads.values()), **look
    )


@dataclass(frozen=True)
class Run:
    """A run of the network, which a sweep goes back through: the network's own, or a copy of it after some steps."""

    arrays: Mapping[str, list[Array]]  # of each layer
    reads: Mapping[str, list[Array]]  # what its formulas read
    parameters: Mapping[str, Mapping[str, Array]]  # those that its formulas read, by key
    before: str = ""  # what stands before the names of the layers, which are the owners of the gradients


@dataclass(frozen=True)
class Swept:
    """What the sweep found: the arrays of each back sheet, by the layer (or "input") that it is of, in computing order."""

    pages: dict[str, list[Array]]
    parameters: dict[tuple[str, str], Array]  # the gradient of each parameter, by its layer and key


class Sweep:
    """One walk over the layers, last first."""

    def __init__(self, run: Run, mirrored: frozenset[str] = frozenset(), reached: frozenset[str] | None = None) -> None:
        """`mirrored` layers show here once more what they read; only layers that are `reached` are gone back to, if it is given."""
        self.arrays, self.reads, self.parameters, self.before = run.arrays, run.reads, run.parameters, run.before
        self.mirrored, self.reached = mirrored, reached
        self.into: dict[str, list[Term]] = {}  # what reaches each layer's output
        self.into_parameters: dict[str, list[Term]] = {}
        self.pages: dict[str, list[Array]] = {}
        self.own: set[str] = set()

    def run(self, nodes: Sequence[Node], seeds: Mapping[str, tuple[str, Term]], frozen: frozenset[str]) -> Swept:
        """`seeds` are what the loss passes back, by layer: to its "output", or to its "sum" behind the activation."""
        self.own = {
            node.name for node in nodes if node.share is None and node.name not in frozen
        }  # they have gradients here
        for node in reversed(nodes):
            where, seed = seeds.get(node.name, ("", None))
            terms = self.into.get(node.name, []) + ([seed] if seed is not None and where == "output" else [])
            behind = seed if where == "sum" else None
            if terms or behind is not None:
                self._node(node, terms, behind)
        self._input()
        found: dict[tuple[str, str], Array] = {}
        for node in nodes:
            if node.name in self.own:
                found |= self._parameters(node)
        return Swept(self.pages, found)

    def _own(self, node: Node, prefix: str, layer: Layer, shapes: tuple[Shape, ...]) -> dict[str, Array]:
        """The parameters and steps that a layer (or its activation) reads, by key."""
        steps = {array.key: array for array in self.arrays[node.name] if array.role == "step"}
        return steps | {key: self.parameters[node.name][prefix + key] for key in layer.parameters(*shapes)}

    def _node(self, node: Node, terms: list[Term], behind: Term | None) -> None:
        layer, final, page = node.layer, node.layer.final, self.pages.setdefault(node.name, [])
        arrays = {array.key: array for array in self.arrays[node.name]}
        out, total = arrays["output"], arrays.get("sum")
        kind = "map" if out.grid_axes else "out"
        spacing, margin = layer.grad_spacing(), layer.grad_margin(*node.in_shapes)
        look: dict[str, Any] = {
            "owner": self.before + node.name,
            "shape": node.shape,
            "role": "gradient",
            "grid_axes": out.grid_axes,
        }
        last = look | {"spacing": spacing, "margin": margin}
        through = None
        if behind is not None:
            last |= {"key": "grad_sum"}
            terms = [behind]
        elif final is None:
            last |= {"key": f"grad_{kind}"}
        elif final.cellwise:
            last |= {"key": "grad_sum"}
            through = _through(final, total, out)
        else:
            grad = gradient(terms, key=f"grad_{kind}", **look)
            page.append(grad)
            assert total is not None
            local = self._local(node, page, final, PREFIX, grad, (total,), out, (node.shape,))
            terms, last = [_to_input(final, 0, local)], last | {"key": "grad_sum"}
            self._collect(node, final, PREFIX, local, (node.shape,))
        grad = gradient(terms, through, **last)
        page.append(grad)
        y = total if total is not None else out if final is None else None
        local = self._local(node, page, layer, "", grad, self._xs(node, page), y, node.in_shapes)
        for n, name in enumerate(node.inputs):
            if self.reached is None or name in self.reached:
                self.into.setdefault(name, []).append(_to_input(layer, n, local))
        self._collect(node, layer, "", local, node.in_shapes)

    def _xs(self, node: Node, page: list[Array]) -> tuple[Array, ...]:
        """What a layer reads: shown here once more where gradients are windows times it, or depend on which cell is the largest."""
        reads, layer = self.reads[node.name], node.layer
        kernels = any(len(shape) > 2 for shape in layer.parameters(*node.in_shapes).values())
        if node.name not in self.mirrored or not (kernels or layer.reads_back):
            return tuple(reads)
        shown = [read_back(node, x) for x in reads]
        page.extend(shown)
        return tuple(shown)

    def _local(
        self,
        node: Node,
        page: list[Array],
        layer: Layer,
        prefix: str,
        grad: Array,
        xs: tuple[Array, ...],
        y: Array | None,
        shapes: tuple[Shape, ...],
    ) -> Local[Array]:
        """What a layer's rules read, its helpers drawn beside the gradient."""
        own = self._own(node, prefix, layer, shapes)
        row = own.get(layer.row_back)
        if self.mirrored and node.name in self.own and row is not None and row.count <= MOST_NUMBERS:
            own = own | {row.key: (shown := again(row, "back_"))}
            page.append(shown)
        for step in layer.grad_steps(*shapes):
            own = own | {step.key: (drawn := _helper(step, node, Local(grad, xs, y, own), self.before))}
            page.append(drawn)
        return Local(grad, xs, y, own)

    def _collect(self, node: Node, layer: Layer, prefix: str, local: Local[Array], shapes: tuple[Shape, ...]) -> None:
        """What reaches the parameters, which may be another layer's."""
        for key in layer.parameters(*shapes):
            if key not in layer.buffers:
                parameter = self.parameters[node.name][prefix + key]
                while parameter.role == "shared":
                    parameter = parameter.inputs[0]
                self.into_parameters.setdefault(parameter.id, []).append(_to_parameter(layer, key, local))

    def _parameters(self, node: Node) -> dict[tuple[str, str], Array]:
        """The gradients of a layer's parameters, on its own back sheet, whoever else uses them."""
        found = {}
        for key, parameter in self.parameters[node.name].items():
            if parameter.id in self.into_parameters:
                label = f"grad_{parameter.label.removeprefix(AFTER)}"
                grad = gradient(self.into_parameters[parameter.id], key=f"grad_{key}", label=label,
                                owner=self.before + node.name, shape=parameter.shape, role="gradient",
                                grid_axes=parameter.grid_axes, spacing=parameter.spacing)  # fmt: skip
                self.pages.setdefault(node.name, []).append(grad)
                found[node.name, key] = grad
        return found

    def _input(self) -> None:
        """The gradient of every pixel, before it is normalised."""
        if INPUT not in self.into:
            return
        arrays = {array.key: array for array in self.arrays[INPUT]}
        divisors = tuple(arrays[key] for key in ("scale", "std") if key in arrays)
        through = Through(divisors, _divided, _divided_text) if divisors else None
        self.pages[INPUT] = [
            gradient(self.into[INPUT], through, key="grad_channel", owner=INPUT, shape=arrays["channel"].shape, role="gradient",
                     grid_axes=1)
        ]  # fmt: skip


def _divided(total: np.ndarray, *by: np.ndarray) -> np.ndarray:
    for divisor in by:
        total = total / divisor.reshape(-1, 1, 1)
    return total


def _divided_text(text: str, at: Shape, *by: Grids) -> str:
    return f"({text})" + "".join([f"/{(one[at[0]] if isinstance(one, list) else one).area}" for one in by])


def _through(final: Layer, x: Array | None, y: Array) -> Through:
    """A gradient times an activation's slope, which it tells from its output where the sum is not drawn."""
    reads = (y,) if x is None else (x, y)

    def numbers(total: np.ndarray, *xy: np.ndarray) -> np.ndarray:
        found: np.ndarray = total * final.slope(xy[0], xy[-1])  # type: ignore[attr-defined]
        return found

    def text(total: str, at: Shape, *xy: Grids) -> str:
        cells = [cell_of(one, at) for one in xy]
        return final.through(total, cells[0], cells[-1])  # type: ignore[attr-defined]

    return Through(reads, numbers, text)


def _to_input(layer: Layer, n: int, local: Local[Array]) -> Term:
    local = Local(local.grad, local.xs, local.y, local.own)  # with a memory of its own
    return Term(local, lambda of: layer.grad_input(n, of), lambda at, of: layer.grad_input_cell(n, at, of))


def _to_parameter(layer: Layer, key: str, local: Local[Array]) -> Term:
    local = Local(local.grad, local.xs, local.y, local.own)
    return Term(local, lambda of: layer.grad_parameter(key, of), lambda at, of: layer.grad_parameter_cell(key, at, of))


def _helper(step: Array, node: Node, local: Local[Array], before: str) -> Array:
    """An array that a layer's rules want beside the gradient."""
    forward, formula = step.forward, step.formula
    assert forward is not None
    assert formula is not None
    axes = step.grid_axes or (max(1, len(step.shape) - 2) if len(node.shape) == 3 else 0)
    return gradient([Term(local, forward, formula)], key=step.key, owner=before + node.name, shape=step.shape, role="gradient",
                    grid_axes=axes, spacing=step.spacing, margin=step.margin)  # fmt: skip
