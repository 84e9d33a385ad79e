"""A network description becomes checked layers, each in its place with the shapes that flow."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ..arrays.array import Shape, shape_text
from ..errors import LimitError, NetworkError, located
from ..layers import LAYERS
from ..layers.base import PREFIX, Layer
from ..plain import near
from .settings import INPUT, MAX_ABOUT, InputSettings, NetworkSettings, TrainingSettings, validated

MAX_ARRAY = 10**12  # numbers in a layer's output
RESERVED = {"overview", "gallery", "inspector", "input", "check", "exercise"}  # other sheets
RESERVED |= {"_feedback", "_inspector", "_kernels", "_pictures", "_sheetcnn"}  # hidden ones
RESERVED |= {"history"}  # Excel keeps this name for itself
NAME = "[A-Za-z_][A-Za-z0-9_]*"  # of a layer
NAME_LETTERS = 31  # of a sheet
INITS = ("he_normal", "he_uniform", "xavier_normal", "xavier_uniform", "zeros", "ones")
MAX_PREFIX = 500  # letters
MOST_NAMES = 100  # of layers, in a message
FLAGS = ("train", "live")  # settings of any layer that are true or false
ABOUT_WEIGHTS = ("init", "seed", "share", "weights_prefix")  # settings that any layer with weights has
WEIGHT_KEYS = ("weight", "bias", "running_mean", "running_var", f"{PREFIX}weight")


@dataclass(frozen=True)
class Node:
    """A layer in its place: its name, what it reads, and the shapes that flow."""

    number: int  # counted from 1
    name: str
    layer: Layer
    inputs: tuple[str, ...]
    in_shapes: tuple[Shape, ...]
    shape: Shape
    settings: dict[str, Any]  # as in the network file, without the numbers of weights
    inline: dict[str, Any] = field(repr=False)  # numbers of weights that stand in the network file
    share: str | None = None  # the layer whose weights it uses
    train: bool = True  # whether a step changes its weights
    live: bool = True  # whether its cells are formulas; else they are the numbers that NumPy computed

    @property
    def prefix(self) -> str:
        """What the names of its arrays begin with in a file of weights: its own name, where the network file gives no other."""
        return self.settings.get("weights_prefix", self.name)

    @property
    def title(self) -> str:
        return f'layer {self.number} ({self.layer.type} "{self.name}")'

    @property
    def parameter_count(self) -> int:
        """How many numbers training changes; weights that are another layer's are counted there."""
        return 0 if self.share is not None else sum(self.layer.trainable(*self.in_shapes).values())

    @property
    def parameter_words(self) -> str:
        """How the number of parameters comes about; weights that are another layer's are counted there."""
        words = self.layer.parameter_words(*self.in_shapes)
        return words if self.share is None else f"0, shared with {self.share} ({words})"

    @property
    def named_parameter_words(self) -> str:
        """How the number of parameters comes about, every factor named."""
        words = self.layer.named_parameter_words(*self.in_shapes)
        return words if self.share is None else f"0, shared with {self.share} ({words})"


