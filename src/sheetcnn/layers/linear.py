"""Fully connected layer."""

import math
from functools import cache
from typing import ClassVar

import numpy as np

from ..a1 import MAX_COLUMNS
from ..arrays.array import Array, Shape
from ..arrays.grid import Grid, Grids
from ..arrays.receptive_field import ReceptiveField
from ..arrays.window import Window
from .activation import Activated
from .backward import Local
from .base import OnnxGraph, counted, example
from .reduction import Reduction
from .settings import Count, Flag

FOLD = 5  # so many inputs in a line, and so many lines, are looked at at once
WIDEST = MAX_COLUMNS - 64  # columns of weights in one line; the layer's numbers and their names stand at its left


@cache
def lines_of(inputs: int) -> Shape:
    """How the weights of one output stand: in one line, or in as few lines of equal length as a sheet is wide enough for."""
    length = next(n for n in range(min(inputs, WIDEST), 0, -1) if inputs % n == 0)
    return (inputs,) if length == inputs else (inputs // length, length)


class Linear(Activated):
    """Every output is a weighted sum of all inputs plus a bias. Source: torch.nn.Linear."""

    type: ClassVar[str] = "linear"
    family: ClassVar[str] = "vector"
    about: ClassVar[str] = "fully connected: each output a weighted sum of all inputs"
    words: ClassVar[str] = "out = bias + Σ weight · input"
    takes: ClassVar[str] = "vector"
    folds: ClassVar[str] = "weight"
    maps_label: ClassVar[str] = "weight"
    mirrors: ClassVar[bool] = False  # a row above the weights does
    row_back: ClassVar[str] = "in"
    back_words: ClassVar[str] = (
        "A weight's gradient: the gradient of its output (left) · the number that it is multiplied by (above). "
        "What goes back: each column of weights · the gradients, summed."
    )
    examples: ClassVar = (
        example([1, 2, 3], [32, -2], out_features=2, parameters={"weight": [[4, 5, 6], [1, 0, -1]], "bias": [0, 0]}),
        example([2, -1], [3.5], out_features=1, parameters={"weight": [[1, -1]], "bias": [0.5]}),
        example([2, -1], [3], out_features=1, bias=False, parameters={"weight": [[1, -1]]}),
    )

    out_features: Count
    bias: Flag = True

    def parameters(self, shape: Shape) -> dict[str, Shape]:
        weight = (self.out_features, *lines_of(shape[0]))
        return {"weight": weight} | ({"bias": (self.out_features,)} if self.bias else {})

    def file_shape(self, key: str, shape: Shape) -> Shape:
        return (shape[0], math.prod(shape[1:])) if key == "weight" else shape

    def from_file(self, key: str, array: np.ndarray) -> np.ndarray:
        return array.reshape(len(array), *lines_of(array.shape[1])) if key == "weight" else array

    def to_file(self, key: str, array: np.ndarray) -> np.ndarray:
        return array.reshape(len(array), -1) if key == "weight" else array

    def factors(self, key: str, shape: Shape) -> Shape:
        return self.file_shape(key, shape)

    def factor_words(self, key: str, shape: Shape) -> str:
        if key != "weight":
            return super().factor_words(key, shape)
        outputs, inputs = self.factors(key, shape)
        return f"{counted(outputs, 'output')} · {counted(inputs, 'input')}"

    def output_shape(self, shape: Shape) -> Shape:
        return (self.out_features,)

    def steps(self, shape: Shape, detail: str) -> list[Array]:
        # SUMPRODUCT needs ranges of one shape, so the input column is drawn once more above the weights, in lines like theirs.
        lines = (1, *lines_of(shape[0]))[-2:]

        def cell(at: Shape, x: Grids, **_: Grids) -> str:
            return x.at(at[0] * lines[1] + at[1], 0)

        return [Array("in", lines, lambda x, **_: x.reshape(lines), cell)]

    def forward(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
        total = weight.reshape(len(weight), -1) @ x
        return total if bias is None else total + bias

    def formula(self, at: Shape, x: Grids, weight: Grids, bias: Grids | None = None, **steps: Grids) -> str:
        (n,) = at
        lines, first = (weight, n) if isinstance(weight, Grid) else (weight[n], 0)
        total = f"SUMPRODUCT({steps['in'].area},{lines.window(first, 0, steps['in'].rows, lines.columns)})"
        return total if bias is None else f"{bias.at(n, 0)}+{total}"

    def receptive_field(self, axis: int, shapes: tuple[Shape, ...], fields: list[ReceptiveField]) -> ReceptiveField:
        return fields[0].of_all(self.out_features)

    def reduction(self, shape: Shape) -> Reduction:
        columns = min(FOLD, shape[0])
        window = Window((min(FOLD, -(-shape[0] // columns)), columns))
        terms = -(-shape[0] // (window.size[0] * columns))
        return Reduction("sum", window, terms=terms, kernel="weight", source="in", folded=True, levels=(0, 0, 0))

    def multiplications(self, shape: Shape) -> int:
        return self.out_features * shape[0]

    def untrainable(self, shape: Shape) -> str:
        return "" if shape[0] <= WIDEST else f"reads {shape[0]:,} numbers; gradients are drawn of up to {WIDEST:,}"

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        return of.own["weight"].T @ of.grad

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        weight = of.own["weight"]
        return f"SUMPRODUCT({weight.window(0, at[0], weight.rows, 1)},{of.grad.area})"

    def grad_parameter(self, key: str, of: Local[np.ndarray]) -> np.ndarray:
        return of.grad if key == "bias" else np.outer(of.grad, of.xs[0])

    def grad_parameter_cell(self, key: str, at: Shape, of: Local[Grids]) -> str:
        own = of.grad.at(at[0], 0)
        return own if key == "bias" else f"{own}*{of.own['in'].at(0, at[1])}"

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.Linear({shape[0]}, {self.out_features}{'' if self.bias else ', bias=False'})"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...], **given: np.ndarray) -> str:
        weights = [to.weight(key, self.to_file(key, array)) for key, array in given.items()]
        return to.add("Gemm", name, *xs, *weights, transB=1)
