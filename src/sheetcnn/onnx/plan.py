"""The layers that a graph becomes, while they are found, and the network description that they make in the end.

A tensor of the graph is the cells of a layer in some order: reshaping it changes nothing, transposing it only the order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import ValidationError

from ..arrays.array import Shape, Values, shape_text
from ..arrays.lazy import LazyValues, Whole, compact
from ..layers import LAYERS
from ..layers.base import PREFIX, Layer
from ..model.network import RESERVED
from ..model.settings import INPUT
from .file import UnsupportedError
from .moving import moves, selected
from .values import MOST_CELLS, Cells, Value, stacked

MOST_LAYERS = 2_000  # before some are merged
NORMS = ("instance_norm2d", "group_norm", "layer_norm")
STAGES = {"mean": 0.0, "std": 1.0, "weight": 1.0, "bias": 0.0}  # of (x − mean) / std · weight + bias, and what does nothing


class UnknownLayerError(Exception):
    """No layer has a name; these are the names that there are."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self.names = names


@dataclass(eq=False)
class Step:
    """A layer to be: its settings and weights, and the numbers of the layers that it reads."""

    kind: str
    reads: list[int]
    shape: Shape
    name: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)  # numbers, or of many what reads them


def layer_of(kind: str, settings: dict[str, Any]) -> Layer:
    """A layer with settings. Raises UnsupportedError where they are none of its own."""
    try:
        return LAYERS[kind](**settings)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UnsupportedError(f"{kind}: {'.'.join(map(str, first['loc'][:1]))}: {first['msg'].lower()}") from None


