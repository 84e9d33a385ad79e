"""What is handed out: one exercise for everybody, with all its numbers."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..arrays.array import Values
from ..arrays.kernels import KERNELS, in_the_middle
from ..model.drawn import PLAIN, Drawn
from ..model.graph import Graph
from ..model.limits import graph_of
from ..model.network import Network, Node
from ..model.settings import INPUT
from ..model.wanted import wanted_of
from .exercise import Exercise
from .student import Student
from .variant import Variant

FORMAT = 1


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
    drawn: Drawn = PLAIN

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
        } | ({} if self.drawn == PLAIN else {"drawn": self.drawn.description()})  # earlier keys have no such entry

    def _packed_parameters(self, node: Node) -> dict[str, list[Any]]:
        owner = self.network.owner(node.name)
        return {key: _packed(self.parameters[f"{owner}.{key}"]) for key in node.layer.all_parameters(*node.in_shapes)}

    def given(self, picture: str) -> Values:
        """What training begins with, for one of the pictures; nothing where no task asks about it."""
        if not self.drawn.training:
            return {}
        wanted = wanted_of(self.network, list(self.pictures))
        labels = {picture: wanted.labels[picture]} if wanted.labels else {}
        return replace(wanted, labels=labels).given(self.network, {picture: self.pictures[picture]})

    def right(self, picture: str) -> dict[str, str]:
        """The right answer of a picture, where there are labels."""
        labels = wanted_of(self.network, list(self.pictures)).labels if self.drawn.training else {}
        return {picture: labels[picture]} if labels else {}

    @cached_property
    def graph(self) -> Graph:
        """The arrays that are handed out."""
        return graph_of(self.network, self.drawn)

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
        parameters = parameters | self.given(name)
        values = self.graph.run(parameters | {f"{INPUT}.channel": pixels})
        taken = self._taken()
        blanks = self.exercise.blanks
        variant = Variant(number, self.graph, name, pixels, parameters, values, frozenset(taken), blanks)
        own = number if "mistake" in vary else 0
        for n, task in enumerate(self.exercise.tasks, start=1):
            try:
                planted = task.plant(variant, taken, [self.seed, own, n])
            except ValueError as error:
                raise ValueError(f"task {n} ({task.kind}): {error}") from None
            if planted is not None:
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
            if node.layer.classic is None:
                for k in range(len(weight)):
                    weight[k] = rng.permutation(weight[k].ravel()).reshape(weight[k].shape)
                continue
            names = [name for name in KERNELS if name != "identity"]
            chosen = rng.permutation(names * -(-len(weight) // len(names)))[: len(weight)]
            for k, name in enumerate(chosen.tolist()):
                weight[k] = in_the_middle(name, *weight.shape[2:])
        return found


def _packed(array: np.ndarray) -> list[Any]:
    data = np.ascontiguousarray(array, dtype="<f8").tobytes()
    return [list(array.shape), base64.b64encode(data).decode()]


def unpacked(packed: Any) -> np.ndarray:
    """An array as `Handout.to_dict` packs it."""
    shape, text = packed
    return np.frombuffer(base64.b64decode(text), "<f8").reshape(shape).astype(float)
