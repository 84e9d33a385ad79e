"""Normalisation over the channels of each place."""

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from ..arrays.array import Array, Shape, cell_of
from ..arrays.grid import Grids
from ..arrays.receptive_field import ReceptiveField
from .activation import Activated
from .base import OnnxGraph, example, literal, per_channel
from .settings import Flag, Number

_ARGUMENTS = 255  # of a function of Excel


class LayerNorm(Activated):
    """The channels of each place minus their mean, over their deviation, then scaled per channel; or the numbers of a vector.

    Source: torch.nn.LayerNorm over the last axis, where channels come last.
    """

    type: ClassVar[str] = "layer_norm"
    family: ClassVar[str] = "normalisation"
    takes: ClassVar[str] = "any"
    initial: ClassVar = {"weight": 1.0}
    about: ClassVar[str] = (
        "the channels of each place minus their own mean, over their own deviation, times weight, plus bias"
    )
    words: ClassVar[str] = "out = (x − mean of the place) / √(variance of the place + eps) · weight + bias"
    examples: ClassVar = (
        example([[[1, 5]], [[3, 25]]], [[[-1, -1]], [[1, 1]]], eps=0.0, affine=False),
        example([[[1, 5]], [[3, 25]]], [[[-2, -2]], [[6, 6]]], eps=0.0, parameters={"weight": [2, 1], "bias": [0, 5]}),
        example([1, 3], [-0.5, 0.5], eps=3.0, affine=False),
    )

    eps: Number = Field(1e-5, ge=0)
    affine: Flag = True

    def parameters(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": shape[:1], "bias": shape[:1]} if self.affine else {}

    def steps(self, shape: Shape, detail: str) -> list[Array]:
        one = (1, *shape[1:])
        return [
            Array("mean", one, lambda x, **_: x.mean(axis=0, keepdims=True), self._mean_formula),
            Array("centred", shape, lambda x, **_: x - x.mean(axis=0), self._centred_formula),
            Array("var", one, lambda x, **_: x.var(axis=0, keepdims=True), self._var_formula),
        ]

    def _mean_formula(self, at: Shape, x: Grids, **_: Grids) -> str:
        return f"({_over('SUM', x, at)})/{_count(x)}"

    def _centred_formula(self, at: Shape, x: Grids, mean: Grids, **_: Grids) -> str:
        return f"{cell_of(x, at)}-{cell_of(mean, (0, *at[1:]))}"

    def _var_formula(self, at: Shape, x: Grids, centred: Grids, **_: Grids) -> str:
        return f"({_over('SUMSQ', centred, at)})/{_count(x)}"

    def forward(self, x: np.ndarray, weight: np.ndarray | None = None, bias: np.ndarray | None = None) -> np.ndarray:
        y = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + self.eps)
        return y if weight is None or bias is None else y * per_channel(weight, x) + per_channel(bias, x)

    def formula(
        self, at: Shape, x: Grids, centred: Grids, var: Grids, weight: Grids = None, bias: Grids = None, **_: Grids
    ) -> str:
        text = f"{cell_of(centred, at)}/SQRT({cell_of(var, (0, *at[1:]))}+{literal(self.eps)})"
        if weight is None:
            return text
        if isinstance(x, list):
            return f"{text}*{weight[at[0]].area}+{bias[at[0]].area}"
        return f"{text}*{weight.at(at[0], 0)}+{bias.at(at[0], 0)}"

    def receptive_field(self, axis: int, shapes: tuple[Shape, ...], fields: list[ReceptiveField]) -> ReceptiveField:
        return fields[0].of_all(shapes[0][0]) if len(shapes[0]) == 1 else fields[0]

    def multiplications(self, shape: Shape) -> int:
        return int(np.prod(shape)) * (2 if self.affine else 1)

    def torch(self, shape: Shape) -> str:
        norm = f"torch.nn.LayerNorm({shape[0]}, eps={self.eps!r}{'' if self.affine else ', elementwise_affine=False'})"
        return norm if len(shape) == 1 else f"x.permute(0, 2, 3, 1), then {norm}, then x.permute(0, 3, 1, 2)"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...], **given: Any) -> str:
        size = shapes[0][0]
        given = {"weight": np.ones(size), "bias": np.zeros(size)} | given
        numbers = [to.weight(key, given[key]) for key in ("weight", "bias")]
        if len(shapes[0]) == 1:
            return to.add("LayerNormalization", name, *xs, *numbers, axis=-1, epsilon=self.eps)
        last = to.add("Transpose", f"{name}_last", *xs, perm=[0, 2, 3, 1])
        normal = to.add("LayerNormalization", f"{name}_normal", last, *numbers, axis=-1, epsilon=self.eps)
        return to.add("Transpose", name, normal, perm=[0, 3, 1, 2])


def _count(x: Grids) -> int:
    return len(x) if isinstance(x, list) else int(x.rows)


def _over(function: str, grids: Grids, at: Shape) -> str:
    """A sum over all channels of a place, or over a vector."""
    if not isinstance(grids, list):
        return f"{function}({grids.area})"
    cells = [grid.at(*at[1:]) for grid in grids]
    parts = [cells[n : n + _ARGUMENTS] for n in range(0, len(cells), _ARGUMENTS)]
    return "+".join([f"{function}({','.join(part)})" for part in parts])
