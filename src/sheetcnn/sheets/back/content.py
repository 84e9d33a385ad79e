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
    "inner": ("sum {k}, before the bias", "sum {k}", "{k}"),
    "grad_inner": ("gradient at that sum", "gradient", "grad"),
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
    "inner": "sum before the bias",
    "grad_inner": "gradient at that sum",
    "turned": "turned kernels",
    "back_in": "reads",
}
WEIGHTS = {  # of tables
    "before_weight": "weight: a row for each output, a column for each input",
    "grad_weight": "gradient of each weight",
    "after_weight": "weight after = weight − rate · gradient",
}
TURNED = ("Of a kernel: the whole gradient laid on its channel.", "What goes back: turned kernels laid on the gradient.")
MINUS = "− rate·"
EQUATIONS = {  # what belongs to a parameter, by how its label begins, and the sign before it: a step, read left to right
    "sgd": {BEFORE: "", "grad_": MINUS, AFTER: "="},
    "momentum": {"grad_": "", BEFORE: "", "momentum_": MINUS, AFTER: "="},
    "adam": {"grad_": "", "exp_avg_": "", "exp_avg_sq_": "", BEFORE: "", AFTER: "→"},
}
STEPS_DOWN = {
    "sgd": "A step goes down: after = before − rate · gradient.",
    "momentum": "A step goes down: after = before − rate · momentum, at first the gradient itself.",
    "adam": "A step goes down by rate · mean / √(mean of squares), both as if they had begun long ago.",
}
KEPT = {"momentum_": "momentum", "exp_avg_sq_": "mean of squares", "exp_avg_": "mean"}  # by the optimizer


def word_of(label: str) -> str:
    """What an array is called: a parameter by its own name, with what becomes of it."""
    if label in WORDS:
        return WORDS[label]
    kept = next((word for start, word in KEPT.items() if label.startswith(start)), None)
    if kept is not None:
        return kept
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
        pixels = "How much the loss grows when a pixel grows by 1: which pixels matter, and which way (saliency)."
        colours = "Orange: a lighter pixel makes the loss larger. Blue: it makes it smaller."
        return [([pixels], "words"), ([colours], "soft"), (["loss.backward(); x.grad"], "code"), (links, "link")]
    layer, keys = graph.network.by_name[name].layer, [array.key for array in graph.learning_page(name)]
    steps = any(key.startswith(AFTER) for key in keys)
    words = ["How much the loss grows when a number grows by 1."] + [STEPS_DOWN[graph.network.training.optimizer]] * steps
    how = list(TURNED) if "turned" in keys else [layer.back_words] * bool(layer.back_words)
    if layer.final is not None and layer.final.back_words and "grad_sum" in keys:
        how.append(layer.final.back_words)
    code = "loss.backward(); optimizer.step()" if steps else "loss.backward()"
    soft: Lines = [(how, "soft")] if how else []
    return [*[([text], "words") for text in words], *soft, ([code], "code"), (links, "link")]
