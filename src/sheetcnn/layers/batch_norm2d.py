"""Batch normalisation as it acts in inference."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from ..arrays.array import Shape, cell_of
from ..arrays.grid import Grids
from .activation import Activated
from .backward import Local
from .base import OnnxGraph, example, literal, per_channel
from .reduction import Operation, Place, normalising
from .settings import Flag, Number


class BatchNorm2d(Activated):
    """Each map shifted and scaled by the mean and variance found in training. Source: torch.nn.BatchNorm2d, eval mode."""

    type: ClassVar[str] = "batch_norm2d"
    family: ClassVar[str] = "normalisation"
    back_words: ClassVar[str] = "What goes back: the gradient · weight / √(running_var + eps)."
    about: ClassVar[str] = "each map minus its running mean, over its running deviation, times weight, plus bias"
    words: ClassVar[str] = "map = (x − running_mean) / √(running_var + eps) · weight + bias"
    buffers: ClassVar = ("running_mean", "running_var")
    initial: ClassVar = {"weight": 1.0, "running_var": 1.0}
    examples: ClassVar = (
        example(
            [[[1, 3]], [[10, 20]]],
            [[[-1, 1]], [[5, 25]]],
            eps=0.0,
            parameters={"weight": [1, 4], "bias": [0, 5], "running_mean": [2, 10], "running_var": [1, 4]},
        ),
        example([[[5]]], [[[2]]], eps=1.0, affine=False, parameters={"running_mean": [1], "running_var": [3]}),
    )

    eps: Number = Field(1e-5, ge=0)
    affine: Flag = True

    def parameters(self, shape: Shape) -> dict[str, Shape]:
        names = ("weight", "bias") if self.affine else ()
        return dict.fromkeys((*names, "running_mean", "running_var"), shape[:1])

    def forward(self, x: np.ndarray, **given: np.ndarray) -> np.ndarray:
        y = (x - per_channel(given["running_mean"], x)) / np.sqrt(per_channel(given["running_var"], x) + self.eps)
        return y * per_channel(given["weight"], x) + per_channel(given["bias"], x) if self.affine else y

    def formula(self, at: Shape, x: Grids, **given: Grids) -> str:
        k, i, j = at
        mean, variance = given["running_mean"][k].area, given["running_var"][k].area
        text = f"({x[k].at(i, j)}-{mean})/SQRT({variance}+{literal(self.eps)})"
        return f"{text}*{given['weight'][k].area}+{given['bias'][k].area}" if self.affine else text

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        return (at,)

    def operations(self, *shapes: Shape) -> tuple[Operation, ...]:
        return normalising("running_mean", "running_var", lambda spot: (spot.map,), self.eps, self.affine)

    def multiplications(self, shape: Shape) -> int:
        return int(np.prod(shape)) * (2 if self.affine else 1)

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        scaled = of.grad / np.sqrt(per_channel(of.own["running_var"], of.grad) + self.eps)
        return scaled * per_channel(of.own["weight"], of.grad) if self.affine else scaled

    def _deviation(self, k: int, of: Local[Grids]) -> str:
        return f"SQRT({of.own['running_var'][k].area}+{literal(self.eps)})"

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        times = f"*{of.own['weight'][at[0]].area}" if self.affine else ""
        return f"{cell_of(of.grad, at)}{times}/{self._deviation(at[0], of)}"

    def grad_parameter(self, key: str, of: Local[np.ndarray]) -> np.ndarray:
        if key == "bias":
            return of.grad.sum(axis=(1, 2))
        centred = of.xs[0] - per_channel(of.own["running_mean"], of.grad)
        total: np.ndarray = (of.grad * centred).sum(axis=(1, 2)) / np.sqrt(of.own["running_var"] + self.eps)
        return total

    def grad_parameter_cell(self, key: str, at: Shape, of: Local[Grids]) -> str:
        (k,) = at
        grad = of.grad[k].area
        if key == "bias":
            return f"SUM({grad})"
        mean = of.own["running_mean"][k].area
        return f"(SUMPRODUCT({grad},{of.xs[0][k].area})-{mean}*SUM({grad}))/{self._deviation(k, of)}"

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.BatchNorm2d({shape[0]}, eps={self.eps!r}{'' if self.affine else ', affine=False'})"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...], **given: np.ndarray) -> str:
        given = {"weight": np.ones(shapes[0][0]), "bias": np.zeros(shapes[0][0])} | given
        numbers = [to.weight(key, given[key]) for key in ("weight", "bias", "running_mean", "running_var")]
        return to.add("BatchNormalization", name, *xs, *numbers, epsilon=self.eps)
