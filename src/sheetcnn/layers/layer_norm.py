"""Normalisation over the channels of each place."""

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from ..arrays.array import Array, Shape, cell_of
from ..arrays.grid import Grids
from ..arrays.receptive_field import ReceptiveField
from .activation import Activated
from .backward import Local
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

    def grad_steps(self, shape: Shape) -> list[Array]:
        one = (1, *shape[1:])
        return [
            Array("part_mean", one, self._part_mean, self._part_mean_formula),
            Array("part_slope", one, self._part_slope, self._part_slope_formula),
        ]

    def _scaled(self, of: Local[np.ndarray]) -> np.ndarray:
        return of.grad * per_channel(of.own["weight"], of.grad) if self.affine else of.grad

    def _normal(self, of: Local[np.ndarray]) -> np.ndarray:
        return of.own["centred"] / np.sqrt(of.own["var"] + self.eps)

    def _part_mean(self, of: Local[np.ndarray]) -> np.ndarray:
        return self._scaled(of).mean(axis=0, keepdims=True)

    def _part_slope(self, of: Local[np.ndarray]) -> np.ndarray:
        return (self._scaled(of) * self._normal(of)).mean(axis=0, keepdims=True)

    def _deviation(self, at: Shape, of: Local[Grids]) -> str:
        return f"SQRT({cell_of(of.own['var'], (0, *at[1:]))}+{literal(self.eps)})"

    def _weighted(self, at: Shape, of: Local[Grids], *more: Grids) -> str:
        """Σ over the channels of a place of the gradient, times what it is scaled by, times more; over their number."""
        factors = [of.grad, *more]
        if not isinstance(of.grad, list):
            areas = ",".join([grid.area for grid in [*factors, *([of.own["weight"]] if self.affine else [])]])
            return f"SUMPRODUCT({areas})/{of.grad.rows}"
        cells = [[grids[c].at(*at[1:]) for grids in factors] for c in range(len(of.grad))]
        if self.affine:
            cells = [[*one, weight.area] for one, weight in zip(cells, of.own["weight"], strict=True)]
        return f"({'+'.join(['*'.join(one) for one in cells])})/{len(of.grad)}"

    def _part_mean_formula(self, at: Shape, of: Local[Grids]) -> str:
        return self._weighted(at, of)

    def _part_slope_formula(self, at: Shape, of: Local[Grids]) -> str:
        return f"{self._weighted(at, of, of.own['centred'])}/{self._deviation(at, of)}"

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        scaled = self._scaled(of) - self._part_mean(of) - self._normal(of) * self._part_slope(of)
        found: np.ndarray = scaled / np.sqrt(of.own["var"] + self.eps)
        return found

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        place, deviation = (0, *at[1:]), self._deviation(at, of)
        mean, slope = (cell_of(of.own[key], place) for key in ("part_mean", "part_slope"))
        weight = f"*{self._own(of.own['weight'], at[0])}" if self.affine else ""
        normal = f"{cell_of(of.own['centred'], at)}/{deviation}"
        return f"({cell_of(of.grad, at)}{weight}-{mean}-{normal}*{slope})/{deviation}"

    def _own(self, numbers: Grids, c: int) -> str:
        """The number of a channel, or of a place of a vector."""
        return numbers[c].area if isinstance(numbers, list) else numbers.at(c, 0)

    def grad_parameter(self, key: str, of: Local[np.ndarray]) -> np.ndarray:
        grad = of.grad if key == "bias" else of.grad * self._normal(of)
        return grad.reshape(len(grad), -1).sum(axis=1)

    def grad_parameter_cell(self, key: str, at: Shape, of: Local[Grids]) -> str:
        (c,) = at
        if not isinstance(of.grad, list):
            own = of.grad.at(c, 0)
            return own if key == "bias" else f"{own}*{of.own['centred'].at(c, 0)}/{self._deviation((0,), of)}"
        grad = of.grad[c].area
        if key == "bias":
            return f"SUM({grad})"
        centred, var = of.own["centred"][c].area, of.own["var"][0].area
        return f"SUMPRODUCT({grad}/SQRT({var}+{literal(self.eps)}),{centred})"

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
