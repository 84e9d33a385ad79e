"""What a workbook says that it is of, and what it holds now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..arrays.array import Values
from ..arrays.grid import Grids
from ..errors import NetworkError, WorkbookError, located
from ..formula import Area, Book, Formualizer, LibreOffice, evaluate_with_help, group_formulas, needed, read_book
from ..formula import Engine as Helper
from ..model.drawn import Drawn, drawn_from
from ..model.frozen import Sums
from ..model.graph import Graph
from ..model.network import Network, parse_network
from ..model.network_file import parse_json
from ..model.settings import INPUT
from ..progress import Progress
from ..reading import source_of
from ..sheets.description.content import HIDDEN, LOOKS, MARK
from ..sheets.epochs.content import Recording, recording_from
from .named_grids import NamedGrids

HELPERS: tuple[Helper, ...] = (Formualizer(), LibreOffice())  # for formulas that our evaluator does not know
ADDED = (
    "gallery",
    "inspector",
    "kernel",
    "check",
    "overview",
    "answer",
    "loss",
    "step",
    "steps",
    "epoch",
)  # whose names do not begin with a layer's


@dataclass(frozen=True)
class Shown:
    """Which sheets were added for looking."""

    gallery: int  # how many cells it may have; 0: there is none
    inspector: bool
    looks: int  # how they are made: an earlier number is of an earlier version
    epochs: Recording | None = None  # that are recorded
    frozen: Mapping[str, Sums] = field(default_factory=dict)  # of the numbers of layers that are not live, by name


def areas_of(book: Book, network: Network) -> list[Area]:
    """The rectangles that have names of ours: what a network's formulas are in."""
    owners = (INPUT, *(node.name for node in network.nodes), *ADDED)
    ours = tuple(f"{owner.lower()}_" for owner in owners)
    return [area for name, area in book.names.items() if name.lower().startswith(ours)]


@dataclass(frozen=True)
class Contents:
    """What a workbook holds now: its network, and the numbers that no formula of it computes, pixels and parameters."""

    network: Network
    values: Values


def read_contents(book: Any, progress: Progress | None = None, after: bool = False) -> Contents:
    """The network, pixels and parameters that are in a workbook now, edits included; formulas among them are evaluated.

    `after` a step the parameters are those that training makes of them.

    Raises SheetcnnError for a file that sheetcnn did not make, and where a cell holds no number, naming the first.
    """
    opened, named, given = _read(book, progress)
    return Contents(named.network, given | _after_step(opened, named, given) if after else given)


def read_all(book: Any, progress: Progress | None = None) -> tuple[Graph, dict[str, Grids], Values]:
    """A workbook's arrays, where they stand, and all their numbers: what NumPy makes of the pixels and parameters in it now.

    Raises SheetcnnError as `read_contents` does.
    """
    _, named, given = _read(book, progress)
    drawn = named.graph.drawn
    graph = Graph(named.left, drawn if named.learning else replace(drawn, training=False))
    return graph, named.grids, graph.run(given)


def _read(book: Any, progress: Progress | None) -> tuple[Book, NamedGrids, Values]:
    """A workbook, its grids, and the pixels and parameters that are in it now."""
    opened = read_book(source_of(book, "the workbook"))
    network, drawn, _ = described(opened)
    named = NamedGrids(opened, network, drawn)
    groups = group_formulas(opened)
    wanted = needed(opened, groups, named.given_areas())  # what layers compute is nobody's concern here
    evaluate_with_help([opened], groups, wanted, HELPERS, progress)
    for name, first in named.gone.items():
        node = network.by_name[name]
        if node.share is None and any(array.role == "parameter" for array in named.graph.of[name]):
            raise WorkbookError(
                f"{opened.source}: the weights of {name} are gone: the defined name {first} is missing, and all others"
            )
    given, wrong = named.given()
    if wrong:
        with located(file=opened.source, layer=wrong[0].layer, cell=wrong[0].cell):
            raise WorkbookError(f"{opened.source}: {wrong[0].cell} {wrong[0].text}")
    return opened, named, given


def _after_step(book: Book, named: NamedGrids, given: Values) -> Values:
    """The parameters after a step, by the names of those before it."""
    if named.graph.learning is None or named.no_learning is not None:
        why = named.no_learning or "it was built without --train"
        raise WorkbookError(f"{book.source}: has no weights after a step: {why}")
    values = named.graph.run(given)
    return {f"{name}.{key}": values[course[-1].id] for (name, key), course in named.graph.learning.course.items()}


def _frozen(given: Any) -> dict[str, Sums]:
    """The sums that a workbook carries along. Raises ValueError."""
    if not isinstance(given, dict) or not all(isinstance(sums, list) for sums in given.values()):
        raise ValueError(f"unknown numbers {given!r:.20}")
    return {name: [[float(number) for number in axis] for axis in sums] for name, sums in given.items()}


def description_texts(book: Book) -> list[str] | None:
    """The texts of the hidden sheet, whatever it is called now; None where it is gone."""
    named = [sheet for name, sheet in book.sheets.items() if name == HIDDEN]
    sheet = next((sheet for sheet in [*named, *book.sheets.values()] if sheet.value(1, 1) == MARK), None)
    if sheet is None:
        return None
    return [sheet.texts[place] for place in sorted(sheet.texts) if place[0] > 1 and place[1] == 1]


def described(book: Book) -> tuple[Network, Drawn, Shown]:
    """The network that the workbook carries along on its hidden sheet."""
    texts = description_texts(book)
    if texts is None:
        raise WorkbookError(
            f"{book.source}: was not made by sheetcnn, or its hidden sheet {HIDDEN} was deleted; "
            "build it with `sheetcnn build`"
        )
    try:
        data = parse_json("".join(texts))
        made, looks = data["format"], data.get("looks", 1)
        if made != 1 or type(looks) is not int or looks > LOOKS:
            raise WorkbookError(
                f"{book.source}: was made by a newer sheetcnn (format {made!r:.20}, looks {looks!r:.20}); update sheetcnn"
            )
        if "handout" in data:
            raise WorkbookError(f"{book.source}: is a handout, which has blanks; grade it with `sheetcnn grade`")
        gallery = data.get("gallery", 0)
        if type(gallery) is not int or not 0 <= gallery <= 1_000_000:
            raise ValueError(f"unknown gallery {gallery!r:.20}")
        inspector = data.get("inspector", False)
        if type(inspector) is not bool:
            raise ValueError(f"unknown inspector {inspector!r:.20}")
        network = parse_network(data["network"], f"{book.source}: {HIDDEN}")
        return (
            network,
            drawn_from(data, network),
            Shown(gallery, inspector, looks, recording_from(data.get("epochs"), network), _frozen(data.get("numbers", {}))),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WorkbookError(
            f"{book.source}: its sheet {HIDDEN} is damaged ({str(error)[:80]}); build the workbook anew"
        ) from None
    except NetworkError as error:
        raise WorkbookError(str(error)) from None
