"""A model, or the part of it that is asked for: at its own size or another, and up to where it can be drawn."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..arrays.array import shape_text
from ..errors import NetworkError, SheetcnnError
from ..plain import LENGTH, near, plain
from .file import Graph, Model, Node, UnsupportedError
from .operators import OPERATORS
from .pieces import whole
from .plan import UnknownLayerError
from .reading import Imported, Reading
from .refusals import RefusedError, listed
from .values import MISFITS, Value

LONGEST_NAME = 200  # letters of a name that is proposed
DRAWN = 40  # ends that are drawn while one is looked for
TRIED = 3  # parts that are read for it
MERELY_MOVE = ("dropout", "flatten", "identity", "rearrange", "unflatten")  # layers that nobody wants to see alone


@dataclass(frozen=True)
class Part:
    """A model with what is asked of it."""

    model: Model
    size: tuple[int, int] | None
    scaling: dict[str, Any]  # of the `[input]` table

    def until(self, name: str | None) -> Imported:
        """All of the model, or what comes before a node, an output or a layer, and that itself.

        Raises NetworkError with one line, and with the farthest end that can be drawn where something cannot.
        """
        if name is None:
            return self._read(None)
        if outputs := self.model.outputs_of(name):
            return self._read(outputs, name)
        try:
            return self._layer(name)
        except UnknownLayerError as unknown:
            reading = self._reading(None)
            if reading.scope and (scoped := [node for node in reading.graph.nodes if reading.name(node) == name]):
                return self._read(scoped[-1].outputs[:1], name)  # of Keras, where another layer has taken it in
            names = [
                *unknown.names,
                *(node.name for node in self.model.nodes),
                *(o for n in self.model.nodes for o in n.outputs),
            ]
            alike = near(name, filter(_nameable, names), 3)
            raise NetworkError(
                f"{self.model.source}: until {plain(name, 80)!r}: is no node, output or layer{alike}; "
                f"the layers are {', '.join(unknown.names)}"
            ) from None

    def _layer(self, name: str) -> Imported:
        """One layer of those that the model becomes, or that what can be drawn of it becomes, with what it needs."""
        reading = self._reading(None)
        try:
            return reading.finish(self.scaling, name)
        except RefusedError:
            ends: list[str] = []
            covered = 0
            for node, needed in _drawable(reading):
                if needed | covered != covered:
                    ends += node.outputs[:1]
                    covered |= needed
            if not ends:
                raise
        return self._reading(ends).finish(self.scaling, name)

    def _reading(self, outputs: list[str] | None) -> Reading:
        graph, own = self.model.graph(outputs), None
        if self.size is not None:
            with suppress(SheetcnnError):  # the model has none of its own, or one that is too large
                own = Reading(graph, None, OPERATORS, whole)
        return Reading(graph, self.size, OPERATORS, whole, own)

    def _read(self, outputs: list[str] | None, until: str | None = None) -> Imported:
        reading = self._reading(outputs)
        if until is not None and outputs != self.model.outputs:
            reading.note_part(until)
        try:
            imported = reading.finish(self.scaling)
        except RefusedError as refused:
            end = self._farthest(reading)
            more = "" if end is None else self._words(end, reading.graph)
            self._refuse_size(reading, listed(refused.faults), more)
            raise NetworkError(plain(str(refused), LENGTH - len(more)) + more) from None
        if reading.picture.own is not None:
            self._refuse_batch(reading)
        return imported

    # -- another size --------------------------------------------------------------------------------------------------
    def _refuse_size(self, reading: Reading, reasons: str, more: str) -> None:
        """Raise NetworkError where a model can be drawn at its own size, and not at the one that is asked for."""
        if reading.picture.own is None or reading.own is None:
            return
        try:
            reading.own.finish(self.scaling)
        except SheetcnnError:
            return
        said = f"{self.model.source}: is made for {shape_text(reading.picture.own)}, not {shape_text(reading.picture.maps)}: {reasons}"
        more = f"; leave --size out{more}"
        raise NetworkError(plain(said, LENGTH - len(more)) + more)

    def _refuse_batch(self, reading: Reading) -> None:
        """Raise NetworkError where, at another size than its own, a model takes parts of a picture for pictures."""
        for name in reading.graph.outputs:
            now, own = reading.result(name), None if reading.own is None else reading.own.result(name)
            if isinstance(now, Value) and isinstance(own, Value) and len(own.shape) > 1 and now.shape[:1] != own.shape[:1]:
                raise NetworkError(
                    f"{self.model.source}: is made for {shape_text(reading.picture.own or ())}: of "
                    f"{shape_text(reading.picture.maps)} it makes several answers, {shape_text(now.shape)} instead of "
                    f"{shape_text(own.shape)}; leave --size out"
                )

    # -- up to where ---------------------------------------------------------------------------------------------------
    def _words(self, end: str, graph: Graph) -> str:
        before = len(self.model.graph(self.model.outputs_of(end)).nodes)
        return f"; what comes before can be drawn, {before:,} of {len(graph.nodes):,} nodes: add  --until {shlex.quote(end)}"

    def _farthest(self, reading: Reading) -> str | None:
        """The name by which most of what a graph needs can be drawn; None where nothing can."""
        named = ((node, name) for node, _ in _drawable(reading) if (name := self._name(node)) is not None)
        for _, name in islice(named, TRIED):
            with suppress(SheetcnnError):
                found = self._reading(self.model.outputs_of(name)).finish(self.scaling)
                if any(layer["type"] not in MERELY_MOVE for layer in found.description["layers"]):
                    return name
        return None

    def _name(self, node: Node) -> str | None:
        """What a node may be called on a command line, so that nothing else is meant."""
        for name in (node.name, *node.outputs[:1]):
            others = [one for one in self.model.nodes if one is not node and name in (one.name, *one.outputs)]
            if name and _nameable(name) and not others:
                return name
        return None


def _nameable(name: str) -> bool:
    """Whether a person could type a name after --until."""
    return name.isprintable() and len(name) <= LONGEST_NAME and re.match(r"[\w/.:]", name) is not None


def _drawable(reading: Reading) -> Iterator[tuple[Node, int]]:
    """The nodes that could be the last, those that need the most others first; and which these are, a bit for each."""
    nodes = reading.graph.nodes
    makers = {name: number for number, node in enumerate(nodes) for name in node.outputs if name}
    needed: list[int] = []
    for number, node in enumerate(nodes):
        bits = 1 << number
        for name in node.inputs:
            bits |= needed[makers[name]] if name in makers else 0
        needed.append(bits)
    drawn = 0
    for number in sorted(range(len(nodes)), key=lambda number: (needed[number].bit_count(), number), reverse=True):
        value = reading.values.get(nodes[number].outputs[0]) if nodes[number].outputs else None
        if isinstance(value, Value) and drawn < DRAWN:
            drawn += 1
            with suppress(UnsupportedError, *MISFITS):
                reading.end(value)
                yield nodes[number], needed[number]
