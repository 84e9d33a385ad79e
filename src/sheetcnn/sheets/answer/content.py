"""What the network answers: the largest number's name, whether that is right, and bars of all numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays.array import Values
from ...arrays.computed_range import TOLERANCE, ComputedRange
from ...arrays.grid import Grid, Grids
from ...model.graph import Graph
from ...model.network import Network
from ..pictures.content import NUMBER, TRUTH

OVERVIEW = "overview"  # how the names of the answer's cells begin there; beside the pixels "input"
NAMES = "answer_names"  # of the last layer's numbers, beside them on their sheet
MOST_BARS = 12  # outputs that are all shown as bars; of more only the largest
LARGEST_BARS = 5  # so many
MAX_NAMED = 1000  # numbers of a vector that have names
BAR = 20  # letters of a full bar
POSITIVE, NEGATIVE, FULL = "█", "▒", "░"  # a bar's letter, that of a number below 0, and that of the full bar above them
RIGHT, WRONG = "✓ truly", "✗ truly"


def gives_answer(network: Network) -> bool:
    """Whether the last layer's numbers are an answer: they have labels, or are probabilities."""
    named = network.settings.labels is not None or network.gives_probabilities
    return named and 1 < len(network.answers) <= MAX_NAMED


def labelled(network: Network) -> frozenset[str]:
    """The layers whose numbers the labels name: the last, and those that it only activates or passes on."""
    found, node = set(), network.nodes[-1]
    while True:
        found.add(node.name)
        if node.layer.family not in ("activation", "passing") or node.inputs[0] not in network.by_name:
            return frozenset(found)
        node = network.by_name[node.inputs[0]]


def answer_sizes(network: Network, home: str, truth: bool) -> dict[str, tuple[int, int]]:
    """Rows and columns of the answer's named rectangles; `truth` is whether any picture's right label is known."""
    if not gives_answer(network):
        return {}
    count = network.nodes[-1].shape[0]
    rows = count if count <= MOST_BARS else LARGEST_BARS
    sizes = {"answer": (1, 1), "name": (rows, 1), "bar": (rows, 1), "number": (rows, 1)}
    if not network.gives_probabilities:
        sizes["full"] = (1, 1)
    if truth:
        sizes |= {"verdict": (1, 1), "truly": (1, 1)}
    return {f"{home}_{key}": size for key, size in sizes.items()}


@dataclass(frozen=True)
class _Answer:
    """The numbers of the last layer, their names, and where all that tells of them stands."""

    names: tuple[str, ...]
    numbers: np.ndarray
    out: Grid  # the numbers
    listed: str  # the names
    places: dict[str, Grid]  # of the cells that are made, without their home
    probabilities: bool

    @property
    def best(self) -> int:
        return int(np.argmax(self.numbers))

    @property
    def shown(self) -> list[int]:
        """Which numbers have bars, from the top."""
        rows = self.places["bar"].rows
        return np.argsort(-self.numbers, kind="stable")[:rows].tolist() if self.ranked else list(range(rows))

    @property
    def ranked(self) -> bool:
        return self.places["bar"].rows < len(self.numbers)

    @property
    def first(self) -> str:
        """The formula of the place of the largest number."""
        return f"MATCH(MAX({self.out.area}),{self.out.area},0)"

    def tied(self, n: int) -> list[int]:
        """All numbers that are as large, but for rounding."""
        near = np.abs(self.numbers - self.numbers[n]) <= float(TOLERANCE) * (1 + abs(self.numbers[n]))
        return [int(m) for m in np.flatnonzero(near)]


def answer_views(
    graph: Graph, grids: dict[str, Grids], places: dict[str, Grid], values: Values, home: str, truth: int = 0
) -> list[ComputedRange]:
    """The answer's cells on one sheet; `truth` is the number of the right label, counted from 1, 0 where none is known."""
    if f"{home}_answer" not in places:
        return []
    sheet = places[f"{home}_answer"].sheet
    seen = {name: grid.seen_from(sheet) for name, grid in places.items()}
    last = graph.output(graph.network.nodes[-1].name).id
    own = {name.removeprefix(f"{home}_"): grid for name, grid in seen.items() if name.startswith(f"{home}_")}
    network = graph.network
    answer = _Answer(
        network.answers, values[last], grids[last].seen_from(sheet), seen[NAMES].area, own, network.gives_probabilities
    )
    views = [_largest(answer), *_bars(answer)]
    if "verdict" in own:
        views += _verdict(answer, seen, truth)
    return [ComputedRange(f"{home}_{view.name}", view.formula, view.values, view.also) for view in views]


