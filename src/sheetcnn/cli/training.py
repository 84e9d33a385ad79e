"""Training a network on pictures."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .app import command
from .arguments import NetworkArgument
from .show import progress as progress_bar
from .show import say, table


class Optimizer(StrEnum):
    """How steps follow from gradients, as PyTorch has it."""

    adam = "adam"
    sgd = "sgd"
    momentum = "momentum"


@command()
def train(
    network: NetworkArgument,
    pictures: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="A folder with a sub-folder of pictures for each label, or an .npz of images and labels."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="MINE.toml", help="The network file to write; its weights go beside it."),
    ],
    epochs: Annotated[int, typer.Option(help="How often each picture is learned from.")] = 50,
    rate: Annotated[
        float | None, typer.Option(help="The learning rate; default: that of the network file, or what suits the optimizer.")
    ] = None,
    batch: Annotated[int, typer.Option(help="How many pictures a step is made of.")] = 32,
    optimizer: Annotated[
        Optimizer | None, typer.Option(help="How steps are made; default: as the network file says, or adam.")
    ] = None,
    held_out: Annotated[
        float, typer.Option("--held-out", help="The part of each label's pictures that is only measured on.")
    ] = 0.2,
    seed: Annotated[int, typer.Option(help="What chance is drawn by; the same seed makes the same files.")] = 0,
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin with random weights, whatever the network has learned.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
) -> None:
    """Train a network's weights on pictures sorted by label, with PyTorch, to be built then."""
    from ..training.trainer import share
    from ..training.trainer import train as train_network

    with progress_bar("training") as progress:
        trained = train_network(
            network, pictures, output, epochs=epochs, rate=rate, batch=batch, optimizer=optimizer, held_out=held_out,
            seed=seed, anew=anew, overwrite=overwrite, progress=progress,
        )  # fmt: skip
    rows = [[f"{one.epoch:,}", f"{one.loss:.4g}", share(one.right, trained.held_out)] for one in trained.snapshots]
    table("Measured on the pictures held out", ["epoch", "loss", "right"], rows, right=(0, 1, 2))
    for note in trained.notes:
        say(f"note: {note}")
    right = share(trained.snapshots[-1].right, trained.held_out)
    say(f"learned from {trained.learned:,} pictures; right on {right}, of those held out")
    for path in trained.paths:
        say(f"wrote {path}")
    say(f"see it:  sheetcnn build {trained.paths[0]} PICTURE")
