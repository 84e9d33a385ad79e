"""What a layer's sheet says of the layer."""

from __future__ import annotations

from ...arrays.array import shape_text
from ...model.costs import Cost
from ...model.graph import Graph, sheet_of
from ...model.network import Node
from ...model.training import back_of

NOT_LIVE = "Not live: these are numbers that NumPy computed, and follow no edit."
NOT_DRAWN = " Its weights are not drawn."

Lines = list[tuple[list[str], str]]  # texts of one kind, which may stand in one line, and their style

CHOOSE = "Yellow lists fill in kernels (green); type over any. As built: below."
ELSEWHERE = "What it reads stands on its own sheet: it is too much to be shown here once more."


def layer_lines(node: Node, cost: Cost, *, random: bool, chooses: bool, mirrored: bool) -> Lines:
    """The text at the top of a layer's sheet: its formula in words, what it reads, what it costs, PyTorch's words, and hints.

    `random` says that it has not learned, `chooses` that its kernels can be chosen, `mirrored` that it shows what it reads."""
    words = node.layer.formula_words()
    if node.layer.final is not None:
        left, right = words.rsplit(" = ", 1)
        words = f"{left} = {node.layer.final.type}({right})"
    shapes = f"{' and '.join(map(shape_text, node.in_shapes))} → {shape_text(node.shape)}"
    size = node.layer.size_words(*node.in_shapes)
    learned = ", random: this layer has not learned" if random else ""
    work = [f"parameters: {node.named_parameter_words}{learned}"]
    work += [f"multiplications: {cost.multiplications:,}"] if cost.multiplications else []
    work += [f"one cell here sees up to {cost.sees} pixels of the input"] if cost.sees else []
    lines = [
        ([words], "words"),
        ([f"reads {' and '.join(node.inputs)}: {shapes}", *([f"size: {size}"] if size else [])], "soft"),
        (work, "soft"),
        ([torch_code(node)], "code"),
    ]
    hints = [CHOOSE] if chooses else []
    hints += [ELSEWHERE] if node.layer.mirrors and not mirrored else []
    if not node.live:
        weights = node.layer.all_parameters(*node.in_shapes)
        lines.append(([NOT_LIVE + NOT_DRAWN * bool(weights)], "warning"))
        hints = []
    lines += [([node.layer.warning()], "warning")] if node.layer.warning() else []
    return [*lines, (hints, "soft")] if hints else lines


def gradients_line(graph: Graph, name: str) -> Lines:
    """A link to a layer's gradients, where there are any."""
    return [([f"gradients: {back_of(sheet_of(name))}"], "link")] if graph.learning_page(name) else []


def torch_code(node: Node) -> str:
    """A layer with its activation as PyTorch code."""
    code = node.layer.torch(*node.in_shapes)
    activation = node.layer.final
    parts = [code, "" if activation is None else activation.torch(node.shape)]
    return ", then ".join(part for part in parts if part)
