"""An .onnx file becomes a graph in plain Python and NumPy. The file comes from anywhere, so nothing in it is trusted."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import ReferenceType, WeakValueDictionary, ref

import numpy as np

from ..arrays.lazy import LARGE, Whole, as_float, compact, view_of
from ..errors import LimitError, NetworkError
from ..model.limits import MAX_CELLS
from ..reading import Source, read_bytes
from .counting import MOST, too_many_parts
from .stored import MAX_BYTES, Stored, without_numbers

try:
    import onnx
    from onnx import helper, numpy_helper

    from .expanding import MAX_NODES, branches, expanded, refuse_many
except ImportError:
    raise NetworkError("models in .onnx need the package onnx; install it with  pip install 'sheetcnn[onnx]'") from None

_PLAIN: dict[int, str] = {onnx.TensorProto.FLOAT: "<f4", onnx.TensorProto.DOUBLE: "<f8", onnx.TensorProto.FLOAT16: "<f2"}
_COMPLEX = (onnx.TensorProto.COMPLEX64, onnx.TensorProto.COMPLEX128)
OLDEST = 6  # opset; what its nodes say otherwise than those of opset 7 is read too


class UnsupportedError(Exception):
    """Why a node cannot become a layer; the node is named by whoever collects these."""

    node: Node | None = None


class PieceError(UnsupportedError):
    """A node is no layer by itself, only a piece of an activation; `share` is how near the pieces come to a known one."""

    def __init__(self, reason: str = "no layer does this, unless it is part of an activation that sheetcnn knows") -> None:
        super().__init__(reason)
        self.share = 0.0


@dataclass(eq=False)
class Node:
    """A node of the graph, its attributes as Python and NumPy."""

    operator: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    proto: onnx.NodeProto = field(repr=False)
    captured: list[str] = field(default_factory=list)  # what the nodes of its branches read from outside

    @property
    def reads(self) -> list[str]:
        """The names that it needs, those in its branches among them."""
        return self.inputs + self.captured

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute, or the default where it is not given."""
        return self.attributes.get(name, default)


@dataclass
class Graph:
    """The graph of a model: what its first outputs need, in an order in which it can be computed."""

    source: str
    about: str
    metadata: dict[str, str]
    opset: int
    input: str
    dimensions: tuple[int | None, ...]  # of the input; None where the model leaves it free
    outputs: list[str]
    nodes: list[Node]
    constants: Constants
    all_nodes: list[Node]  # of the model: what is not drawn may still tell how the picture lies


@dataclass
class Model:
    """A model as its file has it, of which all is drawn or a part."""

    source: str
    about: str
    metadata: dict[str, str]
    opset: int
    nodes: list[Node]
    inputs: list[onnx.ValueInfoProto]
    outputs: list[str]
    constants: Constants

    def graph(self, outputs: list[str] | None = None) -> Graph:
        """What some outputs need, by default the model's own. Raises NetworkError where that is no network of one picture."""
        outputs = self.outputs if outputs is None else outputs
        nodes = _ordered(self.nodes, self.constants, self.inputs, outputs, self.source)
        used = {name for node in nodes for name in node.reads} | set(outputs)
        if (weights := self.constants.count(used)) > MAX_CELLS:
            raise LimitError(
                f"{self.source}: has {weights:,} weights; sheetcnn writes {MAX_CELLS:,} cells; use fewer channels"
            )
        pictures = [value for value in self.inputs if value.name in used]
        if len(pictures) != 1:
            names = ", ".join(value.name for value in pictures) or "none"
            raise NetworkError(
                f"{self.source}: has {len(pictures)} inputs ({names}); sheetcnn feeds one picture to one input"
            )
        dimensions = _dimensions(pictures[0], self.source)
        return Graph(
            self.source, self.about, self.metadata, self.opset, pictures[0].name, dimensions, outputs, nodes, self.constants,
            self.nodes,
        )  # fmt: skip

    def outputs_of(self, name: str) -> list[str]:
        """What a node makes that is called so, or whose output is; nothing where none is."""
        if any(name in node.outputs for node in self.nodes):
            return [name]
        made = next((node.outputs for node in self.nodes if node.name == name), [])
        read = {given for node in self.nodes for given in node.reads} | set(self.outputs)
        return [one for one in made if one in read] or [one for one in made if one][:1]


