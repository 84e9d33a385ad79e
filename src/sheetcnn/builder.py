"""The build side, end to end: a network and a picture in, a workbook out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from .arrays.array import Values
from .errors import NetworkError, PictureError, SheetcnnError
from .files import refuse_outputs
from .image import enlarged_png, load_input
from .importer import open_network, refuse_size
from .model.graph import Graph
from .model.limits import graph_of
from .model.network import Network
from .model.network_file import with_labels
from .model.settings import INPUT, InputSettings
from .model.weights import load_parameters
from .progress import Progress
from .sheets.content import WorkbookContent
from .sheets.gallery.content import GALLERY_CELLS
from .sheets.layout import lay_out
from .sheets.workbook import draft_workbook
from .templates import network_path, picture_path
from .version import VERSION
from .xlsx.write import write_workbook

SHOWN = 6  # pictures on the Overview
MAX_NUMBER = 1e300  # sums over a sheet of such numbers are still finite

Detail = Literal["compact", "steps"]


@dataclass(frozen=True)
class Built:
    """What `build` made: the file, the network, NumPy's values of every layer, and notes for the user."""

    path: Path
    graph: Graph
    numbers: Values  # of every array, by its id
    notes: tuple[str, ...]
    outputs: dict[str, np.ndarray]  # what the last layer puts out, by picture, where that is a vector

    @property
    def network(self) -> Network:
        """The network that was drawn."""
        return self.graph.network

    @property
    def values(self) -> dict[str, dict[str, np.ndarray]]:
        """What NumPy computed of the first picture, by layer and key; the input's own under "input"."""
        return {
            name: {array.key: self.numbers[array.id] for array in arrays if array.role not in ("parameter", "shared")}
            for name, arrays in self.graph.of.items()
        }

    @property
    def predictions(self) -> dict[str, list[tuple[str, float]]]:
        """For each picture the last layer's numbers with their labels, the largest first."""
        ranked = {picture: np.argsort(-output, kind="stable") for picture, output in self.outputs.items()}
        return {
            picture: [(self.network.answers[n], float(self.outputs[picture][n])) for n in order]
            for picture, order in ranked.items()
        }


def build(
    network: str | Path,
    image: str | Path | Sequence[str | Path],
    output: str | Path | None = None,
    *,
    detail: Detail = "compact",
    protect: bool = False,
    gallery: bool = True,
    inspector: bool = True,
    labels: str | Path | None = None,
    size: tuple[int, int] | None = None,
    scale: float | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    progress: Progress | None = None,
) -> Built:
    """Write a workbook of a picture run through a network.

    `network` is a network file or a template's name, `image` a picture, an .npy or .csv file or a sample's name (several
    make a drop-down on the Input sheet, which switches the whole workbook),
    `output` the .xlsx to write (default: the network file's name, in the current folder). `detail="steps"` also draws
    the product grids and the pre-activations; `gallery=False` and `inspector=False` leave these sheets out.
    `labels` is a text file that names the last layer's outputs, one a line; `size` (rows, columns), `scale`, `mean` and
    `std` are for models in .onnx. Raises SheetcnnError; an existing output is then untouched.
    """
    if detail not in get_args(Detail):
        raise SheetcnnError(f"detail {detail!r:.40}: must be {' or '.join(get_args(Detail))}")
    refuse_size(size)
    source = network_path(str(network))
    images = [image] if isinstance(image, str | Path) else list(image)
    path = Path(output) if output is not None else Path(f"{source.stem}.xlsx")
    if path.suffix.lower() != ".xlsx":
        raise NetworkError(f"{path}: the workbook's name must end in .xlsx")
    inputs = [source, *(picture_path(str(one)) for one in images), *([] if labels is None else [Path(labels)])]
    refuse_outputs([path], inputs)
    checked, arrays = open_network(source, size=size, scale=scale, mean=mean, std=std)
    if checked.settings.weights is not None:
        refuse_outputs([path], [source.parent / checked.settings.weights])
    if labels is not None:
        checked = with_labels(checked, Path(labels))
    graph = graph_of(checked, detail)
    pages = lay_out(graph)
    parameters, notes = load_parameters(checked, source.parent, arrays)
    pictures = load_pictures(images, checked.input)
    values: Values = {}  # of the first picture, which is the one that is shown
    outputs = {}
    for name, pixels in pictures.items():
        run = graph.run(parameters | {f"{INPUT}.channel": pixels})
        refuse_too_large(graph, run, name)
        outputs[name] = run[graph.output(checked.nodes[-1].name).id]
        values = values or run
    pixels_across = 240 if len(pictures) == 1 else 90
    shown = dict(list(pictures.items())[:SHOWN]) if checked.input.channels in (1, 3) else {}
    draft = draft_workbook(
        WorkbookContent(
            graph,
            values,
            pages,
            {name: enlarged_png(one, pixels_across) for name, one in shown.items()},
            gallery=GALLERY_CELLS if gallery else 0,
            inspector=inspector,
            pictures=pictures if len(pictures) > 1 else {},
        ),
        protect,
        VERSION,
    )
    write_workbook(path, draft, progress)
    return Built(path, graph, values, tuple(notes), outputs if checked.answers else {})


def load_pictures(images: list[str | Path], settings: InputSettings) -> dict[str, np.ndarray]:
    """Pictures as arrays, by the names that they have in the drop-down. Raises PictureError."""
    if not images:
        raise PictureError("no picture is given; give one or more")
    paths = [picture_path(str(one)) for one in images]
    return dict(zip(_names(paths), (load_input(one, settings) for one in paths), strict=True))


def _names(paths: list[Path]) -> list[str]:
    """What pictures are called in the drop-down: their files' names, numbered where they are the same.

    MATCH finds them: it takes upper and lower case for the same, and `*`, `?` and `~` for wildcards.
    """
    names: list[str] = []
    for path in paths:
        stem = "".join("_" if letter in "*?~" else letter for letter in path.stem if letter.isprintable())[:40] or "picture"
        name, number = stem, 1
        while name.casefold() in (other.casefold() for other in names):
            number += 1
            name = f"{stem} ({number})"
        names.append(name)
    return names


def refuse_too_large(graph: Graph, values: Values, picture: str) -> None:
    """Raise NetworkError, naming the picture, the layer and the place, where a value is not finite or beyond ±`MAX_NUMBER`."""
    titles = {node.name: node.title for node in graph.network.nodes} | {INPUT: "the input"}
    for array in graph:
        numbers = values[array.id]
        fits = np.abs(numbers) <= MAX_NUMBER  # NaN is not
        if array.forward is not None and not fits.all():
            place = tuple(int(i) + 1 for i in np.argwhere(~fits)[0])
            raise NetworkError(
                f"{graph.network.source}: {titles[array.owner]}: {array.key} at {place} is "
                f"{numbers[tuple(i - 1 for i in place)]} for the picture {picture}; a workbook can hold numbers up to "
                f"{MAX_NUMBER:g} only; look at its weights and input"
            )
