"""The numbers on the way to a gradient's cell, as formulas of the hidden sheet."""

from __future__ import annotations

from dataclasses import dataclass

from ...arrays.terms import Gate, areas_in, with_cells
from ...layers.backward import NEAR_TEXT
from .references import To
from .table import LINE, InspectorBack

OPEN, CLOSED = "the gate is open", "the gate is closed"
WON, OTHER, EARLIER = "it won, and gets all", "another cell won: nothing", "an earlier one is as large, and won"


@dataclass(frozen=True)
class Step:
    """A number with the words above it, and the formula of what is said below it."""

    head: str
    text: str
    says: str = ""


def steps_of(shown: InspectorBack, to: To, k: int) -> list[Step]:
    """What is done with the windows of a gradient: the last two are what comes out, and what its cell holds."""
    subject, hidden = shown.subjects[k], to.hidden

    def value(kind: str, n: int = 0) -> str:
        return to.cell("values", shown.first(k, kind) + n, 0, hidden)

    found: list[Step] = []
    so_far = value("own")
    if subject.won:
        cell, largest, gets = (value("won", n) for n in range(3))
        before = _before(shown, to, k, largest)
        lost = f"{cell}<{largest}-{NEAR_TEXT}"
        says = f'IF({lost},"{OTHER}",IF({before}>0,"{EARLIER}","{WON}"))'
        found = [Step("largest of the window", largest), Step("this cell", cell, says), Step("gradient of the window", gets)]
        so_far = f"IF({lost},0,IF({before}>0,0,{gets}))"
    elif subject.pairs:
        kinds = {term.kind for term, *_ in subject.pairs}
        head = "Σ of the products" if "products" in kinds else "Σ of the gradient" if "sum" in kinds else "what comes"
        found = [Step(head, so_far if subject.large else f"SUM({to.area('totals', hidden)})")]
        so_far = to.cell("results", k, 0, hidden)
    if subject.factor:
        found.append(Step(_factor_words(shown, k), f"{so_far}{_factor(shown, to, k)}"))
        so_far = to.cell("results", k, len(found) - 1, hidden)
    for n, (gate, _) in enumerate(subject.gates):
        test = _test(gate, value("gates", n))
        limit = round(gate.limit, 8) + 0.0
        head = f"put out forward; {'above' if gate.sign == '>' else 'below'} {limit:g}?"
        found.append(Step(head, value("gates", n), f'IF({test},"{OPEN}","{CLOSED}")'))
        so_far = f"IF({test},{so_far},0)"
    return [*found, Step("the gradient", so_far), Step("cell on its sheet", value("own"))]


def _test(gate: Gate, cell: str) -> str:
    cell = f"ABS({cell})" if gate.size else cell
    return f"{cell}{gate.sign}{gate.limit!r}".replace("e-", "E-")


def _before(shown: InspectorBack, to: To, k: int, largest: str) -> str:
    """How many cells before the chosen one in its window are as large as the largest."""
    hidden, cell = to.hidden, shown.first(k, "won")
    pair = shown.first(k, "pairs")
    top, left = (f"({to.cell('corners', cell, n, hidden)}-{to.cell('corners', pair, n, hidden)})" for n in (0, 1))
    width = shown.width
    window = to.area("window", hidden)
    lines = to.part("lines", 0, LINE.index("line"), shown.lines, 1, hidden)
    places = to.part("lines", 0, 0, shown.lines, 1, hidden)
    across = to.area("across", hidden)
    order = f"({lines}*{width}+{across}<{top}*{width}+{left})"
    inside = f"({places}>0)*({across}<{to.cell('lines', 0, LINE.index('columns'), hidden)})"
    return f"SUMPRODUCT({inside}*{order}*({window}>={largest}-{NEAR_TEXT}))"


def _factor(shown: InspectorBack, to: To, k: int) -> str:
    """The factor with the cells of the hidden sheet in the places of those that it reads."""
    subject = shown.subjects[k]
    cells = [to.cell("values", shown.first(k, "factors") + n, 0, to.hidden) for n in range(len(subject.factors))]
    return with_cells(subject.factor, cells)


def _factor_words(shown: InspectorBack, k: int) -> str:
    """What the factor is, in few words."""
    subject = shown.subjects[k]
    sign = "÷" if subject.factor[0] == "/" else "×"
    if subject.times is not None and subject.factor.count("/") + subject.factor.count("*") == 1:
        return f"{sign} {subject.factor[1:]}"
    names = []
    for area in areas_in(subject.factor, subject.sheet):
        found = shown.cells.grid_of(area)
        if found is not None:
            names.append(f"{found[0][0].owner} {found[0][0].label}")
    return f"{sign} {', '.join(dict.fromkeys(names))}" if names else f"{sign} a number"