@dataclass(frozen=True)
class Network:
    """A checked network: its layers in order, each with its shapes."""

    settings: NetworkSettings
    nodes: tuple[Node, ...]
    source: str  # what error messages call it
    left_out: tuple[Node, ...] = ()  # layers of its file that are not drawn

    @property
    def input(self) -> InputSettings:
        return self.settings.input

    @cached_property
    def by_name(self) -> dict[str, Node]:
        """The layers by name."""
        return {node.name: node for node in self.nodes}

    def owner(self, name: str) -> str:
        """Whose weights a layer uses: its own, or those of the layer that it shares with."""
        share = self.by_name[name].share
        return name if share is None else self.owner(share)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """What each layer puts out, by name; the input's shape under "input"."""
        return {INPUT: self.input.shape} | {node.name: node.shape for node in self.nodes}

    @property
    def training(self) -> TrainingSettings:
        """How it is trained, the defaults where the network file does not say."""
        return self.settings.training or TrainingSettings()

    @property
    def loss(self) -> str:
        """The loss that training makes small."""
        return self.training.loss or ("cross_entropy" if len(self.nodes[-1].shape) == 1 else "mse")

    @property
    def outputs(self) -> tuple[str, ...]:
        """The layers that a model puts out: those that the file names, then those that no other layer reads."""
        read = {name for node in self.nodes for name in node.inputs}
        ends = [node.name for node in self.nodes if node.name not in read]
        return tuple(dict.fromkeys([*(self.settings.outputs or ()), *ends]))

    @property
    def answers(self) -> tuple[str, ...]:
        """What the numbers of the last layer stand for: their labels, or else 1, 2, 3 …; nothing where it puts out maps."""
        shape = self.nodes[-1].shape
        return self.settings.labels or (tuple(str(n + 1) for n in range(shape[0])) if len(shape) == 1 else ())

    @property
    def gives_probabilities(self) -> bool:
        """Whether the last layer's numbers are probabilities, by softmax."""
        last = self.nodes[-1].layer
        return (last.final or last).gives_probabilities

    def until(self, name: str) -> Network:
        """The network that ends in a layer: what that needs. Raises NetworkError where there is no such layer."""
        if name not in self.by_name:
            raise NetworkError(
                f"{self.source}: until {name!r:.60}: is no layer{near(name, self.by_name, 3)}; {_there_are(self.by_name)}"
            )
        needed = {name}
        for node in reversed(self.nodes):
            if node.name in needed:
                needed |= {*node.inputs, *([] if node.share is None else [node.share])}
        if needed >= self.by_name.keys():
            return self
        nodes, left_out = (tuple(one for one in self.nodes if (one.name in needed) is wanted) for wanted in (True, False))
        about = f"{self.settings.about} Drawn up to {name}, which is not the whole network.".strip()[-MAX_ABOUT:]
        others: dict[str, Any] = {"about": about, "exercise": None}
        others |= {} if name == self.nodes[-1].name else {"labels": None}
        return replace(self, settings=self.settings.model_copy(update=others), nodes=nodes, left_out=left_out)

    def with_live(self, wanted: str) -> Network:
        """The network of which some layers are live only: names with commas between them, and first:last for those from one to another.

        Raises NetworkError where there is no such layer.
        """
        live: set[str] = set()
        for part in wanted.split(","):
            ends = [end.strip() for end in part.split(":")]
            for end in ends:
                if (end or len(ends) != 2) and end not in self.by_name:
                    raise NetworkError(
                        f"{self.source}: live {end!r:.60}: is no layer{near(end, self.by_name, 3)}; {_there_are(self.by_name)}"
                    )
            first, last = (self.by_name[end].number if end else None for end in (ends[0], ends[-1]))
            numbers = range(first or 1, (last or self.nodes[-1].number) + 1)
            live |= {node.name for node in self.nodes if node.number in numbers}
        nodes = tuple(
            replace(node, live=node.name in live, settings=node.settings | {"live": node.name in live})
            for node in self.nodes
        )
        found = replace(self, nodes=nodes)
        for node in nodes:
            _refuse_dead_share(node, found.by_name, f"{self.source}: {node.title}")
        return found

    def description(self) -> dict[str, Any]:
        """The network as plain data without the numbers of weights, as a workbook carries it along."""
        left_out: Any = {"layers": True, "weights": True, "exercise": True, "training": {"snapshots"}}
        if self.training.model_fields_set <= {"snapshots"}:
            left_out["training"] = True
        top = self.settings.model_dump(mode="json", exclude_none=True, exclude=left_out)
        return top | {"layers": [node.settings for node in self.nodes]}


# -- reading ---------------------------------------------------------------------------------------------------------


def _there_are(names: Collection[str]) -> str:
    """Which layers can be named, of many the first ones."""
    more = f" … ({len(names):,} in all: `sheetcnn summary` lists them)" if len(names) > MOST_NAMES else ""
    return f"there are {', '.join([*names][:MOST_NAMES]) or 'none'}{more}"


