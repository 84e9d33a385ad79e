"""Every cell of a workbook against NumPy.

The formulas are evaluated by `formula/`, which knows no CNN; NumPy runs each layer's `forward` on the pixels, kernels
and biases that are in the workbook now. Grids are found by their defined names only: nothing here knows the layout.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from .added import added_sheets, lists
from .comparison import KEPT, Comparison, agree, apart
from .errors import NetworkError, SheetcnnError, WorkbookError
from .formula import (
    Area,
    Book,
    Formualizer,
    Group,
    LibreOffice,
    beyond_ours,
    evaluate_with_help,
    group_formulas,
    needed,
    read_book,
)
from .formula import Engine as Helper
from .formula.a1 import cell_name
from .formula.values import BLANK, ERROR, ERRORS, NUMERIC, PENDING, TEXT
from .grid import seen_from, sheet_prefix
from .importer import open_network
from .layers.base import Arrays, Layer
from .libreoffice import recalculated
from .named_grids import NamedGrids, in_words
from .network import INPUT, Network, parse_json, parse_network
from .progress import Progress
from .report import Finding, LayerReport, Report
from .strays import Strays
from .templates import network_path

__all__ = ["KEPT", "Contents", "Engine", "Finding", "LayerReport", "Progress", "Report", "check", "read_contents"]

Engine = Literal["python", "formualizer", "libreoffice"]
ENGINES: dict[str, tuple[Helper, ...]] = {"python": (Formualizer(), LibreOffice()), "formualizer": (Formualizer(),)}
ADDED = ("gallery", "inspector", "kernel", "check", "overview", "answer")  # whose names do not begin with a layer's
SHOWN = 5  # places named in a note


@dataclass(frozen=True)
class Shown:
    """Which sheets were added for looking."""

    gallery: int  # how many cells it may have; 0: there is none
    inspector: bool


def check(
    book: str | Path, *, engine: Engine = "python", network: str | Path | None = None, progress: Progress | None = None
) -> Report:
    """Compare every computed cell of a workbook with NumPy.

    Our own evaluator computes the formulas, and formualizer or LibreOffice those that it does not know. With
    `engine="formualizer"` that one computes all; `engine="libreoffice"` takes the values from a forced recalculation.
    What a workbook is compared with is the network that it says it is of. With `network`, a file of one's own or a template's
    name, it must be of that one: the same input and layers with the same settings, whatever numbers the kernels hold.
    Raises SheetcnnError for a file that is no workbook, or none that sheetcnn made.
    """
    if engine not in get_args(Engine):
        raise SheetcnnError(f"engine {engine!r:.40}: must be {', '.join(get_args(Engine)[:-1])} or {get_args(Engine)[-1]}")
    expected = None if network is None else open_network(network_path(str(network)))[0]
    path = Path(book)
    opened = read_book(path)
    described, detail, shown = _description(opened)
    groups = group_formulas(opened)
    areas = _areas(opened, described)
    wanted = needed(opened, groups, areas)
    notes = [*opened.notes, *_left_out(opened, groups, wanted, areas)]
    if engine == "libreoffice":
        with recalculated(path) as result:
            _take_values(opened, read_book(result))
    else:
        helped = evaluate_with_help([opened], groups, wanted, ENGINES[engine], progress, ours=engine == "python")
        notes += [help.words for help in helped if engine == "python"]
    with np.errstate(all="ignore"):  # a cell's number may be as large as any: what overflows is compared, not warned of
        report = _Check(opened, groups, described, detail, engine, areas).run(shown)
    report.notes += notes
    if expected is not None and (difference := unlike(described, expected)) is not None:
        _add_first(report, *difference)
    return report


def _add_first(report: Report, layer: str, text: str) -> None:
    """A finding on what the network of a workbook is."""
    report.findings.insert(0, Finding(layer, "network", "_sheetcnn", text))
    of_layer = next((one for one in report.layers if one.layer == layer), None)
    if of_layer is None:
        of_layer = LayerReport(layer, "")
        report.layers.insert(0, of_layer)
    of_layer.findings += 1


def unlike(network: Network, expected: Network) -> tuple[str, str] | None:
    """The first layer in which two networks are not the same, and the setting in words; None where they are the same."""
    for name, here, there in _settings_of(network, expected):
        for key in dict.fromkeys((*here, *there)):
            if here.get(key) != there.get(key):
                mine, own = (json.dumps(one.get(key), ensure_ascii=False)[:100] for one in (here, there))
                return name, f"{name}: {key} is {mine} in the workbook, {own} in {expected.source}"
    common = min(len(network.nodes), len(expected.nodes))
    for longer, place in ((network, "the workbook"), (expected, expected.source)):
        if len(longer.nodes) > common:
            return longer.nodes[common].name, f"{longer.nodes[common].name}: is in {place} only"
    return None


def _settings_of_layer(layer: Layer) -> dict[str, Any]:
    """A layer's type and settings, its activation's among them; not its classic kernels, which are numbers."""
    return {"type": layer.type} | layer.model_dump(mode="json", exclude={"kernels"})


def _settings_of(*networks: Network) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """For the input and each layer its name in the first network, and all settings in both."""
    settings = []
    for network in networks:
        each = [(INPUT, network.input.model_dump(mode="json"))]
        for node in network.nodes:
            top = {"name": node.name, "input": list(node.inputs), "share": node.share}
            each.append((node.name, top | _settings_of_layer(node.layer) | {"output": list(node.shape)}))
        settings.append(each)
    return [(name, here, there) for (name, here), (_, there) in zip(*settings, strict=False)]


def _areas(book: Book, network: Network) -> list[Area]:
    """The rectangles that have names of ours: what a network's formulas are in."""
    owners = (INPUT, *(node.name for node in network.nodes), *ADDED)
    ours = tuple(f"{owner.lower()}_" for owner in owners)
    return [area for name, area in book.names.items() if name.lower().startswith(ours)]


