"""What is written above gradients."""

from __future__ import annotations

from ...model.again import BEFORE
from ...model.graph import Graph, sheet_of
from ...model.loss import LOSS
from ...model.optimizer import AFTER
from ...model.settings import INPUT
from ...model.training import STEPS, back_of
from ..layer.content import Lines
from ..step.content import is_step, step_sheet_name

# Above the grids of an array, the longest that fits first: {k} is the map or filter, {c} the channel.
LABELS = {
    "grad_map": ("gradient at map {k}", "gradient {k}", "grad {k}", "{k}"),
    "grad_sum": ("gradient at sum {k}", "gradient {k}", "grad {k}", "{k}"),
    "before_kernel": ("filter {k} · channel {c}", "filter {k}", "{k}"),
    "grad_kernel": ("gradient", "grad"),
    "after_kernel": ("kernel after", "after"),
    "turned": ("turned by 180°", "turned"),
}
# What vectors and scale bars are called, and arrays of one number for each map.
WORDS = {
    "grad_channel": "gradient",
    "grad_map": "gradient",
    "grad_out": "gradient",
    "grad_sum": "gradient at the sum",
    "grad_kernel": "gradient of kernels",
    "after_kernel": "kernels after",
    "turned": "turned kernels",
    "back_in": "reads",
}
WEIGHTS = {  # of tables
    "before_weight": "weight: a row for each output, a column for each input",
    "grad_weight": "gradient of each weight",
    "after_weight": "weight after = weight − rate · gradient",
}
MINUS = "− rate·"  # before the gradient of a parameter
SIGNS = {AFTER: "=", "turned": "", BEFORE: ""}  # before an array, by how its label begins


# What stands beside the gradient of a parameter, by how its label begins: what an optimizer keeps.
KEPT = {"momentum_": "momentum", "exp_avg_sq_": "mean of squares", "exp_avg_": "mean"}
STEP_WORDS = {
    "sgd": "A step goes down: after = before − rate · gradient.",
    "momentum": "after = before − rate · momentum, which is the gradient at first.",
    "adam": "after = before − rate · mean / √ mean of squares: at first as large as the rate.",
}


def kept(label: str) -> str:
    """What an optimizer keeps of a gradient, as an array's label says it; nothing where it is none of that."""
    return next((word for start, word in KEPT.items() if label.startswith(start)), "")


def word_of(label: str) -> str:
    """What an array is called: a parameter by its own name, with what becomes of it."""
    if label in WORDS:
        return WORDS[label]
    if found := kept(label):
        return found
    if label.startswith(AFTER):
        return f"{label.removeprefix(AFTER)} after"
    return "gradient" if label.startswith("grad_") else label.removeprefix(BEFORE)


def sheet_name(page: str) -> str:
    """The sheet of a page of the backward pass: of a layer's gradients, of the input's, of the loss, of steps."""
    if is_step(page):
        return step_sheet_name(page)
    return {back_of(INPUT): back_of("Input"), LOSS: "Loss", STEPS: "Steps"}.get(page, page)


def behind(graph: Graph, name: str) -> list[str]:
    """The sheets from which a layer's gradient comes: those of the layers that read it, or the loss."""
    assert graph.learning is not None
    found = [back_of(reader) for reader in graph.readers(name) if back_of(reader) in graph.learning.pages]
    return found or [sheet_name(LOSS)]


def back_lines(graph: Graph, name: str) -> Lines:
    """The text at the top of a back sheet; links are written as what they are for, a colon, and the sheet."""
    links = [f"from behind: {sheet}" for sheet in behind(graph, name)] + [f"forward: {sheet_of(name)}"]
    if name == INPUT:
        words = "How much the loss grows when a pixel grows by 1: which pixels matter, and which way (saliency)."
        colours = "Orange: a lighter pixel makes the loss larger. Blue: it makes it smaller."
        return [([words], "words"), ([colours], "soft"), (["loss.backward(); x.grad"], "code"), (links, "link")]
    layer, keys = graph.network.by_name[name].layer, [array.key for array in graph.learning_page(name)]
    steps = any(key.startswith(AFTER) for key in keys)
    said = ["How much the loss grows when a number grows by 1."]
    said += [STEP_WORDS[graph.network.training.optimizer]] * steps
    how: list[str] = [layer.back_words] if layer.back_words else []
    if "turned" in keys:
        how = [
            "Of a kernel: the whole gradient laid on its channel.",
            "What goes back: turned kernels laid on the gradient.",
        ]
    how += [layer.final.back_words] if layer.final is not None and "grad_sum" in keys and layer.final.back_words else []
    code = "loss.backward(); optimizer.step()" if steps else "loss.backward()"
    return [*[([text], "words") for text in said], *([(how, "soft")] if how else []), ([code], "code"), (links, "link")]
