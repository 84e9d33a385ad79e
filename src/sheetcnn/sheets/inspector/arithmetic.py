"""The steps from what a layer's windows give to its cell, as formulas, and the sentence that states them with their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from itertools import islice, product

from ...arrays.array import Array
from ...arrays.symbol import Symbol
from ...layers.base import literal
from ...layers.reduction import Operation, Spot
from ...model.trace import CellTrace, Done
from .inspected import Box, Inspected
from .references import References, index
from .stack import Stack

LISTED = 4  # numbers of a sum that a sentence names; of more the first three, and the others together
SIGNS = {"+": "+", "−": "-", "·": "*", "÷": "/"}  # as formulas write them
TOO_LARGE = "1E9"  # numbers that a sentence does not state


@dataclass(frozen=True)
class Piece:
    """A part of a sentence: a text, or a number, which may bring its own plus or minus."""

    text: str  # itself, or that of the number in a formula
    value: float | None = None
    signed: bool = False

    def formula(self, digits: str) -> str:
        """What the formula joins."""
        if self.value is None:
            return f'"{self.text}"'
        if not self.signed:
            return f"ROUND({self.text},{digits})+0"  # no program then writes -0
        return f'IF(ROUND({self.text},{digits})<0," − "," + ")&ABS(ROUND({self.text},{digits}))'

    def texts(self, digits: int) -> list[str]:
        """What it says: two texts where a number lies so near the middle that it may be rounded either way."""
        if self.value is None:
            return [self.text]
        found = {rounded(self.value + e * (1 + abs(self.value)), digits): None for e in (0.0, -1e-11, 1e-11)}
        if not self.signed:
            return [*found]
        return [f" − {text[1:]}" if text.startswith("-") else f" + {text}" for text in found]


def rounded(number: float, digits: int) -> str:
    """A number as ROUND and & write it."""
    shown = Decimal(f"{number:.15g}").quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{Decimal(f'{float(shown) + 0.0:.15g}'):f}"


class Arithmetic:
    """What is done with the windows of one layer."""

    def __init__(self, to: References, layer: Inspected, number: int) -> None:
        self.to, self.layer, self.number = to, layer, number
        self.sheet = to.hidden

    def guarded(self, text: str) -> str:
        """Worked out for the chosen layer only."""
        return f'IF({self.to.at("layer", self.sheet)}={self.number + 1},{text},"")'

    def term(self, t: int) -> str:
        """The cell with what a window gives: its sum, or the single cell that it is."""
        row = t * self.layer.lines
        if self.layer.kernels:
            return self.to.fixed(self._summed, row, 0, self.sheet)
        return self.to.fixed("window", row, self.to.inspector.widths[0] - 1, self.sheet)

    @property
    def _summed(self) -> str:
        """What of each window is summed: what its products give, or that with an activation of its own."""
        return "sum" if self.layer.reduction.term_activation is None else "part"

    def formulas(self) -> tuple[list[str], str]:
        """The formula of each step, and that of what comes out, which the cell must be."""
        own = partial(self.to.fixed, "steps", self.number, sheet=self.sheet)
        found = [self._together()]
        so_far = own(0)
        for b, box in enumerate(self.layer.boxes[1:], start=1):
            if box.kind == "number":
                assert box.done is not None
                found.append(self._number(box.done))
                inner = f"({so_far})" if box.sign in "·÷" and any(sign in so_far for sign in "+-") else so_far
                so_far = f"{inner}{SIGNS[box.sign]}{own(b)}"
                continue
            if box.kind == "function":
                assert box.done is not None
                assert box.done.operation.function is not None
                inner = f"({so_far})" if any(sign in so_far for sign in "+-*/") else so_far
                found.append(box.done.operation.function[0](inner, self._number(box.done)))
            elif box.kind == "so far":
                found.append(so_far)
            else:
                found.append(self._cell())
                continue
            so_far = own(b)
        return [self.guarded(text) for text in found], self.guarded(so_far)

    def _together(self) -> str:
        reduction, window = self.layer.reduction, self.to.area("window", self.sheet)
        if self.layer.kernels:
            total = f"SUM({self.to.area(self._summed, self.sheet)})"
            return total if reduction.sum_activation is None else reduction.sum_activation.cell(total)
        if reduction.kind in ("product", "difference"):
            return {"product": "*", "difference": "-"}[reduction.kind].join(map(self.term, range(reduction.terms)))
        return f"{ {'largest': 'MAX', 'squares': 'SUMSQ'}.get(reduction.kind, 'SUM') }({window})".replace(" ", "")

    def _number(self, done: Done) -> str:
        """The number beside an operation."""
        one = done.operation
        text = ""
        if one.key == "divisor":
            text = self.to.at("divisor", self.sheet)
        elif one.constant is not None:
            text = literal(one.constant)
        elif done.array is not None:
            text = self._of(done.array, one)
        return text if one.made is None else one.made[0](text)

    def _of(self, array: Array, one: Operation) -> str:
        """A number of an array, at an index that depends on the place."""
        grids = self.to.inspector.grids[array.id]
        stack = Stack(array.id, "", grids if isinstance(grids, list) else [grids], (0, 0, 0, 0))
        area = stack.span(self.sheet)
        if one.over:
            return f"{one.over}({area})"
        at = (Symbol(f"({self.to.at(name, self.sheet)}-1)") for name in ("map", "row", "column"))
        spot = Spot(Symbol(self.to.at("filter", self.sheet)), *at)
        place = one.at(spot)
        n, row, column = (*place, 0, 0)[:3] if array.grid_axes else (0, *place, 0)[:3]
        down, along = stack.pitch
        return index(area, f"{n * down + row + 1},{n * along + column + 1}")

    def _cell(self) -> str:
        stack, at = self.layer.cells, partial(self.to.at, sheet=self.sheet)
        place = tuple(
            f"({at('map')}-1)*{pitch}+{at(name)}" if pitch and len(stack.grids) > 1 else at(name)
            for pitch, name in zip(stack.pitch, ("row", "column"), strict=True)
        )
        return index(stack.span(self.sheet), ",".join(place))

    # -- NumPy's side --------------------------------------------------------------------------------------------------
    def values(self, trace: CellTrace) -> list[float]:
        """What the steps give."""
        found, steps, so_far = [], iter(trace.steps), trace.together
        for box in self.layer.boxes:
            if box.done is not None:
                step = next(steps)
                so_far = step.so_far
                found.append(step.number)
            else:
                found.append({"together": trace.together, "so far": so_far, "cell": trace.cell}[box.kind])
        return found

    # -- in words --------------------------------------------------------------------------------------------------------
    def sentence(self, trace: CellTrace | None) -> list[Piece]:
        """The arithmetic with its numbers; those of a layer that is not chosen are nothing."""
        boxes, values = self.layer.boxes, [0.0] * len(self.layer.boxes) if trace is None else self.values(trace)
        numbers = [Piece(self.to.fixed("steps", self.number, b, self.sheet), value) for b, value in enumerate(values)]
        kind, last = self.layer.reduction.kind, numbers[-1]
        if len(boxes) == 2 and kind in ("largest", "cell"):
            words = {"largest": " is the largest cell of its window", "cell": " is the cell that it reads"}
            return [last, Piece(words[kind])]
        found, loose = self._sum(trace, numbers[0])
        for box, number in zip(boxes[1:-1], numbers[1:-1], strict=True):
            found, loose = self._joined(found, loose, box, number)
        return [last, Piece(" = "), *found]

    def _joined(self, found: list[Piece], loose: bool, box: Box, number: Piece) -> tuple[list[Piece], bool]:
        """What was said so far with one more step; `loose` is whether it needs brackets before it is multiplied."""
        if box.kind == "function":
            assert box.done is not None
            before, after = box.done.operation.spelt or (f"{box.head}(", ")")
            return [Piece(before), *found, Piece(after)], False
        if box.kind == "number" and box.sign in "+−":
            return [*found, Piece(number.text if box.sign == "+" else f"-{number.text}",
                                  None if number.value is None else number.value * (1 if box.sign == "+" else -1), True)], True  # fmt: skip
        if box.kind == "number":
            found = [Piece("("), *found, Piece(")")] if loose else found
            return [*found, Piece(f" {box.sign} "), number], False
        return found, loose

    def _sum(self, trace: CellTrace | None, together: Piece) -> tuple[list[Piece], bool]:
        """What the windows give together."""
        reduction = self.layer.reduction
        if reduction.kind not in ("sum", "product", "difference") or reduction.terms == 1:
            return [together], False
        parts = None if trace is None else trace.parts if self.layer.kernels else trace.windows[:, 0, 0]
        count = reduction.terms if reduction.terms <= LISTED else LISTED - 1
        each = [Piece(self.term(t), 0.0 if parts is None else float(parts[t])) for t in range(count)]
        if reduction.kind == "product":
            return [*each[:1], *(piece for one in each[1:] for piece in (Piece(" · "), one))], False
        minus = reduction.kind == "difference"
        found = each[:1] + [
            Piece(f"-{one.text}", -(one.value or 0.0), True) if minus else Piece(one.text, one.value, True)
            for one in each[1:]
        ]
        if reduction.terms > count:
            total = f"SUM({self.to.area(self._summed, self.sheet)})"
            if not self.layer.kernels:
                total = together.text
            rest = f"({total}{''.join(f'-{one.text}' for one in each)})"
            found += [
                Piece(f" + (the other {reduction.terms - count} together: "),
                Piece(rest, 0.0 if parts is None else float(parts[count:].sum())),
                Piece(")"),
            ]
        if reduction.sum_activation is not None:
            return [Piece(f"{reduction.sum_activation.type}("), *found, Piece(")")], False
        return found, True


def said(pieces: list[Piece], digits: int) -> list[str]:
    """The sentence, and others that are as right; the first is the one."""
    whole = ["".join(texts) for texts in islice(product(*(piece.texts(digits) for piece in pieces)), 64)]
    return [*whole, *(text.replace(".", ",") for text in whole)]  # where decimals are written with a comma
