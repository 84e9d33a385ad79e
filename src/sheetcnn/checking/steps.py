"""The sheet of the steps: the film of a kernel, and which pictures the steps take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays.array import Values
from ..model.graph import Graph
from ..model.loss import LOSS
from ..sheets.loss.content import NAMES, RIGHT, STEP_WORDS, words_view
from ..sheets.pictures.content import NUMBER as SHOWN
from ..sheets.steps.content import (
    CHOICE,
    LARGEST,
    LISTED,
    NUMBER,
    ORDER,
    ORDER_WORDS,
    ORDERS,
    SHEET,
    choice_views,
    filmed,
    frame,
    frame_size,
    order_views,
)
from .comparison import Comparison
from .report import Value


def film(comparison: Comparison, graph: Graph, values: Values) -> None:
    """The kernel that is chosen, as it is before training and after each step."""
    kernels = filmed(graph)
    if not kernels:
        return
    frames = {f"steps_film_{step}": frame_size(kernels) for step in range(graph.drawn.updates + 1)}
    single = dict.fromkeys((CHOICE, NUMBER, LARGEST), (1, 1))
    places = comparison.places("the film of a kernel", {SHEET: {**single, LISTED: (len(kernels), 1), **frames}})
    if places is None:
        return
    names = [kernel.name for kernel in kernels]
    comparison.constants(places[LISTED], [[name] for name in names])
    number_now = _number(comparison.typed(places[CHOICE]), names)
    chosen = None if np.isnan(number_now) else int(number_now)
    home = places[CHOICE].sheet
    largest = 0.0
    if chosen is not None:
        kernel = kernels[chosen - 1]
        largest = max(float(np.abs(values[array.id][kernel.index]).max()) for array in kernel.arrays)
    number = places[NUMBER]
    views = choice_views(
        places[CHOICE], places[LISTED].seen_from(home), number, [places[name] for name in frames], chosen, largest
    )
    views += [frame(graph, kernels, comparison.named.grids, number, values, chosen, step) for step in range(len(frames))]
    for view in views:
        comparison.view(view, places[view.name], home)


def orders(comparison: Comparison, values: Values) -> None:
    """Which pictures the steps take."""
    named = comparison.named
    if f"{LOSS}.order" not in named.grids:
        return
    names, count = comparison.network.answers, comparison.drawn.pictures
    answers = f"{LOSS}.answers" in named.grids
    parts: dict[str, dict[str, tuple[int, int]]] = {
        SHEET: {ORDER: (1, 1), ORDERS: (len(ORDER_WORDS), 1)},
        "Input": {SHOWN: (1, 1)},
    }
    if answers:
        parts["Loss"] = {RIGHT: (count, 1), NAMES: (len(names), 1)}
    parts.setdefault("Loss", {})["loss_words"] = (len(STEP_WORDS), 1)
    places = comparison.places("the pictures of the steps", parts)
    if places is None:
        return
    comparison.constants(places[ORDERS], [[words] for words in ORDER_WORDS])
    home = named.grids[f"{LOSS}.order"].sheet
    now = {f"{LOSS}.order": np.array([float(_number(comparison.typed(places[ORDER]), ORDER_WORDS))])}
    shown = named.value(places[SHOWN], 0, 0)
    now[f"{LOSS}.picture"] = np.array([shown if isinstance(shown, float) else np.nan])
    right = listed = None
    if answers:
        right, listed = places[RIGHT].seen_from(home), places[NAMES].seen_from(home)
        chosen = [_number(named.value(places[RIGHT], n, 0), names) for n in range(count)]
        now[f"{LOSS}.answers"] = np.array(chosen, float)
    for view in order_views(
        places[ORDER].seen_from(home), places[ORDERS], places[SHOWN].seen_from(home), right, listed, now
    ):
        grid = named.grids[f"{LOSS}.{view.name.removeprefix(f'{LOSS}_')}"]
        comparison.view(view, grid, home)
    words = places["loss_words"]
    view = words_view(named.grids[f"{LOSS}.order"].seen_from(words.sheet), float(now[f"{LOSS}.order"][0]))
    comparison.view(view, words, words.sheet)


def _number(chosen: Value, known: Sequence[str]) -> float:
    """Which entry of a list is chosen, counted from 1."""
    text = f"{chosen:g}" if isinstance(chosen, float) else str(chosen or "")
    folded = [name.casefold() for name in known]
    return float(folded.index(text.casefold()) + 1) if text.casefold() in folded else float("nan")
