"""What a workbook can hold, refused before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ..arrays.array import Array
from ..errors import LimitError, NetworkError, located
from .drawn import PLAIN, Drawn
from .graph import MAX_GRID_NAMES, Graph
from .network import Network, parse_network
from .training import refuse_untrainable, step_of

MAX_WORK = 25_000_000_000  # cells read in all; the largest networks of ImageNet have 20 billion multiplications
FURTHER = "the steps after the first"
GOOGLE_CELLS = 10_000_000  # what Google Sheets can hold; other programs go on
SHEET_CELLS = 75_000_000  # of one sheet, which make 4 GB before they are compressed: LibreOffice 7.4 opens no more
MAX_CELLS = 400_000_000  # of a workbook that is still written: VGG-19 has 160 million
MAX_MEMORY = 64_000_000_000  # bytes that a spreadsheet program may need for it, which is what the largest desktops have
FORMULA, NUMBER = 1_850, 16  # bytes that a cell takes in LibreOffice, as measured

Measure = Callable[[Graph], dict[str, int]]  # how much of something is on each page of a graph


def graph_of(network: Network, drawn: Drawn = PLAIN) -> Graph:
    """The graph of a network that a workbook can hold.

    Raises NetworkError where two grids would have one name, LimitError where a spreadsheet could not hold them or nobody would
    wait for them, naming the largest layer, the number and the limit.
    """
    with located(file=network.source):
        if drawn.training:
            refuse_untrainable(network)
        graph = Graph(network, replace(drawn, updates=min(drawn.updates, 2)))  # further steps are like the second
        _refuse_names_given_twice(graph)
        for measure, most, words in (
            (_cells, MAX_CELLS, "the workbook would have {} cells, {}; sheetcnn writes {}"),
            (
                _memory,
                MAX_MEMORY,
                "a spreadsheet program would need {} bytes of memory for it, {}; sheetcnn writes for {}: let fewer layers be live (--live)",
            ),
        ):
            _refuse_beyond(
                network.source, most, _of_steps(drawn, measure(graph)), words, partial(_remedy, graph, drawn, measure, most)
            )
        names = _of_steps(drawn, {name: sum(array.names for array in arrays) for name, arrays in _pages(graph).items()})
        grids = "the workbook would have {} grids, {}; {} can have names that spreadsheet programs can take"
        _refuse_beyond(network.source, MAX_GRID_NAMES, names, grids, lambda: _fewer(graph, drawn, names, MAX_GRID_NAMES))
        # Forward; then for each step back to what it reads and to its weights, and forward again.
        passes = 1 + 3 * drawn.updates * drawn.training
        work = {
            node.name: passes * node.layer.cells_read(*node.in_shapes) for node in network.nodes
        }  # a cell's window counts
        reads = "its cells would read {} others, {}; sheetcnn takes {}"
        _refuse_beyond(
            network.source, MAX_WORK, work, reads, lambda: "use smaller kernels, fewer channels or a smaller input"
        )
        return graph if drawn.updates <= 2 else Graph(network, drawn)


def _of_steps(drawn: Drawn, of: dict[str, int]) -> dict[str, int]:
    """How much is on each page, that of the second step standing for all further ones."""
    further = of.pop(step_of(2), 0) * (drawn.updates - 1)
    return of | ({FURTHER: further} if further else {})


def _pages(graph: Graph) -> dict[str, list[Array]]:
    """The arrays of every sheet, by its layer or by what else it is of."""
    return graph.of | ({} if graph.learning is None else graph.learning.pages)


def _cells(graph: Graph) -> dict[str, int]:
    return {name: sum(array.count for array in arrays) for name, arrays in _pages(graph).items()}


def _memory(graph: Graph) -> dict[str, int]:
    """The bytes that a spreadsheet program needs for the cells of each layer."""
    return {
        name: sum(array.count * (NUMBER if array.formula is None else FORMULA) for array in arrays)
        for name, arrays in _pages(graph).items()
    }


def size_note(graph: Graph) -> str | None:
    """What is to be known of a workbook that not every program can open; None of others."""
    of = _cells(graph)
    cells, largest = sum(of.values()), max(of, key=lambda name: of[name])
    if cells <= GOOGLE_CELLS:
        return None
    note = (
        f"the workbook has {cells:,} cells: Google Sheets takes {GOOGLE_CELLS:,}, "
        f"LibreOffice needs some {sum(_memory(graph).values()) / 1e9:,.1f} GB of memory for it"
    )
    if of[largest] < SHEET_CELLS:
        return note
    return f"{note}; the sheet of {largest} has {of[largest]:,}, about 4 GB or more, which not every LibreOffice opens: leave it out of --live"


def _refuse_beyond(source: str, most: int, of: dict[str, int], words: str, remedy: Callable[[], str]) -> None:
    """Refuse more than so many in all, `of` so many of each layer; `words` has places for the sum, the largest part, the limit."""
    if sum(of.values()) > most:
        largest = max(of, key=lambda name: of[name])
        part = f'{of[largest]:,} of them in "{largest}"'
        with located(layer=largest):
            told = words.format(f"{sum(of.values()):,}", part, f"{most:,}")
            raise LimitError(f"{source}: {told}; {remedy()}")


def _refuse_names_given_twice(graph: Graph) -> None:
    """Grids of two layers would have one name: `bn_running_mean_1` of bn and of bn_running."""
    owners: dict[str, str] = {}
    for array in graph:
        first = owners.setdefault(f"{array.owner}_{array.label}".lower(), array.owner)
        if first != array.owner:
            with located(layer=array.owner):
                raise NetworkError(
                    f"{graph.network.source}: layers {first!r} and {array.owner!r} would both have grids named "
                    f"{array.owner}_{array.label}_1, …; rename one of them"
                )


def _remedy(graph: Graph, drawn: Drawn, measure: Measure, most: int) -> str:
    """What would fit: the network without its backward pass, or else the largest smaller input, in steps of a sixteenth."""
    network, found, of = graph.network, "", _of_steps(drawn, measure(graph))
    if graph.learning is not None and sum(of[name] for name in graph.of) <= most:
        return _fewer(graph, drawn, of, most)
    total = sum(of.values())
    low, high = 0, min(15, math.ceil(16 * math.sqrt(most / total)))  # weights do not get fewer, so it is no more than that
    while low < high:
        part = (low + high + 1) // 2
        height, width = (max(1, side * part // 16) for side in network.input.shape[1:])
        smaller = network.description()
        smaller["input"] |= {"height": height, "width": width}
        try:
            other = parse_network(smaller, network.source)
        except NetworkError:  # too small for some layer
            low = part
            continue
        if sum(measure(Graph(other, graph.drawn)).values()) > most:
            high = part - 1
            continue
        low = part
        weights, its = ([node.layer.all_parameters(*node.in_shapes) for node in each.nodes] for each in (network, other))
        more = "" if weights == its else ", with weights of the fully connected layers made for it"
        found = f"an input of {height}×{width} would fit{more}"
    return found or "use fewer channels"


def _fewer(graph: Graph, drawn: Drawn, of: dict[str, int], most: int) -> str:
    """How many steps of training would fit, or that the network would without; `of` is how much is on each page."""
    if not drawn.training:
        return "use fewer channels"
    further = of.get(FURTHER, 0)
    first = sum(of.values()) - further
    if first > most or not further:
        return "without --train it would fit" if sum(of[name] for name in graph.of) <= most else "use fewer channels"
    fit = 1 + (most - first) // (further // (drawn.updates - 1))
    return "one step would fit" if fit == 1 else f"{fit} steps would fit"