def parse_network(data: Any, source: str) -> Network:
    """Check a network description; `source` is what messages call it."""
    with located(file=source):
        settings = validated(NetworkSettings, data, source)
        _check_input(settings.input, source)
    nodes: list[Node] = []
    shapes = {INPUT: settings.input.shape}
    for number, table in enumerate(settings.layers, start=1):
        later = [other.get("name") for other in settings.layers[number - 1 :]]
        with located(file=source, layer=_called(table, number)):
            node = _node(number, dict(table), nodes, shapes, later, source)
        nodes.append(node)
        shapes[node.name] = node.shape
    if settings.labels is not None:
        with located(file=source, setting="labels"):
            check_labels(settings.labels, nodes[-1], source)
    for name in settings.outputs or ():
        if name not in shapes or name == INPUT:
            with located(file=source, setting="outputs"):
                raise NetworkError(f"{source}: outputs has {name!r:.60}, which is no layer{near(name, shapes)}")
    return Network(settings, tuple(nodes), source)


def _called(table: dict[str, Any], number: int) -> str:
    """What a layer is called, or would be."""
    return str(table.get("name", f"{table.get('type')}_{number}"))


def check_labels(labels: tuple[str, ...], last: Node, source: str) -> None:
    """Raise NetworkError where these labels are not one for each number of a vector."""
    if last.shape != (len(labels),):
        raise NetworkError(
            f"{source}: labels has {len(labels)} names, the last layer {last.name!r} puts out "
            f"{shape_text(last.shape)}; give one name for each number of a vector"
        )


def _check_input(settings: InputSettings, source: str) -> None:
    for key in ("mean", "std"):
        values = getattr(settings, key)
        if values is not None and len(values) not in (1, settings.channels):
            raise NetworkError(
                f"{source}: [input]: {key} has {len(values)} numbers for {settings.channels} channels; give one for each, or one for all"
            )


def _node(
    number: int, table: dict[str, Any], before: list[Node], shapes: dict[str, Shape], later: list[Any], source: str
) -> Node:
    where = f"{source}: layer {number}"
    kind = table.pop("type", None)
    if not isinstance(kind, str) or kind not in LAYERS:
        with located(setting="type"):
            raise NetworkError(f"{where}: type {kind!r:.60} is no layer{near(kind, LAYERS)}; `sheetcnn layers` lists them")
    name = table.pop("name", f"{kind}_{number}")
    where = f'{where} ({kind} "{name!s:.60}")'
    _check_name(name, shapes, where)
    inputs = table.pop("input", before[-1].name if before else INPUT)
    settings = {"type": kind, "name": name, "input": inputs} | {
        key: value for key, value in table.items() if not _is_weight(key, value)
    }
    inline = {key: value for key, value in table.items() if _is_weight(key, value)}
    options = {key: value for key, value in table.items() if key not in (*inline, *ABOUT_WEIGHTS, *FLAGS)}
    share = table.get("share")
    layer = validated(LAYERS[kind], options, where)
    names = tuple(inputs) if isinstance(inputs, list) else (inputs,)
    for read in names:
        if not isinstance(read, str) or read not in shapes:
            later_why = "comes later: layers read earlier ones only, a cycle has no order"
            why = later_why if read in later else f"is no layer{near(read, shapes)}"
            raise NetworkError(f"{where}: input {read!r:.60} {why}; {_there_are(shapes)}")
    in_shapes = tuple(shapes[read] for read in names)
    try:
        layer.accept(*in_shapes)
        shape = layer.output_shape(*in_shapes)
    except ValueError as error:
        raise NetworkError(f"{where}: {error}") from None
    if math.prod(shape) > MAX_ARRAY:
        raise LimitError(f"{where}: its output would be {shape_text(shape)}; use smaller settings")
    known = layer.all_parameters(*in_shapes)
    if share is not None:
        _check_share(share, kind, known, before, later, where)
    _check_init(settings, where)
    if known and share is None:
        _check_prefix(table.get("weights_prefix", name), "weights_prefix" in table, before, where)
    own = [key for key in ABOUT_WEIGHTS if key in table and key != "share"]
    for key in (*inline, *own):
        if key not in known and not (key in own and known):
            raise NetworkError(f"{where}: {key} is given, but the layer has {_list(known) or 'no weights'}; leave it out")
        if share is not None:
            raise NetworkError(f"{where}: {key} is given, but the weights are those of {share!r:.60}; leave one of them out")
    flags = {key: table.get(key, True) for key in FLAGS}
    for key, flag in flags.items():
        if not isinstance(flag, bool):
            raise NetworkError(f"{where}: {key} {flag!r:.60} must be true or false")
    node = Node(number, name, layer, names, in_shapes, shape, settings, inline, share, **flags)
    _refuse_dead_share(node, {other.name: other for other in before}, where)
    return node


