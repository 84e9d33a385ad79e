"""Where a network's numbers come from: the network file, classic kernels, a file of weights, or seeded random numbers."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..arrays.array import Shape, Values, shape_text
from ..arrays.kernels import in_the_middle
from ..arrays.lazy import LARGE, LazyValues
from ..errors import NetworkError, located
from ..plain import near
from .archives import Arrays, open_arrays
from .network import INITS, Network, Node
from .settings import INPUT

NAMED = 8  # arrays that a message names
ASKED = 2_000  # arrays whose shapes are asked for a proposal


def load_parameters(network: Network, folder: Path, arrays: Values | None = None) -> tuple[Values, list[str]]:
    """Every parameter that is a layer's own, named like "conv1.weight", and notes on what the user may not expect; `folder` is where the network file lies.

    First match wins: numbers in the file, classic kernels, the file of weights (or `arrays`, named alike), initialisation.
    Large ones are read, and found to be right, but not kept.
    Raises NetworkError for a wrong shape (naming both), weights that the file lacks, NaN or infinity, or an unusable file.
    """
    archive = open_arrays(network, folder, arrays)
    parameters = {f"{INPUT}.{key}": numbers for key, numbers in network.input.constants().items()}
    large: dict[str, Callable[[], np.ndarray]] = {}
    notes = []
    for node in network.nodes:
        if node.share is not None:
            continue
        shapes = node.layer.all_parameters(*node.in_shapes)
        for key, shape in shapes.items():
            with located(file=archive.where, layer=node.name, setting=key):
                numbers = _resolve(network, node, key, shape, archive)
            if numbers.size < LARGE:
                parameters[f"{node.name}.{key}"] = numbers
            else:
                large[f"{node.name}.{key}"] = partial(_resolve, network, node, key, shape, archive, known=True)
        lacking = _lacking(node, archive)
        if archive.path is not None and lacking:
            what = "arrays" if len(lacking) == len(shapes) else " and ".join(lacking)
            notes.append(f"{archive.path.name} has no {what} for {node.name}: initialised by `init` and `seed` instead")
    _refuse_lacking(network, archive)
    drawn_elsewhere = tuple(f"{node.prefix}." for node in network.left_out)
    unused = [name for name in archive.unused() if not name.startswith(drawn_elsewhere)]
    if unused and archive.path is not None:
        notes.append(f"{archive.path.name} has arrays that no layer reads: {_some(unused)}")
    return LazyValues(parameters, large) if large else parameters, notes


def _lacking(node: Node, archive: Arrays) -> list[str]:
    """The keys of the arrays that a layer looks for in a file which does not have them."""
    shapes = node.layer.all_parameters(*node.in_shapes) if node.share is None else {}
    return [key for key in shapes if looked_for(node, key) and f"{node.prefix}.{key}" not in archive.names]


def _refuse_lacking(network: Network, archive: Arrays) -> None:
    """Raise NetworkError where the file of weights lacks some that the network file does not leave to `init`."""
    if archive.path is None:
        lost = next((node for node in network.nodes if "weights_prefix" in node.settings), None)
        if lost is not None and not archive.names:
            with located(file=network.source, layer=lost.name, setting="weights_prefix"):
                raise NetworkError(
                    f'{network.source}: {lost.title}: weights_prefix is given, but no file: add  weights = "FILE.npz"  at the top'
                )
        return
    lacking = [(node, _lacking(node, archive)) for node in network.nodes if not {"init", "seed"} & {*node.settings}]
    found = [(node, keys) for node, keys in lacking if keys]
    if not found:
        return
    node, keys = found[0]
    known = node.layer.all_parameters(*node.in_shapes)
    shapes = {key: node.layer.file_shape(key, known[key]) for key in keys}
    what = " and ".join(f"{node.prefix}.{key} ({shape_text(shape)})" for key, shape in shapes.items())
    others = f"; others that lack theirs: {_some(one.name for one, _ in found[1:])}" if len(found) > 1 else ""
    with located(file=network.source, layer=node.name, setting=keys[0]):
        raise NetworkError(
            f"{network.source}: {node.title}: {archive.path.name} does not have {what}{_proposal(network, node, shapes, archive)}"
            f'; or write  init = "{INITS[0]}"  for numbers that are made up{others}'
        )


def _proposal(network: Network, node: Node, shapes: dict[str, Shape], archive: Arrays) -> str:
    """Where a layer's weights may stand instead: under a name that nobody uses, with arrays of their shapes."""
    if "bias" in type(node.layer).model_fields and [*shapes] == ["bias"]:
        return "; write  bias = false  if it has none"
    used = {other.prefix for other in network.nodes}
    prefixes = dict.fromkeys(name.rpartition(".")[0] for name in sorted(archive.names)[:ASKED])
    fits = [
        prefix for prefix in prefixes
        if prefix and prefix not in used
        and all(f"{prefix}.{key}" in archive.names and archive.shape(f"{prefix}.{key}") == shape for key, shape in shapes.items())
    ]  # fmt: skip
    if fits:
        fits.sort(key=lambda prefix: -difflib.SequenceMatcher(None, prefix, node.prefix).ratio())
        return "; what fits is  " + "  or  ".join(f'weights_prefix = "{prefix}"' for prefix in fits[:3])
    others = [name for name in sorted(archive.names) if not name.startswith(f"{node.prefix}.")]
    told = near(f"{node.prefix}.{next(iter(shapes))}", others, 3)
    return told or f"; it has {_some(sorted(archive.names)) or 'no arrays'}"


