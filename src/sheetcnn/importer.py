"""A model in ONNX written as a network file, to be read and edited."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .arrays.array import Values
from .errors import NetworkError
from .files import Outputs, make_folder, refuse_outputs
from .formats.kinds import kind_of
from .model.network import Network, parse_network
from .model.network_file import network_toml
from .model.weights import load_parameters
from .opening import onnx_of, read_model, refuse_size
from .templates import refuse_existing


@dataclass(frozen=True)
class Written:
    """What `import_onnx` wrote: the network file and its weights, and the network that they are."""

    paths: tuple[Path, ...]
    network: Network


def import_onnx(
    model: str | Path,
    folder: str | Path | None = None,
    *,
    size: tuple[int, int] | None = None,
    until: str | None = None,
    scale: float | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Written:
    """Write a model in .onnx, or one that Keras saved, as a network file, to be read and edited, with its weights in an .npz file beside it.

    `folder` is where to (default: a folder of the model's name); nothing that exists is overwritten. `size` (rows,
    columns) is the picture's, where the model leaves it free or does not depend on its own; `until` names the last node,
    output or layer to be drawn; `scale`, `mean` and `std` say what happens to pixels.
    Raises SheetcnnError with one line.
    """
    source = Path(model)
    refuse_size(size)
    if kind_of(source) == "network":
        raise NetworkError(f"{source}: is no model in ONNX or of Keras; `sheetcnn build` takes network files as they are")
    target = Path(folder) if folder is not None else Path(source.stem)
    paths = (target / f"{source.stem}.toml", target / f"{source.stem}.npz")
    refuse_existing(list(paths), "give another folder, or move it away")
    refuse_outputs(paths, makes_folders=True)
    description, arrays = read_model(
        onnx_of(source, size) or source, size=size, until=until, scale=scale, mean=mean, std=std
    )
    top = {key: value for key, value in description.items() if key not in ("input", "layers")}
    top |= {"weights": paths[1].name} if arrays else {}
    whole = top | {"input": description["input"], "layers": description["layers"]}
    network = parse_network(whole, str(source))
    load_parameters(network, target, arrays)  # NaN and the like are refused before anything is written
    text = network_toml(whole)
    contents: list[Callable[[BinaryIO], object]] = [lambda stream: stream.write(text.encode())]
    if arrays:
        contents.append(lambda stream: _write_arrays(stream, arrays))
    make_folder(target)
    written = paths[: len(contents)]
    with Outputs() as outputs:
        for path, write in reversed(list(zip(written, contents, strict=True))):  # the weights first: no file without them
            outputs.write(path, write)
    return Written(written, network)


def _write_arrays(stream: BinaryIO, arrays: Values) -> None:
    """What numpy.savez writes, one array after the other: not all have to be in memory."""
    with zipfile.ZipFile(stream, "w") as archive:
        for name in arrays:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(arrays[name]), allow_pickle=False)
