"""Fill in: cells are blank, the student writes their formulas."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..variant import Variant
from .cells import Cells


class Fill(Cells):
    """Blank cells to be filled with formulas or, where the task says so, with numbers."""

    kind: ClassVar[str] = "fill"

    answer: Literal["formula", "number"] = "formula"

    @property
    def typed(self) -> bool:
        return self.answer == "number"

    def instruction(self, variant: Variant, number: int) -> str:
        what = f"Fill in {self.place_words(variant.network)}"
        if self.typed:
            return f"{what}: type the numbers, or write formulas."
        return (
            f"{what}: write the formula of the first blank cell and copy it to the others. "
            f"It must go on working when pixels and kernels change{', and answer and rate too' if self.learns else ''}."
        )
