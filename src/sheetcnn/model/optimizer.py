"""What a step makes of a parameter: gradient descent, the same with momentum, and Adam. Sources: torch.optim.SGD, torch.optim.Adam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..arrays.array import Array, Shape, same_cell
from ..arrays.grid import Grids

AFTER = "after_"  # before the keys of parameters after the first step


@dataclass(frozen=True)
class Stepped:
    """A parameter after a step, and what the optimizer keeps of its gradients for the next."""

    parameter: Array
    state: dict[str, Array] = field(default_factory=dict)

    @property
    def arrays(self) -> list[Array]:
        """All of them, in the order in which they are computed."""
        return [*self.state.values(), self.parameter]


def stepped(
    optimizer: str,
    original: Array,
    old: Array,
    grad: Array,
    kept: Mapping[str, Array],
    numbers: Mapping[str, Array],
    step: int,
) -> Stepped:
    """The parameter `original` after step number `step`, before which it was `old`; `kept` is the state before it.

    `numbers` are the learning rate and what else the optimizer computes with, `grad` is the gradient at `old`. What belongs
    to the first step stands beside the gradient, what belongs to later ones has the gradient's owner and its own names.
    """
    rule = _Rule(original, old, grad, numbers, AFTER if step == 1 else "")
    if optimizer == "momentum":
        return rule.momentum(kept)
    if optimizer == "adam":
        return rule.adam(kept, step)
    return rule.descent()


@dataclass(frozen=True)
class _Rule:
    original: Array
    old: Array
    grad: Array
    numbers: Mapping[str, Array]
    before: str  # what stands before the key of the parameter

    def _array(self, name: str, forward: object, formula: object, *inputs: Array) -> Array:
        own = self.original
        return Array(f"{name}{own.key}", own.shape, forward, formula, owner=self.grad.owner, label=f"{name}{own.label}",  # type: ignore[arg-type]
                     role="gradient", grid_axes=own.grid_axes, inputs=inputs, spacing=own.spacing)  # fmt: skip

    def descent(self) -> Stepped:
        """θ − rate · gradient."""
        return Stepped(self._less(self.grad))

    def momentum(self, kept: Mapping[str, Array]) -> Stepped:
        """b ← momentum · b + gradient, at first the gradient itself; θ − rate · b."""
        if not kept:
            grown = self._array("momentum_", lambda g: g, same_cell, self.grad)
        else:

            def forward(b: np.ndarray, by: np.ndarray, g: np.ndarray) -> np.ndarray:
                found: np.ndarray = by[0] * b + g
                return found

            def formula(at: Shape, b: Grids, by: Grids, g: Grids) -> str:
                return f"{by.area}*{same_cell(at, b)}+{same_cell(at, g)}"

            grown = self._array("momentum_", forward, formula, kept["momentum"], self.numbers["momentum"], self.grad)
        return Stepped(self._less(grown), {"momentum": grown})

    def adam(self, kept: Mapping[str, Array], step: int) -> Stepped:
        """The means of the gradient and of its square, both made larger as long as they are young; θ − rate · mean / √square."""
        state = {
            "exp_avg": self._mean("exp_avg", self.numbers["beta1"], kept, 1),
            "exp_avg_sq": self._mean("exp_avg_sq", self.numbers["beta2"], kept, 2),
        }

        def forward(
            old: np.ndarray, m: np.ndarray, v: np.ndarray, rate: np.ndarray, b1: np.ndarray, b2: np.ndarray, eps: np.ndarray
        ) -> np.ndarray:
            found: np.ndarray = old - rate[0] * (m / (1 - b1[0] ** step)) / (np.sqrt(v / (1 - b2[0] ** step)) + eps[0])
            return found

        def formula(at: Shape, old: Grids, m: Grids, v: Grids, rate: Grids, b1: Grids, b2: Grids, eps: Grids) -> str:
            mean = f"{same_cell(at, m)}/(1-{b1.area}^{step})"
            root = f"SQRT({same_cell(at, v)}/(1-{b2.area}^{step}))+{eps.area}"
            return f"{same_cell(at, old)}-{rate.area}*{mean}/({root})"

        given = [self.numbers[key] for key in ("rate", "beta1", "beta2", "eps")]
        return Stepped(self._array(self.before, forward, formula, self.old, *state.values(), *given), state)

    def _mean(self, name: str, beta: Array, kept: Mapping[str, Array], power: int) -> Array:
        """b ← β · b + (1 − β) · gradient to a power, b being 0 at first."""

        def forward(g: np.ndarray, by: np.ndarray, *b: np.ndarray) -> np.ndarray:
            new: np.ndarray = (1 - by[0]) * g**power
            return new + by[0] * b[0] if b else new

        def formula(at: Shape, g: Grids, by: Grids, *b: Grids) -> str:
            new = f"(1-{by.area})*{same_cell(at, g)}" + ("" if power == 1 else f"^{power}")
            return f"{by.area}*{same_cell(at, b[0])}+{new}" if b else new

        return self._array(f"{name}_", forward, formula, self.grad, beta, *([kept[name]] if kept else []))

    def _less(self, direction: Array) -> Array:
        def forward(old: np.ndarray, by: np.ndarray, rate: np.ndarray) -> np.ndarray:
            found: np.ndarray = old - rate[0] * by
            return found

        def formula(at: Shape, old: Grids, by: Grids, rate: Grids) -> str:
            return f"{same_cell(at, old)}-{rate.area}*{same_cell(at, by)}"

        return self._array(self.before, forward, formula, self.old, direction, self.numbers["rate"])
