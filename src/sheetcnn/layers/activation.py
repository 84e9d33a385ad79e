"""Activations: layers that act cell by cell, and layers that have one of them at their end."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BeforeValidator, PlainSerializer, SerializationInfo

from ..arrays.array import Shape, cell_of
from ..arrays.grid import Grids
from ..plain import near
from .backward import Local
from .base import Layer
from .registry import LAYERS


class Elementwise(Layer):
    """A layer that makes each cell of its output from the same cell of its input."""

    takes: ClassVar[str] = "any"
    family: ClassVar[str] = "activation"
    activates: ClassVar[bool] = True
    cellwise: ClassVar[bool] = True
    joins_sums: ClassVar[bool] = True
    back_words: ClassVar[str] = "The activation: what comes from behind is multiplied by its slope."

    def formula(self, at: Shape, x: Grids, **parameters: Grids) -> str:
        return self.cell(cell_of(x, at))

    def slope(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """How fast the output grows with the input; where it reads its input once, worked out from the output alone."""
        raise NotImplementedError

    def through(self, g: str, x: str, y: str) -> str:
        """The text of a gradient times the slope; `x` and `y` are the texts of the cell before and after."""
        raise NotImplementedError

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        assert of.y is not None
        return of.grad * self.slope(of.xs[0], of.y)

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        return self.through(cell_of(of.grad, at), cell_of(of.xs[0], at), cell_of(of.y, at))


def _activation(value: Any) -> Any:
    """`"relu"` or `{type = "leaky_relu", negative_slope = 0.2}` as the layer that it names."""
    if isinstance(value, Layer) or value is None:
        return value
    settings = dict(value) if isinstance(value, dict) else {"type": value}
    kind = settings.pop("type", None)
    layer = LAYERS.get(kind) if isinstance(kind, str) else None
    if layer is None or not layer.activates:
        known = [name for name, layer in LAYERS.items() if layer.activates]
        raise ValueError(f"unknown activation {kind!r}{near(kind, known)}; there are {', '.join(known)}")
    fields = layer.model_fields
    for key in settings:
        if key not in fields:
            raise ValueError(f"{kind} has no setting {key}{near(key, fields)}; there are {', '.join(fields) or 'none'}")
    return layer(**settings)


def _named(activation: Layer | None, how: SerializationInfo) -> dict[str, Any] | None:
    """An activation as a network file has it, so that what is dumped can be read back."""
    return None if activation is None else {"type": activation.type, **activation.model_dump(mode=how.mode)}


class Activated(Layer):
    """A layer with an `activation`, which acts once on the finished sum: relu(bias + Σ …), never Σ relu(…)."""

    activation: Annotated[Layer | None, BeforeValidator(_activation), PlainSerializer(_named)] = None

    @property
    def final(self) -> Layer | None:
        return self.activation

    def draws_sum(self, detail: str) -> bool:
        """Whether the pre-activation is drawn: where asked for, and where the activation reads it more than once."""
        return detail == "steps" or (self.final is not None and (detail == "products" or not self.final.reads_once))
