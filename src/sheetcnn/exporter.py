"""Out of a workbook again: the weights that are in it now, a model of them, or its pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .arrays.array import Values
from .checking.contents import Contents, read_contents
from .errors import SheetcnnError, WorkbookError
from .files import Outputs, refuse_outputs
from .image import exact_png
from .progress import Progress


def export(
    book: str | Path,
    output: str | Path | None = None,
    *,
    picture: str | Path | None = None,
    after: bool = False,
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Write what is in a workbook now, edits included; returns the files written.

    `output` is an .npz file (arrays "conv1.weight", "conv1.bias" … with PyTorch's shapes) or an .onnx model, which takes the
    same pixels as the workbook; `picture` is a .png of the pixels. `after` takes the weights after the step that a workbook
    built with `train` has. Raises SheetcnnError with one line.
    """
    targets = [Path(path) for path in (output, picture) if path is not None]
    if not targets:
        raise SheetcnnError(
            f"{book}: nothing to export; give a file to write: -o weights.npz, -o model.onnx or --picture out.png"
        )
    if output is not None and Path(output).suffix.lower() not in (".npz", ".onnx"):
        raise SheetcnnError(f"{output}: must end in .npz (weights) or .onnx (a model)")
    if picture is not None and Path(picture).suffix.lower() != ".png":
        raise SheetcnnError(f"{picture}: must end in .png")
    refuse_outputs(targets, [Path(book)])
    contents = read_contents(book, progress, after)
    frozen = next((node for node in contents.network.nodes if not node.live), None)
    if frozen is not None and output is not None:
        raise WorkbookError(
            f"{book}: {frozen.name} is not live: its weights are not in the workbook; export from the network file"
        )
    writes: list[Callable[[BinaryIO], object]] = []
    try:
        if output is not None and Path(output).suffix.lower() == ".onnx":
            from .onnx.writing import model_of  # it needs the package onnx, which is an extra

            model = model_of(contents.network, contents.values)
            writes.append(lambda stream: stream.write(model))
        elif output is not None:
            weights = weights_of(contents)
            writes.append(lambda stream: np.savez(stream, **weights))  # type: ignore[arg-type]
        if picture is not None:
            png = exact_png(contents.values["input.channel"])
            writes.append(lambda stream: stream.write(png))
    except SheetcnnError as error:
        raise WorkbookError(f"{book}: {error}") from None
    with Outputs() as outputs:
        for path, write in zip(targets, writes, strict=True):
            outputs.write(path, write)
    return tuple(targets)


def weights_of(contents: Contents) -> Values:
    """The weights in a workbook, named and shaped as the network's file of weights has them; shared ones under their owner's name."""
    nodes = [node for node in contents.network.nodes if node.share is None]
    return {
        f"{node.prefix}.{key}": node.layer.to_file(key, contents.values[f"{node.name}.{key}"])
        for node in nodes
        for key in node.layer.all_parameters(*node.in_shapes)
    }
