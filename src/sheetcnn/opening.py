"""A network of any kind, opened: a file, a template's name, plain data, or a model of PyTorch or Keras."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .arrays.array import Values
from .errors import NetworkError
from .formats.keras_file import exported_file
from .formats.kinds import kind_of
from .frameworks import exported
from .model.network import Network, parse_network
from .model.network_file import read_network
from .reading import Source
from .templates import network_path

MAX_SIDE = 16_384  # of a picture, as in network files


@dataclass(frozen=True)
class Opened:
    """A network, and where its numbers come from."""

    network: Network
    folder: Path  # of its file, where its weights lie
    arrays: Values | None = None  # the weights, where they came with it
    file: Path | None = None

    @property
    def files(self) -> list[Path]:
        """What is read, and must not be overwritten."""
        beside = self.network.settings.weights, self.network.training.snapshots
        return [*filter(None, [self.file]), *(self.folder / name for name in beside if name is not None)]


def open_network(
    given: Any,
    *,
    size: tuple[int, int] | None = None,
    until: str | None = None,
    scale: float | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    shape: tuple[int, ...] | None = None,
) -> Opened:
    """The network of a file (.toml, .json, .onnx, .keras, .h5) or a template's name, of plain data, of a model of PyTorch or Keras, or as it is.

    `until` is the last layer to be drawn, or a model's node or output; `size`, `scale`, `mean` and `std` are for models only;
    `shape` is that of the numbers which they will read, where it is known. Raises NetworkError with one line.
    """
    refuse_size(size)
    options = {"size": size, "scale": scale, "mean": mean, "std": std}
    file = network_path(str(given)) if isinstance(given, str | os.PathLike) else None
    model = exported(given, size, shape) if file is None and not isinstance(given, Network | dict) else onnx_of(file, size)
    if model is not None:
        description, arrays = read_model(model, until=until, **options)
        folder = Path() if file is None else file.parent
        return Opened(parse_network(description, str(model)), folder, arrays, file)
    if file is not None:
        _refuse_options(str(file), options)
        opened = Opened(read_network(file), file.parent, file=file)
    else:
        network = given if isinstance(given, Network) else parse_network(given, "the network")
        _refuse_options(network.source, options)
        beside = Path(network.source)
        opened = Opened(network, beside.parent if os.path.isfile(beside) else Path())
    return opened if until is None else replace(opened, network=opened.network.until(until))


def onnx_of(path: Path | None, size: tuple[int, int] | None) -> Source | None:
    """A file's model in ONNX, exported where it is one of Keras; None where it is a network file. Raises NetworkError."""
    kind = "network" if path is None else kind_of(path)
    if path is None or kind == "network":
        return None
    return path if kind == "onnx" else exported_file(path, size)


def read_model(model: Source, **options: Any) -> tuple[dict[str, Any], Values]:
    """The description and the weights of a model in ONNX."""
    from .onnx import read_onnx  # it needs the package onnx, which is an extra

    read = read_onnx(model, **options)
    return read.description, read.weights


def _refuse_options(source: str, options: dict[str, Any]) -> None:
    if any(option is not None for option in options.values()):
        raise NetworkError(f"{source}: size, scale, mean and std are for models; put them into the file's [input]")


def refuse_size(size: Any) -> None:
    """Raise NetworkError where a picture's size is not (rows, columns)."""
    if size is None:
        return
    two = isinstance(size, tuple | list) and len(size) == 2
    if not two or not all(type(side) is int and 1 <= side <= MAX_SIDE for side in size):
        raise NetworkError(f"size {reprlib.repr(size)}: must be two whole numbers from 1 to {MAX_SIDE:,}, rows and columns")


def shape_of(image: Any) -> tuple[int, ...] | None:
    """The shape C×H×W of numbers that are given as an array."""
    if not isinstance(image, np.ndarray) or image.ndim not in (2, 3):
        return None
    return image.shape if image.ndim == 3 else (1, *image.shape)
