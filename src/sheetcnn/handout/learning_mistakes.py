"""The mistakes that can be planted in the backward pass and in the step: each is the right array with one rule forgotten.

Its formulas read the same grids as the right ones; its NumPy is what they give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import new_class
from typing import Any

import numpy as np

from ..arrays.array import Array, Shape, cell_of, same_cell
from ..arrays.grid import Grids
from ..layers.backward import Largest, Local, added
from ..layers.base import Layer
from ..model.graph import Graph
from ..model.network import Node
from ..model.settings import INPUT


@dataclass(frozen=True)
class LearningMistake:
    """One kind of mistake; `wrong` makes the array that has it, None where it does not fit the layer."""

    words: str
    wrong: Callable[[Graph, Node], Array | None]


def ancestors(graph: Graph, ids: Iterable[str]) -> set[str]:
    """The arrays that others are made of, and these themselves."""
    found = set(ids)
    for array in reversed(graph.order):
        if array.id in found:
            found |= {one.id for one in (*array.inputs, *array.parameters.values(), *array.steps.values())}
    return found


def _find(graph: Graph, id: str) -> Array | None:
    return next((array for array in graph if array.id == id), None)


def _other_rules(layer: Layer, **rules: Any) -> Layer:
    """The layer with other rules for what it passes back."""
    kind: type[Layer] = new_class("Mistaken", (type(layer),), exec_body=lambda body: body.update(rules))
    return kind(**{key: getattr(layer, key) for key in type(layer).model_fields})


def _in_its_place(graph: Graph, node: Node, layer: Layer, id: str) -> Array | None:
    """An array of the network in which a layer has other rules."""
    nodes = tuple(replace(one, layer=layer) if one.name == node.name else one for one in graph.network.nodes)
    return _find(Graph(replace(graph.network, nodes=nodes), graph.drawn), id)


def _missing_gate(graph: Graph, node: Node) -> Array | None:
    final = node.layer.final
    if final is None or _find(graph, f"{node.name}.grad_sum") is None or not hasattr(final, "slope"):
        return None
    x = np.array([-1.0, 1.0])
    if np.asarray(final.slope(x, final.forward(x)), float).tolist() != [0.0, 1.0]:
        return None
    gate = _other_rules(final, slope=lambda self, x, y: np.ones(np.shape(x)), through=lambda self, g, x, y: g)
    return _in_its_place(graph, node, node.layer.model_copy(update={"activation": gate}), f"{node.name}.grad_sum")


def _pool_to_all(graph: Graph, node: Node) -> Array | None:
    if not isinstance(node.layer, Largest):
        return None
    cells = type(node.layer)._cells

    def numbers(self: Any, n: int, of: Local[np.ndarray]) -> np.ndarray:
        (_, rows, columns), shape = of.grad.shape, of.xs[n].shape
        down, along = (
            np.array([[i in inside for i in range(shape[1 + axis])] for inside in cells(self, axis, shape)], float)
            for axis in (0, 1)
        )
        found: np.ndarray = down.reshape(rows, -1).T @ of.grad @ along.reshape(columns, -1)
        return found

    def text(self: Any, n: int, at: Shape, of: Local[Grids]) -> str:
        k, i, j = at
        shape = (len(of.xs[n]), of.xs[n][0].rows, of.xs[n][0].columns)
        down, along = (cells(self, axis, shape) for axis in (0, 1))
        return added([of.grad[k].at(r, c) for r, a in enumerate(down) if i in a for c, b in enumerate(along) if j in b])

    layer = _other_rules(node.layer, grad_input=numbers, grad_input_cell=text)
    owner = node.inputs[0]
    keys = ["grad_channel"] if owner == INPUT else ["grad_map", "grad_sum"]
    id = next((f"{owner}.{key}" for key in keys if _find(graph, f"{owner}.{key}") is not None), "")
    return _in_its_place(graph, node, layer, id)


def _kernel_not_turned(graph: Graph, node: Node) -> Array | None:
    turned = _find(graph, f"{node.name}.turned")
    if turned is None or turned.shape[-2] * turned.shape[-1] == 1:
        return None
    rows, columns = turned.shape[-2:]
    forward, write = turned.forward, turned.formula
    assert forward is not None
    assert write is not None

    def formula(at: Shape, *grids: Grids) -> str:
        return write((*at[:-2], rows - 1 - at[-2], columns - 1 - at[-1]), *grids)

    return replace(turned, forward=lambda *of: forward(*of)[..., ::-1, ::-1], formula=formula, bound=None)


def _bias_one_position(graph: Graph, node: Node) -> Array | None:
    bias = _find(graph, f"{node.name}.grad_bias")
    grad = _find(graph, f"{node.name}.grad_sum") or _find(graph, f"{node.name}.grad_map")
    if bias is None or grad is None or len(node.shape) != 3 or node.shape[0] != bias.count or node.shape[1:] == (1, 1):
        return None
    (_, rows, columns) = node.shape
    middle = (rows // 2, columns // 2)
    return replace(bias, inputs=(grad,), bound=None, forward=lambda g: g[:, *middle],
                   formula=lambda at, g: cell_of(g, (at[0], *middle)))  # fmt: skip


def _stepping(numbers: Callable[..., np.ndarray], sign: str, by_rate: bool) -> Callable[[Graph, Node], Array | None]:
    """A step that forgets something: old, gradient and rate are added up otherwise."""

    def wrong(graph: Graph, node: Node) -> Array | None:
        right, grad = _find(graph, f"{node.name}.after_weight"), _find(graph, f"{node.name}.grad_weight")
        rate = _find(graph, "loss.rate")
        if right is None or grad is None or rate is None or graph.network.training.optimizer != "sgd":
            return None
        old = next(array for array in right.inputs if array.id not in (grad.id, rate.id))

        def formula(at: Shape, old: Grids, grad: Grids, rate: Grids) -> str:
            return f"{same_cell(at, old)}{sign}{f'{rate.area}*' if by_rate else ''}{same_cell(at, grad)}"

        return replace(right, inputs=(old, grad, rate), forward=numbers, formula=formula, bound=None)

    return wrong


LEARNING_MISTAKES: dict[str, LearningMistake] = {
    "missing_gate": LearningMistake("the gate of the activation is forgotten", _missing_gate),
    "kernel_not_turned": LearningMistake("the kernel is not turned by 180°", _kernel_not_turned),
    "pool_to_all": LearningMistake("the pool passes the gradient to all cells of its window", _pool_to_all),
    "plus_for_minus": LearningMistake(
        "the step goes up: plus where minus is right", _stepping(lambda old, g, rate: old + rate[0] * g, "+", True)
    ),
    "bias_one_position": LearningMistake("the bias's gradient is that of one position, not the sum", _bias_one_position),
    "rate_missing": LearningMistake("the learning rate is forgotten", _stepping(lambda old, g, rate: old - g, "-", False)),
}
