"""Networks and models without a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import command
from .arguments import MeanOption, NetworkArgument, ScaleOption, SizeOption, StdOption, UntilOption, input_options
from .show import progress, say
from .tables import print_layers, print_training


@command()
def summary(
    network: NetworkArgument,
    until: UntilOption = None,
    size: SizeOption = None,
    scale: ScaleOption = None,
    mean: MeanOption = None,
    std: StdOption = None,
    train: Annotated[bool, typer.Option("--train", help="Say what --train would add to a workbook.")] = False,
    steps: Annotated[int | None, typer.Option("--steps", metavar="N", help="Say what --steps N would add to it.")] = None,
) -> None:
    """Print a network's layers, output shapes, parameters, multiplications and receptive fields."""
    from ..model.graph import Graph
    from ..model.limits import size_note
    from ..opening import open_network

    options = input_options(size, scale, mean, std) | {"until": until}
    with progress("reading the network"):
        opened = open_network(network, **options).network
    print_layers(opened)
    if (note := size_note(Graph(opened))) is not None:
        say(f"note: {note}")
    if train or steps is not None:
        print_training(opened, steps)


@command("import")
def import_model(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model in ONNX (.onnx) or of Keras (.keras, .h5).")],
    folder: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="Where to; default: a folder of that name.")
    ] = None,
    until: UntilOption = None,
    size: SizeOption = None,
    scale: ScaleOption = None,
    mean: MeanOption = None,
    std: StdOption = None,
) -> None:
    """Write a model as a network file with its weights, to be read and edited."""
    from ..importer import import_onnx

    options = input_options(size, scale, mean, std) | {"until": until}
    with progress("reading the model"):
        written = import_onnx(model, folder, **options)
    print_layers(written.network)
    for path in written.paths:
        say(f"wrote {path}")
    say(f"edit it, then build it with a picture:  sheetcnn build {written.paths[0]} PICTURE")
