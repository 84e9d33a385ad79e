"""Where every grid of a network goes: a page for the input and one for each layer."""

from __future__ import annotations

from ..model.graph import Graph
from ..model.settings import INPUT
from .input.place import input_page
from .layer.place import maps_page, vector_page
from .page import Page, refuse_too_large


def lay_out(graph: Graph) -> dict[str, Page]:
    """The pages by the name of what they show ("input" and the layers).

    Raises LimitError, naming the layer, the number and the limit, where a spreadsheet could not hold it.
    """
    network = graph.network
    pages = {INPUT: input_page(graph)}
    for node in network.nodes:
        if len(node.shape) == 3:
            read = pages[node.inputs[0]].grids[graph.output(node.inputs[0]).id]
            pages[node.name] = maps_page(network, node, graph.of[node.name], read)
        else:
            pages[node.name] = vector_page(network, node, graph.of[node.name])
        refuse_too_large(network, node.title, pages[node.name])
    return pages
