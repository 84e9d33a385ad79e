"""Recorded epochs in the workbook: the list on the Overview with its curves, the formulas of parameters, and the hidden sheet."""

from __future__ import annotations

import numpy as np
from openpyxl.chart import Reference, ScatterChart, Series
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, Font, Paragraph, ParagraphProperties, RegularTextRun
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ...a1 import LETTERS
from ...arrays.array import CellFormula
from ...arrays.grid import Grid
from ...model.snapshots import Recorded
from ...xlsx import palette
from ...xlsx.cells import CellBlock
from ...xlsx.draft import WorkbookDraft
from ...xlsx.labels import merged, put
from ...xlsx.styles import FONT
from ..answer.look import widen
from ..content import WorkbookContent
from ..page import LEFT
from .content import (
    CHOICE,
    EPOCHS,
    LISTED,
    NUMBER,
    bank_name,
    chosen_name,
    chosen_views,
    followers,
    measured_name,
    recorded_formula,
    recording_of,
)
from .place import (
    CHART_COLUMNS,
    CHART_ROWS,
    CHOSEN_COLUMNS,
    FIRST,
    HEAD,
    MEASURED,
    MEASURED_COLUMNS,
    NUMBER_COLUMNS,
    ROW,
    WORDS,
    bank_places,
    bank_rows,
    chosen_places,
)

WHAT = "Choose another: every sheet then shows the network as it was after that epoch."
TITLES = {"loss": "loss on held-out pictures", "accuracy": "right answers"}
FORMATS = {"loss": "0.000", "accuracy": "0.0%"}
CHART = 8.6, 4.6  # centimetres
LINE, CHOSEN_MARK, GRIDLINE = "6B7280", "C2410C", "E5E7EB"


def recorded_formulas(content: WorkbookContent, owner: str, sheet: str) -> dict[str, CellFormula]:
    """The formulas of a layer's parameters of which epochs are recorded, by their ids, for its sheet."""
    if content.recorded is None:
        return {}
    recording = recording_of(content.recorded)
    banks, number = bank_places(content.graph, recording), chosen_places(recording)[NUMBER].seen_from(sheet)
    return {
        array.id: recorded_formula(array.shape, banks[bank_name(array)].seen_from(sheet), number)
        for array in followers(content.graph, recording.parameters)
        if array.owner == owner
    }


def epochs_sheet(draft: WorkbookDraft, content: WorkbookContent) -> None:
    """The hidden sheet of all epochs: their numbers, what was measured, and a row for each number of each parameter."""
    recorded = content.recorded
    assert recorded is not None
    sheet = draft.sheet(EPOCHS)
    sheet.sheet_state = "hidden"
    put(sheet, 1, LEFT, "Epochs", "title")
    put(
        sheet,
        2,
        LEFT,
        "A column for each recorded epoch, a row for each number: the kernel of the first filter row by row, and so on.",
        "words",
    )
    places = bank_places(content.graph, recording_of(recorded))
    rows = {LISTED: np.array(recorded.epochs, float)} | {measured_name(key): own for key, own in recorded.measured.items()}
    for name, numbers in rows.items():
        put(sheet, places[name].top, LEFT, name.removeprefix("epoch_").replace("list", "epoch"), "strong")
        _pour(draft, name, places[name], numbers.reshape(1, -1))
    for array in followers(content.graph, recorded.parameters):
        place = places[bank_name(array)]
        put(sheet, place.top - 1, LEFT, array.id, "strong")
        _pour(draft, bank_name(array), place, recorded.parameters[array.id].reshape(len(recorded.epochs), -1).T)


def _pour(draft: WorkbookDraft, name: str, place: Grid, numbers: np.ndarray) -> None:
    draft.name(name, place)
    style = draft.style("formula", palette.number_format(numbers))
    draft.fill(place.sheet, CellBlock(place, np.ascontiguousarray(numbers), style))


