"""Lists of kernels: each kernel that still follows its list, and what the cell beside the list says of the others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..arrays.array import Array, CellFormula
from ..arrays.computed_range import ComputedRange
from ..arrays.grid import Grid, Grids, seen_from
from ..arrays.kernels import KERNELS, in_the_middle
from ..formula.values import ERRORS
from ..model.network import Node
from ..sheets.kernels.content import (
    AS_BUILT,
    BANK,
    LISTED,
    NAMES,
    PRESETS,
    built_of,
    choices_of,
    chosen_formula,
    chosen_of,
    kernel_formula,
    listed_values,
    state_formula,
    state_view,
    states_of,
)
from .comparison import Comparison, Size, agree
from .named_grids import in_words

Cells = set[str]  # with their sheets, as findings name them


def kernel_lists(comparison: Comparison, node: Node, numbers: np.ndarray) -> Cells:
    """Kernels that still follow their lists, each against the numbers of the chosen name, and what is said of the others.

    Returns the kernels' cells that are no numbers because no kernel has the name that is chosen.
    """
    named = comparison.named
    kernels = comparison.graph.get(node.name, "weight")
    arrays = built_of(kernels, kernels.spacing), choices_of(kernels), chosen_of(kernels), states_of(kernels)
    parts = {
        BANK: _sizes(LISTED) | _sizes(PRESETS) | _sizes(arrays[2]),
        node.name: _sizes(arrays[0]) | _sizes(arrays[1]) | _sizes(arrays[3]),
    }
    places = comparison.places(f"the lists of kernels of {node.name}", parts)
    if places is None:
        return set()
    built, choices, chosen, states = map(named.find, arrays)
    kept = comparison.numbers(arrays[0], built)
    names, presets = places["kernel_names"], places["kernel_presets"]
    comparison.constants(names, [[name] for name in NAMES])
    comparison.constants(presets, [kernel.ravel().tolist() for kernel in KERNELS.values()])
    _chosen_kernels(comparison, kernels, choices, chosen, (names, presets))
    sheet = comparison.sheets[node.name]
    write = kernel_formula(*(seen_from(grids, sheet) for grids in (built, choices, chosen)))
    explained: Cells = set()
    for k, grids in enumerate(comparison.grids[kernels.id]):
        name = comparison.typed(choices[k])
        wanted = listed_values(kept[k], name) if isinstance(name, str) else None
        following = _following(comparison, k, grids, write, sheet)
        if wanted is None:
            explained |= _unknown(comparison, choices[k], grids, following)
            continue
        _compare(comparison, grids, following, numbers[k], wanted)
        formula = state_formula(*(seen_from(each, sheet) for each in (grids, built[k], choices[k], chosen[k])))
        whole = all(type(named.value(grid, *at)) is float for grid in grids for at in np.ndindex(grid.rows, grid.columns))
        view = state_view(arrays[3].name((k,)), formula, numbers[k], kept[k], wanted, whole)
        comparison.view(view, states[k], sheet)
    return explained


def _sizes(array: Array) -> dict[str, Size]:
    """Rows and columns that an array's grids take, by name."""
    rows, columns = ((size - 1) * apart + 1 for size, apart in zip(array.size, array.spacing, strict=True))
    return {array.name(index): (rows, columns) for index in array.indexes()}


def _chosen_kernels(
    comparison: Comparison, kernels: Array, choices: list[Grid], chosen: list[Grid], banks: tuple[Grid, Grid]
) -> None:
    """The classic kernels that lists name, on the hidden sheet."""
    home = banks[0].sheet
    write = chosen_formula(kernels, seen_from(choices, home), *(bank.seen_from(home) for bank in banks))
    for k, grid in enumerate(chosen):
        name = str(comparison.typed(choices[k])).lower()
        if name in NAMES:
            wanted = np.zeros(kernels.size) if name == AS_BUILT else in_the_middle(name, *kernels.size)
            comparison.view(ComputedRange("", _filter_of(write, k), wanted.tolist()), grid, home)


def _filter_of(write: CellFormula, k: int) -> Callable[[int, int], str]:
    """The formulas of filter k alone."""
    return lambda i, j: write((k, i, j))


def _following(comparison: Comparison, k: int, grids: Grids, write: CellFormula, sheet: str) -> list[tuple[int, int, int]]:
    """Which cells of a filter's kernels still follow the list; the others were typed over, as anyone may."""
    return [
        (c, a, b)
        for c, grid in enumerate(grids)
        for a, b in np.ndindex(grid.rows, grid.columns)
        if (text := comparison.named.formula(grid, a, b)) is not None
        and comparison.same(text, write((k, c, a, b)), (grid.sheet, sheet))
    ]


def _unknown(comparison: Comparison, choice: Grid, grids: Grids, following: list[tuple[int, int, int]]) -> Cells:
    """Name a list that holds no kernel's name, where any cell follows it; these are returned."""
    if following:
        name = comparison.typed(choice)
        words = f"holds {in_words(name)}, which is no kernel; choose one of the list"
        comparison.add("input", comparison.named.where(choice, 0, 0), words, name, None, None)
    return {comparison.named.where(grids[c], a, b) for c, a, b in following}


def _compare(
    comparison: Comparison, grids: Grids, following: list[tuple[int, int, int]], have: np.ndarray, wanted: np.ndarray
) -> None:
    """Cells that follow the list, each against the number that it names."""
    for c, a, b in following:
        comparison.now.cells += 1
        if not agree(have[c, a, b], wanted[c, a, b]) and comparison.named.value(grids[c], a, b) not in ERRORS:
            comparison.differs(grids[c], a, b, float(wanted[c, a, b]))
