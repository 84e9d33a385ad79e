"""The answer on a sheet: what is read and whether it is right, and bars."""

from __future__ import annotations

import numpy as np
from openpyxl.styles import Font, PatternFill

from ...arrays.grid import Grid
from ...model.settings import INPUT
from ...xlsx import palette
from ...xlsx.draft import WorkbookDraft, area_of
from ...xlsx.labels import Sheet, merged, put
from ...xlsx.rules import where
from ..content import WorkbookContent
from ..input.place import SCREEN, InputPage
from ..page import LEFT
from ..pictures.content import NUMBER, TRUTH
from ..pictures.place import number_place, truth_place
from .content import BAR, FULL, NAMES, NEGATIVE, RIGHT, WRONG, answer_views
from .place import NUMBER_COLUMNS, answer_places

STYLES = {
    "answer": "read",
    "verdict": "strong",
    "truly": "strong",
    "name": "aside",
    "bar": "bar",
    "number": "note",
    "full": "note",
}
VERDICT_COLUMNS = 8
FULL_BAR = BAR * FULL
OTHER_NUMBERS = f"a full bar is the largest in size; {NEGATIVE}: negative"


def answer_on_input(draft: WorkbookDraft, content: WorkbookContent) -> None:
    """The answer beside the pixels."""
    page = content.pages[INPUT]
    assert isinstance(page, InputPage)
    if page.answer is None:
        return
    sheet, room, network = draft.book[page.sheet], page.answer, content.network
    places = answer_places(network, room, INPUT, content.knows_truth)
    draft.whole.append(room)
    put(sheet, room.top, room.left, "reads", "row")
    bars, numbers = places["input_bar"], places["input_number"]
    put(sheet, bars.top - 1, bars.left, FULL_BAR, "full_bar")
    if network.gives_probabilities:
        put(sheet, bars.top - 1, numbers.left, "= 100 %", "soft")
    else:
        put(sheet, bars.top - 2, room.left, OTHER_NUMBERS, "soft")
    for grid in (numbers, places.get("input_full")):
        if grid is not None:
            widen(sheet, grid, NUMBER_COLUMNS)
    draw_answer(draft, content, places, INPUT, VERDICT_COLUMNS)
    if room.right <= SCREEN:
        sheet.sheet_view.zoomScale = 100  # what is to be seen together fits


def widen(sheet: Sheet, grid: Grid, columns: int) -> None:
    """Make each cell of a column so many wide; what is poured into it stands in the first."""
    for row in range(grid.top, grid.bottom + 1):
        merged(sheet, row, grid.left, 1, columns)


def draw_answer(
    draft: WorkbookDraft, content: WorkbookContent, places: dict[str, Grid], home: str, verdict_columns: int
) -> None:
    """Pour the answer's cells into their places; all that they read has its place too."""
    network, count = content.network, len(content.truth)
    also = {NAMES: answer_names(content)}
    if content.knows_truth:
        also[TRUTH] = truth_place(count)
        if content.pictures:
            also[NUMBER] = number_place()
    truth = next(iter(content.truth.values()), 0)
    largest = float(np.abs(content.values[_last(content)]).max())
    fixed = "0.00" if largest == 0 or 0.05 <= largest < 10_000 else "0.0E+0"
    numbers = "0.0%" if network.gives_probabilities else fixed
    for view in answer_views(content.graph, content.grids, places | also, content.values, home, truth):
        key = view.name.removeprefix(f"{home}_")
        formats = {"number": numbers, "full": f'"= "{numbers}'}
        style = draft.style(STYLES[key], formats.get(key, "General"))
        draft.view(view, places[view.name], style)
    sheet = draft.book[places[f"{home}_answer"].sheet]
    bar, number = places[f"{home}_bar"], places[f"{home}_number"]
    if not network.gives_probabilities:
        below = where(f"{number.at(0, 0)}<0", font=Font(color=palette.NEGATIVE))
        sheet.add_rules(area_of(bar), below)
    if f"{home}_verdict" in places:
        verdict = places[f"{home}_verdict"]
        area = area_of(Grid(verdict.sheet, verdict.top, verdict.left, 1, verdict_columns))
        for word, fill, ink in ((RIGHT, palette.RIGHT, palette.INK), (WRONG, palette.WRONG, palette.WRONG_INK)):
            looks = {"fill": PatternFill("solid", bgColor=fill), "font": Font(color=ink, bold=True)}
            sheet.add_rules(area, where(f'{verdict.area}="{word}"', **looks))


def answer_names(content: WorkbookContent) -> Grid:
    """Where the names of the last layer's numbers stand, beside them on their sheet."""
    out = content.grids[_last(content)]
    return Grid(content.network.nodes[-1].name, out.top, LEFT, out.rows, 1)


def _last(content: WorkbookContent) -> str:
    return content.graph.output(content.network.nodes[-1].name).id
