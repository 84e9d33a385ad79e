"""A network's backward pass, the steps that it leads to, and the network after each: all arrays of the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from ..arrays.array import Array
from ..errors import NetworkError, located
from ..layers.backward import Backward
from ..layers.drawing import arrays_of
from .again import before_step
from .drawn import Drawn
from .gradient import Run, Sweep, Swept, Term
from .loss import LOSS, array, curve, goal_of, put_out, sizes, summary
from .network import NAME_LETTERS, Network, Node
from .optimizer import stepped
from .pictures import Sequence
from .settings import INPUT

STEPS = "steps"  # the page of what several steps bring


@dataclass(frozen=True)
class Learning:
    """The arrays of a backward pass and of the steps that follow from it."""

    order: list[Array]  # in which they are computed
    pages: dict[str, list[Array]]  # by what they stand on: "loss", "conv1_back", "input_back", "step_1", "steps"
    copies: list[dict[str, list[Array]]]  # after each step the layers by their names: what it does not reach is as before
    course: dict[tuple[str, str], tuple[Array, ...]]  # each parameter before training and after each step, by layer and key


def back_of(name: str) -> str:
    """What the page of a layer's gradients is called."""
    return f"{name}_back"


def step_of(number: int) -> str:
    """What the page of a step is called; it stands before the names of its grids, too."""
    return f"step_{number}"


def refuse_untrainable(network: Network) -> None:
    """Raise NetworkError where a layer's backward pass cannot be drawn, naming the layer and what to do."""
    taken = {node.name.lower() for node in network.nodes}
    for node in network.nodes:
        where = f"{network.source}: {node.title}"
        with located(file=network.source, layer=node.name):
            if not node.live:
                raise NetworkError(
                    f"{where}: is not live, and gradients are formulas; make all layers live, or leave --train out"
                )
            scope = getattr(node.layer, "activation_scope", "map")
            if scope == "channel":
                raise NetworkError(f'{where}: activation_scope "{scope}" has no backward pass; train it with "map"')
            for part in node.layer.parts(*node.in_shapes):
                if type(part.layer).grad_input is Backward.grad_input:
                    raise NetworkError(f"{where}: {part.layer.type} has no backward pass; its layer's file lacks one")
                if reason := part.layer.untrainable(*part.shapes):
                    raise NetworkError(f"{where}: {reason}; leave --train out")
            if len(back_of(node.name)) > NAME_LETTERS:
                raise NetworkError(
                    f"{where}: its sheet of gradients would be called {back_of(node.name)}; a sheet's name has at most "
                    f"{NAME_LETTERS} letters: choose a shorter name"
                )
            if (
                back_of(node.name).lower() in taken
                or node.name.lower() in (LOSS, STEPS, back_of(INPUT), "inspector_back", "_inspector_back")
                or node.name.lower().startswith("step_")
            ):
                raise NetworkError(f"{where}: name {node.name!r} is taken by what training draws; choose another")


def learn(
    network: Network,
    of: Mapping[str, list[Array]],
    reads: Callable[[str], list[Array]],
    drawn: Drawn,
) -> Learning:
    """Everything that steps of training need, on top of the arrays of the network."""
    return _Course(network, of, {node.name: reads(node.name) for node in network.nodes}, drawn).run()


