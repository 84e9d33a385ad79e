"""Where a network's numbers come from: the network file, classic kernels, an .npz file, or seeded random numbers."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..arrays.array import Shape, Values
from ..arrays.kernels import in_the_middle
from ..errors import NetworkError, located
from ..reading import open_archive, read_header
from .network import INITS, Network, Node
from .settings import INPUT

GIVE = "give an .npz file"
AGAIN = "write it with numpy.savez"


def load_parameters(network: Network, folder: Path, arrays: Values | None = None) -> tuple[Values, list[str]]:
    """Every parameter that is a layer's own, named like "conv1.weight", and notes on what the user may not expect; `folder` is where the network file lies.

    First match wins: numbers in the file, classic kernels, the .npz file (or `arrays`, named alike), initialisation.
    Raises NetworkError for a wrong shape (naming both), NaN or infinity, or an unusable file.
    """
    archive = _Archive(network, folder) if arrays is None else _Held(network, arrays)
    parameters = {f"{INPUT}.{key}": numbers for key, numbers in network.input.constants().items()}
    notes = []
    for node in network.nodes:
        if node.share is not None:
            continue
        shapes = node.layer.all_parameters(*node.in_shapes)
        for key, shape in shapes.items():
            with located(file=archive.where, layer=node.name, setting=key):
                parameters[f"{node.name}.{key}"] = _resolve(network, node, key, shape, archive)
        lacking = [key for key in shapes if _wanted(node, key) and not archive.offers(f"{node.name}.{key}")]
        if archive.path is not None and lacking:
            what = "arrays" if len(lacking) == len(shapes) else " and ".join(lacking)
            notes.append(f"{archive.path.name} has no {what} for {node.name}: initialised by `init` and `seed` instead")
    if unused := archive.unused():
        notes.append(f"{archive.path.name if archive.path else ''} has arrays that no layer reads: {', '.join(unused[:8])}")
    return parameters, notes


def trained_layers(network: Network, folder: Path, arrays: Values | None = None) -> tuple[str, ...]:
    """The layers whose numbers come from the .npz file, or from `arrays`."""
    archive = _Archive(network, folder) if arrays is None else _Held(network, arrays)
    return tuple(node.name for node in network.nodes if archive.has(node.name) and not _given(node))


def random_layers(network: Network, folder: Path, arrays: Values | None = None) -> frozenset[str]:
    """The layers that multiply with random numbers: their own, or those of a layer that they share with."""
    archive = _Archive(network, folder) if arrays is None else _Held(network, arrays)
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


def _wanted(node: Node, key: str) -> bool:
    """Whether an array is looked for in the .npz file: where neither it nor the weight that it goes with is given."""
    return node.layer.classic is None and not {key, "weight"} & node.inline.keys()


def _source(node: Node, key: str, archive: _Archive | _Held) -> Literal["inline", "classic", "archive", "init"]:
    """Where a parameter's numbers come from; the first match wins."""
    if key in node.inline:
        return "inline"
    if node.layer.classic is not None and key == "weight":
        return "classic"
    return "archive" if _wanted(node, key) and archive.offers(f"{node.name}.{key}") else "init"


def _resolve(network: Network, node: Node, key: str, shape: Shape, archive: _Archive | _Held) -> np.ndarray:
    where = f"{network.source}: {node.title}: {key}"
    in_file = node.layer.file_shape(key, shape)
    source = _source(node, key, archive)
    if source == "inline":
        return node.layer.from_file(key, _checked(_array(node.inline[key], where), in_file, where))
    if source == "classic":
        own = np.stack([in_the_middle(name, *shape[2:]) for name in node.layer.classic or ()])
        return np.repeat(own[:, None], shape[1], axis=1)  # each filter's kernel on every input channel
    if source == "archive":
        name = f"{node.name}.{key}"
        return node.layer.from_file(key, _checked(archive.read(name, in_file), in_file, f"{archive.where}: {name}"))
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


class _Held:
    """Arrays that are in memory already, those of an imported model."""

    path = None

    def __init__(self, network: Network, arrays: Values) -> None:
        self.where, self._arrays = network.source, arrays

    def has(self, layer: str) -> bool:
        return any(name.startswith(f"{layer}.") for name in self._arrays)

    def offers(self, name: str) -> bool:
        return name in self._arrays

    def unused(self) -> list[str]:
        return []

    def read(self, name: str, shape: Shape) -> np.ndarray:
        return np.asarray(self._arrays[name], float)


class _Archive:
    """The .npz file of a network, read array by array and only where the shape is the one that is needed."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.path: Path | None = None
        self.where = network.source
        self._names: set[str] = set()
        self._read: set[str] = set()
        if network.settings.weights is None:
            return
        where = f"{network.source}: weights {network.settings.weights!r}"
        path = folder / network.settings.weights
        try:
            inside = path.resolve().is_relative_to(folder.resolve())
        except (OSError, RuntimeError, ValueError) as error:  # links in a circle
            raise NetworkError(f"{where}: cannot be read ({str(error)[:120]}); {GIVE}") from None
        if not inside:
            raise NetworkError(f"{where}: leaves the network file's folder; put the .npz file next to it")
        self.path, self.where = path, str(path)
        try:
            with open_archive(path, NetworkError, GIVE, where=where, again=AGAIN) as archive:
                self._names = {name.removesuffix(".npy") for name in archive.namelist()}
        except OSError as error:
            raise NetworkError(f"{where}: cannot be read ({error.strerror}); {GIVE}") from None
        except (zipfile.BadZipFile, NotImplementedError, ValueError):
            raise NetworkError(f"{where}: is no .npz file; {AGAIN}") from None

    def has(self, layer: str) -> bool:
        return any(name.startswith(f"{layer}.") for name in self._names)

    def offers(self, name: str) -> bool:
        return name in self._names

    def unused(self) -> list[str]:
        return sorted(n for n in self._names - self._read if not n.endswith("num_batches_tracked"))

    def read(self, name: str, shape: Shape) -> np.ndarray:
        assert self.path is not None
        self._read.add(name)
        where = f"{self.path}: {name}"
        try:
            with (
                open_archive(self.path, NetworkError, GIVE, where=where, again=AGAIN) as archive,
                archive.open(f"{name}.npy") as stream,
            ):
                found, fortran, dtype = read_header(stream)
                if dtype.kind not in "fiu" or dtype.itemsize > 8:
                    raise NetworkError(f"{where}: has the type {dtype}; save real numbers (no objects, no pickles)")
                if found != shape:
                    raise NetworkError(f"{where}: has the shape {list(found)}, the layer needs {list(shape)}")
                data = np.frombuffer(stream.read(int(np.prod(shape)) * dtype.itemsize), dtype)
                return data.reshape(shape, order="F" if fortran else "C").astype(float)
        except NetworkError:
            raise
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise NetworkError(f"{where}: cannot be read ({error}); {AGAIN}") from None
        except Exception as error:  # zlib.error and the like from a damaged file
            raise NetworkError(f"{where}: is damaged ({error})") from None
