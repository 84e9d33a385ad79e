"""What the Overview computes: whether everything is as built, and what the network answers."""

from __future__ import annotations

import numpy as np

from ...arrays.array import Values
from ...arrays.computed_range import TOLERANCE, ComputedRange
from ...arrays.grid import Grid, Grids
from ...model.graph import Graph
from ...model.network import Network

OVERVIEW = "Overview"  # the sheet
ALL_AS_BUILT, CHANGED = "every grid is as built", "changed since it was built: Check tells what"
MOST_BARS = 12  # outputs that are all shown as bars; of more only the largest
LARGEST_BARS = 5  # so many
MAX_NAMED = 1000  # numbers of a vector that have names
BAR = 25  # letters in the longest bar


def gives_answer(network: Network) -> bool:
    """Whether the last layer's numbers are an answer: they have labels, or are probabilities."""
    named = network.settings.labels is not None or network.gives_probabilities
    return named and 1 < len(network.answers) <= MAX_NAMED


def overview_sizes(network: Network) -> dict[str, tuple[int, int]]:
    """Rows and columns of the Overview's named rectangles."""
    sizes = {"overview_state": (1, 1)}
    if gives_answer(network):
        count = network.nodes[-1].shape[0]
        rows = count if count <= MOST_BARS else LARGEST_BARS
        sizes |= {
            "overview_answer": (1, 1),
            "overview_name": (rows, 1),
            "overview_bar": (rows, 1),
            "overview_number": (rows, 1),
        }
        sizes |= {"answer_names": (count, 1)}
    return sizes


def overview_views(
    graph: Graph, grids: dict[str, Grids], places: dict[str, Grid], values: Values, changed: int
) -> list[ComputedRange]:
    """The state and the answer, as far as there are places; `changed` is how many rows of the Check sheet are changed."""
    found = []
    if {"overview_state", "check_state"} <= places.keys():
        states = places["check_state"].seen_from(places["overview_state"].sheet).area
        found.append(
            ComputedRange(
                "overview_state",
                lambda *_: f'IF(SUM({states})=0,"{ALL_AS_BUILT}","{CHANGED}")',
                [[CHANGED if changed else ALL_AS_BUILT]],
            )
        )
    if "overview_answer" not in places:
        return found
    sheet = places["overview_answer"].sheet
    places = {name: grid.seen_from(sheet) for name, grid in places.items()}
    names, last = graph.network.answers, graph.output(graph.network.nodes[-1].name).id
    out, numbers = grids[last].seen_from(sheet), values[last]
    listed = places["answer_names"].area
    rows = places["overview_bar"].rows
    best = int(np.argmax(numbers))
    shown = list(range(rows)) if len(numbers) <= MOST_BARS else np.argsort(-numbers, kind="stable")[:rows].tolist()
    ranked = rows < len(numbers)

    def number(i: int, _: int) -> str:
        return f"LARGE({out.area},{i + 1})" if ranked else out.window(i, 0, 1, 1)

    def name(i: int, _: int) -> str:
        own = places["overview_number"].at(i, 0)
        return f"INDEX({listed},MATCH({own},{out.area},0))" if ranked else f"INDEX({listed},{i + 1})"

    def bar(i: int, _: int) -> str:
        own = places["overview_number"].at(i, 0)
        return f'REPT("█",ROUND({BAR}*MAX(0,{own})/MAX({out.area},{TOLERANCE}),0))'

    def tied(n: int) -> set[str]:
        """The names of all numbers that are as large, but for rounding."""
        near = np.abs(numbers - numbers[n]) <= float(TOLERANCE) * (1 + abs(numbers[n]))
        return {names[int(m)] for m in np.flatnonzero(near)}

    top = max(float(numbers.max()), float(TOLERANCE))
    bars = [min(BAR, BAR * max(0.0, float(numbers[n])) / top) for n in shown]  # a number that overflowed is no length
    bar_texts = [["█" * int(np.floor(length + 0.5))] for length in bars]
    # A bar of almost half a letter more may be rounded either way.
    bars_also = {(i, 0): {"█" * int(np.floor(x + 0.5 + e)) for e in (-1e-9, 1e-9)} for i, x in enumerate(bars)}
    name_texts = [[names[int(np.argmax(numbers == numbers[n]))] if ranked else names[n]] for n in shown]
    names_also = {(i, 0): tied(n) for i, n in enumerate(shown)} if ranked else {}
    answer = f"INDEX({listed},MATCH(MAX({out.area}),{out.area},0))"
    return [
        *found,
        ComputedRange("overview_answer", lambda *_: answer, [[names[best]]], {(0, 0): tied(best)}),
        ComputedRange("overview_number", number, [[float(numbers[n])] for n in shown]),
        ComputedRange("overview_name", name, name_texts, names_also),
        ComputedRange("overview_bar", bar, bar_texts, bars_also),
    ]