def _refuse_dead_share(node: Node, nodes: Mapping[str, Node], where: str) -> None:
    """Raise NetworkError where a live layer would use the weights of one that is not, which are not drawn."""
    if node.live and node.share is not None and not nodes[node.share].live:
        raise NetworkError(f"{where}: is live and uses the weights of {node.share!r}, which is not; make that live, too")


def _check_init(settings: dict[str, Any], where: str) -> None:
    """Raise NetworkError where `init` or `seed` is none."""
    init, seed = settings.get("init", INITS[0]), settings.get("seed", 0)
    if init not in INITS:
        raise NetworkError(f"{where}: init {init!r:.60} is unknown{near(init, INITS)}; there are {', '.join(INITS)}")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
        raise NetworkError(f"{where}: seed {seed!r:.60} must be a whole number from 0 on")


def _check_prefix(prefix: Any, given: bool, before: list[Node], where: str) -> None:
    """Raise NetworkError where a layer's arrays cannot be called so, or another's are."""
    if not isinstance(prefix, str) or not 1 <= len(prefix) <= MAX_PREFIX:
        raise NetworkError(
            f"{where}: weights_prefix {prefix!r:.60}: must be what arrays' names begin with, such as features.0"
        )
    for other in before:
        own = other.share is None and other.layer.all_parameters(*other.in_shapes)
        if own and other.prefix == prefix and (given or "weights_prefix" in other.settings):
            raise NetworkError(
                f"{where}: weights_prefix {prefix!r:.60}: layer {other.name!r} has these weights; share = {other.name!r} uses them too"
            )


def _check_share(share: Any, kind: str, own: dict[str, Shape], before: list[Node], later: list[Any], where: str) -> None:
    """Raise NetworkError where a layer cannot use another's weights."""
    nodes = {node.name: node for node in before}
    if not isinstance(share, str) or share not in nodes:
        later_why = "comes later; weights are shared with an earlier layer"
        why = later_why if share in later else f"is no layer{near(share, nodes)}"
        raise NetworkError(f"{where}: share {share!r:.60} {why}; {_there_are(nodes)}")
    other = nodes[share]
    lent = other.layer.all_parameters(*other.in_shapes)
    if not own:
        raise NetworkError(f"{where}: share {share!r:.60}: a {kind} has no weights to share; leave it out")
    if own != lent:
        mine, its = (", ".join(f"{key} {list(size)}" for key, size in sizes.items()) or "none" for sizes in (own, lent))
        raise NetworkError(
            f"{where}: share {share!r:.60}: its weights are {its}, this layer needs {mine}; only equal shapes can be shared"
        )


def _is_weight(key: str, value: Any) -> bool:
    """Whether a setting is the numbers of a weight; `bias = false` is not."""
    return key in WEIGHT_KEYS and isinstance(value, list | int | float) and not isinstance(value, bool)


def _check_name(name: Any, taken: dict[str, Shape], where: str) -> None:
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        raise NetworkError(f"{where}: name {name!r:.60} must be letters, digits and _, and not begin with a digit")
    if len(name) > NAME_LETTERS:
        raise NetworkError(f"{where}: name has {len(name)} letters; a sheet's name has at most {NAME_LETTERS}")
    if name.lower() in RESERVED or name.lower().startswith("_xl"):
        raise NetworkError(f"{where}: name {name!r:.60} is taken by a sheet of its own; choose another")
    if name.lower() in map(str.lower, taken):
        raise NetworkError(
            f"{where}: name {name!r:.60} is taken by an earlier layer (upper and lower case count as the same)"
        )


def _list(names: Any) -> str:
    return ", ".join(names)