def _left_out(book: Book, groups: list[Group], wanted: list[Group], areas: list[Area]) -> list[str]:
    """A note on formulas that people wrote beside the network: what no grid reads is not evaluated."""
    ours = {sheet for sheet, *_ in areas}
    known = {id(group) for group in wanted}
    own = [group for group in groups if id(group) not in known]
    own = [group for group in own if group.sheet not in ours or beyond_ours(book, group) is not None]
    count = sum(len(group.rows) for group in own)
    if not count:
        return []
    places = [g.sheet if g.sheet not in ours else f"{sheet_prefix(g.sheet)}{cell_name(*next(g.cells()))}" for g in own]
    some = list(dict.fromkeys(places))
    more = f" and {len(some) - SHOWN} more places" if len(some) > SHOWN else ""
    what = "1 formula that no grid reads was" if count == 1 else f"{count:,} formulas that no grid reads were"
    return [f"{what} left out: {', '.join(some[:SHOWN])}{more}"]


@dataclass(frozen=True)
class Contents:
    """What a workbook holds now: its network, the pixels, and every layer's parameters (the normalisation's under "input")."""

    network: Network
    pixels: np.ndarray
    parameters: dict[str, Arrays]


def read_contents(book: str | Path) -> Contents:
    """The network, pixels and parameters that are in a workbook now, edits included; formulas among them are evaluated.

    Raises SheetcnnError for a file that sheetcnn did not make, and where a cell holds no number, naming the first.
    """
    opened = read_book(Path(book))
    network, detail, _ = _description(opened)
    groups = group_formulas(opened)
    evaluate_with_help([opened], groups, needed(opened, groups, _areas(opened, network)), ENGINES["python"])
    named = NamedGrids(opened, network, detail)
    for name, first in named.gone.items():
        node = network.by_name[name]
        if node.share is None and any(drawing.role == "parameter" for drawing in named.drawn[name]):
            raise WorkbookError(
                f"{book}: the weights of {name} are gone: the defined name {first} is missing, and all others"
            )
    pixels, parameters, wrong = named.given()
    if wrong:
        raise WorkbookError(f"{book}: {wrong[0].cell} {wrong[0].text}")
    return Contents(network, pixels, parameters)


