"""Rectified linear unit with learned slopes."""

from typing import Any, ClassVar

import numpy as np

from ..arrays.array import Shape, cell_of
from ..arrays.grid import Grids
from .backward import NEAR, NEAR_TEXT, Local
from .base import Layer, OnnxGraph, counted, example, per_channel
from .reduction import Operation, Place, Spot
from .settings import Count


class PReLU(Layer):
    """x where x > 0, weight · x elsewhere, with one weight for all or one per channel. Source: torch.nn.PReLU."""

    type: ClassVar[str] = "prelu"
    family: ClassVar[str] = "activation"
    about: ClassVar[str] = "x where x > 0, weight · x elsewhere; the weight is learned"
    words: ClassVar[str] = "out = x where x > 0, else weight · x"
    takes: ClassVar[str] = "any"
    activates: ClassVar[bool] = True
    joins_sums: ClassVar[bool] = True
    initial: ClassVar = {"weight": 0.25}  # as in PyTorch
    examples: ClassVar = (
        example([[[-2, 4]], [[-2, 4]]], [[[-1, 4]], [[-1, 4]]], parameters={"weight": [0.5]}),
        example([[[-2, 4]], [[-2, 4]]], [[[-1, 4]], [[6, 4]]], num_parameters=2, parameters={"weight": [0.5, -3]}),
        example([-2, 4], [-1, 4], parameters={"weight": [0.5]}),
    )

    num_parameters: Count = 1

    def check(self, shape: Shape) -> None:
        if self.num_parameters not in (1, shape[0]):
            raise ValueError(f"num_parameters (={self.num_parameters}) must be 1, or the {shape[0]} channels of its input")

    def parameters(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": (self.num_parameters,)}

    def factor_words(self, key: str, shape: Shape) -> str:
        return counted(shape[0], "slope")

    def forward(self, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return np.where(x > 0, x, per_channel(weight, x) * x)

    def formula(self, at: Shape, x: Grids, weight: Grids) -> str:
        own = at[0] if self.num_parameters > 1 else 0
        slope = weight[own].area if len(at) == 3 else weight.window(own, 0, 1, 1)
        cell = cell_of(x, at)
        return f"IF({cell}>0,{cell},{slope}*{cell})"

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        return (at,)

    def operations(self, *shapes: Shape) -> tuple[Operation, ...]:
        def own(spot: Spot) -> tuple[Any, ...]:
            return ((spot.map if len(shapes[0]) == 3 else spot.row) if self.num_parameters > 1 else 0,)

        act = (lambda x, weight: f"IF({x}>0,{x},{weight}*{x})"), (lambda x, weight: x if x > 0 else weight * x)
        return (Operation("→", self.type, "weight", own, function=act),)

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        return of.grad * np.where(of.xs[0] > NEAR, 1, per_channel(of.own["weight"], of.grad))

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        x, grad, weight = cell_of(of.xs[0], at), cell_of(of.grad, at), of.own["weight"]
        own = at[0] if self.num_parameters > 1 else 0
        slope = weight[own].area if len(at) == 3 else weight.window(own, 0, 1, 1)
        return f"{grad}*IF({x}>{NEAR_TEXT},1,{slope})"

    def grad_parameter(self, key: str, of: Local[np.ndarray]) -> np.ndarray:
        below = of.grad * np.where(of.xs[0] > NEAR, 0, of.xs[0])
        return below.reshape(self.num_parameters, -1).sum(axis=1)

    def grad_parameter_cell(self, key: str, at: Shape, of: Local[Grids]) -> str:
        (x,), grad = of.xs, of.grad
        if not isinstance(x, list):
            x, grad = [x], [grad]
            if self.num_parameters > 1:
                cell = x[0].at(at[0], 0)
                return f"IF({cell}>{NEAR_TEXT},0,{cell}*{grad[0].at(at[0], 0)})"
        seen = range(len(x)) if self.num_parameters == 1 else at
        return "+".join([f"SUMPRODUCT(({x[k].area}<={NEAR_TEXT})*{x[k].area},{grad[k].area})" for k in seen])

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.PReLU({'' if self.num_parameters == 1 else self.num_parameters})"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...], weight: np.ndarray) -> str:
        return to.add("PRelu", name, *xs, to.weight("weight", weight.reshape(-1, *[1] * (len(shapes[0]) - 1))))
