"""A network description becomes checked layers with their shapes; a run of them in NumPy."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from .errors import LimitError, NetworkError
from .grid import Grids, seen_from
from .layers import LAYERS
from .layers.base import PREFIX, Arrays, CellFormula, Count, Drawing, Layer, Margin, Number, Shape, shape_text
from .plain import near
from .reading import read_bytes

MAX_FILE_BYTES = {".json": 16_000_000, "": 8_000_000}  # by kind of file: reading TOML takes its time
MAX_DOTS = 50  # in a key of TOML, whose reader takes its square
MAX_BITS = 64  # of an integer in TOML
MAX_ARRAY = 10**12  # numbers in a layer's output
MAX_LABELS_BYTES = 1_000_000
MAX_LABEL = 200  # letters
MAX_WORK = 25_000_000_000  # cells read in all; the largest networks of ImageNet have 20 billion multiplications
MAX_CELLS = 10_000_000  # what Google Sheets can hold; beyond, Excel and LibreOffice are no pleasure either
MAX_GRID_NAMES = 30_000  # thumbnails and lists have names too, all together no more than `dress.MAX_DEFINED_NAMES`
INPUT = "input"  # what layers call the input in `input =`
RESERVED = {"overview", "gallery", "inspector", "input", "check", "exercise"}  # other sheets
RESERVED |= {"_feedback", "_inspector", "_kernels", "_pictures", "_sheetcnn"}  # hidden ones
RESERVED |= {"history"}  # Excel keeps this name for itself
NAME = "[A-Za-z_][A-Za-z0-9_]*"  # of a layer
NAME_LETTERS = 31  # of a sheet
INITS = ("he_normal", "he_uniform", "xavier_normal", "xavier_uniform", "zeros", "ones")
WEIGHT_KEYS = ("weight", "bias", "running_mean", "running_var", f"{PREFIX}weight")

Change = Callable[[str, np.ndarray, tuple[np.ndarray, ...]], np.ndarray]  # layer, output, inputs -> output


def _plain_text(text: Any) -> Any:
    if isinstance(text, str) and (bad := re.search(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff\ud800-\udfff]", text)):
        raise ValueError(f"the control character {bad.group()!r} cannot stand in a workbook; leave it out")
    return text


Text = Annotated[str, BeforeValidator(_plain_text)]


def _per_channel(value: Any) -> Any:
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else value


Positive = Annotated[Number, Field(gt=0)]


class InputSettings(BaseModel):
    """The `[input]` table: the shape that the network reads, and what happens to pixels before the first layer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: Count
    height: Count
    width: Count
    scale: Positive | None = None
    mean: (
        Annotated[tuple[Number, ...], BeforeValidator(_per_channel, json_schema_input_type=Number | tuple[Number, ...])]
        | None
    ) = None
    std: (
        Annotated[
            tuple[Positive, ...], BeforeValidator(_per_channel, json_schema_input_type=Positive | tuple[Positive, ...])
        ]
        | None
    ) = None
    invert: Annotated[bool, Field(strict=True)] = False
    fit: Literal["contain", "cover", "stretch"] = "contain"

    @property
    def shape(self) -> Shape:
        return (self.channels, self.height, self.width)

    @property
    def normalizes(self) -> bool:
        """Whether (pixel / scale − mean) / std is to be computed."""
        return any(setting is not None for setting in (self.scale, self.mean, self.std))

    def constants(self) -> Arrays:
        """The numbers of (pixel / scale − mean) / std that are given: one scale, a mean and a deviation per channel."""
        given: Arrays = {}
        if self.scale is not None:
            given["scale"] = np.array([self.scale])
        for key, values in (("mean", self.mean), ("std", self.std)):
            if values is not None:
                given[key] = np.broadcast_to(np.array(values, float), (self.channels,)).copy()
        return given

    def formula(self, at: Shape, grids: dict[str, Grids]) -> str:
        """The formula of a normalised pixel: (pixel / scale − mean) / std, as far as these are given."""
        c, i, j = at
        text = grids["channel"][c].at(i, j)
        if self.scale is not None:
            text += f"/{grids['scale'].area}"
        if self.mean is not None:
            text += f"-{grids['mean'][c].area}"
        return text if self.std is None else f"({text})/{grids['std'][c].area}"

    def drawings(self) -> list[Drawing]:
        """The arrays that the Input sheet draws."""
        drawn = [Drawing("channel", "channel", "pixels", self.shape, 1)]
        if self.normalizes:
            drawn += [
                Drawing(key, key, "parameter", array.shape, int(key != "scale")) for key, array in self.constants().items()
            ]
            drawn.append(Drawing("normalized", "normalized", "output", self.shape, 1))
        return drawn