def read_model(path: Source) -> Model:
    """Read and check an .onnx file. Raises NetworkError with one line where it is no model, or is damaged."""
    source = str(path)
    data = read_bytes(path, MAX_BYTES, NetworkError, "give an .onnx model", instead="no workbook could hold its weights")
    if too_many_parts(data):
        raise NetworkError(f"{source}: has more than {MOST:,} parts; sheetcnn reads models of up to {MAX_NODES:,} nodes")
    data, places = without_numbers(data)
    try:
        model = onnx.ModelProto.FromString(data)
    except Exception as error:  # protobuf's DecodeError, which has several homes
        raise NetworkError(f"{source}: is no ONNX model, or is damaged ({str(error)[:80]})") from None
    del data  # the model has its own copy
    stored = Stored(path, places)
    if not model.ir_version or not model.graph.node:
        raise NetworkError(f"{source}: is no ONNX model with a graph; export it again")
    opset = next((given.version for given in model.opset_import if given.domain in ("", "ai.onnx")), 1)
    newest = onnx.defs.onnx_opset_version()
    if not OLDEST <= opset <= newest:
        raise NetworkError(f"{source}: has opset {opset}; sheetcnn reads {OLDEST} to {newest}; export it with another")
    refuse_many(model, source)
    _check_names(model.graph, source)
    graph = expanded(model, source).graph
    constants = Constants(graph, stored)
    return Model(
        source,
        str(model.doc_string or graph.doc_string).strip(),
        {str(entry.key): str(entry.value) for entry in model.metadata_props},
        opset,
        [node_of(proto, constants) for proto in graph.node],
        [value for value in graph.input if value.name not in constants],
        [value.name for value in graph.output],
        constants,
    )


def _dimensions(value: onnx.ValueInfoProto, source: str) -> tuple[int | None, ...]:
    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not kind.HasField("shape"):
        raise NetworkError(f"{source}: input {value.name!r} has no shape; export the model with one")
    if kind.elem_type in (onnx.TensorProto.STRING, *_COMPLEX):
        raise NetworkError(f"{source}: input {value.name!r} is no array of real numbers")
    sizes = tuple(side.dim_value if side.HasField("dim_value") and side.dim_value != -1 else None for side in kind.shape.dim)
    if not sizes or any(size is not None and size < 1 for size in sizes):
        raise NetworkError(f"{source}: input {value.name!r} has the shape {list(sizes)}; every size must be at least 1")
    return sizes


def _check_names(graph: onnx.GraphProto, source: str) -> None:
    if graph.sparse_initializer:
        raise NetworkError(f"{source}: has sparse weights, which sheetcnn does not read; export it with dense ones")
    if not graph.output:
        raise NetworkError(f"{source}: has no output; export it again")
    named = (*graph.node, *graph.input, *graph.output, *graph.initializer)
    texts = [text for node in graph.node for text in (node.op_type, node.domain, *node.input, *node.output)]
    if not all(isinstance(text, str) for text in (*texts, *(one.name for one in named))):  # bytes that are no UTF-8
        raise NetworkError(f"{source}: has names that are no text; the model is damaged")


def node_of(proto: onnx.NodeProto, constants: Constants) -> Node:
    """A node as Python has it."""
    operator = proto.op_type if proto.domain in ("", "ai.onnx") else f"{proto.domain}.{proto.op_type}"
    where = f"{constants.path}: node {proto.name or operator!r}"
    attributes = {one.name: _attribute(one, constants, where) for one in proto.attribute}
    captured = list(dict.fromkeys(name for graph in branches(proto) for name in _captured(graph)))
    return Node(operator, proto.name, list(proto.input), list(proto.output), attributes, proto, captured)


