"""What is handed out: one exercise for everybody, and each student's own variant of it."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import astuple, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..arrays.array import Array, Values
from ..arrays.kernels import KERNELS, in_the_middle
from ..model.graph import Graph
from ..model.limits import graph_of
from ..model.network import Network, Node
from ..model.settings import INPUT
from .design import Design
from .exercise import Exercise
from .mistake import Mistake, Planted

FORMAT = 1


@dataclass(frozen=True)
class Student:
    """A student: the name in the roster, the name of the file, and what a school's system knows the student by."""

    name: str
    file: str
    email: str = ""
    number: str = ""
    columns: tuple[tuple[str, str], ...] = ()  # of the roster, by heading: what the system's own import form repeats

    def __post_init__(self) -> None:
        """Keys are JSON, in which pairs are lists."""
        object.__setattr__(self, "columns", tuple((str(heading), str(cell)) for heading, cell in self.columns))


@dataclass(frozen=True)
class Handout:
    """An exercise with all its numbers: what the key knows, and grading needs."""

    network: Network
    exercise: Exercise
    parameters: Values
    pictures: dict[str, np.ndarray]
    trained: tuple[str, ...]  # layers whose weights were learned: no variant changes them
    seed: int
    students: tuple[Student, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, as the key carries it along; JSON keeps the numbers exact."""
        return {
            "network": self.network.description(),
            "exercise": self.exercise.data,
            "parameters": {
                INPUT: {key: _packed(self.parameters[f"{INPUT}.{key}"]) for key in self.network.input.constants()}
            }
            | {node.name: self._packed_parameters(node) for node in self.network.nodes},
            "pictures": {name: _packed(array) for name, array in self.pictures.items()},
            "trained": self.trained,
            "seed": self.seed,
            "students": [list(astuple(student)) for student in self.students],
        }

    def _packed_parameters(self, node: Node) -> dict[str, list[Any]]:
        owner = self.network.owner(node.name)
        return {key: _packed(self.parameters[f"{owner}.{key}"]) for key in node.layer.all_parameters(*node.in_shapes)}

    @cached_property
    def graph(self) -> Graph:
        """The arrays that are handed out."""
        return graph_of(self.network, "compact")

    @property
    def id(self) -> str:
        """What student files and their key have in common; the students do not count."""
        data = {key: value for key, value in self.to_dict().items() if key != "students"}
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]

    def variant(self, number: int) -> Variant:
        """The variant of a student, counted from 1 as in the roster; 0 is the exercise as the teacher gave it.

        Raises ValueError where a mistake cannot be planted anywhere.
        """
        vary = self.exercise.settings.vary if number else ()
        rng = np.random.default_rng([self.seed, number])
        names = list(self.pictures)
        name = names[0]
        pixels = self.pictures[name]
        if "picture" in vary:
            name = str(rng.choice(names))
            pixels = self.pictures[name]
            if len(names) == 1:  # a single picture is mirrored and turned
                if rng.integers(2):
                    pixels = pixels[:, :, ::-1]
                turns = int(rng.integers(4)) if pixels.shape[1] == pixels.shape[2] else 2 * int(rng.integers(2))
                pixels = np.rot90(pixels, turns, axes=(1, 2)).copy()
        parameters = self._kernels(rng) if "kernels" in vary else self.parameters
        values = self.graph.run(parameters | {f"{INPUT}.channel": pixels})
        taken = self._taken()
        variant = Variant(number, self.graph, self.exercise, name, pixels, parameters, values, frozenset(taken))
        own = number if "mistake" in vary else 0
        for n, task in enumerate(self.exercise.tasks, start=1):
            if isinstance(task, Mistake):
                planted = task.plant(variant, taken, [self.seed, own, n])
                if planted is None:
                    raise ValueError(
                        f"task {n} (mistake): there is no layer left in which {' or '.join(task.mistake)} would be seen; "
                        "layers that other tasks use, or build on, are left alone; choose another kind, layer or picture"
                    )
                variant.planted[n] = planted
                taken = taken | {planted.node.name}
        return variant

    def _taken(self) -> set[str]:
        """Layers where no mistake may be: those of other tasks, and all that lies before them."""
        taken = {name for task in self.exercise.tasks for name in task.layers(self.network)}
        for node in reversed(self.network.nodes):
            if node.name in taken:
                taken |= set(node.inputs)
        return taken - {INPUT}

    def _kernels(self, rng: np.random.Generator) -> Values:
        """Other kernels: classic ones are drawn anew, the numbers of others are shuffled within each filter."""
        found = dict(self.parameters)
        for node in self.network.nodes:
            array = found.get(f"{node.name}.weight")
            if array is None or array.ndim < 2 or node.name in self.trained:
                continue
            weight = found[f"{node.name}.weight"] = array.copy()
            if getattr(node.layer, "kernels", None) is None:
                for k in range(len(weight)):
                    weight[k] = rng.permutation(weight[k].ravel()).reshape(weight[k].shape)
                continue
            names = [name for name in KERNELS if name != "identity"]
            chosen = rng.permutation(names * -(-len(weight) // len(names)))[: len(weight)]
            for k, name in enumerate(chosen.tolist()):
                weight[k] = in_the_middle(name, *weight.shape[2:])
        return found


@dataclass(frozen=True)
class Variant:
    """One student's variant: the numbers, what is right, and where the mistakes are."""

    number: int
    graph: Graph
    exercise: Exercise
    picture: str
    pixels: np.ndarray
    parameters: Values
    values: Values  # what is right, of every array
    taken: frozenset[str]  # layers that tasks use, or build on: no mistake is there
    planted: dict[int, Planted] = field(default_factory=dict)  # by the number of the task

    @property
    def network(self) -> Network:
        return self.graph.network

    def parameters_of(self, node: Node) -> Values:
        """A layer's parameters by key."""
        return {key: self.values[f"{node.name}.{key}"] for key in node.layer.all_parameters(*node.in_shapes)}

    def read_by(self, node: Node) -> tuple[np.ndarray, ...]:
        """What a layer reads."""
        return tuple(self.values[self.graph.output(name).id] for name in node.inputs)

    def _shown_parameters(self) -> Values:
        """The parameters that the student's workbook shows at first: NaN for those that are to be found."""
        numbers = dict(self.parameters)
        for task in self.exercise.tasks:
            if isinstance(task, Design):
                for key in ("weight", "bias") if task.bias else ("weight",):
                    array = numbers[f"{task.layer}.{key}"].copy()
                    array[task.map - 1] = np.nan
                    numbers[f"{task.layer}.{key}"] = array
        return numbers

    def shown(self) -> Values:
        """What the student's workbook shows at first: NaN in the blanks, and in all that depends on them."""
        blanks: dict[str, np.ndarray] = {}
        for task in self.exercise.tasks:
            for layer, mask in task.blanks(self.network).items():
                blanks[layer] = blanks.get(layer, np.zeros(mask.shape, bool)) | mask
        return self._computed(self._shown_parameters(), blanks)

    def filled_in(self) -> Values:
        """What it will show when all blanks are filled in, and the planted mistakes are still there."""
        return self._computed(self.parameters, {})

    def _computed(self, numbers: Values, blanks: dict[str, np.ndarray]) -> Values:
        planted = {one.node.name: one for one in self.planted.values()}

        def change(array: Array, output: np.ndarray, values: Values) -> np.ndarray:
            layer = array.owner
            if layer in planted:
                node = planted[layer].node
                xs = tuple(values[self.graph.output(name).id] for name in node.inputs)
                given = {key: values[f"{layer}.{key}"] for key in node.layer.all_parameters(*node.in_shapes)}
                output = planted[layer].values(output, xs, given)
            return np.where(blanks[layer], np.nan, output) if layer in blanks else output

        return self.graph.run(numbers | {f"{INPUT}.channel": self.pixels}, change)


def _packed(array: np.ndarray) -> list[Any]:
    data = np.ascontiguousarray(array, dtype="<f8").tobytes()
    return [list(array.shape), base64.b64encode(data).decode()]


def unpacked(packed: Any) -> np.ndarray:
    """An array as `Handout.to_dict` packs it."""
    shape, text = packed
    return np.frombuffer(base64.b64decode(text), "<f8").reshape(shape).astype(float)
