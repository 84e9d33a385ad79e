"""Every cell of a workbook against NumPy.

The formulas are evaluated by `formula/`, which knows no CNN; NumPy runs each layer's `forward` on the pixels, kernels
and biases that are in the workbook now. Grids are found by their defined names only: nothing here knows the layout.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np

from ..a1 import cell_name, sheet_prefix
from ..arrays.array import Values
from ..errors import SheetcnnError
from ..formula import Area, Book, Formualizer, Group, beyond_ours, evaluate_with_help, group_formulas, needed, read_book
from ..formula import Engine as Helper
from ..model.drawn import Drawn
from ..model.graph import Graph, sheet_of
from ..model.loss import LOSS
from ..model.network import Network
from ..model.settings import INPUT
from ..model.weights import load_parameters
from ..office.libreoffice import recalculated
from ..opening import Opened, open_network
from ..progress import Progress
from ..reading import source_of
from ..sheets.description.content import LOOKS
from .added import added_sheets, lists
from .comparison import Comparison
from .contents import HELPERS, Shown, areas_of, described
from .epochs import epochs
from .frozen import frozen_layers
from .learning import learning
from .named_grids import in_words
from .report import Finding, LayerReport, Report
from .saved import compare_saved, take_values
from .strays import Strays
from .unlike import unlike

Engine = Literal["python", "formualizer", "libreoffice"]
ENGINES: dict[str, tuple[Helper, ...]] = {"python": HELPERS, "formualizer": (Formualizer(),)}
EARLIER = (
    "made by an earlier sheetcnn, whose sheets for looking and choosing were others: they are not checked, all layers are"
)
SHOWN = 5  # places named in a note


def check(book: Any, *, engine: Engine = "python", network: Any = None, progress: Progress | None = None) -> Report:
    """Compare every computed cell of a workbook, a path, the bytes or a stream of an .xlsx, with NumPy.

    Our own evaluator computes the formulas, and formualizer or LibreOffice those that it does not know. With
    `engine="formualizer"` that one computes all; `engine="libreoffice"` takes the values from a forced recalculation.
    What a workbook is compared with is the network that it says it is of. With `network`, a file of one's own or a template's
    name, it must be of that one: the same input and layers with the same settings, whatever numbers the kernels hold; and layers that
    are not live must hold what that network makes of the pixels in the workbook.
    Raises SheetcnnError for a file that is no workbook, or none that sheetcnn made.
    """
    if engine not in get_args(Engine):
        raise SheetcnnError(f"engine {engine!r:.40}: must be {', '.join(get_args(Engine)[:-1])} or {get_args(Engine)[-1]}")
    expected = None if network is None else open_network(network)
    path = source_of(book, "the workbook")
    opened = read_book(path)
    own, drawn, shown = described(opened)
    groups = group_formulas(opened)
    areas = areas_of(opened, own)
    wanted = needed(opened, groups, areas)
    notes = [*opened.notes, *_left_out(opened, groups, wanted, areas)]
    if engine == "libreoffice":
        with recalculated(path) as result:
            take_values(opened, read_book(result))
    else:
        helped = evaluate_with_help([opened], groups, wanted, ENGINES[engine], progress, ours=engine == "python")
        notes += [help.words for help in helped if engine == "python"]
    difference = None if expected is None else unlike(own, expected.network)
    of_network = expected if difference is None and not all(node.live for node in own.nodes) else None
    with np.errstate(all="ignore"):  # a cell's number may be as large as any: what overflows is compared, not warned of
        report = _Check(opened, groups, own, drawn, engine, areas).run(shown, of_network)
    report.notes += notes
    if difference is not None:
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


class _Check(Comparison):
    """One comparison of a workbook with NumPy."""

    def __init__(
        self, book: Book, groups: list[Group], network: Network, drawn: Drawn, engine: str, areas: list[Area]
    ) -> None:
        super().__init__(book, network, drawn, engine)
        self.groups, self.areas = groups, areas

    def run(self, shown: Shown, of_network: Opened | None = None) -> Report:
        left = self.named.left
        self.reports = {INPUT: LayerReport(INPUT, "input")} | {
            node.name: LayerReport(node.name, node.layer.type) for node in self.network.nodes
        }
        if self.drawn.training:
            self.reports[LOSS] = LayerReport(LOSS, "loss")
        self.report.layers = list(self.reports.values())
        self.missing()
        given, wrong = self.named.given()
        self.divisors(given)
        now = shown.looks == LOOKS
        if now:
            epochs(self, shown.epochs, given, wrong)
            self.explained |= lists(self, given, wrong)
        for cell in wrong:
            self.now = self.reports[cell.layer]
            self.no_number(cell)
        graph = Graph(left, self.drawn if self.named.learning else replace(self.drawn, training=False))
        values = graph.run(given)
        self.layers(graph, values)
        right = None
        if of_network is not None:
            weights, _ = load_parameters(of_network.network, of_network.folder, of_network.arrays)
            right = Graph(of_network.network).run(
                weights | {key: values[key] for key in given if key.startswith(f"{INPUT}.")}
            )
        frozen_layers(self, graph, values, shown.frozen, right)
        learning(self, graph, values)
        if now:
            added_sheets(self, shown.gallery, shown.inspector, values)
        else:
            self.report.notes.append(EARLIER)
        compare_saved(self, self.areas, {name: report for name, report in self.reports.items() if name in self.sheets})
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

    def divisors(self, given: Values) -> None:
        """Name what pixels are divided by where that is 0 or blank."""
        for array in self.graph.of[INPUT]:
            if array.key in ("scale", "std"):
                for index, grid, _ in self.named.each(self.grids[array.id]):
                    if given[array.id][index] == 0:
                        self.now, self.spoilt = self.reports[INPUT], True
                        value = self.named.value(grid, 0, 0)
                        text = f"holds {in_words(value)}, and pixels are divided by it; type another number"
                        self.add("input", self.named.where(grid, 0, 0), text, value, None, self.named.formula(grid, 0, 0))

    def layers(self, graph: Graph, values: Values) -> None:
        """Every computed cell of the layers that are left."""
        computed = {name: [array for array in arrays if array.formula is not None] for name, arrays in graph.of.items()}
        strays = list(Strays(self.named, self.groups, {array.id for arrays in computed.values() for array in arrays}))
        self.misled |= {stray.colours for stray in strays if stray.colours is not None}
        for header in sorted(self.misled):
            first, *others = [stray for stray in strays if stray.colours == header]
            self.report.notes.append(first.note(len(others)))
        for node in graph.network.nodes:
            if (moved := self.named.out_of_step(node)) is not None:
                self.report.notes.append(f"{moved}, and one SUMPRODUCT of {node.name} spans them all: move it back")
        for name, arrays in computed.items():
            self.now = self.reports[name]
            sheet = sheet_of(name)
            home = self.named.viewpoint(sheet, self.named.sheets_of[name])
            for stray in strays:
                if stray.layer == name and stray.colours is None:
                    self.add("stray", stray.cell, stray.text, stray.value, None, stray.formula)
            self.now.grids += sum(int(np.prod(array.shape[: array.grid_axes])) for array in graph.of[name])
            for array in arrays:
                self.compare(array, self.grids[array.id], values[array.id], array.written(self.grids, sheet, home), home)