def _captured(graph: onnx.GraphProto) -> Iterator[str]:
    """What the nodes of a branch read from outside."""
    made = {one.name for one in (*graph.input, *graph.initializer)} | {""}
    for node in graph.node:
        inner = (name for inside in branches(node) for name in _captured(inside))
        yield from (name for name in (*node.input, *inner) if name not in made)
        made |= set(node.output)
    yield from (one.name for one in graph.output if one.name not in made)


def readers_of(nodes: Iterable[Node]) -> dict[str, list[Node]]:
    """The nodes that read each value."""
    readers: dict[str, list[Node]] = {}
    for node in nodes:
        for name in node.reads:
            readers.setdefault(name, []).append(node)
    return readers


def branch(node: Node, condition: bool, constants: Constants) -> Iterator[Node]:
    """The nodes of an If that are run, under the names that are read outside."""
    graph = node.get("then_branch" if condition else "else_branch")
    inside = [helper.make_node("Constant", [], [one.name], value=one) for one in graph.initializer]
    ends = [
        helper.make_node("Identity", [made.name], [name]) for made, name in zip(graph.output, node.outputs, strict=False)
    ]
    return (node_of(proto, constants) for proto in (*inside, *graph.node, *ends))


def _attribute(proto: onnx.AttributeProto, constants: Constants, where: str) -> Any:
    if proto.type == onnx.AttributeProto.TENSOR:
        return constants.array(proto.t, f"{where}: {proto.name}")
    if proto.type in (onnx.AttributeProto.FLOAT, onnx.AttributeProto.FLOATS):
        # Single precision, as the shortest decimal that means it: 0.01, not 0.009999999776482582.
        numbers = [float(str(np.float32(n))) for n in (proto.floats if proto.floats else [proto.f])]
        return numbers if proto.type == onnx.AttributeProto.FLOATS else numbers[0]
    if proto.type == onnx.AttributeProto.STRING:
        return proto.s.decode(errors="replace")
    if proto.type == onnx.AttributeProto.INT:
        return proto.i
    if proto.type == onnx.AttributeProto.INTS:
        return list(proto.ints)
    if proto.type == onnx.AttributeProto.GRAPH:
        return proto.g
    return None  # lists of graphs and the like, of operators that no layer does


def _ordered(
    nodes: list[Node], constants: Constants, given: list[onnx.ValueInfoProto], outputs: list[str], source: str
) -> list[Node]:
    """The nodes that the outputs need, each after those that it reads."""
    known = {value.name for value in given} | set(constants)
    makers: dict[str, Node] = {}
    for node in nodes:
        for name in filter(None, node.outputs):
            if name in makers or name in known:
                raise NetworkError(f"{source}: {name!r} is written twice; the model is damaged")
            makers[name] = node
    needed: set[Node] = set()
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        if name in known or not name:
            continue
        if name not in makers:
            raise NetworkError(f"{source}: {name!r} is read, but no node and no weight has that name; the model is damaged")
        if makers[name] not in needed:
            needed.add(makers[name])
            waiting += makers[name].reads
    return _after_what_they_read([node for node in nodes if node in needed], makers, source)


def _after_what_they_read(nodes: list[Node], makers: Mapping[str, Node], source: str) -> list[Node]:
    """Nodes in the order of the file as far as that can be."""
    missing = {node: {makers[name] for name in node.reads if name in makers} for node in nodes}
    readers: dict[Node, list[int]] = {}
    for n, node in enumerate(nodes):
        for maker in missing[node]:
            readers.setdefault(maker, []).append(n)
    ready = [n for n, node in enumerate(nodes) if not missing[node]]
    order: list[Node] = []
    while ready:
        made = nodes[heapq.heappop(ready)]
        order.append(made)
        for n in readers.get(made, ()):
            missing[nodes[n]].remove(made)
            if not missing[nodes[n]]:
                heapq.heappush(ready, n)
    if len(order) < len(nodes):
        names = ", ".join([node.name or node.operator for node in nodes if missing[node]][:5])
        raise NetworkError(f"{source}: its nodes read each other in a circle ({names}); the model is damaged")
    return order