def _description(book: Book) -> tuple[Network, str, Shown]:
    """The network that the workbook carries along on its hidden sheet."""
    named = [sheet for name, sheet in book.sheets.items() if name == "_sheetcnn"]  # people rename hidden sheets, too
    sheet = next((sheet for sheet in [*named, *book.sheets.values()] if sheet.value(1, 1) == "sheetcnn"), None)
    if sheet is None:
        raise WorkbookError(
            f"{book.source}: was not made by sheetcnn, or its hidden sheet _sheetcnn was deleted; "
            "build it with `sheetcnn build`"
        )
    pieces = [sheet.texts[place] for place in sorted(sheet.texts) if place[0] > 1 and place[1] == 1]
    try:
        data = parse_json("".join(pieces))
        if data["format"] != 1:
            raise WorkbookError(
                f"{book.source}: was made by a newer sheetcnn (format {data['format']!r:.20}); update sheetcnn"
            )
        if "handout" in data:
            raise WorkbookError(f"{book.source}: is a handout, which has blanks; grade it with `sheetcnn grade`")
        detail = data["detail"]
        if detail not in ("compact", "steps"):
            raise ValueError(f"unknown detail {detail!r:.20}")
        gallery = data.get("gallery", 0)
        if type(gallery) is not int or not 0 <= gallery <= 1_000_000:
            raise ValueError(f"unknown gallery {gallery!r:.20}")
        inspector = data.get("inspector", False)
        if type(inspector) is not bool:
            raise ValueError(f"unknown inspector {inspector!r:.20}")
        return parse_network(data["network"], f"{book.source}: _sheetcnn"), detail, Shown(gallery, inspector)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WorkbookError(
            f"{book.source}: its sheet _sheetcnn is damaged ({str(error)[:80]}); build the workbook anew"
        ) from None
    except NetworkError as error:
        raise WorkbookError(str(error)) from None


def _take_values(book: Book, recalculated_book: Book) -> None:
    """Give formulas' cells, and what array formulas fill, the values that a spreadsheet program saved for them."""
    for name, sheet in book.sheets.items():
        other = recalculated_book.sheets.get(name)
        if other is None:
            raise WorkbookError(f"{book.source}: LibreOffice lost the sheet {name}")
        rows, columns = np.nonzero(sheet.kind == PENDING)
        inside = (rows < other.saved.shape[0]) & (columns < other.saved.shape[1])
        values = np.full(len(rows), np.nan)
        values[inside] = other.saved[rows[inside], columns[inside]]
        sheet.number[rows, columns] = np.nan_to_num(values)
        sheet.kind[rows, columns] = np.where(np.isnan(values), BLANK, NUMERIC)
        for row, column in zip(rows[np.isnan(values)].tolist(), columns[np.isnan(values)].tolist(), strict=True):
            text = other.saved_texts.get((row, column))
            if text in ERRORS:
                sheet.kind[row, column], sheet.number[row, column] = ERROR, ERRORS.index(text)
            elif text is not None:
                sheet.kind[row, column], sheet.texts[row, column] = TEXT, text


