"""Several pictures, of which each step of training may take the next."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..arrays.array import Array, Shape
from ..arrays.computed_range import choose
from ..arrays.grid import Grids
from .loss import LOSS, Goal, array, target_of
from .settings import INPUT, InputSettings


def bank_array(shape: Shape, count: int) -> Array:
    """The pixels of several pictures."""
    return Array("picture", (count, *shape), owner=INPUT, role="bank", grid_axes=2)


class Sequence:
    """Which picture the network sees after each step: the one that is shown, or the next one each time."""

    def __init__(self, settings: InputSettings, arrays: list[Array], goal: Goal, count: int) -> None:
        """`arrays` are those of the input."""
        self.arrays, self.goal, self.count = arrays, goal, count
        self.bank = bank_array(settings.shape, count)
        self.order = array("order", (1,))  # 1: the same each time; 2: the next one
        self.shown = array("picture", (1,))  # the number of the one that is shown
        self.answers = None if goal.answer is None else array("answers", (count,))  # the number of each one's right answer

    @property
    def given(self) -> list[Array]:
        """What is not computed from other arrays."""
        return [self.order, self.shown, *([] if self.answers is None else [self.answers]), self.bank]

    def after(self, step: int, page: str) -> tuple[list[Array], list[Array], Goal]:
        """The number of the picture and its right answer; the input's arrays; and the goal, after so many steps."""
        owner = f"{page}_{INPUT}"
        number = self._number(step, owner)
        inputs = [self._pixels(number, owner)]
        if self.arrays[-1].key != "channel":
            inputs.append(replace(self.arrays[-1], owner=owner, inputs=(inputs[0],)))
        if self.answers is None or self.goal.answer is None:
            return [number], inputs, self.goal

        def forward(answers: np.ndarray, number: np.ndarray) -> np.ndarray:
            return answers[[int(number[0]) - 1]]

        answer = array("answer", (1,), forward, lambda at, answers, number: f"INDEX({answers.area},{number.area})",
                       (self.answers, number), f"{page}_{LOSS}")  # fmt: skip
        target = target_of(answer, self.goal.target.shape[0])
        return [number, answer, target], inputs, replace(self.goal, answer=answer, target=target)

    def _number(self, step: int, owner: str) -> Array:
        count = self.count

        def forward(order: np.ndarray, shown: np.ndarray) -> np.ndarray:
            return shown if order[0] == 1 else (shown - 1 + step) % count + 1

        def formula(at: Shape, order: Grids, shown: Grids) -> str:
            later = f"{shown.area}+{step % count}"
            return f"IF({order.area}=1,{shown.area},{later}-IF({later}>{count},{count},0))"

        return array("picture", (1,), forward, formula, (self.order, self.shown), owner)

    def _pixels(self, number: Array, owner: str) -> Array:
        def forward(channel: np.ndarray, order: np.ndarray, number: np.ndarray, bank: np.ndarray) -> np.ndarray:
            found: np.ndarray = channel if order[0] == 1 else bank[int(number[0]) - 1]
            return found

        def formula(at: Shape, channel: Grids, order: Grids, number: Grids, bank: Grids) -> str:
            c, i, j = at
            other = choose(number.area, [picture[c].at(i, j) for picture in bank])
            return f"IF({order.area}=1,{channel[c].at(i, j)},{other})"

        first = self.arrays[0]
        return replace(first, forward=forward, formula=formula, owner=owner, role="gradient",
                       inputs=(first, self.order, number, self.bank))  # fmt: skip
