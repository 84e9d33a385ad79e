"""A graph read node by node: what each name in it stands for, and the layers that it becomes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays.array import Shape, Values, shape_text
from ..errors import LimitError, NetworkError
from ..model.settings import MAX_ABOUT
from .comparing import compare
from .curves import ITSELF, Curve
from .file import Graph, Node, PieceError, UnsupportedError, branch, readers_of
from .folding import MOST, folded
from .picture import picture_of
from .plan import Plan
from .recognition import known, nearer
from .refusals import RefusedError, printable
from .values import MISFITS, MOST_CELLS, Cells, Result, Value, nothing, refusal, stacked

DEEPEST = 40  # how many values may wait to be drawn, each for the next
BASES = 12  # how many values back an activation in pieces is looked for
OPERANDS = 8  # how many a piece of an activation may have


@dataclass(frozen=True)
class Imported:
    """What a model became: a network description as in a network file, and its weights by name."""

    description: dict[str, Any]
    weights: Values


class Reading:
    """A graph on its way to a network: what each name in it stands for, and the layers found so far."""

    def __init__(
        self,
        graph: Graph,
        size: tuple[int, int] | None,
        operators: Mapping[str, Callable[[Reading, Node], Result | tuple[Result, ...]]],
        whole: Callable[[Reading, Node], Value | None],
        own: Reading | None = None,
    ) -> None:
        """`operators` read nodes; `whole` knows the layer that a node is the last piece of; `own` has the picture's own size."""
        self.graph, self.opset, self.operators, self.whole, self.own = graph, graph.opset, operators, whole, own
        self.readers = readers_of(graph.nodes)
        self.makers = {name: node for node in graph.nodes for name in node.outputs}
        self.places: dict[Node, int] = {}  # in which order they are read
        self.room = MOST
        self.faults: dict[Node, str] = {}
        self.notes: dict[str, None] = {}  # what is to be known of how the model is read, in order
        self.bases: dict[str, list[str]] = {}  # of the last pieces of layers: what all their ways lead back to
        self.values: dict[str, Result | None] = {}  # None: what nodes make that cannot be drawn
        self.picture = picture_of(graph, size)
        self.plan = Plan(self.picture.maps, graph.constants.kept)
        if self.picture.batch > 1:
            self.notes[f"Exported for {self.picture.batch:,} pictures at once, read for one."] = None
        self.values[graph.input] = Value(self.picture.shape, lambda: Cells(0, self.picture.order))
        for node in graph.nodes:
            self._operate(node)

    # -- going through the nodes ---------------------------------------------------------------------------------------
    def _know(self, node: Node) -> None:
        """Who makes and reads the names of a node."""
        for name in node.reads:
            self.readers.setdefault(name, []).append(node)
        self.makers.update(dict.fromkeys(node.outputs, node))

    def _operate(self, node: Node) -> None:
        if (
            node.operator == "If"
            and isinstance(condition := self.result(node.inputs[0]), np.ndarray)
            and condition.size == 1
        ):
            for part in branch(node, bool(condition.reshape(-1)[0]), self.graph.constants):
                self._know(part)
                self._operate(part)
            return
        self.places[node] = len(self.places)
        results: tuple[Result, ...] = ()
        inputs = [self.result(name) for name in node.inputs if name]
        try:
            if all(isinstance(one, np.ndarray) for one in inputs):
                constants = folded(node, inputs, self.opset, self.room)
                self.room -= sum(one.size for one in constants if any(one.strides))
                results = constants
            elif node.operator not in self.operators:
                raise UnsupportedError("no layer does this")
            elif (found := self.whole(self, node)) is not None:
                results = (found,)
            elif all(one is not None for one in inputs):
                made = self.operators[node.operator](self, node)
                results = made if isinstance(made, tuple) else (made,)
        except (UnsupportedError, *MISFITS) as error:
            refused = refusal(error)
            self.faults.setdefault(refused.node or node, str(refused))
        for result in results:
            if isinstance(result, Value):
                result.node = result.node or node
        self.values.update(zip_longest(node.outputs, results[: len(node.outputs)]))

    def value_of(self, name: str) -> Value:
        """What a name stands for that depends on the picture."""
        found = self.result(name)
        assert isinstance(found, Value)
        return found

    def is_constant(self, name: str) -> bool:
        """Whether a name stands for what does not depend on the picture."""
        return name in self.graph.constants or isinstance(self.values.get(name), np.ndarray)

    def result(self, name: str) -> Result | None:
        """What a name stands for; None where it cannot be drawn."""
        return self.graph.constants[name] if name in self.graph.constants else self.values.get(name)

    def finish(self, scaling: dict[str, Any], until: str | None = None) -> Imported:
        """The network that the graph's outputs make, or with `until` one of its layers. Raises RefusedError with all that none does."""
        layers: list[int] = []
        for name in self.graph.outputs:
            result = self.result(name)
            if isinstance(result, Value):
                try:
                    layers.append(self.end(result))
                except UnsupportedError as error:
                    self.faults.setdefault(error.node or self.graph.nodes[-1], str(error))
        if self.faults:
            raise RefusedError(self.graph.source, self.faults)
        if not layers:
            raise NetworkError(f"{self.graph.source}: no output depends on its input {self.graph.input!r}")
        channels, height, width = self.plan.steps[0].shape
        settings: dict[str, Any] = {"channels": channels, "height": height, "width": width}
        settings |= {key: value if key == "scale" else list(value) for key, value in scaling.items() if value is not None}
        try:
            description, weights = self.plan.finish(layers, settings, until)
        except UnsupportedError as error:
            raise LimitError(f"{self.graph.source}: {error}") from None
        if until is not None and not self.plan.whole:
            self.note_part(until)
        return Imported(self._titles(layers[-1]) | description, weights)

    def note_part(self, until: str) -> None:
        """Have the network say that it is but a part of the model."""
        self.notes[f"Drawn up to {until}, which is not the whole model."] = None

    def end(self, value: Value) -> int:
        """The layer that an output is, as a vector where it is one for each picture."""
        shape = stacked(value.shape)
        channels, *sides = self.plan.steps[value.cells.layer].shape
        if value.shape == (1, *sides, channels) and self.plan.last(value.cells, value.shape):
            return value.cells.layer or self.plan.add("identity", 0)  # the same cells, and maps are what can be looked at
        layer = self.plan.settled(value)
        if len(shape) == 1 or (len(value.shape) == 4 and value.shape[0] == 1):
            layer = self.plan.view(layer, shape)
        return layer or self.plan.add("identity", 0)

    def _titles(self, last: int) -> dict[str, Any]:
        """Name, description and labels, as far as the model has them."""
        graph = self.graph
        name = graph.metadata.get("name") or Path(graph.source).stem
        titles: dict[str, Any] = {"name": printable(name)[:200] or "model"}
        about = " ".join(filter(None, [printable(graph.about), *self.notes]))
        if about:
            titles["about"] = about[-MAX_ABOUT:]
        try:
            labels = json.loads(graph.metadata.get("labels", "null"))
        except (ValueError, RecursionError):
            labels = None
        shape = self.plan.steps[last].shape
        if isinstance(labels, list) and shape == (len(labels),) and all(isinstance(label, str) for label in labels):
            titles["labels"] = [printable(label)[:200] for label in labels]
        return titles

    # -- what operators ask --------------------------------------------------------------------------------------------
    def operand(self, node: Node, number: int) -> Result:
        """An input of a node: a constant, or what depends on the picture."""
        found = self.result(node.inputs[number]) if number < len(node.inputs) and node.inputs[number] else None
        if found is None:
            raise UnsupportedError(f"its input {number + 1} is missing")
        return found

    def value(self, node: Node, number: int) -> Value:
        """An input that depends on the picture."""
        found = self.operand(node, number)
        if not isinstance(found, Value):
            raise UnsupportedError(f"its input {number + 1} is a constant, where a layer is needed")
        return found

    def weight(self, node: Node, number: int) -> np.ndarray:
        """An input that must be a constant, in double precision."""
        found = self.operand(node, number)
        if isinstance(found, Value):
            raise UnsupportedError(f"its input {number + 1} depends on the picture, where a constant is needed")
        try:
            return self.graph.constants.doubles(node.inputs[number], found)
        except (ValueError, TypeError):
            raise UnsupportedError(f"its input {number + 1} holds no numbers") from None

    def optional_weight(self, node: Node, number: int) -> np.ndarray | None:
        """An input that may be left out, as a constant."""
        if number >= len(node.inputs) or not node.inputs[number]:
            return None
        found = self.weight(node, number)
        return found if found.size else None

    def optional_integers(self, node: Node, number: int) -> list[int] | None:
        """An input that may be left out, as whole numbers."""
        found = self.optional_weight(node, number)
        return None if found is None else [int(n) for n in found.reshape(-1)]

    def is_used(self, name: str) -> bool:
        """Whether anybody reads a value."""
        return bool(self.readers.get(name)) or name in self.graph.outputs

    def name(self, node: Node) -> str:
        """What the layer of a node is to be called: as its weights are, as Keras calls it, or as the node is."""
        for given in node.inputs[1:]:
            if given in self.graph.constants and given.endswith((".weight", ".bias")):
                return given.rpartition(".")[0]
        for scoped in (node.name, *(given for given in node.inputs[1:] if given in self.graph.constants)):
            if self.scope and scoped.startswith(self.scope) and scoped.count("/") > 1:
                return self._of_keras(scoped.split("/")[1])
        *scopes, last = [part for part in node.name.split("/") if part] or [""]
        if scopes and last.lower().startswith(node.operator.lower()):
            return scopes[-1]
        return last.removeprefix("node_")

    @cached_property
    def scope(self) -> str:
        """The model's name with which Keras begins the names of all nodes, model_1/conv2d_1/Relu; empty where it is not there."""
        scopes = [node.name.split("/")[0] for node in self.graph.nodes if node.name.count("/") > 1]
        name, count = Counter(scopes).most_common(1)[0] if scopes else ("", 0)
        return f"{name}/" if 2 * count > len(scopes) else ""

    def _of_keras(self, layer: str) -> str:
        """A layer's own name: models that are exported number the model and all its layers once more."""
        numbered = re.search(r"_\d+/$", self.scope) is not None
        return re.sub(r"_\d+$", "", layer) if numbered else layer

    def drawn(
        self, node: Node, kind: str, layer: int, weights: dict[str, np.ndarray] | None = None, **settings: Any
    ) -> Value:
        """The value of a new layer of maps."""
        made = self.plan.add(kind, layer, name=self.name(node), weights=weights, **settings)
        return Value((1, *self.plan.steps[made].shape), lambda: Cells(made))

    def reshaped(self, x: Value, shape: Shape) -> Value:
        """The same cells in the same order, in another shape."""
        if min(shape, default=1) < 1 or int(np.prod(shape, dtype=object)) != int(np.prod(x.shape)):
            raise UnsupportedError(f"{shape_text(x.shape)} cannot be shaped as {shape_text(shape)}")
        if shape == x.shape:
            return x
        if x.base is not None and (len(x.shape) != 4 or len(shape) > 4):  # no maps yet, or not what is meant
            return self._moved(x, x.base[0], x.base[1].reshape(shape))
        return Value(shape, lambda: x.cells)

    def transposed(self, x: Value, turn: tuple[int, ...]) -> Value:
        """The same cells in another order."""
        if x.base is not None and len(x.shape) != 4:
            return self._moved(x, x.base[0], x.base[1].transpose(turn))

        def draw() -> Cells:
            layer, order = x.cells.layer, x.cells.order
            own = np.arange(int(np.prod(x.shape)))
            new = (own if order is None else order).reshape(x.shape).transpose(turn).reshape(-1)
            return Cells(layer, None if np.array_equal(new, own) else new)

        return Value(tuple(x.shape[n] for n in turn), draw)

    def with_channels(self, x: Value, axis: int) -> tuple[int, Callable[[int], Value]]:
        """The maps whose channels are an axis of a tensor, and what makes a tensor of other maps of that size again."""
        rest = tuple(size for n, size in enumerate(x.shape) if n != axis)
        rows, columns = int(np.prod(rest[:-1])), (1, *rest)[-1]
        layer, order = x.cells.layer, x.cells.order
        shape = self.plan.steps[layer].shape
        if not (
            order is not None and axis == len(x.shape) - 1 and self.plan.last(x.cells, x.shape) and shape[0] == x.shape[axis]
        ):
            own = np.arange(int(np.prod(x.shape))) if order is None else order
            turned = np.moveaxis(own.reshape(x.shape), axis, 0).reshape(-1)
            layer = self.plan.moved(layer, (x.shape[axis], rows, columns), turned)

        def back(made: int) -> Value:
            count = self.plan.steps[made].shape[0]
            index = np.arange(count * rows * columns)
            order = np.moveaxis(index.reshape(count, *rest), 0, axis)
            cells = Cells(made, None if np.array_equal(order.reshape(-1), index) else order.reshape(-1))
            return Value(order.shape, lambda: cells)

        return layer, back

    def moved(self, node: Node, x: Value, index: np.ndarray) -> Value:
        """Some cells of a tensor, each once or more often: the n-th is the one that has the number `index` has there."""
        if index.size > MOST_CELLS:
            raise UnsupportedError(f"it makes {index.size:,} cells; sheetcnn takes {MOST_CELLS:,} of a tensor")
        if not index.size:  # which may be all that is asked: nothing is added to what is stacked
            return Value(index.shape, lambda: nothing(x.shape), node=node)
        own = Value(index.shape, lambda: x.cells, node=node)
        return self._moved(own, *((x, index) if x.base is None else (x.base[0], x.base[1].reshape(-1)[index])))

    def _moved(self, before: Value, x: Value, index: np.ndarray) -> Value:
        """Cells of a tensor, moved by the node of a value and those before it."""
        node = before.node

        def draw() -> Cells:
            layer, order = x.cells.layer, x.cells.order
            name = "" if node is None else self.name(node)
            places = index if order is None else order[index]
            if order is None and len(vector := stacked(x.shape)) == len(stacked(index.shape)) == 1:
                layer = self.plan.view(layer, vector)
            direct = places.reshape(stacked(index.shape))
            if index.ndim == 4 and index.shape[0] == 1:  # maps, whose channels may come last
                turned = places[0].transpose(2, 0, 1)
                last = self.plan.last(x.cells, x.shape)
                if self.plan.selects(layer, *((direct, turned) if last else (turned, direct))) ^ last:
                    made = self.plan.moved(layer, turned.shape, turned.reshape(-1), name)
                    return Cells(made, self.plan.turned(turned.shape))
            return Cells(self.plan.moved(layer, direct.shape, direct.reshape(-1), name))

        return Value(index.shape, draw, node=node, base=(x, index))

    def piece(
        self,
        node: Node,
        shape: Shape,
        draw: Callable[[], Cells],
        operands: Sequence[Result],
        follow: Callable[..., Curve | float],
        whole: bool = False,
    ) -> Value:
        """A value that may be a piece of an activation, or the last piece of one; `whole` if it is one by itself."""
        values = [one for one in operands if isinstance(one, Value)]
        curves: dict[Value, Curve] = {}
        alike = all(one.shape == shape if isinstance(one, Value) else one.size == 1 for one in operands)
        if alike and len(operands) <= OPERANDS:
            seen = [{value: ITSELF} | value.curves for value in values]
            for base in list(seen[0])[:BASES]:
                if all(base in curve for curve in seen):
                    held = iter(curve[base] for curve in seen)
                    made = follow(*(next(held) if isinstance(one, Value) else float(one.reshape(-1)[0]) for one in operands))
                    assert isinstance(made, Curve)
                    curves[base] = made

        several = {base: curve for base, curve in curves.items() if not (whole and base in values)}

        def best() -> Cells:
            for base, curve in reversed(several.items()):  # the whole of it before its last pieces
                if (found := known(curve)) is not None:
                    kind, settings = found
                    self._compare(node, base, curve, kind, settings)
                    return Cells(self.plan.add(kind, base.cells.layer, name=self.name(node), **settings), base.cells.order)
            try:
                return draw()
            except PieceError as error:
                raise nearer(error, node, several.values()) from None

        value = Value(shape, best, curves, node, 1 + max(value.depth for value in values))
        if value.depth > DEEPEST:  # drawn now, so that no chain of values that wait grows too long
            value.depth = 0
            assert value.cells
        return value

    def _compare(self, node: Node, base: Value, curve: Curve, kind: str, settings: dict[str, Any]) -> None:
        """Have ONNX's reference compute the nodes from one value to another. Raises UnsupportedError if they are not `kind`."""
        pictures: set[str] = set()
        constants: dict[str, np.ndarray] = {}
        nodes: set[Node] = set()
        waiting = [node]
        while waiting:
            nodes.add(one := waiting.pop())
            for name in filter(None, one.inputs):
                found = self.result(name)
                if isinstance(found, np.ndarray):
                    constants[name] = found
                elif found is base:
                    pictures.add(name)
                elif self.makers[name] not in nodes:
                    waiting.append(self.makers[name])
        ordered = sorted(nodes, key=self.places.__getitem__)
        compare(ordered, constants, pictures, self.opset, curve, kind, settings)
