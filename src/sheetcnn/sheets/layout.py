"""Where every grid of a network goes: a page for the input and one for each layer."""

from __future__ import annotations

from ..arrays.grid import Grids
from ..errors import LimitError
from ..model.costs import costs
from ..model.drawn import Drawn, Steps, folded, mirrored
from ..model.graph import Graph
from ..model.loss import LOSS
from ..model.network import Network
from ..model.settings import INPUT
from ..model.training import STEPS, back_of, step_of
from .back.content import back_lines
from .back.place import back_page
from .input.place import input_page
from .kernels.content import choosable
from .kernels.place import kernels_page
from .layer.content import gradients_line, layer_lines
from .layer.place import layer_page
from .loss.place import loss_page
from .page import Page, refuse_too_large
from .pictures.place import pictures_page
from .screen import SMALL, extent, filter_extent
from .step.place import StepPage, grids_of
from .steps.place import steps_page


def lay_out(graph: Graph, *, typed: bool = False, answer: bool = False) -> dict[str, Page]:
    """The pages by the name of what they show ("input" and the layers).

    Beside the pixels there may be cells in which others are `typed`, and the `answer`.

    Raises LimitError, naming the layer, the number and the limit, where a spreadsheet could not hold it.
    """
    network = graph.network
    pages: dict[str, Page] = {INPUT: input_page(graph, typed, answer)}
    cost = costs(network)
    for node in network.nodes:
        read = pages[node.inputs[0]].grids[graph.output(node.inputs[0]).id]
        shown = bool(graph.mirrors(node.name))
        # Whether weights are random is not known yet: there is room for these words.
        lines = layer_lines(node, cost[node.name], random=True, chooses=choosable(node), mirrored=shown)
        pages[node.name] = layer_page(graph, node, read, [*lines, *gradients_line(graph, node.name)])
        refuse_too_large(network, node.title, pages[node.name])
    return pages


def lay_out_banks(graph: Graph, pictures: int) -> dict[str, Page]:
    """The hidden pages of what can be chosen: several pictures, and kernels."""
    found: dict[str, Page] = {"pictures": pictures_page(graph.network, pictures)} if pictures > 1 else {}
    kernels = kernels_page(graph)
    return found if kernels is None else found | {"kernels": kernels}


def lay_out_learning(graph: Graph, forward: dict[str, Page]) -> dict[str, Page]:
    """The pages of the backward pass by the names that the graph has for them, in the order of their sheets."""
    if graph.learning is None:
        return {}
    grids = grids_of([*forward.values()])
    steps: dict[str, Page] = {}
    for number in range(1, len(graph.learning.copies) + 1):
        page = StepPage(graph, number, grids).page()
        steps[step_of(number)] = page
    pages: dict[str, Page] = {LOSS: loss_page(graph)}
    if STEPS in graph.learning.pages:
        pages[STEPS] = steps_page(graph)
    first = grids | grids_of([page for name, page in steps.items() if name == step_of(1)])
    for name in [*(node.name for node in reversed(graph.network.nodes)), INPUT]:
        if back_of(name) in graph.learning.pages:
            pages[back_of(name)] = back_page(graph, name, _read_again(graph, name, first), back_lines(graph, name))
    pages |= steps
    for page in pages.values():
        refuse_too_large(graph.network, f"the sheet {page.sheet}", page)
    return pages


def _read_again(graph: Graph, name: str, grids: dict[str, Grids]) -> Grids | None:
    """The grids of the first layer that a layer reads after the first step."""
    if name == INPUT or graph.learning is None:
        return None
    read = graph.network.by_name[name].inputs[0]
    copies = graph.learning.copies[:1]
    own = copies[0][read][-1].id if copies and read in copies[0] else ""
    return grids.get(own, grids[graph.output(read).id])


def drawn_for(network: Network, detail: str, mirrors: bool | None) -> Drawn:
    """Which steps and mirrors a workbook of a network has.

    With the detail "auto" a layer has its products and sums where a whole filter then still fits a small screen, with the
    channels that it reads.
    """
    names = [node.name for node in network.nodes]
    shown, maps = mirrored(network, mirrors), frozenset() if mirrors is False else folded(network)
    if detail != "auto":
        return Drawn({} if detail == "compact" else dict.fromkeys(names, "steps"), shown, maps)
    few = [node for node in network.nodes if node.name in shown and len(node.shape) == 3 and _seen(*node.shape[1:])]
    steps: dict[str, Steps] = {node.name: "products" for node in few if node.layer.reduction(*node.in_shapes) is not None}
    if not steps:
        return Drawn({}, shown, maps)
    try:
        pages = lay_out(Graph(network, Drawn(steps, shown)))
    except LimitError:
        return Drawn({}, shown, maps)
    fitting = (page.node.name for page in pages.values() if page.node is not None and _fits(page))
    return Drawn({name: "products" for name in fitting if name in steps}, shown, maps)


def _seen(rows: int, columns: int) -> bool:
    """Whether a small screen has room for a map at all: to lay out pages takes longer."""
    return all(have <= most for have, most in zip(extent(rows, columns), SMALL, strict=True))


def _fits(page: Page) -> bool:
    return page.first_band > 0 and all(have <= most for have, most in zip(filter_extent(page), SMALL, strict=True))
