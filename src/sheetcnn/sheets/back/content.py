"""What is written above gradients."""

from __future__ import annotations

from ...model.graph import Graph
from ...model.loss import LOSS
from ...model.settings import INPUT
from ...model.training import STEP, back_of
from ..layer.content import Lines

LABELS = {
    "grad_out": "gradient",
    "grad_sum": "gradient at the sum",
    "grad_bias": "of the bias",
    "after_bias": "bias after",
    "grad_weight": "gradient of the weights",
    "after_weight": "weights after",
}


def sheet_name(page: str) -> str:
    """The sheet of a page of the backward pass: of a layer's gradients, of the input's, of the loss, of the step."""
    return {back_of(INPUT): back_of("Input"), LOSS: "Loss", STEP: f"_{STEP}"}.get(page, page)


def back_lines(graph: Graph, name: str) -> Lines:
    """The text at the top of a back sheet."""
    if name == INPUT:
        words = "How much the loss grows when a pixel grows by 1: which pixels matter, and which way (saliency)."
        return [([words], "words"), (["loss.backward(); x.grad"], "code")]
    node = graph.network.by_name[name]
    lines: Lines = [(["The gradient says how much the loss grows when a number grows by 1."], "words")]
    if any(array.key.startswith("after_") for array in graph.learning_page(name)):
        lines.append((["A step goes down: after = weight − learning rate · gradient."], "words"))
    lines.append(([f"comes from behind: {', '.join(graph.readers(node.name)) or 'Loss'}"], "soft"))
    lines.append((["loss.backward(); optimizer.step()"], "code"))
    return lines