class Plan:
    """The layers found so far; number 0 is the input."""

    def __init__(self, shape: Shape, kept: Callable[[np.ndarray], Whole] = compact) -> None:
        """`kept` is how weights are kept in mind."""
        self.kept = kept
        self.steps = [Step(INPUT, [], shape)]
        self.whole = True  # whether all of them are drawn that the outputs need
        self._views: dict[tuple[int, Shape], int] = {}
        self._moved: dict[tuple[int, Shape, bytes], int] = {}

    # -- finding layers ------------------------------------------------------------------------------------------------
    def add(
        self, kind: str, *reads: int, name: str = "", weights: dict[str, np.ndarray] | None = None, **settings: Any
    ) -> int:
        """The number of a new layer. Raises UnsupportedError where its settings are none, or do not fit what it reads."""
        shapes = [self.steps[n].shape for n in reads]
        layer = layer_of(kind, settings)
        try:
            layer.accept(*shapes)
            shape = layer.output_shape(*shapes)
            known = layer.parameters(*shapes)
        except ValueError as error:
            raise UnsupportedError(f"{kind}: {error}") from None
        for key, array in (weights or {}).items():
            if array.shape != layer.file_shape(key, known[key]):
                raise UnsupportedError(
                    f"its {key} is {shape_text(array.shape)}, not {shape_text(layer.file_shape(key, known[key]))}"
                )
        held = {key: self.kept(array) for key, array in (weights or {}).items()}
        return self._append(Step(kind, list(reads), shape, name, settings, held))

    def affine(self, read: int, stage: str, numbers: np.ndarray, name: str = "") -> int:
        """A constant for each channel that is subtracted ("mean"), divided by ("std"), multiplied ("weight") or added ("bias").

        In the end it becomes part of the layer before, where that changes no number, or a batch_norm2d.
        """
        if (numbers == STAGES[stage]).all():
            return read
        shape = self.steps[read].shape
        return self._append(Step("affine", [read], shape, name, {}, {stage: self.per_channel(numbers, shape)}))

    def per_channel(self, numbers: np.ndarray, shape: Shape) -> np.ndarray:
        """One number for each channel. Raises UnsupportedError where the numbers differ within one."""
        flat = numbers.reshape(shape[0], -1).astype(float)
        if (flat != flat[:, :1]).any():
            raise UnsupportedError("it has a constant for every cell; sheetcnn has one for each channel")
        return flat[:, 0]

    def _append(self, step: Step) -> int:
        if (cells := int(np.prod(step.shape, dtype=object))) > MOST_CELLS:
            raise UnsupportedError(
                f"it makes {cells:,} cells ({shape_text(step.shape)}); sheetcnn takes {MOST_CELLS:,} of a tensor"
            )
        self.steps.append(step)
        return len(self.steps) - 1

    # -- the cells of a layer in another shape -----------------------------------------------------------------------
    def view(self, layer: int, shape: Shape, name: str = "") -> int:
        """The layer that has a layer's cells as maps or as a vector of the given shape."""
        step = self.steps[layer]
        if step.shape == shape:
            return layer
        if step.kind in ("flatten", "unflatten"):
            return self.view(step.reads[0], shape)
        if (layer, shape) not in self._views:
            if len(shape) == 1:
                made = self.add("flatten", layer, name=name)
            else:
                made = self.add("unflatten", self.view(layer, (int(np.prod(shape)),)), size=list(shape))
            self._views[layer, shape] = made
        return self._views[layer, shape]

    def settled(self, value: Value) -> int:
        """The layer whose cells are in a tensor's own order."""
        if value.cells.order is None:
            return value.cells.layer
        return self.moved(value.cells.layer, stacked(value.shape), value.cells.order)

    def moved(self, layer: int, goal: Shape, order: np.ndarray, name: str = "") -> int:
        """The layer of a given shape whose n-th cell is the `order[n]`-th of another's."""
        shape = self.steps[layer].shape
        if np.array_equal(order, np.arange(int(np.prod(shape)))):
            return self.view(layer, goal)
        if (layer, goal, order.tobytes()) not in self._moved:
            chain = moves(shape, goal, order)
            if chain is None:
                raise UnsupportedError(f"it moves the cells of {shape_text(shape)} to {shape_text(goal)} without any order")
            made = layer
            for kind, settings in chain:
                made = self.add(kind, made, name=name, **settings)
            self._moved[layer, goal, order.tobytes()] = made
        return self._moved[layer, goal, order.tobytes()]

    def last(self, cells: Cells, tensor: Shape) -> bool:
        """Whether the channels of a layer's maps come last in a tensor of its cells."""
        shape = self.steps[cells.layer].shape
        if len(shape) != 3:
            return False
        if cells.order is None:  # of one channel or one cell: either way
            return tensor[-3:] == (*shape[1:], shape[0]) != shape and 1 in (shape[0], shape[1] * shape[2])
        return np.array_equal(self.turned(shape), cells.order)

    def selects(self, layer: int, one: np.ndarray, other: np.ndarray) -> bool:
        """Whether places along each axis are all that one order of a layer's cells takes, and another does not."""
        shape = self.steps[layer].shape
        return selected(shape, one.shape, one) is not None and selected(shape, other.shape, other) is None

    @staticmethod
    def turned(shape: Shape) -> np.ndarray:
        """The order in which channels come last."""
        return np.arange(int(np.prod(shape))).reshape(shape).transpose(1, 2, 0).reshape(-1)

    def maps(self, value: Value) -> int:
        """The layer that holds a tensor of batch, channels, rows and columns as maps."""
        if len(value.shape) != 4 or value.shape[0] != 1:
            raise UnsupportedError(
                f"it reads {shape_text(value.shape)}; sheetcnn needs one picture of channels, rows and columns"
            )
        return self.view(self.settled(value), value.shape[1:])

    def constant(self, value: Value, array: np.ndarray) -> np.ndarray:
        """A constant that meets a tensor, as it meets the tensor's layer: in its order and shape."""
        try:
            flat = np.broadcast_to(array, value.shape).reshape(-1)
        except ValueError:
            raise UnsupportedError(f"its constant of {shape_text(array.shape)} enlarges {shape_text(value.shape)}") from None
        cells = value.cells
        if cells.order is not None:
            turned = np.empty(len(flat), flat.dtype)
            turned[cells.order] = flat
            flat = turned
        return flat.reshape(self.steps[cells.layer].shape)

    # -- the description -----------------------------------------------------------------------------------------------
    def finish(
        self, outputs: list[int], settings: dict[str, Any], until: str | None = None
    ) -> tuple[dict[str, Any], Values]:
        """The input's table, the layers' and their weights, by the names that they have in a network file.

        `settings` are those of the `[input]` table; where it has no scaling of its own, the model's first steps become it.
        With `until` only the layer of that name is left, and what it needs. Raises UnknownLayerError where there is none.
        """
        if len(self._used(outputs)) > MOST_LAYERS:
            raise UnsupportedError(
                f"the model has {len(self._used(outputs)):,} layers; sheetcnn draws at most {MOST_LAYERS:,}"
            )
        self._merge(outputs, settings)
        self._lower()
        self._activate(outputs)
        used = self._used(outputs)
        names = self._names(used)
        if until is not None:
            found = [n for n in used if names[n] == until]
            if not found:
                raise UnknownLayerError([names[n] for n in used])
            self.whole = found == outputs
            outputs[:] = found
            used = self._used(outputs)
        layers: list[dict[str, Any]] = []
        weights: dict[str, Any] = {}
        before = 0
        for n in used:
            step = self.steps[n]
            reads = [names[read] for read in step.reads]
            table: dict[str, Any] = {"type": step.kind, "name": names[n]}
            if step.reads != [before]:
                table["input"] = reads[0] if len(reads) == 1 else reads
            layers.append(table | _plain(step))
            weights |= {f"{names[n]}.{key}": array for key, array in step.weights.items()}
            before = n
        read = {n for own in used for n in self.steps[own].reads}
        put_out = list(dict.fromkeys(names[n] for n in outputs))
        ends = [names[n] for n in used if n not in read]
        more: dict[str, Any] = {} if put_out == ends else {"outputs": put_out}
        kept = {name: array for name, array in weights.items() if isinstance(array, np.ndarray)}
        large = {name: read for name, read in weights.items() if name not in kept}
        return more | {"input": settings, "layers": layers}, LazyValues(kept, large) if large else kept

    def _used(self, outputs: list[int]) -> list[int]:
        """The layers that the outputs need, each after those that it reads, the input left out."""
        found = {0: True}  # False while what a layer reads is being found
        waiting = list(reversed(outputs))
        while waiting:
            n = waiting[-1]
            if n in found:
                waiting.pop()
                if not found[n]:
                    del found[n]
                    found[n] = True
            else:
                found[n] = False
                waiting += [read for read in reversed(self.steps[n].reads) if read not in found]
        return list(found)[1:]

    def _readers(self, outputs: list[int]) -> dict[int, list[int]]:
        """Who reads a layer, among those that the outputs need; an output is read from outside, by −1."""
        readers: dict[int, list[int]] = {n: [] for n in range(len(self.steps))}
        for n in outputs:
            readers[n].append(-1)
        for n in self._used(outputs):
            for read in self.steps[n].reads:
                readers[read].append(n)
        return readers

    def _drop(self, gone: int, kept: int, outputs: list[int], readers: dict[int, list[int]]) -> None:
        """Whoever reads one layer reads from now on the other, which only that one read."""
        readers[kept] = readers[gone]
        for n in readers[gone]:
            if n >= 0:
                self.steps[n].reads = [kept if read == gone else read for read in self.steps[n].reads]
        outputs[:] = [kept if n == gone else n for n in outputs]

    def _merge(self, outputs: list[int], settings: dict[str, Any]) -> None:
        """Constants and zero padding become part of the layers beside them, where that changes no number."""
        free = not {"scale", "mean", "std"} & set(settings)
        readers = self._readers(outputs)
        for n in self._used(outputs):
            step = self.steps[n]
            if step.kind not in ("conv2d", "affine"):
                continue
            host = step.reads[0]
            seen = readers[host] == [n]
            if step.kind == "conv2d":
                if seen and self._takes_padding(step, self.steps[host]):
                    readers[step.reads[0]] = [n if reader == host else reader for reader in readers[step.reads[0]]]
                continue
            if seen and all(self._absorbs(self.steps[host], stage, step.weights[stage]) for stage in step.weights):
                self.steps[host].weights |= step.weights
                self._drop(n, host, outputs, readers)
            elif seen and host == 0 and n not in outputs and free and self._normalizes(settings, step):
                self._drop(n, host, outputs, readers)

    def _absorbs(self, host: Step, stage: str, numbers: np.ndarray) -> bool:
        """Whether a layer can take a constant exactly: as the next of its steps, which it has not used."""
        if stage in host.weights:
            return False
        if host.kind == "affine":
            return all(list(STAGES).index(own) < list(STAGES).index(stage) for own in host.weights)
        if host.kind in NORMS:
            return stage == "bias" or (stage == "weight" and "bias" not in host.weights)
        return host.kind in ("conv2d", "conv_transpose2d", "linear") and stage == "bias"

    def _normalizes(self, settings: dict[str, Any], step: Step) -> bool:
        """Take a constant on the picture into (pixel / scale − mean) / std, if it is the next of these."""
        (stage, numbers), *more = step.weights.items()
        if more or stage == "bias" or (stage != "mean" and (numbers <= 0).any()):
            return False
        if stage == "weight":
            stage, numbers = "std", 1 / numbers
        if stage == "std" and not settings.keys() & {"scale", "mean", "std"} and (numbers == numbers[0]).all():
            settings["scale"] = float(numbers[0])
            return True
        if stage in settings or (stage == "mean" and "std" in settings):
            return False
        settings[stage] = numbers.tolist()
        return True

    def _takes_padding(self, step: Step, host: Step) -> bool:
        """Take the zeros that a layer puts around maps into the padding of a convolution, if it puts some."""
        if host.kind != "pad" or host.settings.get("mode", "constant") != "constant" or host.settings.get("value"):
            return False
        step.settings["padding"] = [a + b for a, b in zip(step.settings["padding"], host.settings["padding"], strict=True)]
        step.reads = list(host.reads)
        return True

    def _lower(self) -> None:
        """What is left of constants becomes batch_norm2d, whose steps they are; a vector is put into maps for it."""
        for step in list(self.steps):
            whole = {key: step.weights.get(key, np.full(step.shape[0], given)) for key, given in STAGES.items()}
            if step.kind in NORMS and step.weights:
                step.weights = {key: whole[key] for key in ("weight", "bias")}
                step.settings["affine"] = True
            elif step.kind in ("conv2d", "conv_transpose2d", "linear") and "bias" in step.weights:
                step.settings.pop("bias", None)
            elif step.kind == "affine":
                norm = Step("batch_norm2d", step.reads, step.shape, step.name, {"eps": 0.0})
                norm.weights = {"weight": whole["weight"] * np.sign(whole["std"]), "bias": whole["bias"]}
                norm.weights |= {"running_mean": whole["mean"], "running_var": whole["std"] ** 2}
                if len(step.shape) == 1:
                    norm.shape = (*step.shape, 1, 1)
                    norm.reads = [self._append(Step("unflatten", step.reads, norm.shape, "", {"size": list(norm.shape)}))]
                    norm = Step("flatten", [self._append(norm)], step.shape)
                self.steps[self.steps.index(step)] = norm

    def _activate(self, outputs: list[int]) -> None:
        """A layer that ends in a sum takes the activation after it, as people write networks."""
        readers = self._readers(outputs)
        for n in self._used(outputs):
            step, kind = self.steps[n], LAYERS[self.steps[n].kind]
            if not kind.joins_sums:
                continue
            host = self.steps[step.reads[0]]
            if not host.reads or "activation" not in LAYERS[host.kind].model_fields or "activation" in host.settings:
                continue
            if readers[step.reads[0]] == [n]:
                host.settings["activation"] = {"type": step.kind} | step.settings if step.settings else step.kind
                host.weights |= {PREFIX + key: array for key, array in step.weights.items()}
                self._drop(n, step.reads[0], outputs, readers)

    def _names(self, used: list[int]) -> dict[int, str]:
        names = {0: INPUT}
        taken = set(RESERVED)
        for n in used:
            names[n] = next(name for name in _tries(self.steps[n], n) if name.lower() not in taken)
            taken.add(names[n].lower())
        return names


def _plain(step: Step) -> dict[str, Any]:
    """A layer's settings as people write them: without those that are defaults, and 3 for [3, 3]."""
    kind, settings = LAYERS[step.kind], dict(step.settings)
    meant = kind.model_validate(settings)
    for key, value in list(settings.items()):
        shorter = [{other: settings[other] for other in settings if other != key}]
        shorter += [settings | {key: value[0]}] if isinstance(value, list) else []
        for fewer in shorter:
            with suppress(ValidationError):
                if kind.model_validate(fewer) == meant:
                    settings = fewer
                    break
    return settings


def _tries(step: Step, number: int) -> Iterator[str]:
    """What a layer may be called: its own name cleaned, then with what it is, then numbered."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", step.name).strip("_") or f"{step.kind}_{number}"
    if name[0].isdigit() or name.lower().startswith("xl") or name.lower() in RESERVED:
        name = f"{step.kind}_{name}"
    name = name[-31:].lstrip("_0123456789") or step.kind
    yield name
    if step.kind not in name and len(f"{name}_{step.kind}") <= 31:
        yield f"{name}_{step.kind}"
    for n in range(2, 10_000):
        yield f"{name[: 30 - len(str(n))].rstrip('_')}_{n}"
