"""The build side, end to end: a network and a picture in, a workbook out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, get_args

import numpy as np

from .arrays.array import Values, shape_text
from .errors import NetworkError, PictureError, SheetcnnError, located
from .files import refuse_outputs
from .image import MOST_SHOWN, SHOWN, Given, contact_sheet, enlarged_png, load_input, value_range
from .model.drawn import Drawn
from .model.graph import Graph
from .model.labels import label_number
from .model.limits import graph_of, size_note
from .model.network import Network
from .model.network_file import with_labels
from .model.settings import INPUT, InputSettings, checked_steps
from .model.snapshots import Recorded, load_snapshots
from .model.wanted import Wanted, wanted_of
from .model.weights import load_parameters, random_layers
from .opening import Opened, open_network, shape_of
from .progress import Progress
from .reading import Held, source_of
from .sheets.answer.content import gives_answer
from .sheets.content import WorkbookContent
from .sheets.epochs.content import refuse_names
from .sheets.gallery.content import GALLERY_CELLS
from .sheets.layout import drawn_for, lay_out, lay_out_banks, lay_out_learning
from .sheets.pictures.content import types_pixels
from .sheets.workbook import draft_workbook
from .templates import picture_path
from .version import VERSION
from .xlsx.write import write_stream, write_workbook

if TYPE_CHECKING:
    from .explaining import CellExplanation, Explanation

ANSWERS = 5  # of a prediction, in a notebook
TOGETHER = (860, 300)  # pixels on which many pictures are shown on the Overview, at half their size
MAX_NUMBER = 1e300  # sums over a sheet of such numbers are still finite

Detail = Literal["auto", "compact", "steps"]


@dataclass(frozen=True)
class Built:
    """A network run on pictures, which can be saved as a workbook and shows itself in a notebook."""

    content: WorkbookContent
    notes: tuple[str, ...]
    outputs: dict[str, np.ndarray]  # what the last layer puts out, by picture, where that is a vector
    protect: bool = False
    path: Path | None = None  # of the file, where it was saved as one
    inputs: tuple[Path, ...] = ()  # files that were read: none of them may be replaced

    @property
    def graph(self) -> Graph:
        """All arrays that were computed."""
        return self.content.graph

    @property
    def network(self) -> Network:
        """The network that was drawn."""
        return self.graph.network

    @property
    def values(self) -> dict[str, dict[str, np.ndarray]]:
        """What NumPy computed of the first picture, by layer and key; the input's own under "input"."""
        return {
            name: {array.key: self.content.values[array.id] for array in arrays if array.role not in ("parameter", "shared")}
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

    def save(self, output: str | Path | BinaryIO, *, progress: Progress | None = None) -> Built:
        """Write the workbook to a file, whose name ends in .xlsx, or to a stream of bytes; returns itself with the path.

        Raises SheetcnnError; an existing file is then untouched.
        """
        draft = draft_workbook(self.content, self.protect, VERSION)
        if not isinstance(output, str | os.PathLike):
            write_stream(output, draft, progress)
            return self
        path = _workbook_path(output, self.inputs)
        write_workbook(path, draft, progress)
        return replace(self, path=path)

    def explain(self, layer: str, map: int = 1, row: int = 1, column: int = 1) -> Explanation | CellExplanation:
        """How one cell comes about, as the Inspector shows it; places count from 1.

        `layer` may also be the name of any grid, as `conv1_grad_kernel_3_1`, or a cell of the workbook: `conv1_back!C14`.
        """
        from .explaining import explained_cell, explanation, names_a_cell  # only who asks

        content = self.content
        if layer not in self.network.by_name and names_a_cell(self.graph, layer):
            return explained_cell(self.graph, content.grids, content.values, layer, row, column)
        return explanation(self.graph, content.values, layer, (map, row, column))

    def _repr_html_(self) -> str:
        from .notebook import maps, table, text  # only notebooks ask

        network = self.network
        parts = [f"<h4>{text(network.settings.name)}</h4>"]
        for picture, ranked in self.predictions.items():
            if network.gives_probabilities or network.settings.labels:
                told = ", ".join(f"{label} {number:.4g}" for label, number in ranked[:ANSWERS])
                parts.append(f"<p><b>{text(picture)}</b>: {text(told)}</p>")
        rows: list[list[Any]] = [[INPUT, "", shape_text(network.input.shape), ""]]
        rows += [[node.name, node.layer.type, shape_text(node.shape), node.parameter_words] for node in network.nodes]
        for row in rows:
            row.append(maps(self.content.values[self.graph.output(row[0]).id]))
        parts.append(table(("layer", "type", "output", "parameters", "first maps"), rows))
        saved = "not saved yet: .save('book.xlsx')" if self.path is None else f"saved as {self.path}"
        return "".join([*parts, f"<p>{text(saved)}</p>", *(f"<p>note: {text(note)}</p>" for note in self.notes)])


def build(
    network: Any,
    image: Any,
    output: str | Path | BinaryIO | None = None,
    *,
    detail: Detail = "auto",
    mirrors: bool | None = None,
    protect: bool = False,
    gallery: bool = True,
    inspector: bool = True,
    train: bool = False,
    steps: int | None = None,
    epochs: bool = False,
    answer: str | Sequence[Any] | None = None,
    labels: str | Path | None = None,
    size: tuple[int, int] | None = None,
    until: str | None = None,
    live: str | None = None,
    scale: float | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    progress: Progress | None = None,
) -> Built:
    """A workbook of a picture run through a network.

    `network` is a network file or a template's name, its plain data, a `Network`, or a model of PyTorch or Keras. `image` is a
    picture, an .npy or .csv file or a sample's name, an array, a Pillow image, or the bytes of a picture; several make a
    drop-down on the Input sheet, which switches the whole workbook. `output` is the .xlsx or the stream to write; without it
    nothing is written yet, see `Built.save`. `detail="steps"` also draws the product grids and the pre-activations, "auto" does
    in layers so small that a whole filter fits a screen with them, "compact" in none; `mirrors` says whether layers show on
    their own sheets what they read, by default where that is little; `gallery=False` and `inspector=False` leave these sheets out. `labels` is a text file that names the last layer's outputs,
    one a line; `until` is the last layer to be drawn, or a node or an output of a model;
    `live` names the layers whose cells are formulas ("conv4,conv5:softmax"), all others being numbers that NumPy computed; `size` (rows, columns), `scale`,
    `mean` and `std` are for models. Raises SheetcnnError; an existing output is then untouched.
    """
    if detail not in get_args(Detail):
        raise SheetcnnError(f"detail {detail!r:.40}: must be auto, compact or steps")
    pictures = list(image) if isinstance(image, list | tuple) else [image]
    given = [picture_of(one) for one in pictures]
    read = tuple(one for one in (*given, *([] if labels is None else [Path(labels)])) if isinstance(one, Path))
    to_file = isinstance(output, str | os.PathLike)
    if to_file:  # before any work
        _workbook_path(output, read)  # type: ignore[arg-type]  # mypy does not see it
    opened = open_network(
        network, size=size, until=until, scale=scale, mean=mean, std=std, shape=next(map(shape_of, given), None)
    )
    inputs = (*opened.files, *read)
    if to_file:
        _workbook_path(output, inputs)  # type: ignore[arg-type]
    checked = opened.network if labels is None else with_labels(opened.network, Path(labels))
    checked = checked if live is None else checked.with_live(live)
    if len(given) > 1 and (frozen := next((node for node in checked.nodes if not node.live), None)) is not None:
        raise PictureError(f"{frozen.name} is not live, and has the numbers of one picture; give one, not {len(given)}")
    shown = load_pictures(given, checked.input)
    wanted = wanted_of(checked, list(shown), answer) if train or steps else None
    graph = graph_of(checked, _drawn(checked, detail, mirrors, wanted, steps, len(shown)))
    parameters, notes = load_parameters(checked, opened.folder, opened.arrays)
    recorded = _recorded(checked, opened.folder) if epochs else None
    if recorded is not None:
        parameters |= recorded.last
    notes += [note for note in [size_note(graph)] if note is not None]
    if wanted is not None:
        parameters |= wanted.given(checked, shown)
    pages = lay_out(graph, typed=len(shown) > 1 and types_pixels(checked), answer=gives_answer(checked))
    values, outputs = _run(graph, parameters, shown)
    between = value_range(given, shown.values())
    content = WorkbookContent(
        graph,
        values,
        pages,
        _pngs(shown, between) if checked.input.channels in (1, 3) else {},
        gallery=GALLERY_CELLS if gallery else 0,
        inspector=inspector,
        pictures=shown if len(shown) > 1 else {},
        pixel_range=between,
        truth={name: label_number(name, checked.settings.labels or ()) for name in shown},
        random=_random(opened, checked, recorded),
        banks=lay_out_banks(graph, len(shown)),
        learning=lay_out_learning(graph, pages),
        right={} if wanted is None else wanted.labels,
        recorded=recorded,
    )
    built = Built(content, tuple(notes), outputs if checked.answers else {}, protect, inputs=inputs)
    return built if output is None else built.save(output, progress=progress)


def explain(
    network: Any, image: Any, layer: str, map: int = 1, row: int = 1, column: int = 1, **options: Any
) -> Explanation | CellExplanation:
    """How one cell of a layer comes about, as the Inspector shows it, without a workbook; places count from 1.

    `network`, `image` and the options are those of `build`, `layer` is what `Built.explain` takes. Raises SheetcnnError.
    """
    return build(network, image, **options).explain(layer, map, row, column)


def _drawn(
    network: Network, detail: Detail, mirrors: bool | None, wanted: Wanted | None, steps: int | None, pictures: int
) -> Drawn:
    """What is drawn, with a backward pass where something is `wanted`."""
    updates = checked_steps(network.training.steps if steps is None else steps)
    drawn = drawn_for(network, detail, mirrors)
    if wanted is None:
        return drawn
    return replace(
        drawn, training=True, typed=wanted.typed is not None, updates=updates, pictures=pictures if updates > 1 else 1
    )


def _random(opened: Opened, network: Network, recorded: Recorded | None) -> frozenset[str]:
    """The layers whose weights are random numbers, and not those of an epoch."""
    found = random_layers(network, opened.folder, opened.arrays)
    return found if recorded is None else frozenset(n for n in found if network.owner(n) not in recorded.layers)


def _recorded(network: Network, folder: Path) -> Recorded:
    """The epochs that a network's file has recorded."""
    refuse_names(network)
    if (frozen := next((node for node in network.nodes if not node.live), None)) is not None:
        raise NetworkError(
            f"{network.source}: {frozen.title}: is not live, and cannot follow the epochs; make all layers live"
        )
    return load_snapshots(network, folder)


def _workbook_path(output: str | Path, inputs: Sequence[Path]) -> Path:
    """Where a workbook is to be written, if it can be."""
    path = Path(output)
    if path.suffix.lower() != ".xlsx":
        raise NetworkError(f"{path}: the workbook's name must end in .xlsx")
    refuse_outputs([path], inputs)
    return path


def _run(graph: Graph, parameters: Values, pictures: dict[str, np.ndarray]) -> tuple[Values, dict[str, np.ndarray]]:
    """All numbers of the first picture, which is the one that is shown, and the last layer's of each."""
    values: Values = {}
    outputs = {}
    for name, pixels in pictures.items():
        run = graph.run(parameters | {f"{INPUT}.channel": pixels})
        refuse_too_large(graph, run, name)
        outputs[name] = run[graph.output(graph.network.nodes[-1].name).id]
        values = values or run
    return values, outputs


def _pngs(shown: dict[str, np.ndarray], between: tuple[float, float]) -> dict[str, bytes]:
    """The input as pictures, by what they are called: each by itself, or, of many, as many as there is room for together."""
    if len(shown) > SHOWN:
        some = dict(list(shown.items())[:MOST_SHOWN])
        left = len(shown) - len(some)
        names = ", ".join(some) + (f" and {left} more" if left else "")
        return {names: contact_sheet(some, between, TOGETHER)}
    return {name: enlarged_png(one, between, 150 if len(shown) == 1 else 64) for name, one in shown.items()}


def picture_of(given: Any) -> Given:
    """A picture of any kind as it can be loaded; of a sample its path. Raises SheetcnnError."""
    if isinstance(given, str | os.PathLike):
        return picture_path(str(given))
    if isinstance(given, np.ndarray) or hasattr(given, "getbands"):
        return given
    source = source_of(given, "the picture")
    return Held(source.data, "the picture.npy") if isinstance(source, Held) and source.data[:6] == b"\x93NUMPY" else source


def load_pictures(images: Sequence[Given], settings: InputSettings) -> dict[str, np.ndarray]:
    """Pictures as arrays, by the names that they have in the drop-down. Raises PictureError."""
    if not images:
        raise PictureError("no picture is given; give one or more")
    names = _names([one.stem if isinstance(one, Path) else "picture" for one in images])
    return dict(zip(names, (load_input(one, settings) for one in images), strict=True))


def _names(stems: list[str]) -> list[str]:
    """What pictures are called in the drop-down: their files' names, numbered where they are the same.

    MATCH finds them: it takes upper and lower case for the same, and `*`, `?` and `~` for wildcards.
    """
    names: list[str] = []
    for given in stems:
        stem = "".join("_" if letter in "*?~" else letter for letter in given if letter.isprintable())[:40] or "picture"
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
        if array.role in ("parameter", "shared"):
            continue
        numbers = values[array.id]
        fits = np.abs(numbers) <= MAX_NUMBER  # NaN is not
        if not fits.all():
            place = tuple(int(i) + 1 for i in np.argwhere(~fits)[0])
            with located(file=graph.network.source, layer=array.owner):
                raise NetworkError(
                    f"{graph.network.source}: {titles[array.owner]}: {array.key} at {place} is "
                    f"{numbers[tuple(i - 1 for i in place)]} for the picture {picture}; a workbook can hold numbers up to "
                    f"{MAX_NUMBER:g} only; look at its weights and input"
                )
