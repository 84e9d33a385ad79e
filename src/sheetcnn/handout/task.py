"""What all kinds of tasks share: settings, cells left blank, and the words of a grade."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ..arrays.array import Shape, shape_text
from ..layers.settings import Counts, Number
from ..model.network import Network, Node
from ..model.settings import Text
from ..plain import near

if TYPE_CHECKING:
    from .variant import Variant

SHOWN = 3  # cells named for each reason
EXACT = 1e-6  # how near a formula's value must be, as a part of the layer's largest
UNKNOWN = "not graded: look at"
Feedback = Literal["live", "none"]
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
    """What a student's cells of one layer do, each array shaped as the layer's output.

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

    def layer(self, name: str) -> LayerWork: ...

    def kernels(self, layer: str, k: int, bias: bool) -> tuple[np.ndarray, float]: ...

    def answers(self, name: str, rows: int, columns: int) -> list[list[Any]]: ...

    def named(self, name: str, layer: str) -> tuple[str, list[tuple[str, Shape]]]: ...

    def where(self, layer: str, at: Shape) -> str: ...


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

    def output(self, work: Work, layer: str, mask: np.ndarray, *, formula: bool, tolerance: float) -> None:
        """Count cells of a layer's output: formulas that must follow other pixels and kernels, or numbers."""
        done, want = work.layer(layer), work.variant.values[f"{layer}.output"]
        near = max(exact(want), 0.0 if formula else tolerance * (1 + 1e-9))
        for at in map(tuple, np.argwhere(mask).tolist()):
            where = work.where(layer, at)
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


class Task(BaseModel):
    """A task of an exercise: its fields are its settings in the exercise file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ClassVar[str]

    points: Annotated[Number, Field(gt=0, le=1000)] = 1.0
    feedback: Feedback | None = None  # the exercise's own, where not given
    tolerance: Annotated[Number, Field(gt=0)] = 0.005  # of numbers that are typed
    text: Annotated[Text, Field(max_length=1000)] = ""  # instead of the instruction that the task writes itself

    def check(self, network: Network) -> None:
        """Raise ValueError where the task does not fit the network."""

    def layers(self, network: Network) -> list[str]:
        """The layers that are changed, and must not lie behind a planted mistake."""
        return []

    def blanks(self, network: Network) -> dict[str, np.ndarray]:
        """By layer, which cells of its output are left blank."""
        return {}

    def instruction(self, variant: Variant, number: int) -> str:
        """What the student is to do, in a sentence or two."""
        raise NotImplementedError

    def grade(self, work: Work, number: int) -> Graded:
        """The points of a student's work; `number` counts the tasks from 1."""
        raise NotImplementedError


def node_of(network: Network, name: str) -> Node:
    """A layer by its name. Raises ValueError where there is none."""
    found = next((node for node in network.nodes if node.name == name), None)
    if found is None:
        names = [node.name for node in network.nodes]
        raise ValueError(f"layer {name!r} is no layer{near(name, names)}; there are {', '.join(names)}")
    return found


def _list(value: Any) -> Any:
    return [value] if isinstance(value, int) and not isinstance(value, bool) else value


Maps = Annotated[tuple[Annotated[int, Field(strict=True, ge=1)], ...], BeforeValidator(_list), Field(min_length=1)]


class Cells(Task):
    """A task on chosen cells of one layer's output: whole maps, parts of them, or single cells."""

    layer: Text
    map: Maps | None = None  # n or a list; all, where not given
    rows: Counts | None = None  # n or [first, last], counted from 1
    columns: Counts | None = None

    def check(self, network: Network) -> None:
        self.mask(network)

    def layers(self, network: Network) -> list[str]:
        return [self.layer]

    def blanks(self, network: Network) -> dict[str, np.ndarray]:
        return {self.layer: self.mask(network)}

    def mask(self, network: Network) -> np.ndarray:
        """Which cells of the layer's output are meant."""
        shape = node_of(network, self.layer).shape
        mask = np.zeros(shape, bool)
        given: dict[str, tuple[int, ...] | None] = {"map": self.map, "rows": self.rows, "columns": self.columns}
        if len(shape) == 1 and (self.map or self.columns):
            raise ValueError(f"layer {self.layer!r} puts out a vector of {shape[0]}; choose among its rows only")
        axes = ("map", "rows", "columns") if len(shape) == 3 else ("rows",)
        places = []
        for axis, size in zip(axes, shape, strict=True):
            chosen = given[axis] or (range(1, size + 1) if axis == "map" else (1, size))
            if max(chosen) > size:
                what = {"map": "maps"}.get(axis, axis)
                raise ValueError(f"{axis} {list(chosen)}: layer {self.layer!r} is {shape_text(shape)}, it has {size} {what}")
            if axis != "map":
                if chosen[0] > chosen[-1]:
                    raise ValueError(f"{axis} {list(chosen)}: give the first and the last, in this order")
                chosen = range(chosen[0], chosen[-1] + 1)
            places.append([n - 1 for n in chosen])
        mask[np.ix_(*places)] = True
        return mask

    def place_words(self, network: Network) -> str:
        """Which cells these are: `map 1, rows 2 to 4 of conv1`."""
        shape = node_of(network, self.layer).shape
        words = []
        if self.map and len(shape) == 3:
            *most, last = map(str, self.map)
            words.append(f"maps {', '.join(most)} and {last}" if most else f"map {last}")
        for name, span in (("row", self.rows), ("column", self.columns)):
            if span:
                words.append(f"{name} {span[0]}" if span[0] == span[1] else f"{name}s {span[0]} to {span[1]}")
        return f"{', '.join(words)} of {self.layer}" if words else f"all of {self.layer}"

    def graded_cells(self, work: Work, formula: bool) -> Graded:
        """Every cell by itself: as a formula that must follow other pixels and kernels, or as a number."""
        tally = Tally()
        mask = self.mask(work.variant.network)
        tally.output(work, self.layer, mask, formula=formula, tolerance=self.tolerance)
        return tally.graded(self.points)


def exact(want: np.ndarray) -> float:
    """How far a formula's value may be off: as far as live feedback takes it for right."""
    return 2 * EXACT * max(1.0, float(np.abs(want).max(initial=0.0)))


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
        return ("wrong", f"is {value:.6g}, should be {want:.6g}")
    if formula and not done.follows[at]:
        return ("right for this picture only: it does not follow when pixels and kernels change",)
    return ()
