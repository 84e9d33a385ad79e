"""A workbook's grids, found by their defined names, and what stands in their cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..a1 import cell_name, sheet_prefix
from ..arrays.array import Array, Shape, Values
from ..arrays.grid import Grid, Grids, Stack, flat
from ..errors import WorkbookError
from ..formula import Area, Book, Sheet
from ..formula.values import BLANK, NUMERIC
from ..model.drawn import Drawn
from ..model.limits import graph_of
from ..model.network import Network, Node
from ..model.settings import INPUT
from .grids import Batch, NamedAreas, batched, cell_at
from .report import Value


@dataclass(frozen=True)
class NoNumber:
    """A cell that holds something else where a number is needed."""

    layer: str
    cell: str
    value: Value
    formula: str | None
    problem: str | None = None  # why the formula could not be evaluated

    @property
    def text(self) -> str:
        if self.formula is not None and "#REF!" in self.formula:
            return f"holds {in_words(self.value)}, since what its formula read was deleted; type a number"
        if self.problem is not None:
            return f"cannot be evaluated: it {self.problem}; type a number"
        return f"holds {in_words(self.value)}, and a number is needed; type one"


class NamedGrids(NamedAreas):
    """The grids of a network's layers in a workbook, wherever its sheets and cells have moved to.

    Raises WorkbookError where a name is missing, or has another size than the network needs. Only a layer that has no
    grid left, as when its sheet was deleted, is left out.
    """

    def __init__(self, book: Book, network: Network, drawn: Drawn) -> None:
        super().__init__(book)
        self.network = network
        self.graph = graph_of(network, drawn)
        self.grids: dict[str, Grids] = {}  # by the id of their array
        self._batches: dict[str, list[Batch]] = {}
        self.there: list[str] = []  # the layers whose grids were found, "input" among them
        self.sheets: dict[str, str] = {}  # which sheet a layer's maps are on: people rename sheets
        self.sheets_of: dict[str, set[str]] = {}  # and all that its grids are on
        self.gone: dict[str, str] = {}  # layers without grids, each with the first name that is missing
        self.cut_off: dict[str, str] = {}  # layers that read, over others or not, one that is gone: which one
        for name, arrays in self.graph.of.items():
            names = [array.name(index) for array in arrays for index in array.indexes()]
            if not any(map(self.area, names)):
                self.gone[name] = names[0]
                continue
            self._note_whether_cut_off(name)
            grids = {array.id: self.find(array) for array in arrays}
            self.grids |= grids
            self.there.append(name)
            self.sheets[name] = next(flat(grids[self.graph.output(name).id]))[1].sheet
            self.sheets_of[name] = {batch.sheet for each in grids for batch in self.batches(each)}
        self.learning: dict[str, list[Array]] = {}  # the pages of the backward pass, where all of them are there
        self.no_learning: str | None = None  # why they are not
        if self.graph.learning is not None:
            self._find_learning()
        self._refuse_names_of_the_same_cells()
        if INPUT in self.gone:
            raise WorkbookError(
                f"{book.source}: the pixels are gone: the defined name {self.gone[INPUT]} and all others of the input are "
                "missing; was its sheet deleted?"
            )

    def _find_learning(self) -> None:
        """The grids of the backward pass; all of it hangs together, so that none is checked where some are missing."""
        assert self.graph.learning is not None
        pages = self.graph.learning.pages
        for name, arrays in pages.items():
            for array in arrays:
                if not all(self.area(array.name(index)) for index in array.indexes()):
                    self.no_learning = f"{array.name(next(array.indexes()))} or others of {name} are gone"
                    return
        if self.gone:
            self.no_learning = f"{' and '.join(self.gone)} is gone"
            return
        self.learning = pages
        for arrays in pages.values():
            self.grids |= {array.id: self.find(array) for array in arrays}

    def _refuse_names_of_the_same_cells(self) -> None:
        """Raise WorkbookError where grids have far more cells than the workbook: then many names lead to the same ones."""
        sizes = {name: sum(array.count for array in self.graph.of[name]) for name in self.there}
        room = sum(sheet.kind.size for sheet in self.book.sheets.values())
        if sum(sizes.values()) > 2 * room + 10_000:
            largest = max(sizes, key=lambda name: sizes[name])
            raise WorkbookError(
                f"{self.book.source}: the network's grids have {sum(sizes.values()):,} cells, {sizes[largest]:,} of them in "
                f"{largest}, the workbook only {room:,}: names lead to the same cells; build it anew"
            )

    @cached_property
    def left(self) -> Network:
        """The layers that can be checked: all but those that are gone or cut off."""
        lost = {*self.gone, *self.cut_off}
        nodes = tuple(node for node in self.network.nodes if node.name not in lost)
        return replace(self.network, nodes=nodes) if lost else self.network

    def _note_whether_cut_off(self, name: str) -> None:
        node = self.network.by_name.get(name)
        if node is None:  # the input
            return
        for read in (*node.inputs, *filter(None, [node.share])):
            lost = read if read in self.gone else self.cut_off.get(read)
            if lost is not None:
                self.cut_off[name] = lost

    # -- finding them ------------------------------------------------------------------------------------------------------
    def find(self, array: Array) -> Grids:
        """The grids of an array, nested as its leading axes are."""
        if array.one_name:
            return self._in_line(array)
        if array.shared_name:
            return [self._kernels_of(array, k) for k in range(array.shape[0])]

        def nested(index: Shape) -> Grids:
            if len(index) == array.grid_axes:
                return self.grid(array, index)
            return [nested((*index, n)) for n in range(array.shape[len(index)])]

        return nested(())

    def _kernels_of(self, array: Array, k: int) -> Stack:
        """A filter's kernels that have one name together: each stands at the height of its channel."""
        node = self.network.by_name[array.owner]
        read = node.inputs[0]
        if read in self.gone:
            raise WorkbookError(
                f"{self.book.source}: the defined name {self.gone[read]} is missing, and with it the heights at which the "
                f"kernels of {array.owner} stand; was the sheet of {read} deleted?"
            )
        channels = self.output(read)
        tops = [grid.top for grid in channels[node.layer.channels_of(k, len(channels))]]
        heights = tuple(top - tops[0] for top in tops)
        (rows, columns), (down, along) = array.size, array.spacing
        whole = self.place(array.name((k,)), (heights[-1] + (rows - 1) * down + 1, (columns - 1) * along + 1))
        return Stack(Grid(whole.sheet, whole.top, whole.left, rows, columns, array.spacing), heights)

    def _in_line(self, array: Array) -> list[Grid]:
        """The grids of an array that have one name together, at equal distances below or beside each other."""
        area = self.area(array.name())
        if area is None:
            raise WorkbookError(f"{self.book.source}: {self.lacks(array.name(), array.size)}")
        sheet, top, left, bottom, right = area
        self.book.refuse_far(*area)
        (rows, columns), (down, along), count = array.size, array.spacing, array.shape[0]
        more = bottom - top - (rows - 1) * down, right - left - (columns - 1) * along
        between = max(1, count - 1)
        if min(more) or any(n < 0 or n % between for n in more) or (count == 1 and any(more)):
            raise WorkbookError(
                f"{self.book.source}: {array.name()} stands for {count:,} grids at equal distances, and has other rows or "
                "columns than these; perhaps some were inserted or deleted"
            )
        step = more[0] // between, more[1] // between
        places = [(top + n * step[0], left + n * step[1]) for n in range(count)]
        return [Grid(sheet, row, column, rows, columns, array.spacing) for row, column in places]

    def viewpoint(self, home: str, sheets: set[str]) -> str | None:
        """The sheet `home`, if what stands on `sheets` must be compared with formulas that are written for that one.

        Mostly each cell's own sheet does, however it is called now. Not where grids of a layer were moved to several
        sheets, nor where another layer's sheet has taken the name.
        """
        taken = any(home in used for used in self.sheets_of.values())
        return None if len(sheets) == 1 and (home in sheets or not taken) else home

    def out_of_step(self, node: Node) -> str | None:
        """What was moved of that which one SUMPRODUCT of a wide layer spans; None where nothing was."""
        if not (node.live and node.layer.wide(*node.in_shapes)):
            return None
        channels = self.output(node.inputs[0])
        in_line: set[tuple[int, int]] = set()
        for k, kernels in enumerate(self.grids[f"{node.name}.weight"]):
            part = node.layer.channels_of(k, len(channels))
            read = channels[part]
            if isinstance(kernels, Stack):  # found by the channels' heights
                if (part.start, part.stop) in in_line:
                    continue
                in_line.add((part.start, part.stop))
            for c, (kernel, channel) in enumerate(zip(kernels, read, strict=True)):
                rows = kernel.top - kernels[0].top, channel.top - read[0].top
                if rows[0] != rows[1] or (kernel.sheet, kernel.left) != (kernels[0].sheet, kernels[0].left):
                    return f"{node.name}_kernel_{k + 1}_{c + 1} does not stand at the height of its channel"
                if (channel.sheet, channel.left) != (read[0].sheet, read[0].left):
                    return f"channel {c + 1} of {node.inputs[0]} does not stand in line with the others"
        return None

    def batches(self, name: str) -> list[Batch]:
        """The grids of an array, by its id."""
        if name not in self._batches:
            self._batches[name] = batched(self.grids[name])
        return self._batches[name]

    # -- reading them ------------------------------------------------------------------------------------------------------
    def output(self, name: str) -> Grids:
        """The grids that readers of a layer (or of "input") see."""
        return self.grids[self.graph.output(name).id]

    def each(self, grids: Grids) -> Iterator[tuple[Shape, Grid, Sheet]]:
        """Every grid of an array with its index and its sheet."""
        for index, grid in flat(grids):
            yield index, grid, self.book.sheets[grid.sheet]

    def given(self) -> tuple[Values, list[NoNumber]]:
        """What no formula of a layer computes, the pixels and the parameters, and which cells hold no number."""
        given: Values = {}
        wrong: list[NoNumber] = []
        for array in self.graph:
            if self._is_given(array):
                given[array.id], others = self.numbers(array.owner, array, self.grids[array.id])
                wrong += others
        return given, wrong

    def _is_given(self, array: Array) -> bool:
        """Whether its numbers are read as they are."""
        if array.role in ("loss", "bank"):
            return array.formula is None and array.id in self.grids
        frozen = array.role == "output" and array.formula is None
        return (frozen or array.role in ("parameter", "pixels")) and array.owner not in self.gone

    def given_areas(self) -> list[Area]:
        """The rectangles that those are in."""
        return [
            (grid.sheet, grid.top, grid.left, grid.bottom, grid.right)
            for array in self.graph
            if self._is_given(array)
            for _, grid in flat(self.grids[array.id])
        ]

    def numbers(self, layer: str, array: Array, grids: Grids) -> tuple[np.ndarray, list[NoNumber]]:
        """The numbers of an array as they are in the workbook now, 0 for blank cells, and which cells hold something else."""
        batches = batched(grids)
        found: np.ndarray | None = None
        wrong: list[tuple[int, Grid, int, int]] = []
        for batch in batches:
            number, kind = (batch.of(cells) for cells in self._cells(batch.sheet))
            if not (kind == NUMERIC).all():
                number = np.where(kind == NUMERIC, number, 0)
                for n, i, j in np.argwhere((kind != NUMERIC) & (kind != BLANK)).tolist():
                    wrong.append((int(batch.which[n]), batch.grid(n), i, j))
            if len(batches) == 1:
                found = number
            else:
                found = np.zeros((sum(len(each.which) for each in batches), *number.shape[1:])) if found is None else found
                found[batch.which] = number
        assert found is not None
        wrong.sort(key=lambda one: (one[0], *one[2:]))
        return found.reshape(array.shape), [self._no_number(layer, grid, i, j) for _, grid, i, j in wrong]

    def _cells(self, sheet: str) -> tuple[np.ndarray, np.ndarray]:
        return self.book.sheets[sheet].number, self.book.sheets[sheet].kind

    def _no_number(self, layer: str, grid: Grid, i: int, j: int) -> NoNumber:
        problem = self.book.problems.get((grid.sheet, *cell_at(grid, i, j)))
        return NoNumber(layer, self.where(grid, i, j), self.value(grid, i, j), self.formula(grid, i, j), problem)

    def where(self, grid: Grid, i: int, j: int) -> str:
        """The cell of one element, with its sheet."""
        row, column = cell_at(grid, i, j)
        return f"{sheet_prefix(grid.sheet)}{cell_name(row, column)}"

    def value(self, grid: Grid, i: int, j: int) -> Value:
        """What the cell of one element holds."""
        return self.book.sheets[grid.sheet].value(*cell_at(grid, i, j))

    def formula(self, grid: Grid, i: int, j: int) -> str | None:
        """The formula of one element's cell, if it has one."""
        return self.book.sheets[grid.sheet].formula(*cell_at(grid, i, j))


def in_words(value: Value) -> str:
    """A cell's value as a message shows it."""
    return f"{value:.12g}" if isinstance(value, float) else "nothing" if value is None else repr(value)
