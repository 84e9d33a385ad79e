"""The gradients that can be looked into, and how each of them comes about, in words and as places."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ...arrays.array import Array, Shape
from ...arrays.grid import Grids, flat
from ...arrays.sheet_cells import SheetCells
from ...arrays.terms import Area, Gate, Term, number_in
from ...model.trace import LARGEST
from .moving import Form, Moving, form_of, own_cell, size_of, window_of

MOST_TERMS = 16  # of which each has a line; of more, the sheet shows none
WORDS = {
    "grad_kernel": "A kernel's cell: each number that it met, times the gradient there. The sum of these products is its gradient.",
    "turned": "What goes back: the kernel of each filter, turned by 180°, laid on the gradient of that filter.",
    "weights": "What goes back: each weight that leads on from here, times the gradient where it leads to.",
    "weight": "A weight: the number that it met, times the gradient of what it leads to.",
    "grad_bias": "A bias was added at every place: its gradient is the sum of the whole gradient.",
    "winner": "A pool passes all of it back to the first largest cell of its window, and nothing to the others.",
    "cell": "It comes from behind as it is.",
    "part": "It comes from behind, in equal parts to all that was put together there.",
    "sum": "All that comes from behind is added up.",
    "products": "What comes from behind, times what it met on the way forward; the products are added up.",
    "large": "Too many to be shown all: here is every second, or third …",
}
WHY = {
    "kinds": "its cells have formulas of several kinds, as at borders or with ties",
    "other": "its formula is more than a sum of products",
    "terms": f"it adds up more than {MOST_TERMS} windows",
    "large": "its windows are too large",
}


@dataclass(frozen=True)
class Subject:
    """A gradient that can be chosen. `pairs` are its windows, each with what it is multiplied by, if anything."""

    array: Array
    sheet: str
    size: Shape
    own: Moving
    divisors: tuple[int, ...] = (1, 1, 1, 1)
    kind: str = "none"  # "terms", "large" (one pair of rectangles, shown small), "winner" of a window, or "none"
    words: str = ""
    pairs: list[tuple[Term, Moving, Moving | None]] = field(default_factory=list)
    gates: list[tuple[Gate, Moving]] = field(default_factory=list)
    won: tuple[Moving, ...] = ()  # of a winner: the cell, the largest, what it gets
    factor: str = ""
    factors: list[Moving] = field(default_factory=list)  # the cells that the factor reads
    times: float | None = None  # the factor, where it is a number

    @property
    def name(self) -> str:
        """As it is called in the list."""
        return f"{self.array.owner} {self.array.label.removeprefix('grad_')}"

    @property
    def height(self) -> int:
        """Rows of its highest window."""
        return max((one.area.rows for _, one, _ in self.pairs), default=0)

    @property
    def large(self) -> bool:
        return self.kind == "large"


def subject_of(array: Array, grids: dict[str, Grids], cells: SheetCells) -> Subject | None:
    """A gradient, as far as it can be taken apart; None where its grids stand in no order, cut and pasted."""
    own = own_cell(array, grids[array.id])
    if own is None:
        return None
    sheet = next(flat(grids[array.id]))[1].sheet
    plain = Subject(array, sheet, size_of(array), *own)
    form = form_of(array, grids[array.id], array.written(grids, sheet), sheet)
    if form is None:
        return _none(plain, "kinds")
    areas = iter(form.areas)
    plain = replace(plain, own=next(areas))
    gates = [(gate, next(areas)) for gate in form.taken.gates]
    kinds = {term.kind for term in form.taken.terms}
    plain = replace(plain, divisors=form.divisors, gates=gates, factor=form.taken.factor)
    if kinds == {"winner"} and len(form.taken.terms) == 1:
        return _winner(plain, form, list(areas))
    if kinds & {"winner", "other"}:
        return _none(plain, "other")
    pairs: list[tuple[Term, Moving, Moving | None]] = []
    for term in form.taken.terms:
        first = next(areas)
        pairs.append((term, first, next(areas) if term.kind == "products" else None))
    rest = list(areas)
    if any(one.area.rows * one.area.columns > 1 for one in rest):
        return _none(plain, "other")
    times = number_in(form.taken.factor)
    if gates and form.taken.factor and times is None:
        return _none(plain, "other")
    large = max(max(one.area.rows, one.area.columns) for _, one, _ in pairs) > LARGEST
    if large and (len(pairs) > 1 or gates or rest or form.taken.factor):
        return _none(plain, "large")
    if len(pairs) > MOST_TERMS:
        return _none(plain, "terms")
    words = _words(array, pairs, form, cells) + (f" {WORDS['large']}" if large else "")
    kind = "large" if large else "terms"
    return replace(plain, kind=kind, words=words, pairs=pairs, factors=rest, times=times)


def _winner(plain: Subject, form: Form, areas: list[Moving]) -> Subject:
    cell, largest, gets, *rest = areas
    found = window_of(cell, largest, plain.size, form.divisors)
    if found is None or rest or form.taken.factor or max(found[0].area.rows, found[0].area.columns) > LARGEST:
        return _none(plain, "other")
    window, divisors = found
    pairs: list[tuple[Term, Moving, Moving | None]] = [(form.taken.terms[0], window, None)]
    won = (cell, largest, gets)
    return replace(plain, kind="winner", words=WORDS["winner"], pairs=pairs, won=won, divisors=divisors)


def _none(plain: Subject, why: str) -> Subject:
    words = f"Not taken apart here, since {WHY[why]}. On its sheet, F2 shows what it reads; or: sheetcnn explain BOOK CELL"
    return Subject(plain.array, plain.sheet, plain.size, plain.own, plain.divisors, words=words)


def _words(array: Array, pairs: list[tuple[Term, Moving, Moving | None]], form: Form, cells: SheetCells) -> str:
    """What becomes a gradient of this form."""
    kinds = {term.kind for term, *_ in pairs}
    if array.label in ("grad_kernel", "grad_bias") and "cell" not in kinds:
        return WORDS[array.label]
    if kinds == {"products"}:
        read = {_key(cells, one.area) for _, *both in pairs for one in both if one is not None}
        if "turned" in read:
            return WORDS["turned"]
        if "weight" in read:
            return WORDS["weights"]
        return WORDS["weight"] if array.label == "grad_weight" else WORDS["products"]
    if kinds == {"cell"} and len(pairs) == 1:
        return WORDS["part" if form.taken.factor[:1] == "/" else "cell"]
    return WORDS["sum"]


def _key(cells: SheetCells, area: Area) -> str:
    found = cells.grid_of(area)
    return "" if found is None else found[0][0].key