class _Check(Comparison):
    """One comparison of a workbook with NumPy."""

    def __init__(
        self, book: Book, groups: list[Group], network: Network, detail: str, engine: str, areas: list[Area]
    ) -> None:
        super().__init__(book, network, detail, engine)
        self.groups, self.areas = groups, areas

    def run(self, shown: Shown) -> Report:
        left = self.named.left
        self.reports = {INPUT: LayerReport(INPUT, "input")} | {
            node.name: LayerReport(node.name, node.layer.type) for node in self.network.nodes
        }
        self.report.layers = list(self.reports.values())
        self.missing()
        pixels, given, wrong = self.named.given()
        self.divisors(given)
        explained = lists(self, given, wrong)
        for cell in wrong:
            self.now, self.spoilt = self.reports[cell.layer], True
            if cell.cell not in explained:
                self.no_number(cell)
        values = left.run(pixels, given, self.detail)
        self.layers(left, values, given)
        added_sheets(self, shown.gallery, shown.inspector, values, given)
        self.compare_saved({name: report for name, report in self.reports.items() if name in self.sheets})
        if follow := sum(layer.follow for layer in self.report.layers):
            self.report.notes.append(f"{follow:,} more cells show errors, which follow from what is named")
        self.report.layers = [r for r in self.report.layers if r.cells or r.findings]
        return self.report

    def missing(self) -> None:
        """Name the layers that are gone; no finding, but a note, are those that read them."""
        for name, first in self.named.gone.items():
            self.now = self.reports[name]
            text = f"is missing, with all other names of {name}: its sheet was deleted; take it back, or build the workbook anew"
            self.add("missing", first, text, None, None, None)
        for lost in self.named.gone:
            readers = [name for name, read in self.named.cut_off.items() if read == lost]
            if readers:
                self.report.notes.append(f"{' and '.join(readers)} could not be checked, since {lost} is gone")

    def divisors(self, given: dict[str, Arrays]) -> None:
        """Name what pixels are divided by where that is 0 or blank."""
        for drawing in self.named.drawn[INPUT]:
            if drawing.key in ("scale", "std"):
                for index, grid, _ in self.named.each(drawing, self.grids[INPUT][drawing.key]):
                    if given[INPUT][drawing.key][index] == 0:
                        self.now, self.spoilt = self.reports[INPUT], True
                        value = self.named.value(grid, 0, 0)
                        text = f"holds {in_words(value)}, and pixels are divided by it; type another number"
                        self.add("input", self.named.where(grid, 0, 0), text, value, None, self.named.formula(grid, 0, 0))

    def layers(self, left: Network, values: dict[str, Arrays], given: dict[str, Arrays]) -> None:
        """Every computed cell of the layers that are left."""
        homes, formulas = {}, {}
        for name in [INPUT, *(node.name for node in left.nodes)]:
            homes[name] = self.named.viewpoint(name, self.named.sheets_of[name])
            seen = {} if homes[name] is None else {name: {k: seen_from(g, name) for k, g in self.grids[name].items()}}
            formulas[name] = left.formulas(name, self.detail, self.grids | seen)
        strays = list(Strays(self.named, self.groups, {name: set(keys) for name, keys in formulas.items()}))
        for header in dict.fromkeys(stray.colours for stray in strays if stray.colours is not None):
            first, *others = [stray for stray in strays if stray.colours == header]
            self.report.notes.append(first.note(len(others)))
        for node in left.nodes:
            if (moved := self.named.out_of_step(node)) is not None:
                self.report.notes.append(f"{moved}, and one SUMPRODUCT of {node.name} spans them all: move it back")
        for name, written in formulas.items():
            self.now = self.reports[name]
            for stray in strays:
                if stray.layer == name and stray.colours is None:
                    self.add("stray", stray.cell, stray.text, stray.value, None, stray.formula)
            for drawing in self.named.drawn[name]:
                self.now.grids += int(np.prod(drawing.shape[: drawing.lead]))
                if drawing.key in written:
                    want = given if drawing.role == "shared" else values
                    grids = self.grids[name][drawing.key]
                    self.compare(drawing, grids, want[name][drawing.key], written[drawing.key], homes[name])

    def compare_saved(self, reports: dict[str, LayerReport]) -> None:
        """The values that the spreadsheet program saved in grids, against those that their formulas have."""
        sheets = {self.sheets[name]: report for name, report in reports.items()}
        sheets |= {sheet: reports[name] for sheet, name in self.hidden.items()}
        others = LayerReport("other sheets", "")
        missing = 0
        for name, sheet in self.book.sheets.items():
            self.now = sheets.get(name, others)
            ours = np.zeros(sheet.kind.shape, bool)
            for _, top, left, bottom, right in (area for area in self.areas if area[0] == name):
                ours[top : bottom + 1, left : right + 1] = True
            rows, columns = sheet.formulas.places()
            missing += int(np.isnan(sheet.saved[rows, columns]).sum()) - len(sheet.saved_texts)
            rows, columns = (places[ours[rows, columns]] for places in (rows, columns))
            saved, number, kind = (array[rows, columns] for array in (sheet.saved, sheet.number, sheet.kind))
            texts = {place: text for place, text in sheet.saved_texts.items() if ours[place]}
            known = ~np.isnan(saved) & (kind == NUMERIC)
            difference, differ = apart(saved, number), ~agree(saved, number)
            if known.any():
                largest = float(np.max(difference, where=known, initial=0))
                self.now.largest_saved_difference = max(self.now.largest_saved_difference or 0.0, largest)
            for n in np.flatnonzero(known & differ):
                self.saved_differs(sheet, int(rows[n]), int(columns[n]), float(saved[n]))
            for (row, column), text in texts.items():
                unknown = (name, row, column) in self.book.problems  # an error of ours, not the program's
                if text != sheet.value(row, column) and not (unknown and text in ERRORS):
                    self.saved_differs(sheet, row, column, text)
        if others.findings:
            self.report.layers.append(others)
        if missing > 0:  # array formulas have saved texts in cells without formulas
            self.report.notes.append(
                f"{missing:,} formulas have no saved value; a spreadsheet program writes them when it saves"
            )
