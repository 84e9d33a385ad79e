"""Every cell of a workbook against NumPy.

The formulas are evaluated by `formula/`, which knows no CNN; NumPy runs each layer's `forward` on the pixels, kernels
and biases that are in the workbook now. Grids are found by their defined names only: nothing here knows the layout.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .errors import FormulaError, NetworkError, WorkbookError
from .formula import Book, Group, Sheet, evaluate, group_formulas, read_book
from .formula.a1 import cell_name
from .formula.parser import Tree, parse, skeleton
from .formula.values import BLANK, BOOLEAN, ERROR, ERRORS, NUMERIC, TEXT
from .grid import Grid, Grids, flat, seen_from, sheet_prefix
from .kernels import KERNELS
from .layers.base import Arrays, Drawing, Shape
from .libreoffice import recalculated
from .named_grids import NamedGrids, NoNumber, cut, in_words
from .network import INPUT, Network, Node, parse_network
from .progress import Progress
from .report import Finding, Kind, LayerReport, Report, Value
from .views.check import check_sizes, check_views
from .views.gallery import GALLERY, thumbnail_formula, thumbnail_values, thumbnails
from .views.inspector import CHOICES, MARKS, Inspector, inspector_views
from .views.kernels import NAMES, choosable, kernel_formula, kernel_values
from .views.overview import gives_answer, overview_sizes, overview_views
from .views.view import View

__all__ = ["Contents", "Engine", "Finding", "LayerReport", "Progress", "Report", "check", "read_contents"]

TOLERANCE = 1e-9  # absolute plus relative
LARGEST = float(np.finfo(float).max)
KEPT = 1000  # findings of one kind and layer that are kept; all are counted
Engine = Literal["python", "libreoffice"]


@dataclass(frozen=True)
class Shown:
    """Which sheets were added for looking."""

    gallery: int  # how many cells it may have; 0: there is none
    inspector: bool


def check(book: str | Path, *, engine: Engine = "python", progress: Progress | None = None) -> Report:
    """Compare every computed cell of a workbook with NumPy.

    `engine="libreoffice"` takes the values from a forced recalculation in LibreOffice instead of our own evaluator.
    Raises SheetcnnError for a file that is no workbook, or none that sheetcnn made.
    """
    path = Path(book)
    opened = read_book(path)
    network, detail, shown = _description(opened)
    groups = group_formulas(opened)
    saved = {name: sheet.saved for name, sheet in opened.sheets.items()}
    if engine == "libreoffice":
        with recalculated(path) as result:
            _take_values(opened, read_book(result))
    else:
        evaluate(opened, groups, progress)
    with np.errstate(all="ignore"):  # a cell's number may be as large as any: what overflows is compared, not warned of
        return _Check(opened, groups, network, detail, engine, saved).run(shown)


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
    evaluate(opened, group_formulas(opened))
    pixels, parameters, wrong = NamedGrids(opened, network, detail).given()
    if wrong:
        raise WorkbookError(f"{book}: {wrong[0].cell} {wrong[0].text}")
    return Contents(network, pixels, parameters)


def _description(book: Book) -> tuple[Network, str, Shown]:
    """The network that the workbook carries along on its hidden sheet."""
    sheet = book.sheets.get("_sheetcnn")
    if sheet is None or sheet.value(1, 1) != "sheetcnn":
        raise WorkbookError(
            f"{book.source}: was not made by sheetcnn (it has no sheet _sheetcnn); build it with `sheetcnn build`"
        )
    pieces = [sheet.texts[place] for place in sorted(sheet.texts) if place[0] > 1 and place[1] == 1]
    try:
        data = json.loads("".join(pieces))
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
    """Give formulas' cells the values that a spreadsheet program saved for them."""
    for name, sheet in book.sheets.items():
        other = recalculated_book.sheets.get(name)
        if other is None:
            raise WorkbookError(f"{book.source}: LibreOffice lost the sheet {name}")
        for row, cells in sheet.formulas.items():
            columns = np.array([column for column, _ in cells])
            inside = columns < other.saved.shape[1] if row < other.saved.shape[0] else np.zeros(len(columns), bool)
            values = np.full(len(columns), np.nan)
            values[inside] = other.saved[row, columns[inside]]
            sheet.number[row, columns] = np.nan_to_num(values)
            sheet.kind[row, columns] = np.where(np.isnan(values), BLANK, NUMERIC)
            for column in columns[np.isnan(values)].tolist():
                text = other.saved_texts.get((row, column))
                if text in ERRORS:
                    sheet.kind[row, column], sheet.number[row, column] = ERROR, ERRORS.index(text)
                elif text is not None:
                    sheet.kind[row, column], sheet.texts[row, column] = TEXT, text


