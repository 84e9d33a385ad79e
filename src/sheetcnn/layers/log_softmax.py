"""Logarithm of softmax."""

import math
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from ..arrays.array import Array, Shape, cell_of
from ..arrays.grid import Grids
from .backward import Local
from .base import example
from .reduction import Operation
from .softmax import Exponentials, over, total_of


class LogSoftmax(Exponentials):
    """ln(exp(x) / Σ exp(x)), over a vector, or over the channels at each position. Source: torch.nn.LogSoftmax."""

    type: ClassVar[str] = "log_softmax"
    onnx_operator: ClassVar[str] = "LogSoftmax"
    onnx_attributes: ClassVar[dict[str, Any]] = {"axis": 1}
    about: ClassVar[str] = "the logarithm of softmax, over a vector or over the channels"
    words: ClassVar[str] = "out = x − largest x − ln Σ exp(x − largest x)"
    examples: ClassVar = (
        example([0, 0, 0, 0], [-1.3862943611198906] * 4, source="ln ¼"),
        example([1000, 0], [0, -1000]),
        example([[[0, 0]], [[0, 1.0986122886681098]]], [[[-0.6931471805599453, -1.3862943611198906]], [[-0.6931471805599453, -0.2876820724517809]]],
                source="ln ½, ln ¼, ln ¾"),
    )  # fmt: skip

    def forward(self, x: np.ndarray) -> np.ndarray:
        shifted = x - x.max(axis=0)
        return shifted - np.log(np.exp(shifted).sum(axis=0))

    def formula(self, at: Shape, x: Grids, exp: Grids, total: Grids | None = None, largest: Grids | None = None) -> str:
        top = f"MAX({x.area})" if largest is None else largest[0].at(*at[1:])
        return f"{cell_of(x, at)}-{top}-LN({total_of(at, exp, total)})"

    def operations(self, *shapes: Shape) -> tuple[Operation, ...]:
        logarithm = (lambda total: f"LN({total})"), math.log
        total = replace(self.total_of_all(shapes[0]), sign="−", label="ln Σ exp", made=logarithm)
        return self.without_largest(shapes[0]), total

    def grad_steps(self, shape: Shape) -> list[Array]:
        return [
            Array("grad_total", (1, *shape[1:]), lambda of: of.grad.sum(axis=0, keepdims=True), self._grad_total_formula)
        ]

    def _grad_total_formula(self, at: Shape, of: Local[Grids]) -> str:
        return over("SUM", of.grad, at) if isinstance(of.grad, list) else f"SUM({of.grad.area})"

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        assert of.y is not None
        return of.grad - np.exp(of.y) * of.grad.sum(axis=0)

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        return f"{cell_of(of.grad, at)}-EXP({cell_of(of.y, at)})*{cell_of(of.own['grad_total'], (0, *at[1:]))}"

    def torch(self, shape: Shape) -> str:
        return "torch.nn.LogSoftmax(dim=1)"
