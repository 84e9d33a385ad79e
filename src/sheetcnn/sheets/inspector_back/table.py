"""Which gradients can be looked into, and the tables of where their formulas read."""

from __future__ import annotations

from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from ...arrays.array import Values
from ...arrays.grid import Grids
from ...arrays.sheet_cells import SheetCells
from ...arrays.terms import Area
from ...model.graph import Graph
from ...model.loss import LOSS
from ..step.content import is_step
from .moving import AXES, Moving, features_of
from .subjects import Subject, subject_of

NOTHING = "none"  # where the hidden sheet has no text
SHEET = "Inspector_back"
TABLE = "_inspector_back"  # the hidden sheet with its tables
BEFORE = "inspector_back_"  # before the names of its rectangles
MOST_SUBJECTS = 60
STEP_COLUMNS = 4  # of a step
LONGEST = 1000  # numbers in a drop-down
SHOWN = 16  # rows and columns that are shown: of larger rectangles every second, or third …
CHOICES = ("gradient", "filter", "channel", "row", "column")
LIMITS = ("filters", "channels", "rows", "columns")
FIELDS = (
    *LIMITS, *(f"divisor_{n}" for n in range(AXES)), "first", "terms", "pitch", "winner", "step", "maps", "axes",
)  # fmt: skip
PLACE = ("area", "rows", "columns", "sign", "top", "left")  # then how far each axis moves it down, and along
AT = (*CHOICES, *(f"feature_{n}" for n in range(2 * AXES)))
LINE = ("place", "line", "area", "row", "left", "columns", "other area", "other row", "other left")
SCALES = ("read", "times", "product")


