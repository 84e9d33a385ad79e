"""A network's backward pass, the step that it leads to, and the network after it: all arrays of the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..arrays.array import Array
from ..errors import NetworkError, located
from ..layers.backward import Backward
from ..layers.drawing import arrays_of
from .drawn import Drawn
from .gradient import Sweep, after_step
from .loss import LOSS, array, loss_of, summary
from .network import NAME_LETTERS, Network
from .settings import INPUT

STEP = "step_1"  # before the names of the copy's grids


@dataclass(frozen=True)
class Learning:
    """The arrays of a backward pass and a step."""

    order: list[Array]  # in which they are computed
    pages: dict[str, list[Array]]  # by what they stand on: "loss", "conv1_back", "input_back", "step_1"
    copies: dict[str, list[Array]]  # the layers after the step, by their names


def back_of(name: str) -> str:
    """What the page of a layer's gradients is called."""
    return f"{name}_back"


def refuse_untrainable(network: Network) -> None:
    """Raise NetworkError where a layer's backward pass cannot be drawn, naming the layer and what to do."""
    taken = {node.name.lower() for node in network.nodes}
    for node in network.nodes:
        where = f"{network.source}: {node.title}"
        with located(file=network.source, layer=node.name):
            scope = getattr(node.layer, "activation_scope", "map")
            if scope != "map":
                raise NetworkError(f'{where}: activation_scope "{scope}" has no backward pass here; train it with "map"')
            for part in node.layer.parts(*node.in_shapes):
                if type(part.layer).grad_input is Backward.grad_input:
                    raise NetworkError(f"{where}: {part.layer.type} has no backward pass; its layer's file lacks one")
            if len(back_of(node.name)) > NAME_LETTERS:
                raise NetworkError(
                    f"{where}: its sheet of gradients would be called {back_of(node.name)}; a sheet's name has at most "
                    f"{NAME_LETTERS} letters: choose a shorter name"
                )
            if (
                back_of(node.name).lower() in taken
                or node.name.lower() in (LOSS, back_of(INPUT))
                or node.name.lower().startswith("step_")
            ):
                raise NetworkError(f"{where}: name {node.name!r} is taken by what training draws; choose another")


def learn(
    network: Network,
    of: Mapping[str, list[Array]],
    reads: Callable[[str], list[Array]],
    drawn: Drawn,
) -> Learning:
    """Everything that one step of gradient descent needs, on top of the arrays of the network."""
    rate = array("rate", (1,))
    loss = loss_of(network, network.loss, lambda name, key: _key(of[name], key), drawn.typed)
    nodes = {node.name: reads(node.name) for node in network.nodes}
    frozen = frozenset(node.name for node in network.nodes if not node.train)
    swept = Sweep(of, nodes, drawn.mirrors).run(network.nodes, {loss.layer: (loss.where, loss.seed)}, frozen)
    parameters = {one.id: one for arrays in of.values() for one in arrays if one.role == "parameter"}
    after = {name: after_step(parameters[name], grad, rate) for name, grad in swept.parameters.items()}
    copies = _copies(network, of, nodes, after)
    now = _key(loss.arrays, "now")
    later = loss.after(lambda name, key: _key(copies[name], key)) if after else []
    by_layer: dict[str, list[Array]] = {}
    for grad in swept.parameters.values():
        by_layer.setdefault(grad.owner, []).append(grad)
    told = summary(by_layer, rate, now, later[-1]) if by_layer else []
    pages = {LOSS: [rate, *loss.arrays, *later, *told]}
    pages |= {back_of(name): swept.pages[name] for name in reversed(swept.pages)}
    for one in after.values():
        pages[back_of(one.owner)].append(one)
    back = [one for page in swept.pages.values() for one in page if one.id not in {a.id for a in after.values()}]
    forward_again = [one for name, arrays in copies.items() if arrays is not of[name] for one in arrays]
    if forward_again:
        pages[STEP] = forward_again
    # Gradients of parameters may read sheets that come after their own: of layers that share them.
    back.sort(key=lambda one: one.id in {grad.id for grad in swept.parameters.values()})
    return Learning([rate, *loss.arrays, *back, *after.values(), *forward_again, *later, *told], pages, copies)


def _copies(
    network: Network, of: Mapping[str, list[Array]], reads: Mapping[str, list[Array]], after: Mapping[str, Array]
) -> dict[str, list[Array]]:
    """Every layer that the step reaches once more, with the parameters that it has after it."""
    outputs: dict[str, Array] = {}
    copies: dict[str, list[Array]] = {}
    for node in network.nodes:
        given, xs = {}, [outputs.get(name, read) for name, read in zip(node.inputs, reads[node.name], strict=True)]
        for own in of[node.name]:
            if own.role in ("parameter", "shared"):
                first = own
                while first.role == "shared":
                    first = first.inputs[0]
                given[own.key] = after.get(first.id, first)
        if not any(name in outputs for name in node.inputs) and not any(one in after.values() for one in given.values()):
            copies[node.name] = of[node.name]  # the step does not reach it
            continue
        arrays = arrays_of(node.layer, f"{STEP}_{node.name}", tuple(xs), "compact", given=given)
        copies[node.name] = arrays
        outputs[node.name] = arrays[-1]
    return copies


def _key(arrays: list[Array], key: str) -> Array:
    return next(one for one in arrays if one.key == key)
