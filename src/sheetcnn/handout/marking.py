"""How a task is graded: what grading may ask of a student's workbook, right cells counted, and the words for the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ..arrays.array import Shape
from .variant import Variant

SHOWN = 3  # cells named for each reason
EXACT = 1e-6  # how near a formula's value must be, as a part of the layer's largest
MOST_STEPS = 4e7  # of a fingerprint
UNKNOWN = "not graded: look at"
BLANK, TYPED, FORMULA, WORDS = range(4)  # what a cell holds


@dataclass
class Graded:
    """The points of one task, and why."""

    points: float
    of: float
    right: int = 0
    cells: int = 0
    remarks: list[str] = field(default_factory=list)
    look: list[str] = field(default_factory=list)  # cells that nobody could evaluate: the teacher is to look at them


@dataclass
class LayerWork:
    """What a student's cells of one array do, a layer's output or a gradient; all are shaped as that.

    Everything else in the workbook was set to the right numbers first, so that no task suffers from another's mistakes.
    """

    holds: np.ndarray  # BLANK, TYPED, FORMULA or WORDS
    value: np.ndarray  # with the picture and the kernels that were handed out; NaN for what is no number
    follows: np.ndarray  # whether the formula also gives what NumPy says when pixels and kernels are others
    unknown: np.ndarray  # whether nobody could compute the formula, with these numbers or with others
    problems: dict[Shape, str]  # why a formula could not be evaluated


class Work(Protocol):
    """What grading may ask of a student's workbook. Raises WorkbookError where a grid is missing or was cut up."""

    variant: Variant

    def cells(self, id: str) -> LayerWork: ...

    def kernels(self, layer: str, k: int, bias: bool) -> tuple[np.ndarray, float]: ...

    def answers(self, name: str, rows: int, columns: int) -> list[list[Any]]: ...

    def named(self, name: str, page: str) -> tuple[str, list[tuple[str, Shape]]]: ...

    def where(self, id: str, at: Shape) -> str: ...


class Tally:
    """Right cells counted, and for the others the reasons, each with the first few cells."""

    def __init__(self) -> None:
        self.right = self.cells = 0
        self.look: list[str] = []
        self._reasons: dict[str, list[str]] = {}

    def add(self, where: str, reason: str = "", detail: str = "") -> None:
        """Count a cell: right without a reason, else wrong for this one."""
        self.cells += 1
        self.right += not reason
        if reason:
            self._reasons.setdefault(reason, []).append(f"{where} {detail}".rstrip())

    def output(self, work: Work, id: str, mask: np.ndarray, *, formula: bool, tolerance: float) -> None:
        """Count cells of a layer's output or of a gradient: formulas that must follow other pixels and kernels, or numbers."""
        done, want = work.cells(id), work.variant.values[id]
        near = max(2 * precision(want, work.variant.scale(id)), 0.0 if formula else tolerance * (1 + 1e-9))
        for at in map(tuple, np.argwhere(mask).tolist()):
            where = work.where(id, at)
            said = verdict(done, at, float(want[at]), formula, near)
            if said and said[0].startswith(UNKNOWN):
                self.look.append(where)
            self.add(where, *said)

    def graded(self, of: float) -> Graded:
        """Points by the share of cells that are right; all of them only where all are."""
        remarks = []
        for reason, cells in self._reasons.items():
            more = f" and {len(cells) - SHOWN:,} more" if len(cells) > SHOWN else ""
            shown = f"{', '.join(cells[:SHOWN])}{more}"
            unknown = reason.startswith(UNKNOWN)
            remarks.append(f"{UNKNOWN} {shown}{reason.removeprefix(UNKNOWN)}" if unknown else f"{reason}: {shown}")
        points = round(of * self.right / max(1, self.cells), 2)
        if self.right < self.cells:
            points = min(points, max(0.0, round(of - 0.01, 2)))
        return Graded(points, of, self.right, self.cells, remarks, self.look)


def exact(want: np.ndarray) -> float:
    """How far a formula's value may be off: as far as live feedback takes it for right."""
    return 2 * precision(want, max(1.0, float(np.abs(want).max(initial=0.0))))


def precision(want: np.ndarray, scale: float) -> float:
    """How far live feedback lets a formula's value be off, in an array of this scale; its fingerprints have so many steps only."""
    return max(EXACT * scale, float(np.abs(want).max(initial=0.0)) / MOST_STEPS)


def verdict(done: LayerWork, at: Shape, want: float, formula: bool, near: float) -> tuple[str, ...]:
    """Why a cell is not right, with what it holds; nothing where it is."""
    holds, value = int(done.holds[at]), float(done.value[at])
    off = abs(value - want) > near
    if holds == FORMULA and done.unknown[at] and not off:
        return (f"{UNKNOWN} ({done.problems[at]})" if at in done.problems else UNKNOWN,)
    if holds == BLANK:
        return ("left blank",)
    if holds == WORDS:
        return ("a text where a number is needed",)
    if holds == FORMULA and at in done.problems:
        return ("a formula that cannot be evaluated", f"({done.problems[at]})")
    if holds == FORMULA and np.isnan(value):
        return ("a formula that gives an error",)
    if formula and holds == TYPED:
        return ("a number was typed where a formula is asked",)
    if off:
        return ("wrong", f"is {value + 0.0:.6g}, should be {want + 0.0:.6g}")
    if formula and not done.follows[at]:
        return ("right for this picture only: it does not follow when pixels and kernels change",)
    return ()
