"""Normalisation over groups of channels."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from ..arrays.array import Array, Shape, cell_of
from ..arrays.grid import Grid, Grids
from .activation import Activated
from .backward import Local
from .base import OnnxGraph, example, literal, per_channel
from .reduction import Operation, Place, normalising
from .settings import Count, Flag, Number


class GroupStatistics(Activated):
    """What group and instance normalisation share: mean and variance of the picture at hand, drawn as cells."""

    initial: ClassVar = {"weight": 1.0}
    family: ClassVar[str] = "normalisation"

    eps: Number = Field(1e-5, ge=0)
    affine: Flag = True

    def groups_of(self, channels: int) -> int:
        """How many groups of channels have a mean and a variance of their own."""
        raise NotImplementedError

    def parameters(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": shape[:1], "bias": shape[:1]} if self.affine else {}

    def steps(self, shape: Shape, detail: str) -> list[Array]:
        groups = (self.groups_of(shape[0]),)
        return [
            Array("mean", groups, lambda x, **_: self._grouped(x).mean(axis=1), self._mean_formula),
            Array("var", groups, lambda x, **_: self._grouped(x).var(axis=1), self._var_formula),
        ]

    def _grouped(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(self.groups_of(len(x)), -1)

    def _maps(self, at: Shape, x: Grids) -> list[Grid]:
        """The maps of a group."""
        size = len(x) // self.groups_of(len(x))
        return x[at[0] * size : (at[0] + 1) * size]

    def _mean_formula(self, at: Shape, x: Grids, **_: Grids) -> str:
        return f"AVERAGE({','.join([grid.area for grid in self._maps(at, x)])})"

    def _var_formula(self, at: Shape, x: Grids, mean: Grids, **_: Grids) -> str:
        maps = self._maps(at, x)
        terms = [f"SUMPRODUCT(({grid.area}-{mean[at[0]].area})^2)" for grid in maps]
        return f"({'+'.join(terms)})/{len(maps) * maps[0].rows * maps[0].columns}"

    def forward(self, x: np.ndarray, weight: np.ndarray | None = None, bias: np.ndarray | None = None) -> np.ndarray:
        grouped = self._grouped(x)
        y = (grouped - grouped.mean(axis=1, keepdims=True)) / np.sqrt(grouped.var(axis=1, keepdims=True) + self.eps)
        y = y.reshape(x.shape)
        return y if weight is None or bias is None else y * per_channel(weight, x) + per_channel(bias, x)

    def formula(self, at: Shape, x: Grids, mean: Grids, var: Grids, weight: Grids = None, bias: Grids = None) -> str:
        k, i, j = at
        group = k * self.groups_of(len(x)) // len(x)
        text = f"({x[k].at(i, j)}-{mean[group].area})/SQRT({var[group].area}+{literal(self.eps)})"
        return text if weight is None else f"{text}*{weight[k].area}+{bias[k].area}"

    def grad_steps(self, shape: Shape) -> list[Array]:
        groups = (self.groups_of(shape[0]),)
        return [
            Array("part_mean", groups, self._part_mean, self._part_mean_formula),
            Array("part_slope", groups, self._part_slope, self._part_slope_formula),
        ]

    def _scaled(self, of: Local[np.ndarray]) -> np.ndarray:
        """The gradient at what is normalised, a row for each group."""
        return self._grouped(of.grad * per_channel(of.own["weight"], of.grad) if self.affine else of.grad)

    def _normal(self, of: Local[np.ndarray]) -> np.ndarray:
        grouped = self._grouped(of.xs[0])
        return (grouped - of.own["mean"][:, None]) / np.sqrt(of.own["var"][:, None] + self.eps)

    def _part_mean(self, of: Local[np.ndarray]) -> np.ndarray:
        return self._scaled(of).mean(axis=1)

    def _part_slope(self, of: Local[np.ndarray]) -> np.ndarray:
        found: np.ndarray = (self._scaled(of) * self._normal(of)).mean(axis=1)
        return found

    def _deviation(self, group: int, of: Local[Grids]) -> str:
        return f"SQRT({of.own['var'][group].area}+{literal(self.eps)})"

    def _members(self, at: Shape, of: Local[Grids]) -> tuple[range, int]:
        """The maps of a group, and how many cells they have."""
        maps = of.xs[0]
        size = len(maps) // self.groups_of(len(maps))
        return range(at[0] * size, (at[0] + 1) * size), size * maps[0].rows * maps[0].columns

    def _weight(self, k: int, of: Local[Grids]) -> str:
        return f"{of.own['weight'][k].area}*" if self.affine else ""

    def _part_mean_formula(self, at: Shape, of: Local[Grids]) -> str:
        maps, cells = self._members(at, of)
        return f"({'+'.join([f'{self._weight(k, of)}SUM({of.grad[k].area})' for k in maps])})/{cells}"

    def _part_slope_formula(self, at: Shape, of: Local[Grids]) -> str:
        maps, cells = self._members(at, of)
        mean = of.own["mean"][at[0]].area
        terms = [
            f"{self._weight(k, of)}(SUMPRODUCT({of.grad[k].area},{of.xs[0][k].area})-{mean}*SUM({of.grad[k].area}))"
            for k in maps
        ]
        return f"({'+'.join(terms)})/{self._deviation(at[0], of)}/{cells}"

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        scaled = self._scaled(of) - self._part_mean(of)[:, None] - self._normal(of) * self._part_slope(of)[:, None]
        return (scaled / np.sqrt(of.own["var"][:, None] + self.eps)).reshape(of.grad.shape)

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        group = at[0] * self.groups_of(len(of.xs[0])) // len(of.xs[0])
        deviation, mean = self._deviation(group, of), of.own["mean"][group].area
        normal = f"({cell_of(of.xs[0], at)}-{mean})/{deviation}"
        parts = [of.own[key][group].area for key in ("part_mean", "part_slope")]
        return f"({self._weight(at[0], of)}{cell_of(of.grad, at)}-{parts[0]}-{normal}*{parts[1]})/{deviation}"

    def grad_parameter(self, key: str, of: Local[np.ndarray]) -> np.ndarray:
        grad = of.grad if key == "bias" else of.grad * self._normal(of).reshape(of.grad.shape)
        return grad.sum(axis=(1, 2))

    def grad_parameter_cell(self, key: str, at: Shape, of: Local[Grids]) -> str:
        (k,) = at
        grad, group = of.grad[k].area, k * self.groups_of(len(of.xs[0])) // len(of.xs[0])
        if key == "bias":
            return f"SUM({grad})"
        mean = of.own["mean"][group].area
        return f"(SUMPRODUCT({grad},{of.xs[0][k].area})-{mean}*SUM({grad}))/{self._deviation(group, of)}"

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        return (at,)

    def operations(self, *shapes: Shape) -> tuple[Operation, ...]:
        size = shapes[0][0] // self.groups_of(shapes[0][0])
        return normalising("mean", "var", lambda spot: (spot.map // size,), self.eps, self.affine)

    def multiplications(self, shape: Shape) -> int:
        return int(np.prod(shape)) * (2 if self.affine else 1)

    def reads(self, axis: int, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
        size = shape[1 + axis]  # mean and variance are those of whole maps
        return np.zeros(size, int), np.full(size, size - 1)

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...], **given: np.ndarray) -> str:
        given = {"weight": np.ones(shapes[0][0]), "bias": np.zeros(shapes[0][0])} | given
        numbers = [to.weight(key, given[key]) for key in ("weight", "bias")]
        return super().to_onnx(to, name, [*xs, *numbers], shapes)


class GroupNorm(GroupStatistics):
    """Each group of channels minus its mean, over its deviation, then scaled per channel. Source: torch.nn.GroupNorm."""

    type: ClassVar[str] = "group_norm"
    onnx_operator: ClassVar[str] = "GroupNormalization"
    onnx_settings: ClassVar[dict[str, str]] = {"epsilon": "eps", "num_groups": "num_groups"}
    about: ClassVar[str] = "each group of maps minus its own mean, over its own deviation, times weight, plus bias"
    words: ClassVar[str] = "map = (x − mean of the group) / √(variance of the group + eps) · weight + bias"
    examples: ClassVar = (
        example([[[1]], [[3]], [[10]], [[30]]], [[[-1]], [[1]], [[-1]], [[1]]], num_groups=2, eps=0.0, affine=False),
        example(
            [[[1, 3]], [[1, 3]]],
            [[[-2, 2]], [[4, 6]]],
            num_groups=1,
            eps=0.0,
            parameters={"weight": [2, 1], "bias": [0, 5]},
        ),
        example([[[1, 3]]], [[[-0.5, 0.5]]], num_groups=1, eps=3.0, affine=False),
    )

    num_groups: Count

    def check(self, shape: Shape) -> None:
        if shape[0] % self.num_groups:
            raise ValueError(f"num_groups (={self.num_groups}) must divide the {shape[0]} channels of its input")

    def groups_of(self, channels: int) -> int:
        return self.num_groups

    def torch(self, shape: Shape) -> str:
        more = "" if self.affine else ", affine=False"
        return f"torch.nn.GroupNorm({self.num_groups}, {shape[0]}, eps={self.eps!r}{more})"
