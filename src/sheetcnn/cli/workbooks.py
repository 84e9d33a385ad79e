"""Workbooks: written, checked, and what is taken out of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .app import command
from .arguments import MeanOption, NetworkArgument, ScaleOption, SizeOption, StdOption, UntilOption, input_options
from .show import print_json, say
from .show import progress as progress_bar
from .tables import print_layers, print_predictions, print_report

FINE, DIFFERS = 0, 1  # exit codes


class Detail(StrEnum):
    """How much of the arithmetic a workbook draws."""

    auto = "auto"
    compact = "compact"
    steps = "steps"


class Engine(StrEnum):
    """Who computes a workbook's formulas."""

    python = "python"
    formualizer = "formualizer"
    libreoffice = "libreoffice"


@command()
def build(
    network: NetworkArgument,
    image: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE", help="A picture, an .npy or .csv file, or a sample's name; several make a drop-down."
        ),
    ],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="OUT.xlsx", help="The workbook to write.")] = None,
    detail: Annotated[
        Detail,
        typer.Option(
            help="Draw products and sums as grids of their own: where they fit a screen, nowhere, or in all layers."
        ),
    ] = Detail.auto,
    mirrors: Annotated[
        bool | None,
        typer.Option(
            "--mirrors/--no-mirrors",
            help="Show on each layer's sheet what it reads; by default where that is little: 16 channels, 100,000 cells in all.",
        ),
    ] = None,
    gallery: Annotated[
        bool, typer.Option("--gallery/--no-gallery", help="Show all maps as thumbnails on one sheet.")
    ] = True,
    inspector: Annotated[
        bool, typer.Option("--inspector/--no-inspector", help="Take one cell apart on a sheet of its own.")
    ] = True,
    train: Annotated[
        bool, typer.Option("--train", help="Draw how it learns: the loss, all gradients, and the network after one step.")
    ] = False,
    steps: Annotated[
        int | None,
        typer.Option("--steps", metavar="N", help="Draw so many steps of training, each as formulas; means --train."),
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option("--answer", metavar="LABEL", help="The right answer, for --train; once for each picture."),
    ] = None,
    epochs: Annotated[
        bool, typer.Option("--epochs", help="A list of the recorded epochs: the network as it was after each.")
    ] = False,
    protect: Annotated[
        bool, typer.Option("--protect", help="Lock all cells but pixels, kernels, biases and weights.")
    ] = False,
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A text file with the names of the last layer's outputs, one a line.")
    ] = None,
    until: UntilOption = None,
    live: Annotated[
        str | None,
        typer.Option(
            metavar="LAYERS", help="Only these layers are formulas, all others numbers: conv4,conv5 or conv5:softmax."
        ),
    ] = None,
    size: SizeOption = None,
    scale: ScaleOption = None,
    mean: MeanOption = None,
    std: StdOption = None,
) -> None:
    """Write a workbook of a picture run through a network."""
    from ..builder import build as build_workbook
    from ..templates import network_path

    options = input_options(size, scale, mean, std) | {"until": until}
    with progress_bar("computing and writing cells") as progress:
        built = build_workbook(
            network,
            image,
            output or Path(f"{network_path(network).stem}.xlsx"),
            detail=detail.value,
            mirrors=mirrors,
            live=live,
            protect=protect,
            gallery=gallery,
            inspector=inspector,
            train=train,
            steps=steps,
            epochs=epochs,
            answer=answer or None,
            labels=labels,
            progress=progress,
            **options,
        )
    print_layers(built.network)
    print_predictions(built)
    for note in built.notes:
        say(f"note: {note}")
    say(f"wrote {built.path}: open it in Excel or LibreOffice, edit a kernel, save, then run  sheetcnn check {built.path}")


@command("build-all")
def every(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the workbooks and their page go.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Write every template's workbook and a page with links to them, for a course."""
    from ..course import build_all

    with progress_bar("building workbooks") as progress:
        paths = build_all(folder, overwrite=overwrite, progress=progress)
    say(f"wrote {len(paths) - 1} workbooks, and {paths[-1]} with a link to each")


@command()
def check(
    book: Annotated[Path, typer.Argument(metavar="BOOK.xlsx", help="A workbook that sheetcnn made, edited or not.")],
    engine: Annotated[
        Engine, typer.Option(help="Who computes the formulas: our evaluator, or the real program.")
    ] = Engine.python,
    network: Annotated[
        Path | None,
        typer.Option(
            "--network", metavar="NETWORK", help="The network that it should be of: a file of your own, or a template."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Compare every cell of a workbook with NumPy. Exit code 1 where a cell differs."""
    from ..checking.check import check as check_workbook

    with progress_bar("LibreOffice recalculates" if engine is Engine.libreoffice else "evaluating formulas") as progress:
        report = check_workbook(book, engine=engine.value, network=network, progress=progress)
    if as_json:
        print_json(report.to_dict())
    else:
        print_report(report)
    raise typer.Exit(FINE if report.ok else DIFFERS)


@command()
def explain(
    book: Annotated[Path, typer.Argument(metavar="BOOK.xlsx", help="A workbook that sheetcnn made, edited or not.")],
    place: Annotated[
        str, typer.Argument(metavar="CELL", help="A cell, conv1!C14, or the name of a grid: conv1_grad_kernel_3_1.")
    ],
    row: Annotated[int, typer.Argument(metavar="ROW", help="Of a grid, counted from 1.")] = 1,
    column: Annotated[int, typer.Argument(metavar="COLUMN", help="Likewise.")] = 1,
) -> None:
    """Say in words and numbers how one cell comes about: of a layer, a gradient, a step or the loss."""
    from ..explainer import explain_cell

    with progress_bar("reading the workbook") as progress:
        explained = explain_cell(book, place, row, column, progress=progress)
    say(str(explained), lines=True)


@command()
def export(
    book: Annotated[Path, typer.Argument(metavar="BOOK.xlsx", help="A workbook that sheetcnn made, edited or not.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="What to write: weights.npz, or model.onnx.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="OUT.png", help="Write the pixels as a picture.")
    ] = None,
    after: Annotated[
        bool, typer.Option("--after", help="The weights after the step of a workbook that was built with --train.")
    ] = False,
) -> None:
    """Write the weights that are in a workbook now, as .npz or as an ONNX model, or its pixels as PNG."""
    from ..exporter import export as export_workbook

    with progress_bar("reading the workbook") as progress:
        written = export_workbook(book, output, picture=picture, after=after, progress=progress)
    for path in written:
        say(f"wrote {path}")