def _largest(answer: _Answer) -> ComputedRange:
    formula = f"INDEX({answer.listed},{answer.first})"
    also = {answer.names[n] for n in answer.tied(answer.best)}
    return ComputedRange("answer", lambda *_: formula, [[answer.names[answer.best]]], {(0, 0): also})


def _bars(answer: _Answer) -> list[ComputedRange]:
    """Names, bars and numbers, a row for each."""
    numbers, shown, ranked, names = answer.numbers, answer.shown, answer.ranked, answer.names
    out, listed, places = answer.out, answer.listed, answer.places
    most = max(float(np.abs(numbers).max()), float(TOLERANCE))
    full = 1.0 if answer.probabilities else most

    def number(i: int, _: int) -> str:
        return f"LARGE({out.area},{i + 1})" if ranked else out.window(i, 0, 1, 1)

    def name(i: int, _: int) -> str:
        own = places["number"].at(i, 0)
        return f"INDEX({listed},MATCH({own},{out.area},0))" if ranked else f"INDEX({listed},{i + 1})"

    def bar(i: int, _: int) -> str:
        own = places["number"].at(i, 0)
        if answer.probabilities:
            return f'REPT("{POSITIVE}",ROUND({BAR}*{own},0))'
        return f'REPT(IF({own}<0,"{NEGATIVE}","{POSITIVE}"),ROUND({BAR}*(ABS({own})/{places["full"].area}),0))'

    def text(n: int, more: float = 0.0) -> str:
        length = BAR * (abs(float(numbers[n])) / full)
        # Numbers that overflowed have no length: whatever stands there is another finding.
        count = int(np.floor(length + 0.5 + more)) if np.isfinite(length) else 0
        return (NEGATIVE if numbers[n] < 0 else POSITIVE) * min(max(0, count), BAR + 1)

    # A bar of almost half a letter more may be rounded either way.
    bars_also = {(i, 0): {text(n, more) for more in (-1e-9, 1e-9)} for i, n in enumerate(shown)}
    name_texts = [[names[int(np.argmax(numbers == numbers[n]))] if ranked else names[n]] for n in shown]
    names_also = {(i, 0): {names[m] for m in answer.tied(n)} for i, n in enumerate(shown)} if ranked else {}
    views = [
        ComputedRange("number", number, [[float(numbers[n])] for n in shown]),
        ComputedRange("name", name, name_texts, names_also),
        ComputedRange("bar", bar, [[text(n)] for n in shown], bars_also),
    ]
    if not answer.probabilities:
        formula = f"MAX(MAX({out.area}),-MIN({out.area}),{TOLERANCE})"
        views.append(ComputedRange("full", lambda *_: formula, [[most]]))
    return views


def _verdict(answer: _Answer, seen: dict[str, Grid], truth: int) -> list[ComputedRange]:
    """Whether the answer is right, and what is: nothing where that is not known of a picture."""
    right = seen[TRUTH].area
    if NUMBER in seen:
        right = f"INDEX({right},{seen[NUMBER].area})"
    verdict = f'IF({right}=0,"",IF({answer.first}={right},"{RIGHT}","{WRONG}"))'
    truly = f'IF({right}=0,"",INDEX({answer.listed},MAX(1,{right})))'
    best = answer.tied(answer.best)
    words = [RIGHT if answer.best == truth - 1 else WRONG] if truth else [""]
    also = {RIGHT, WRONG} if truth - 1 in best and len(best) > 1 else set()
    return [
        ComputedRange("verdict", lambda *_: verdict, [words], {(0, 0): also}),
        ComputedRange("truly", lambda *_: truly, [[answer.names[truth - 1] if truth else ""]]),
    ]
