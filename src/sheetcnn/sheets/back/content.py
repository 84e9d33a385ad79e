"""What is written above gradients."""

from __future__ import annotations

from ...model.graph import Graph
from ...model.loss import LOSS
from ...model.settings import INPUT
from ...model.training import STEPS, back_of
from ..layer.content import Lines
from ..step.content import is_step, step_sheet_name

# Above the grids of an array, the longest that fits first: {k} is the map or filter, {c} the channel.
LABELS = {
    "grad_map": ("gradient at map {k}", "gradient {k}", "grad {k}", "{k}"),
    "grad_sum": ("gradient at sum {k}", "gradient {k}", "grad {k}", "{k}"),
    "grad_out": ("gradient",),
    "grad_bias": ("gradient",),
    "after_bias": ("bias after",),
    "grad_kernel": ("gradient", "grad"),
    "after_kernel": ("kernel after", "after"),
    "turned": ("turned by 180°", "turned"),
    "grad_weight": ("gradient",),
    "after_weight": ("weight after", "after"),
}
SIGNS = {"after": "→", "turned": ""}  # before an array, by how its label begins
WORDS = {
    "grad_weight": "gradient of each weight",
    "after_weight": "weights after the step",
    "grad_sum": "gradient at the sum",
}


def sheet_name(page: str) -> str:
    """The sheet of a page of the backward pass: of a layer's gradients, of the input's, of the loss, of steps."""
    if is_step(page):
        return step_sheet_name(page)
    return {back_of(INPUT): back_of("Input"), LOSS: "Loss", STEPS: "Steps"}.get(page, page)


def back_lines(graph: Graph, name: str) -> Lines:
    """The text at the top of a back sheet."""
    if name == INPUT:
        words = "How much the loss grows when a pixel grows by 1: which pixels matter, and which way (saliency)."
        return [([words], "words"), (["loss.backward(); x.grad"], "code")]
    node = graph.network.by_name[name]
    lines: Lines = [(["The gradient says how much the loss grows when a number grows by 1."], "words")]
    if any(array.key.startswith("after_") for array in graph.learning_page(name)):
        lines.append((["A step goes down: after = weight − learning rate · gradient."], "words"))
    if any(array.key == "turned" for array in graph.learning_page(name)):
        kernels = "A kernel's gradient: the whole gradient laid on its channel, once for each of its cells."
        lines.append(([kernels, "What goes back: kernels turned by 180°, laid on the gradient."], "soft"))
    lines.append(([f"comes from behind: {', '.join(graph.readers(node.name)) or 'Loss'}"], "soft"))
    lines.append((["loss.backward(); optimizer.step()"], "code"))
    return lines