class _Check:
    """One comparison of a workbook with NumPy."""

    def __init__(
        self, book: Book, groups: list[Group], network: Network, detail: str, engine: str, saved: dict[str, np.ndarray]
    ) -> None:
        self.book, self.groups, self.network, self.detail, self.saved = book, groups, network, detail, saved
        self.named = NamedGrids(book, network, detail)
        self.grids, self.sheets = self.named.by_layer, dict(self.named.sheets)  # of layers; sheets of what is added, too
        self.report = Report(book.source, engine, network.settings.name)
        self.hidden: dict[str, str] = {}  # which report a hidden sheet belongs to
        self.kept: dict[tuple[str, str], int] = {}
        self.now: LayerReport = LayerReport("", "")

    def run(self, shown: Shown) -> Report:
        reports = {INPUT: LayerReport(INPUT, "input")} | {
            n.name: LayerReport(n.name, n.layer.type) for n in self.network.nodes
        }
        self.report.layers = list(reports.values())
        pixels, given, wrong = self.named.given()
        for cell in wrong:
            self.now = reports[cell.layer]
            self.no_number(cell)
        values = self.network.run(pixels, given, self.detail)
        for name, drawings in self.named.drawn.items():
            self.now = reports[name]
            formulas = self.network.formulas(name, self.detail, self.grids)
            self.strays(name)
            for drawing in drawings:
                self.now.grids += int(np.prod(drawing.shape[: drawing.lead]))
                if drawing.key in formulas:
                    want = given if drawing.role == "shared" else values
                    self.compare(drawing, self.grids[name][drawing.key], want[name][drawing.key], formulas[drawing.key])
        for node in self.network.nodes:
            if choosable(node):
                self.now = reports[node.name]
                self.kernels(node, given[node.name]["weight"])
        self.gallery(shown.gallery, values, reports)
        if shown.inspector:
            self.inspector(values, given, reports)
        self.summary(values, reports)
        self.compare_saved(reports)
        self.report.layers = [r for r in self.report.layers if r.cells or r.findings]
        return self.report

    def gallery(self, limit: int, values: dict[str, Arrays], reports: dict[str, LayerReport]) -> None:
        """The thumbnails, each cell against the map that it shows."""
        drawings = thumbnails(self.network, limit)
        if not drawings:
            return
        owner = GALLERY.lower()
        self.now = reports[owner] = LayerReport(owner, "thumbnails")
        self.report.layers.append(self.now)
        for drawing in drawings:
            grids = self.named.find(owner, drawing)
            self.sheets[owner] = next(flat(grids))[1].sheet
            self.now.grids += drawing.shape[0]
            shown = thumbnail_values(drawing.key, values)[: drawing.shape[0]]
            self.compare(drawing, grids, shown, thumbnail_formula(self.network, drawing.key, self.grids))

    def inspector(self, values: dict[str, Arrays], given: dict[str, Arrays], reports: dict[str, LayerReport]) -> None:
        """The inspector, each cell against what NumPy says of the place that is chosen."""
        inspector = Inspector(self.network, self.grids, self.detail)
        sizes = inspector.sizes() | inspector.hidden_sizes()
        sizes |= {stack.name: (len(MARKS), 1) for stack in inspector.stacks.values()}
        places = {name: self.named.place(name, size) for name, size in sizes.items()}
        self.now = reports["inspector"] = LayerReport("inspector", "one cell")
        self.report.layers.append(self.now)
        self.sheets["inspector"] = places["inspector_window"].sheet
        self.hidden[places["inspector_table"].sheet] = "inspector"
        for name, wanted in (("table", inspector.table.tolist()), ("words", inspector.words), ("labels", inspector.labels)):
            self.constants(places[f"inspector_{name}"], wanted)
        self.constants(places["inspector_layers"], inspector.names)
        choice = {name: self.typed(places[f"inspector_{name}"]) for name in CHOICES}
        if str(choice["layer"]).lower() not in [name.lower() for (name,) in inspector.names]:
            cell = self.named.where(places["inspector_layer"], 0, 0)
            words = f"holds {in_words(choice['layer'])}, which is no layer that can be inspected; choose one of the list"
            self.add("input", cell, words, choice["layer"], None, None)
            return
        for view in inspector_views(inspector, places, values, given, choice):
            self.view(view, places[view.name])

    def summary(self, values: dict[str, Arrays], reports: dict[str, LayerReport]) -> None:
        """The Check sheet and the Overview: how far edits reach, and what the network answers."""
        sizes = check_sizes(self.network) | overview_sizes(self.network)
        places = {name: self.named.place(name, size) for name, size in sizes.items()}
        self.sheets |= {"check": places["check_sum"].sheet, "overview": places["overview_state"].sheet}
        self.now = reports["check"] = LayerReport("check", "as built?")
        sums, largest = (
            self.typed_numbers(name, places[name]).reshape(-1) for name in ("check_sum_built", "check_largest_built")
        )
        checks = check_views(self.network, self.grids, places, values, (sums, largest))
        for view in checks:
            self.view(view, places[view.name])
        self.now = reports["overview"] = LayerReport("overview", "answer" if gives_answer(self.network) else "state")
        if "answer_names" in places:
            self.constants(places["answer_names"], [[name] for name in self.network.answers])
        changed = sum(state for (state,) in checks[-1].values)
        for view in overview_views(self.network, self.grids, places, values, changed):
            self.view(view, places[view.name])
        self.report.layers += [reports["check"], reports["overview"]]

    def typed_numbers(self, name: str, grid: Grid) -> np.ndarray:
        """Numbers that were written as such."""
        return self.numbers(Drawing(name, name, "view", (grid.rows, grid.columns), 0), grid)

    def numbers(self, drawing: Drawing, grids: Grids) -> np.ndarray:
        """Numbers that no formula computes, each cell that holds none being named."""
        numbers, wrong = self.named.numbers(self.now.layer, drawing, grids)
        for cell in wrong:
            self.no_number(cell)
        return numbers

    def kernels(self, node: Node, numbers: np.ndarray) -> None:
        """Kernels that still follow their lists, each against the numbers of the chosen name."""
        filters, channels, rows, columns = numbers.shape
        bank = Drawing("weight", "built", "bank", numbers.shape, 2)
        built = self.named.find(node.name, bank)
        kept = self.numbers(bank, built)
        choices = self.named.find(node.name, Drawing("choice", "choice", "view", (filters, channels), 2))
        sheet = self.sheets[node.name]
        names = self.named.place("kernel_names", (len(NAMES), 1)), self.named.place("kernel_presets", (len(KERNELS), 9))
        self.constants(names[0], [[name] for name in NAMES])
        self.constants(names[1], [kernel.ravel().tolist() for kernel in KERNELS.values()])
        write = kernel_formula(
            node, seen_from(built, sheet), seen_from(choices, sheet), *(grid.seen_from(sheet) for grid in names)
        )
        kernels = Drawing("weight", "kernel", "parameter", numbers.shape, 2)
        for (k, c), grid, _ in self.named.each(kernels, self.grids[node.name]["weight"]):
            chosen = self.typed(choices[k][c])
            wanted = kernel_values(kept[k, c], chosen) if isinstance(chosen, str) else None
            if wanted is None:
                cell = self.named.where(choices[k][c], 0, 0)
                words = f"holds {in_words(chosen)}, which is no kernel; choose one of the list"
                self.add("input", cell, words, chosen, None, None)
                continue
            for a, b in np.ndindex(rows, columns):
                text = self.named.formula(grid, a, b)
                if text is None or not _same(text, write((k, c, a, b)), grid.sheet):
                    continue  # typed over, as anyone may
                self.now.cells += 1
                if not _agree(numbers[k, c, a, b], wanted[a, b]):
                    self.differs(grid, a, b, float(wanted[a, b]))

    def view(self, view: View, grid: Grid) -> None:
        """Every cell of an added sheet's rectangle: its formula, and its number or text."""
        sheet = self.book.sheets[grid.sheet]
        self.now.grids += 1
        self.now.cells += grid.rows * grid.columns
        named = self.structure((), grid, sheet, 2, lambda at: view.formula(*at))
        for i, j in np.ndindex(grid.rows, grid.columns):
            value, want = self.named.value(grid, i, j), view.values[i][j]
            if isinstance(want, str):
                same = value == want or (want == "" and value is None) or value in view.also.get((i, j), ())
            else:
                same = type(value) is float and bool(_agree(value, want))
                if type(value) is float:
                    self.now.largest_difference = max(self.now.largest_difference, float(_apart(value, want)))
            if not same and (i, j) not in named:
                self.differs(grid, i, j, want)

    def constants(self, grid: Grid, wanted: list[list[Any]]) -> None:
        """Numbers and texts that must be as they were written."""
        for i, line in enumerate(wanted):
            for j, want in enumerate(line):
                value = self.named.value(grid, i, j)
                if isinstance(value, float) and isinstance(want, int | float):  # LibreOffice saves 15 digits
                    same = abs(value - want) <= 1e-12 * abs(want)
                else:
                    same = value == want or not (value or want)
                if not same:
                    text = f"is {in_words(value)}; it was {in_words(want)}"
                    self.add("changed", self.named.where(grid, i, j), text, value, want, self.named.formula(grid, i, j))

    def typed(self, grid: Grid) -> Value:
        """What stands in a cell that is chosen or typed."""
        return self.named.value(grid, 0, 0)

    # -- reading and comparing -----------------------------------------------------------------------------------------
    def compare(self, drawing: Drawing, grids: Grids, values: np.ndarray, write: Callable[[Shape], str]) -> None:
        """Every cell of a computed drawing: is it still the formula that belongs there, and has it NumPy's value?"""
        inner = len(drawing.shape) - drawing.lead
        for index, grid, sheet in self.named.each(drawing, grids):
            want = np.asarray(values[index]).reshape(grid.rows, grid.columns)
            number, kind = (cut(array, grid) for array in (sheet.number, sheet.kind))
            difference, wrong = _apart(number, want), (kind != NUMERIC) | ~_agree(number, want)
            self.now.cells += number.size
            good = kind == NUMERIC
            if good.any():
                self.now.largest_difference = max(
                    self.now.largest_difference, float(np.nanmax(difference[good], initial=0.0))
                )
            named = self.structure(index, grid, sheet, inner, write)
            for i, j in np.argwhere(wrong):
                if (i, j) not in named:
                    self.differs(grid, i, j, float(want[i, j]))

    def differs(self, grid: Grid, i: int, j: int, want: float | str) -> None:
        cell, formula = self.named.where(grid, i, j), self.named.formula(grid, i, j)
        value = self.named.value(grid, i, j)
        reason = self.book.problems.get((grid.sheet, grid.top + int(i), grid.left + int(j)))
        if reason is not None:
            text = f"cannot be evaluated: it {reason}"
        else:
            is_ = value if isinstance(value, str) else f"{value:.12g}" if value is not None else "blank"
            text = f"is {is_ or 'empty'}, NumPy says {want or 'empty' if isinstance(want, str) else f'{want:.12g}'}"
        known = want if isinstance(want, str) or np.isfinite(want) else None
        self.add("value", cell, text, value, known, formula)

    def structure(
        self, index: Shape, grid: Grid, sheet: Sheet, inner: int, write: Callable[[Shape], str]
    ) -> set[tuple[int, int]]:
        """Name the cells of a grid that hold no formula, or one that reads other cells than it should."""
        named = set()
        columns = range(grid.left, grid.right + 1, grid.spacing[1])
        for i in range(grid.rows):
            row = grid.top + i * grid.spacing[0]
            cells = sheet.formulas.get(row, [])
            have = cells[bisect_left(cells, (grid.left, "")) : bisect_left(cells, (grid.right + 1, ""))]
            want = [(column, write((*index, *(i, j)[:inner]))) for j, column in enumerate(columns)]
            if have == want:
                continue
            found = dict(have)
            for j, (column, text) in enumerate(want):
                written = found.get(column)
                if written == text:
                    continue
                cell = self.named.where(grid, i, j)
                if written is None:
                    value = self.named.value(grid, i, j)
                    what = "is blank" if value is None else f"was overwritten by {in_words(value)}"
                    self.add("overwritten", cell, f"its formula {what}; it was ={text}", value, None, None)
                elif not _same(written, text, grid.sheet):
                    reason = self.book.problems.get((grid.sheet, row, column))
                    more = f" ({reason})" if reason else ""
                    what = f"no longer reads like its neighbours: ={written}{more}; it was ={text}"
                    self.add("changed", cell, what, self.named.value(grid, i, j), None, written)
                else:
                    continue
                named.add((i, j))
        return named

    def strays(self, name: str) -> None:
        """Name the numbers that lie in no grid but are read by formulas of grids: in padding, or between kernels' elements."""
        drawn = [grid for drawing in self.named.drawn[name] for _, grid in flat(self.grids[name][drawing.key])]
        for sheet_name in {grid.sheet for grid in drawn}:
            sheet = self.book.sheets[sheet_name]
            loose = (sheet.kind == NUMERIC) | (sheet.kind == BOOLEAN) | (sheet.kind == ERROR)
            for grid in drawn:
                cut(loose, grid)[...] = False
            number = self.book.names.get("input_picture_number")  # which of several pictures is shown: pixels read it
            if number is not None and number[0] == sheet_name:
                loose[number[1], number[2]] = False
            for row, column in np.argwhere(loose)[:KEPT].tolist():
                if self.is_read(sheet_name, row, column):
                    value = sheet.value(row, column)
                    cell = f"{sheet_prefix(sheet_name)}{cell_name(row, column)}"
                    text = f"holds {in_words(value)} where padding or the gaps of a kernel must be blank; clear it"
                    self.add(
                        "stray",
                        cell,
                        text,
                        value if isinstance(value, float | str) else None,
                        None,
                        sheet.formula(row, column),
                    )

    def is_read(self, sheet: str, row: int, column: int) -> bool:
        """Whether a layer's formulas read a cell; the Overview and the Check sheet may read what they like."""
        for group in self.groups:
            if group.sheet not in self.sheets.values():
                continue
            for n, (name, rows, columns) in enumerate(group.shapes):
                top, left = group.tops[:, n], group.lefts[:, n]
                if (
                    name == sheet
                    and ((top <= row) & (row < top + rows) & (left <= column) & (column < left + columns)).any()
                ):
                    return True
        return False

    def compare_saved(self, reports: dict[str, LayerReport]) -> None:
        """The values that the spreadsheet program saved, against those that its formulas have."""
        sheets = {self.sheets[name]: report for name, report in reports.items()}
        sheets |= {sheet: reports[name] for sheet, name in self.hidden.items()}
        others = LayerReport("other sheets", "")
        missing = 0
        for name, sheet in self.book.sheets.items():
            if not sheet.formulas:
                continue
            self.now = sheets.get(name, others)
            rows, columns = sheet.formulas.places()
            saved, number, kind = (array[rows, columns] for array in (self.saved[name], sheet.number, sheet.kind))
            missing += int(np.isnan(saved).sum()) - len(sheet.saved_texts)
            if self.now is others:
                others.cells += len(rows)
            known = ~np.isnan(saved) & (kind == NUMERIC)
            difference, differ = _apart(saved, number), ~_agree(saved, number)
            largest = float(np.max(difference, where=known, initial=0))
            if known.any():
                self.now.largest_saved_difference = max(self.now.largest_saved_difference or 0.0, largest)
            for n in np.flatnonzero(known & differ):
                self.saved_differs(sheet, int(rows[n]), int(columns[n]), float(saved[n]))
            for (row, column), text in sheet.saved_texts.items():
                unknown = (name, row, column) in self.book.problems  # an error of ours, not the program's
                if text != sheet.value(row, column) and not (unknown and text in ERRORS):
                    self.saved_differs(sheet, row, column, text)
        if others.cells:
            self.report.layers.append(others)
        if missing:
            self.report.notes.append(
                f"{missing:,} formulas have no saved value; a spreadsheet program writes them when it saves"
            )

    def saved_differs(self, sheet: Sheet, row: int, column: int, saved: float | str) -> None:
        now = sheet.value(row, column)
        had, has = in_words(saved), in_words(now)
        text = f"was saved as {had}, but its formula gives {has}; open the workbook and save it again"
        self.add(
            "saved", f"{sheet_prefix(sheet.name)}{cell_name(row, column)}", text, saved, now, sheet.formula(row, column)
        )

    # -- words -----------------------------------------------------------------------------------------------------------
    def no_number(self, cell: NoNumber) -> None:
        self.add("input", cell.cell, cell.text, cell.value, None, cell.formula)

    def add(
        self,
        kind: Kind,
        cell: str,
        text: str,
        value: Value,
        expected: Value,
        formula: str | None,
    ) -> None:
        self.now.findings += 1
        key = (self.now.layer, kind)
        self.kept[key] = self.kept.get(key, 0) + 1
        if self.kept[key] <= KEPT:
            self.report.findings.append(Finding(self.now.layer, kind, cell, text, value, expected, formula))


def _apart(one: Any, other: Any) -> Any:
    """How far apart two numbers are: no more than the largest double, since a report holds no infinity."""
    return np.minimum(np.abs(np.subtract(one, other)), LARGEST)


def _agree(have: Any, want: Any) -> Any:
    """Whether numbers are as they should be; nothing agrees with what is not finite."""
    return np.isfinite(want) & (_apart(have, want) <= TOLERANCE * (1 + np.abs(want)))


def _same(one: str, other: str, sheet: str) -> bool:
    """Whether two formulas mean the same: spaces, `$`, quotes and the writing of numbers do not count."""

    def meaning(text: str) -> tuple[Tree, list[tuple[str, int, int, int, int]]]:
        whole, references = skeleton(text)
        return parse(whole), [(r.sheet or sheet, r.top, r.left, r.rows, r.columns) for r in references]

    try:
        return meaning(one) == meaning(other)
    except (FormulaError, RecursionError):  # trees too deep to be compared are no formulas of ours
        return False