class NetworkSettings(BaseModel):
    """The top level of a network file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[Text, Field(min_length=1, max_length=200)]
    about: Annotated[Text, Field(max_length=2000)] = ""
    labels: tuple[Annotated[Text, Field(max_length=MAX_LABEL)], ...] | None = None
    weights: Annotated[Text, Field(min_length=1, max_length=500)] | None = None
    input: InputSettings
    layers: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)]
    exercise: dict[str, Any] | None = None  # read by `handout`


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

    @property
    def title(self) -> str:
        return f'layer {self.number} ({self.layer.type} "{self.name}")'

    @property
    def parameter_words(self) -> str:
        """How the number of parameters comes about; weights that are another layer's are counted there."""
        words = self.layer.parameter_words(*self.in_shapes)
        return words if self.share is None else f"0, shared with {self.share} ({words})"

    def drawings(self, detail: str) -> list[Drawing]:
        """Every array that the layer's sheet draws; weights that are another layer's are drawn as formulas."""
        drawn = self.layer.drawings(self.in_shapes, detail)
        if self.share is None:
            return drawn
        return [replace(drawing, role="shared") if drawing.role == "parameter" else drawing for drawing in drawn]


@dataclass(frozen=True)
class Network:
    """A checked network: its layers in order, each with its shapes."""

    settings: NetworkSettings
    nodes: tuple[Node, ...]
    source: str  # what error messages call it

    @property
    def input(self) -> InputSettings:
        return self.settings.input

    @cached_property
    def by_name(self) -> dict[str, Node]:
        """The layers by name."""
        return {node.name: node for node in self.nodes}

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """What each layer puts out, by name; the input's shape under "input"."""
        return {INPUT: self.input.shape} | {node.name: node.shape for node in self.nodes}

    @property
    def answers(self) -> tuple[str, ...]:
        """What the numbers of the last layer stand for: their labels, or else 1, 2, 3 …; nothing where it puts out maps."""
        shape = self.nodes[-1].shape
        return self.settings.labels or (tuple(str(n + 1) for n in range(shape[0])) if len(shape) == 1 else ())

    @property
    def gives_probabilities(self) -> bool:
        """Whether the last layer's numbers are probabilities, by softmax."""
        last = self.nodes[-1].layer
        return (getattr(last, "activation", None) or last).type == "softmax"

    def margin(self, name: str) -> Margin:
        """The padding to draw around the maps of a layer (or of "input"): the most that any reader wants."""
        readers = [node for node in self.nodes if name in node.inputs and all(len(shape) == 3 for shape in node.in_shapes)]
        sides = [node.layer.margin(*node.in_shapes) for node in readers]
        top, left, bottom, right = (max(side) for side in zip((0, 0, 0, 0), *sides, strict=True))
        return top, left, bottom, right

    def drawings(self, detail: str) -> dict[str, list[Drawing]]:
        """Every array that is drawn, by layer, the input's under "input".

        Where not all grids can have a name, a filter's kernels have one together, in wide layers. Raises LimitError, naming
        the largest layer, the number and the limit, where a spreadsheet could not hold them or nobody would wait for them.
        """
        drawn = self._drawings(detail)
        self._refuse_names_given_twice(drawn)
        cells = {name: _cells(arrays) for name, arrays in drawn.items()}
        if sum(cells.values()) > MAX_CELLS:
            largest = max(cells, key=lambda name: cells[name])
            raise LimitError(
                f"{self.source}: the workbook would have {sum(cells.values()):,} cells, {cells[largest]:,} of them in "
                f'"{largest}"; a spreadsheet takes {MAX_CELLS:,}; {self._remedy(detail)}'
            )
        if sum(map(_names, drawn.values())) > MAX_GRID_NAMES:
            for node in self.nodes:
                if node.layer.wide(*node.in_shapes):
                    drawn[node.name] = [replace(d, together=d.label == "kernel") for d in drawn[node.name]]
        names = {name: _names(arrays) for name, arrays in drawn.items()}
        if sum(names.values()) > MAX_GRID_NAMES:
            largest = max(names, key=lambda name: names[name])
            raise LimitError(
                f"{self.source}: the workbook would have {sum(names.values()):,} grids, {names[largest]:,} of them in "
                f'"{largest}"; {MAX_GRID_NAMES:,} can have names that spreadsheet programs can take; use fewer channels'
            )
        self._refuse_too_much_work()
        return drawn

    def _refuse_too_much_work(self) -> None:
        """Raise LimitError where the cells read more than anybody would wait for: a cell's window counts, not the cell alone."""
        work = {node.name: node.layer.cells_read(*node.in_shapes) for node in self.nodes}
        if sum(work.values()) > MAX_WORK:
            largest = max(work, key=lambda name: work[name])
            raise LimitError(
                f"{self.source}: its cells would read {sum(work.values()):,} others, {work[largest]:,} of them in "
                f'"{largest}"; sheetcnn takes {MAX_WORK:,}; use smaller kernels, fewer channels or a smaller input'
            )

    def _refuse_names_given_twice(self, drawn: dict[str, list[Drawing]]) -> None:
        """Raise NetworkError where grids of two layers would have one name: `bn_running_mean_1` of bn and of bn_running."""
        owners: dict[str, str] = {}
        for owner, drawings in drawn.items():
            for drawing in drawings:
                first = owners.setdefault(f"{owner}_{drawing.label}".lower(), owner)
                if first != owner:
                    raise NetworkError(
                        f"{self.source}: layers {first!r} and {owner!r} would both have grids named "
                        f"{owner}_{drawing.label}_1, …; rename one of them"
                    )

    def _drawings(self, detail: str) -> dict[str, list[Drawing]]:
        return {INPUT: self.input.drawings()} | {node.name: node.drawings(detail) for node in self.nodes}

    def _remedy(self, detail: str) -> str:
        """What would fit: the largest smaller input, in steps of a sixteenth."""
        for part in range(15, 0, -1):
            smaller = self.description()
            height, width = (max(1, side * part // 16) for side in self.input.shape[1:])
            smaller["input"] |= {"height": height, "width": width}
            try:
                network = parse_network(smaller, self.source)
            except NetworkError:
                continue
            if sum(map(_cells, network._drawings(detail).values())) <= MAX_CELLS:
                weights, other = (
                    [node.layer.all_parameters(*node.in_shapes) for node in each.nodes] for each in (self, network)
                )
                more = "" if weights == other else ", with weights of the fully connected layers made for it"
                return f"an input of {height}×{width} would fit{more}"
        return "use fewer channels"

    def formulas(self, name: str, detail: str, grids: dict[str, dict[str, Grids]]) -> dict[str, CellFormula]:
        """For every computed array of a layer (or of "input"), by key, the function that writes a cell's formula.

        `grids` has the grids of all layers by name and key.
        """
        if name == INPUT:
            return {"normalized": lambda at: self.input.formula(at, grids[INPUT])} if self.input.normalizes else {}
        node = self.by_name[name]
        xs = tuple(seen_from(self.output_of(read, grids), node.name) for read in node.inputs)
        cells = node.layer.formulas(node.in_shapes, detail, xs, grids[name])
        if node.share is not None:
            lent = {key: seen_from(grids[node.share][key], node.name) for key in node.layer.all_parameters(*node.in_shapes)}
            cells |= {key: partial(_same_cell, own) for key, own in lent.items()}
        return cells

    def output_of(self, name: str, grids: dict[str, dict[str, Grids]]) -> Grids:
        """The grids that readers of a layer (or of "input") see."""
        return grids[name][self.key_of(name)]

    def key_of(self, name: str) -> str:
        """The array that readers of a layer (or of "input") see."""
        return "output" if name != INPUT else "normalized" if self.input.normalizes else "channel"

    def description(self) -> dict[str, Any]:
        """The network as plain data without the numbers of weights, as a workbook carries it along."""
        top = self.settings.model_dump(mode="json", exclude_none=True, exclude={"layers", "weights", "exercise"})
        return top | {"layers": [node.settings for node in self.nodes]}

    def run(
        self, pixels: np.ndarray, parameters: dict[str, Arrays], detail: str, change: Change | None = None
    ) -> dict[str, Arrays]:
        """Every array of every layer in NumPy, by layer and key; the input's own under "input".

        `pixels` is C×H×W; `parameters` has each layer's arrays by name, and under "input" those of the normalisation.
        `change` may put something else in the place of a layer's output; later layers read that.
        """
        values = {INPUT: {"channel": pixels}}
        outputs = {INPUT: pixels}
        if self.input.normalizes:
            given = {key: array.reshape(-1, 1, 1) for key, array in parameters[INPUT].items()}
            outputs[INPUT] = (pixels / given.get("scale", 1.0) - given.get("mean", 0.0)) / given.get("std", 1.0)
            values[INPUT]["normalized"] = outputs[INPUT]
        with np.errstate(all="ignore"):  # what is not finite is reported by whoever asked, with its place
            for node in self.nodes:
                xs = tuple(outputs[name] for name in node.inputs)
                values[node.name] = node.layer.run(xs, detail, parameters.get(node.name, {}))
                if change is not None:
                    values[node.name]["output"] = change(node.name, values[node.name]["output"], xs)
                outputs[node.name] = values[node.name]["output"]
        return values


def _cells(drawings: list[Drawing]) -> int:
    return sum(int(np.prod(drawing.shape, dtype=object)) for drawing in drawings)


def _names(drawings: list[Drawing]) -> int:
    """How many defined names the grids have."""
    return sum(int(np.prod(d.shape[: 1 if d.together else d.lead], dtype=object)) for d in drawings)


def _same_cell(grids: Grids, at: Shape) -> str:
    """The cell of an array at an index, whatever number of axes number its grids."""
    place = list(at)
    while isinstance(grids, list):
        grids = grids[place.pop(0)]
    return grids.at(*[*place, 0, 0][:2])


# -- reading ---------------------------------------------------------------------------------------------------------


def read_network(path: Path) -> Network:
    """Read a .toml or .json network file.

    Raises NetworkError with one line that names the file, the layer and the setting.
    """
    return parse_network(read_settings(path), str(path))


def read_settings(path: Path) -> Any:
    """What a .toml or .json file says, not yet checked. Raises NetworkError where it cannot be read."""
    kind = path.suffix.lower()
    most = MAX_FILE_BYTES.get(kind, MAX_FILE_BYTES[""])
    give, instead = "give a network file or a template's name", "put the weights into an .npz file"
    data = read_bytes(path, most, NetworkError, give, instead=instead)
    try:
        text = data.decode("utf-8-sig")
        return _without_schema(parse_json(text)) if kind == ".json" else parse_toml(text)
    except UnicodeDecodeError:
        raise NetworkError(f"{path}: is not a text file in UTF-8; a network file is TOML or JSON") from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise NetworkError(f"{path}: is not valid {path.suffix.lstrip('.').upper() or 'TOML'}: {reason}") from None


def parse_json(text: str) -> Any:
    """What a text in JSON says; a key twice, of which programs read this one or that, is a ValueError."""
    return json.loads(text, object_pairs_hook=_once_each)


def _without_schema(data: Any) -> Any:
    """Without the place of the schema, which JSON files name for editors; TOML files do so in a comment."""
    return {key: value for key, value in data.items() if key != "$schema"} if isinstance(data, dict) else data


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {key!r:.60} stands there twice; leave one of them out")
    return table


def parse_toml(text: str) -> dict[str, Any]:
    """What a text in TOML says, which is a ValueError where the parser or others could not cope.

    Over keys of very many parts the parser would sit for hours; integers of any length in the base 16 would be read, but
    could not be written into a message.
    """
    if any(_dots(line) > MAX_DOTS for line in text.splitlines()):
        raise ValueError(f"a key has more than {MAX_DOTS} dots")
    data = tomllib.loads(text)
    if re.search(r"0(?:x[\da-fA-F_]{16}|o[0-7_]{21}|b[01_]{63})", text):
        _refuse_long(data)
    return data


def _refuse_long(data: Any) -> None:
    """Raise ValueError where there is an integer of more bits than TOML promises."""
    waiting = [data]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            waiting += one.values() if isinstance(one, dict) else one
        elif isinstance(one, int) and one.bit_length() > MAX_BITS:
            raise ValueError(f"a number has {one.bit_length():,} bits, more than {MAX_BITS}; write a smaller one")


def _dots(line: str) -> int:
    """How many dots a line of TOML has in its key; numbers of an array have commas between them."""
    key = line.partition("=")[0]
    return 0 if "," in key else key.count(".")


def parse_network(data: Any, source: str) -> Network:
    """Check a network description; `source` is what messages call it."""
    settings = validated(NetworkSettings, data, source)
    _check_input(settings.input, source)
    nodes: list[Node] = []
    shapes = {INPUT: settings.input.shape}
    for number, table in enumerate(settings.layers, start=1):
        later = [other.get("name") for other in settings.layers[number - 1 :]]
        node = _node(number, dict(table), nodes, shapes, later, source)
        nodes.append(node)
        shapes[node.name] = node.shape
    if settings.labels is not None:
        _check_labels(settings.labels, nodes[-1], source)
    return Network(settings, tuple(nodes), source)


def with_labels(network: Network, path: Path) -> Network:
    """The network with the labels of a text file, one a line.

    Raises NetworkError with one line that names the file, the line and the rule.
    """
    data = read_bytes(path, MAX_LABELS_BYTES, NetworkError, "give a text file with one label a line")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NetworkError(f"{path}: is not a text file in UTF-8; save it as UTF-8, one label a line") from None
    labels = tuple(text.replace("\r\n", "\n").rstrip("\n").split("\n"))
    for number, label in enumerate(labels, start=1):
        if not label.strip():
            raise NetworkError(f"{path}: line {number} is empty; give one label a line")
        if len(label) > MAX_LABEL:
            raise NetworkError(f"{path}: line {number} has {len(label):,} letters; a label has at most {MAX_LABEL}")
        try:
            _plain_text(label)
        except ValueError as error:
            raise NetworkError(f"{path}: line {number}: {error}") from None
    _check_labels(labels, network.nodes[-1], str(path))
    return replace(network, settings=network.settings.model_copy(update={"labels": labels}))


def _check_labels(labels: tuple[str, ...], last: Node, source: str) -> None:
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
        raise NetworkError(f"{where}: type {kind!r:.60} is no layer{near(kind, LAYERS)}; `sheetcnn layers` lists them")
    name = table.pop("name", f"{kind}_{number}")
    where = f'{where} ({kind} "{name!s:.60}")'
    _check_name(name, shapes, where)
    inputs = table.pop("input", before[-1].name if before else INPUT)
    settings = {"type": kind, "name": name, "input": inputs} | {
        key: value for key, value in table.items() if not _is_weight(key, value)
    }
    inline = {key: value for key, value in table.items() if _is_weight(key, value)}
    options = {key: value for key, value in table.items() if key not in (*inline, "init", "seed", "share")}
    share = table.get("share")
    layer = validated(LAYERS[kind], options, where)
    names = tuple(inputs) if isinstance(inputs, list) else (inputs,)
    for read in names:
        if not isinstance(read, str) or read not in shapes:
            later_why = "comes later: layers read earlier ones only, a cycle has no order"
            why = later_why if read in later else f"is no layer{near(read, shapes)}"
            raise NetworkError(f"{where}: input {read!r:.60} {why}; there are {', '.join(shapes)}")
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
    for key in (*inline, *(key for key in ("init", "seed") if key in table)):
        if key not in known and not (key in ("init", "seed") and known):
            raise NetworkError(f"{where}: {key} is given, but the layer has {_list(known) or 'no weights'}; leave it out")
        if share is not None:
            raise NetworkError(f"{where}: {key} is given, but the weights are those of {share!r:.60}; leave one of them out")
    return Node(number, name, layer, names, in_shapes, shape, settings, inline, share)


def _check_init(settings: dict[str, Any], where: str) -> None:
    """Raise NetworkError where `init` or `seed` is none."""
    init, seed = settings.get("init", INITS[0]), settings.get("seed", 0)
    if init not in INITS:
        raise NetworkError(f"{where}: init {init!r:.60} is unknown{near(init, INITS)}; there are {', '.join(INITS)}")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
        raise NetworkError(f"{where}: seed {seed!r:.60} must be a whole number from 0 on")


def _check_share(share: Any, kind: str, own: dict[str, Shape], before: list[Node], later: list[Any], where: str) -> None:
    """Raise NetworkError where a layer cannot use another's weights."""
    nodes = {node.name: node for node in before}
    if not isinstance(share, str) or share not in nodes:
        later_why = "comes later; weights are shared with an earlier layer"
        why = later_why if share in later else f"is no layer{near(share, nodes)}"
        raise NetworkError(f"{where}: share {share!r:.60} {why}; there are {', '.join(nodes) or 'none'}")
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
    if name.lower() in (other.lower() for other in taken):
        raise NetworkError(
            f"{where}: name {name!r:.60} is taken by an earlier layer (upper and lower case count as the same)"
        )


def validated(model: type[Any], data: Any, where: str) -> Any:
    """The model made of the data; its first complaint becomes one line."""
    if not isinstance(data, dict):
        raise NetworkError(f"{where}: must be a table of settings, not {data!r:.60}")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise NetworkError(f"{where}: {_complaint(error, model)}") from None
    except RecursionError:
        raise NetworkError(f"{where}: is nested too deeply") from None


def _complaint(error: ValidationError, model: type[BaseModel]) -> str:
    first = error.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"] if not str(part).startswith(("tuple[", "function-", "literal["))]
    key = ".".join(path)
    if first["type"] == "extra_forbidden":
        for part in first["loc"][:-1]:
            model = model.model_fields[str(part)].annotation  # type: ignore[assignment]
        fields = list(model.model_fields)
        return f"unknown setting {key!r:.60}{near(path[-1], fields)}; there are {', '.join(fields) or 'none'}"
    if first["type"] == "missing":
        return f"{key} is missing"
    reason = first["msg"].removeprefix("Value error, ")
    if not key:
        return reason
    given = repr(first["input"])
    return f"{key}: {reason[0].lower()}{reason[1:]}, not {given if len(given) <= 60 else given[:57] + '...'}"


def _list(names: Any) -> str:
    return ", ".join(names)