def epoch_line(draft: WorkbookDraft, sheet: Worksheet, recorded: Recorded, more: str) -> None:
    """The list of epochs on the Overview, and what was measured at the chosen one; `more` is to be said beside it."""
    places, last = chosen_places(recording_of(recorded)), recorded.epochs[-1]
    put(sheet, ROW, LEFT, "epoch", "strong")
    put(sheet, ROW, places[CHOICE].left, last, "choice")
    merged(sheet, ROW, places[CHOICE].left, 1, CHOSEN_COLUMNS)
    put(sheet, ROW, WORDS, f"{WHAT} {more}".strip(), "row")
    listed = Grid(EPOCHS, HEAD, FIRST, 1, len(recorded.epochs)).seen_from(sheet.title)
    choice = DataValidation(type="list", formula1=listed.area, allow_blank=False, showErrorMessage=True)
    choice.error, choice.errorTitle = "Choose one of the recorded epochs.", "No such epoch"
    sheet.add_data_validation(choice)
    choice.add(places[CHOICE].at(0, 0))
    draft.name(CHOICE, places[CHOICE])
    for n, key in enumerate(recorded.measured):
        put(sheet, ROW, MEASURED + n * MEASURED_COLUMNS, TITLES[key].partition(" on ")[0], "aside_right")
        merged(sheet, ROW, MEASURED + n * MEASURED_COLUMNS, 1, MEASURED_COLUMNS - NUMBER_COLUMNS - 2)
    known = places | bank_rows(recording_of(recorded))
    for view in chosen_views(known, recorded.measured, len(recorded.epochs) - 1, len(recorded.epochs) - 1):
        key = view.name.removeprefix("epoch_").removesuffix("_now")
        if key in FORMATS:
            widen(sheet, places[view.name], NUMBER_COLUMNS)
        style = draft.style("strong", FORMATS[key]) if key in FORMATS else draft.style("plain", ";;;")
        draft.view(view, places[view.name], style)


def epoch_curves(sheet: Worksheet, recorded: Recorded, row: int) -> int:
    """What was measured, as charts on the Overview with the chosen epoch marked; returns the next free row."""
    recording = recording_of(recorded)
    if len(recorded.epochs) < 2 or not recording.measured:
        return row
    rows, chosen = bank_rows(recording), chosen_places(recording)
    for n, key in enumerate(recording.measured):
        chart = _chart(TITLES[key], recorded.epochs[-1], share=key == "accuracy")
        chart.series += [
            _series(rows[LISTED], rows[measured_name(key)], LINE, 4),
            _series(chosen[CHOICE], chosen[chosen_name(key)], CHOSEN_MARK, 9),
        ]
        sheet.add_chart(chart, f"{LETTERS[LEFT + n * CHART_COLUMNS]}{row}")
    return row + CHART_ROWS


def _chart(title: str, last: int, share: bool) -> ScatterChart:
    """A small chart by epoch; of a share from 0 to 1."""
    chart = ScatterChart("lineMarker")
    chart.title = Title(tx=Text(rich=_text(900, title)), overlay=False)
    chart.legend, chart.roundedCorners = None, False
    chart.width, chart.height = CHART
    chart.visible_cells_only = False  # its numbers stand on a hidden sheet
    chart.x_axis.scaling.min, chart.x_axis.scaling.max = 0, last
    chart.x_axis.number_format, chart.x_axis.majorGridlines = "General", None
    chart.y_axis.number_format, chart.y_axis.scaling.min = "0%" if share else "General", 0
    if share:
        chart.y_axis.scaling.max, chart.y_axis.majorUnit = 1, 0.25
    chart.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill=GRIDLINE))
    for axis in (chart.x_axis, chart.y_axis):
        axis.delete, axis.txPr = False, _text(800)
    return chart


def _text(size: int, words: str = "") -> RichText:
    """How a chart's texts look, in hundredths of a point; with `words`, which are one of them."""
    looks = CharacterProperties(sz=size, b=False, solidFill=palette.INK, latin=Font(typeface=FONT))
    runs = [RegularTextRun(rPr=looks, t=words)] if words else None
    return RichText(p=[Paragraph(pPr=ParagraphProperties(defRPr=looks), r=runs, endParaRPr=None if words else looks)])


def _series(xs: Grid, ys: Grid, colour: str, size: int) -> Series:
    """A curve through marked points, or a single mark."""
    series = Series(*(Reference(range_string=place.reference) for place in (ys, xs)))
    series.marker.symbol, series.marker.size = "circle", size
    series.marker.graphicalProperties = GraphicalProperties(solidFill=colour)
    series.marker.graphicalProperties.line.solidFill = colour
    series.graphicalProperties.line.solidFill = colour
    series.graphicalProperties.line.width = 19_000  # EMU
    series.smooth = False
    return series
