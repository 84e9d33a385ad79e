"""What the Loss sheet says beside its arrays: which answer is the right one of the picture that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...arrays.computed_range import ComputedRange
from ...arrays.grid import Grid

NAMES = "loss_names"  # a row for each answer
RIGHT = "loss_right"  # a row for each picture: its right answer, chosen from a list
ANSWER = "loss_answer"  # the number of the right answer of the picture that is shown


STEP_WORDS = {"after": "loss after one step", "falls": "so it falls by"}
NEXT_WORDS = {"after": "loss of the next picture", "falls": "that is less by"}  # where each step takes the next one


def words_view(order: Grid, now: float) -> ComputedRange:
    """What the loss after a step is, where a list says which pictures the steps take; `now` is the number of what it says."""
    pairs = list(zip(STEP_WORDS.values(), NEXT_WORDS.values(), strict=True))
    said = [[pair[0 if now == 1 else 1] if now == now else "#N/A"] for pair in pairs]
    return ComputedRange("loss_words", lambda i, _: 'IF({}=1,"{}","{}")'.format(order.area, *pairs[i]), said)


def answer_view(right: Grid, names: Grid, number: Grid | None, chosen: Any, known: Sequence[str]) -> ComputedRange:
    """The number of the right answer; `number` is that of the picture that is shown, where there are several.

    `chosen` is what stands in the cell of that picture now.
    """
    cell = right.area if number is None else f"INDEX({right.area},{number.area})"
    text = f"{chosen:g}" if isinstance(chosen, float) else str(chosen or "")
    folded = [name.casefold() for name in known]
    value = float(folded.index(text.casefold()) + 1) if text.casefold() in folded else "#N/A"
    return ComputedRange(ANSWER, lambda *_: f'MATCH({cell}&"",{names.area},0)', [[value]])