class InspectorBack:
    """All cells of the sheet: `grids` has those of all arrays, by their ids."""

    def __init__(self, graph: Graph, grids: dict[str, Grids], values: Values) -> None:
        self.graph, self.grids = graph, grids
        self.cells = SheetCells([array for array in graph if array.id in grids], grids, values)
        self.subjects: list[Subject] = []
        self.displaced: list[str] = []
        self.more = 0  # gradients for which there is no room
        for name, arrays in ({} if graph.learning is None else graph.learning.pages).items():
            for array in arrays:
                if name == LOSS or is_step(name) or not array.key.startswith("grad_") or array.owner.startswith("step_"):
                    continue
                if len(self.subjects) == MOST_SUBJECTS:
                    self.more += 1
                    continue
                found = subject_of(array, grids, self.cells)
                if found is None:
                    self.displaced.append(f"{array.owner} {array.label}")
                else:
                    self.subjects.append(found)

    # -- places --------------------------------------------------------------------------------------------------------
    @cached_property
    def _placed(self) -> tuple[list[tuple[int, Moving, int]], dict[tuple[int, str], int]]:
        """Every place with the number of its subject and its sign, and the first of each kind, by subject and kind."""
        found: list[tuple[int, Moving, int]] = []
        first: dict[tuple[int, str], int] = {}
        for k, subject in enumerate(self.subjects):
            first[k, "pairs"] = len(found)
            for term, one, other in subject.pairs:
                sign = 1 if term.sign == "+" else -1
                blank = Moving(one.area._replace(rows=0, columns=0))
                found += [(k, one, sign), (k, other or blank, sign)]
            singles = {"own": [subject.own], "gates": [at for _, at in subject.gates], "won": [*subject.won]}
            for kind, places in (singles | {"factors": subject.factors}).items():
                first[k, kind] = len(found)
                found += [(k, one, 1) for one in places]
        return found, first

    @property
    def places(self) -> list[tuple[int, Moving, int]]:
        """Every rectangle that is read, with the number of its subject and its sign."""
        return self._placed[0]

    def first(self, k: int, kind: str) -> int:
        """The number of a subject's first place of a kind: "pairs", "own", "gates", "won", "factors"."""
        return self._placed[1][k, kind]

    @cached_property
    def areas(self) -> list[Area]:
        """For each sheet the smallest rectangle around all that is read there."""
        found: dict[str, list[int]] = {}
        for k, moving, _ in self.places:
            subject = self.subjects[k]
            for place in product(*({0, size - 1} for size in subject.size)):
                one = moving.at(features_of(place, subject.divisors))
                ends = found.setdefault(one.sheet, [one.top, one.left, one.top, one.left])
                ends[:2] = min(ends[0], one.top), min(ends[1], one.left)
                ends[2:] = max(ends[2], one.top + one.rows - 1), max(ends[3], one.left + one.columns - 1)
        return [Area(sheet, a, b, c - a + 1, d - b + 1) for sheet, (a, b, c, d) in found.items()]

    def area_of(self, moving: Moving) -> int:
        """The number of the area that a place lies in, from 1."""
        return [area.sheet for area in self.areas].index(moving.area.sheet) + 1

    # -- tables --------------------------------------------------------------------------------------------------------
    @cached_property
    def table(self) -> np.ndarray:
        """A row of numbers for each gradient."""
        rows = []
        for k, one in enumerate(self.subjects):
            largest = max((max(a.area.rows, a.area.columns) for _, a, _ in one.pairs), default=1)
            block = self.cells.grid_of(one.pairs[0][1].area) if one.pairs else None
            maps = block is not None and not block[0][0].key.startswith("grad_") and block[0][0].role != "parameter"
            step = -(-largest // SHOWN) if one.large else 1
            shown = [len(one.pairs), -(-one.height // step) + 1, one.kind == "winner", step]
            rows.append([*one.size, *one.divisors, self.first(k, "pairs") + 1, *shown, maps, one.array.grid_axes])
        return np.array(rows, dtype=float)

    @cached_property
    def place_table(self) -> np.ndarray:
        """A row of numbers for each place."""
        rows = []
        for _, one, sign in self.places:
            number = self.area_of(one)
            area = self.areas[number - 1]
            corner = one.area.top - area.top + 1, one.area.left - area.left + 1
            rows.append(
                [number if one.area.rows else 0, one.area.rows, one.area.columns, sign, *corner, *one.top, *one.left]
            )
        return np.array(rows, dtype=float)

    def texts(self) -> dict[str, list[list[str]]]:
        """The texts that nobody computes."""
        names = [[one.name] for one in self.subjects]
        grids = [
            [one.array.name(one.array.shape[: one.array.grid_axes] and (0,) * one.array.grid_axes)] for one in self.subjects
        ]
        for text, one in zip(grids, self.subjects, strict=True):
            for _ in range(one.array.grid_axes):
                text[0] = text[0].rpartition("_")[0]
        return {
            "subjects": names, "words": [[one.words] for one in self.subjects], "grids": grids,
            "labels": [[self._label(one, self.subjects[k])] for k, one, _ in self.places],
        }  # fmt: skip

    def _label(self, moving: Moving, subject: Subject) -> str:
        """What a place shows, in few words; the number of its grid, where it is always the same."""
        found = self.cells.grid_of(moving.area) if moving.area.rows else None
        if found is None:
            return NOTHING
        (array, index, _), _, _ = found
        still = not (moving.moves(0) or moving.moves(1)) and array.grid_axes == 1
        number = f" {index[0] + 1}" if still and index else ""
        words = {"mirror": "channel", "parameter": "weights", "shared": "weights", "output": "map", "pixels": "channel"}
        if array.key == "turned":
            return "kernel, turned"
        noun = "gradient of" if array.role in ("gradient", "loss") else words.get(array.role, array.label)
        return f"{noun} {array.owner}{number}" if noun in ("gradient of", "map") else noun

    # -- sizes ---------------------------------------------------------------------------------------------------------
    @cached_property
    def lines(self) -> int:
        """How many lines of numbers the windows of a gradient take at most."""
        return int((self.table[:, FIELDS.index("terms")] * self.table[:, FIELDS.index("pitch")]).max()) or 1

    @cached_property
    def width(self) -> int:
        """Columns of the widest window."""
        steps = self.table[:, FIELDS.index("step")].astype(int).tolist()
        return max(
            [1, *(-(-a.area.columns // by) for one, by in zip(self.subjects, steps, strict=True) for _, a, _ in one.pairs)]
        )

    @cached_property
    def steps(self) -> int:
        """How many numbers stand on the way to a gradient at most."""
        return max(len(one.gates) + (3 if one.won else bool(one.pairs) + bool(one.factor)) + 2 for one in self.subjects)

    @cached_property
    def reached(self) -> dict[tuple[int, int, int], set[str]]:
        """By line, column and side, the sheets whose cells may be shown there: a formula names no others.

        Each of the areas that it names would make a program look at it after every edit.
        """
        found: dict[tuple[int, int, int], set[str]] = {}
        for one, row in zip(self.subjects, self.table.astype(int), strict=True):
            pitch, step = int(row[FIELDS.index("pitch")]), int(row[FIELDS.index("step")])
            for t, (_, *both) in enumerate(one.pairs):
                for side, moving in enumerate(both):
                    if moving is None:
                        continue
                    rows, columns = -(-moving.area.rows // step), -(-moving.area.columns // step)
                    for a, c in product(range(rows), range(columns)):
                        found.setdefault((t * pitch + a, c, side), set()).add(moving.area.sheet)
        return found

    @property
    def longest(self) -> int:
        """How many numbers a drop-down has at most."""
        return min(LONGEST, int(self.table[:, :AXES].max()))

    def first_choice(self) -> dict[str, Any]:
        """What is shown at first: a cell in the middle of a kernel's gradient, if there is one."""
        kernels = [one for one in self.subjects if one.array.label == "grad_kernel" and one.kind == "terms"]
        one = (kernels or self.subjects)[0]
        return dict(zip(CHOICES, (one.name, 1, 1, (one.size[2] + 1) // 2, (one.size[3] + 1) // 2), strict=True))

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of every named rectangle on the visible sheet."""
        found = dict.fromkeys((*CHOICES, *LIMITS, "note", "sentence", "tick", "where", "maps_shown"), (1, 1))
        found |= dict.fromkeys(("window_name", "times_name", "product_name"), (1, 1))
        windows = dict.fromkeys(("window", "times", "product"), (self.lines, self.width))
        steps = dict.fromkeys(("head", "step", "says"), (1, self.steps))
        found |= {"label": (self.lines, 1), "sum": (self.lines, 1), "scale": (len(SCALES), 1)} | windows | steps
        return {BEFORE + name: size for name, size in found.items()}

    def spacings(self) -> dict[str, tuple[int, int]]:
        """How far the cells of named rectangles lie apart, where they are not neighbours."""
        return dict.fromkeys((f"{BEFORE}head", f"{BEFORE}step", f"{BEFORE}says"), (1, STEP_COLUMNS))

    def hidden_sizes(self) -> dict[str, tuple[int, int]]:
        """The same for the hidden sheet."""
        n, places = len(self.subjects), len(self.places)
        found = {
            "subjects": (n, 1), "words": (n, 1), "grids": (n, 1), "labels": (places, 1), "table": (n, len(FIELDS)),
            "places": (places, len(PLACE) + 4 * AXES), "count": (max(self.longest, self.lines, self.width), 1),
            "at": (1, len(AT)), "chosen": (1, len(FIELDS)), "corners": (places, 2), "values": (places, 1),
            "numbers": (self.longest, AXES), "lines": (self.lines, len(LINE)), "totals": (self.lines, 1), "across": (1, self.width),
            "heads": (n, self.steps), "results": (n, self.steps), "saying": (n, self.steps),
        }  # fmt: skip
        return {BEFORE + name: size for name, size in found.items()}

    def tables(self) -> dict[str, np.ndarray]:
        """The numbers that nobody computes."""
        count = np.arange(float(self.hidden_sizes()[f"{BEFORE}count"][0]))[:, None]
        across = np.arange(float(self.width))[None]
        found = {"table": self.table, "places": self.place_table, "count": count, "across": across}
        return {BEFORE + name: numbers for name, numbers in found.items()}

    def chosen(self, choice: dict[str, Any]) -> tuple[int, tuple[int, ...]]:
        """The number of the gradient that is chosen, and the place as the sheet takes it: the nearest that there is, from 0."""
        k = [one.name.lower() for one in self.subjects].index(str(choice["gradient"]).lower())
        sizes = self.subjects[k].size
        return k, tuple(_clamped(choice[key], size) for key, size in zip(CHOICES[1:], sizes, strict=True))


def _clamped(value: Any, size: int) -> int:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else size
    return int(np.floor(max(1, min(number, size)) + 0.5)) - 1