class _Course:
    """The course of training: back, a step, forward again, and so on."""

    def __init__(
        self, network: Network, of: Mapping[str, list[Array]], reads: Mapping[str, list[Array]], drawn: Drawn
    ) -> None:
        self.network, self.of, self.reads, self.drawn = network, of, reads, drawn
        self.numbers = {key: array(key, (1,)) for key in network.training.numbers()}
        self.goal = goal_of(network, lambda name, key: _key(of[name], key), drawn.typed)
        self.frozen = frozenset(node.name for node in network.nodes if not node.train)
        self.originals = {
            node.name: {own.key: own for own in of[node.name] if own.role in ("parameter", "shared")}
            for node in network.nodes
        }
        several = drawn.pictures > 1 and drawn.updates > 1
        self.sequence = Sequence(network.input, of[INPUT], self.goal, drawn.pictures) if several else None
        self.now: dict[str, Array] = {}  # parameters that steps have changed, by the ids of the network's own
        self.kept: dict[str, dict[str, Array]] = {}  # what the optimizer keeps of each, likewise
        self.order: list[Array] = [*self.numbers.values()]
        self.pages: dict[str, list[Array]] = {LOSS: [*self.numbers.values()]}
        self.copies: list[dict[str, list[Array]]] = []
        self.course: dict[tuple[str, str], list[Array]] = {}
        self.losses: list[Array] = []
        self.grads: list[list[Array]] = []

    def run(self) -> Learning:
        """All of it."""
        first = Run(self.of, self.reads, self.originals)
        output = _output(first)
        measured = self.goal.measured(output)
        back, seed = self.goal.back(output, measured)
        if self.goal.kind == "mse":
            self._take(LOSS, put_out(output(self.goal.layer, self.goal.where)))
        self._take(LOSS, [*self.goal.arrays, *measured[:-1], *back[:-1], measured[-1], back[-1]])
        self.losses.append(measured[-1])
        run = self._first(first, seed)
        if run is not None:
            for step in range(2, self.drawn.updates + 1):
                run = self._next(*run, step)
            if self.drawn.updates > 1:
                self._take(STEPS, [curve(self.losses), sizes("sizes", self.grads)])
                self.pages[STEPS] += self._given
        return Learning(self.order, self.pages, self.copies, {key: tuple(arrays) for key, arrays in self.course.items()})

    def _take(self, page: str, arrays: list[Array]) -> None:
        self.pages.setdefault(page, []).extend(arrays)
        self.order += arrays

    def _first(self, run: Run, seed: Term) -> tuple[Run, list[Array]] | None:
        """The first step, all of which is shown: each layer's on the sheet of its gradients."""
        swept = Sweep(run, self.drawn.mirrors).run(
            self.network.nodes, {self.goal.layer: (self.goal.where, seed)}, self.frozen
        )
        self.pages |= {back_of(name): list(swept.pages[name]) for name in reversed(swept.pages)}
        # Gradients of parameters may read sheets that come after their own: of layers that share them.
        self.order += self._sorted(swept)
        if not swept.parameters:
            return None
        self.order += self._given
        for (name, _), arrays in self._update(swept, 1).items():
            self._take(back_of(name), arrays)
        again = self._copy(1)
        later = self.goal.measured(_output(again), exp="after_exp", now="after")
        grads = self.grads[0]
        told = summary(grads, self.numbers["rate"], self.network.training.optimizer != "adam", self.losses[0], later[-1])
        self._take(LOSS, [*later, *told])
        self.losses.append(later[-1])
        return again, later

    def _next(self, run: Run, measured: list[Array], step: int) -> tuple[Run, list[Array]]:
        """One more step, on a page of its own: the gradients at the network before it, the parameters and the network after it."""
        page, owner = step_of(step), f"{step_of(step)}_{LOSS}"
        run = replace(run, before=f"{page}_")
        back, seed = self.goal.back(_output(run), measured, owner)
        self._take(page, back)
        sweep = Sweep(run, reached=self._reached)
        swept = sweep.run(self.network.nodes, {self.goal.layer: (self.goal.where, seed)}, self.frozen)
        self._take(page, self._sorted(swept))
        for arrays in self._update(swept, step).values():
            self._take(page, arrays)
        again = self._copy(step)
        later = self.goal.measured(_output(again), owner)
        self._take(page, later)
        self.losses.append(later[-1])
        return again, later

    @staticmethod
    def _sorted(swept: Swept) -> list[Array]:
        last = {grad.id for grad in swept.parameters.values()}
        return sorted((one for page in swept.pages.values() for one in page), key=lambda one: one.id in last)

    @property
    def _given(self) -> list[Array]:
        return [] if self.sequence is None else self.sequence.given

    @cached_property
    def _reached(self) -> frozenset[str]:
        """The layers that training changes, or that read one: those before them need no gradient after the first step."""
        found: set[str] = set()
        for node in self.network.nodes:
            trains = any(own.id in self.now for own in self._own(node).values())
            if trains or any(name in found for name in node.inputs):
                found.add(node.name)
        return frozenset(found)

    def _own(self, node: Node) -> dict[str, Array]:
        """The parameters that a layer reads, those that it shares being another's."""
        found = dict(self.originals[node.name])
        for key, own in found.items():
            while own.role == "shared":
                own = own.inputs[0]
            found[key] = own
        return found

    def _update(self, swept: Swept, step: int) -> dict[tuple[str, str], list[Array]]:
        """What the optimizer makes of each parameter, with what it keeps; their arrays by layer and key."""
        found = {}
        optimizer = self.network.training.optimizer
        for (name, key), grad in swept.parameters.items():
            own = self.originals[name][key]
            old, kept = self.now.get(own.id, own), self.kept.get(own.id, {})
            shown = before_step(own) if step == 1 and self.drawn.mirrors else []
            new = stepped(optimizer, own, [*shown, old][0], grad, kept, self.numbers, step)
            self.now[own.id], self.kept[own.id] = new.parameter, new.state
            self.course.setdefault((name, key), [own]).append(new.parameter)
            found[name, key] = [*shown, *new.arrays]
        self.grads.append(list(swept.parameters.values()))
        return found

    def _copy(self, step: int) -> Run:
        """Every layer that the steps reach once more, with the parameters that it has after them."""
        outputs: dict[str, Array] = {}
        copies: dict[str, list[Array]] = {}
        reads: dict[str, list[Array]] = {}
        parameters: dict[str, dict[str, Array]] = {}
        page = step_of(step)
        if self.sequence is not None:
            numbers, copies[INPUT], self.goal = self.sequence.after(step, page)
            self._take(page, [*numbers, *copies[INPUT]])
            outputs[INPUT] = copies[INPUT][-1]
        for node in self.network.nodes:
            own = self._own(node)
            given = {key: self.now.get(one.id, one) for key, one in own.items()}
            if not any(name in outputs for name in node.inputs) and all(given[key] is own[key] for key in own):
                copies[node.name] = self.of[node.name]  # no step reaches it
                reads[node.name], parameters[node.name] = self.reads[node.name], self.originals[node.name]
                continue
            xs = [outputs.get(name, read) for name, read in zip(node.inputs, self.reads[node.name], strict=True)]
            arrays = arrays_of(node.layer, f"{page}_{node.name}", tuple(xs), "compact", given=given)
            self._take(page, arrays)
            copies[node.name], reads[node.name], parameters[node.name] = arrays, xs, given
            outputs[node.name] = arrays[-1]
        self.copies.append(copies)
        return Run(copies, reads, parameters, f"{page}_")


def _output(run: Run) -> Callable[[str, str], Array]:
    return lambda name, key: _key(run.arrays[name], key)


def _key(arrays: list[Array], key: str) -> Array:
    return next(one for one in arrays if one.key == key)