def _count(tensor: onnx.TensorProto) -> int | None:
    """How many numbers a tensor has; None where it says what cannot be."""
    count = int(np.prod(tensor.dims, dtype=object))
    return None if count > MAX_BYTES // 4 or any(size < 0 for size in tensor.dims) else count


class Constants(Mapping[str, np.ndarray]):
    """The weights of a graph, read when they are asked for."""

    def __init__(self, graph: onnx.GraphProto, stored: Stored) -> None:
        self.path, self.stored = stored.path, stored
        self._protos = {tensor.name: tensor for tensor in graph.initializer}
        self._doubles: dict[int, tuple[ReferenceType[np.ndarray], str]] = {}  # of large ones, by their place in memory
        self._alive: WeakValueDictionary[str, np.ndarray] = WeakValueDictionary()  # large ones that somebody has

    def __iter__(self) -> Iterator[str]:
        return iter(self._protos)

    def __len__(self) -> int:
        return len(self._protos)

    def __contains__(self, name: object) -> bool:
        return name in self._protos

    def __getitem__(self, name: str) -> np.ndarray:
        found = self._alive.get(name)
        if found is None:
            where = f"{self.path}: weight {name!r}"
            found = self.array(self._protos[name], where, self.stored.inside(name, where))
            if found.size >= LARGE:
                self._alive[name] = found
        return found

    def doubles(self, name: str, found: np.ndarray) -> np.ndarray:
        """What was found under a name, in double precision."""
        numbers = as_float(found)
        if name in self and numbers.size >= LARGE:
            self._doubles[id(numbers)] = ref(numbers), name
        return numbers

    def kept(self, array: np.ndarray) -> Whole:
        """How an array is kept in mind: where it is a large weight as a view shows it, that is read anew when it is asked for."""
        root = array
        while isinstance(root.base, np.ndarray):
            root = root.base
        known, name = self._doubles.get(id(root), (None, ""))
        if known is None or known() is not root or not root.flags.c_contiguous:
            return compact(array)
        return view_of(array, root, partial(self.__getitem__, name))

    def count(self, names: set[str]) -> int:
        """How many numbers some of the weights have in all."""
        return sum(count for name, proto in self._protos.items() if name in names and (count := _count(proto)) is not None)

    def array(self, tensor: onnx.TensorProto, where: str, raw: bytes | memoryview | None = None) -> np.ndarray:
        """The numbers of a tensor, those in files beside the model included; `raw` are those that were left in its own file."""
        if _count(tensor) is None:
            raise NetworkError(f"{where}: has the impossible shape {list(tensor.dims)}; the model is damaged")
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raw = self.stored.outside({entry.key: entry.value for entry in tensor.external_data}, where)
        if tensor.data_type in _COMPLEX:
            raise NetworkError(f"{where}: holds complex numbers; export the model with real ones")
        try:
            if raw is None:
                return numpy_helper.to_array(tensor)
            if tensor.data_type in _PLAIN:
                return np.frombuffer(raw, _PLAIN[tensor.data_type]).reshape(tuple(tensor.dims))
            copy = onnx.TensorProto()
            copy.CopyFrom(tensor)
            copy.raw_data = bytes(raw)
            copy.data_location = onnx.TensorProto.DEFAULT
            return numpy_helper.to_array(copy)
        except Exception as error:  # whatever is wrong with numbers from outside
            raise NetworkError(f"{where}: cannot be read ({str(error)[:80]}); the model is damaged") from None