def _some(names: Iterable[str]) -> str:
    """The first of some names, and how many more there are."""
    names = list(names)
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def trained_layers(network: Network, folder: Path, arrays: Values | None = None) -> tuple[str, ...]:
    """The layers whose numbers come from the file of weights, or from `arrays`."""
    archive = open_arrays(network, folder, arrays)
    return tuple(node.name for node in network.nodes if archive.has(node.prefix) and not _given(node))


def random_layers(network: Network, folder: Path, arrays: Values | None = None) -> frozenset[str]:
    """The layers that multiply with random numbers: their own, or those of a layer that they share with."""
    archive = open_arrays(network, folder, arrays)
    found = {
        node.name
        for node in network.nodes
        if node.share is None
        for key, shape in node.layer.all_parameters(*node.in_shapes).items()
        if _source(node, key, archive) == "init" and _is_random(node, shape)
    }
    return frozenset(node.name for node in network.nodes if network.owner(node.name) in found)


def _is_random(node: Node, shape: Shape) -> bool:
    """Whether a parameter of this shape begins with random numbers, where none are given; biases and the like do not."""
    return len(shape) > 1 and node.settings.get("init") not in ("zeros", "ones")


def _given(node: Node) -> bool:
    return bool(node.inline) or node.layer.classic is not None


def looked_for(node: Node, key: str) -> bool:
    """Whether an array is looked for in the file of weights: where neither it nor the weight that it goes with is given."""
    return node.layer.classic is None and not {key, "weight"} & node.inline.keys()


def _source(node: Node, key: str, archive: Arrays) -> Literal["inline", "classic", "archive", "init"]:
    """Where a parameter's numbers come from; the first match wins."""
    if key in node.inline:
        return "inline"
    if node.layer.classic is not None and key == "weight":
        return "classic"
    return "archive" if looked_for(node, key) and f"{node.prefix}.{key}" in archive.names else "init"


def _resolve(network: Network, node: Node, key: str, shape: Shape, archive: Arrays, known: bool = False) -> np.ndarray:
    """The numbers of a parameter; those that are `known` to be right are not looked at again."""
    where = f"{network.source}: {node.title}: {key}"
    in_file = node.layer.file_shape(key, shape)
    source = _source(node, key, archive)
    if source == "inline":
        return node.layer.from_file(key, _checked(_array(node.inline[key], where), in_file, where))
    if source == "classic":
        own = np.stack([in_the_middle(name, *shape[2:]) for name in node.layer.classic or ()])
        return np.repeat(own[:, None], shape[1], axis=1)  # each filter's kernel on every input channel
    if source == "archive":
        name = f"{node.prefix}.{key}"
        numbers = archive.read(name, in_file)
        return node.layer.from_file(key, numbers if known else _checked(numbers, in_file, f"{archive.where}: {name}"))
    return _initial(network, node, key, shape)


def _array(values: Any, where: str) -> np.ndarray:
    try:
        array = np.array(values, dtype=float)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise NetworkError(f"{where}: must be numbers in nested lists, each as long as its neighbours") from None
    return array


def _checked(array: np.ndarray, shape: Shape, where: str) -> np.ndarray:
    if array.shape == () and shape == (1,):
        array = array.reshape(1)
    if array.shape != shape:
        raise NetworkError(f"{where}: has the shape {list(array.shape)}, the layer needs {list(shape)}")
    if not np.isfinite(array).all():
        first = tuple(int(i) + 1 for i in np.argwhere(~np.isfinite(array))[0])
        raise NetworkError(
            f"{where}: holds {array[tuple(i - 1 for i in first)]} at {first}; a workbook can hold finite numbers only"
        )
    return array


def _initial(network: Network, node: Node, key: str, shape: Shape) -> np.ndarray:
    init, seed = node.settings.get("init", INITS[0]), node.settings.get("seed", 0)
    if len(shape) == 1:  # a number for each channel
        return np.full(shape, node.layer.all_initial().get(key, 0.0))
    if not _is_random(node, shape):
        return np.full(shape, float(init == "ones"))
    fan_in, fan_out = int(np.prod(shape[1:])), shape[0] * int(np.prod(shape[2:]))
    variance = 2 / fan_in if init.startswith("he") else 2 / (fan_in + fan_out)
    rng = np.random.default_rng([seed, node.number])  # the same seed gives each layer numbers of its own
    if init.endswith("normal"):
        return rng.normal(0, np.sqrt(variance), shape)
    return rng.uniform(-np.sqrt(3 * variance), np.sqrt(3 * variance), shape)
