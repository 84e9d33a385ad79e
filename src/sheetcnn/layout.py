"""Where every grid of a network goes: one page (a sheet) for the input and one for each layer."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from .a1 import MAX_COLUMNS, MAX_ROWS
from .arrays.array import Array, Margin, Shape, shape_text
from .arrays.grid import Grid, Grids, flat
from .errors import LimitError
from .model.graph import Graph
from .model.limits import MAX_CELLS
from .model.network import Network, Node
from .model.settings import INPUT
from .views.gallery import GALLERY, thumbnails
from .views.inspector import CHOICES, INSPECTOR, MARKS, RESULTS, TABLE, Inspector
from .views.kernels import BANK, LISTED, NAMES, PRESETS, choosable, kept
from .views.overview import MAX_NAMED

HEADER = 7  # rows above the grids, the same on every sheet: wide kernels stand at their channels' heights
LEFT = 2  # the first column of grids; column A is a margin
GAP = 2  # columns between two grids
CELL = 22  # a cell's width and height in pixels
LETTER = 4.2  # a letter's width in a grid's label, in pixels
NO_MARGIN: Margin = (0, 0, 0, 0)
MOST_PICTURES = 254  # arguments of CHOOSE after the first
TINY = 5  # the width and height of a gallery's cells in pixels
GALLERY_TOP = 6  # the row of the first thumbnails; above them stands what layer they are of
GALLERY_LETTER = 6.5  # a letter's width there, in pixels


@dataclass(frozen=True)
class Block:
    """One grid in its place: which array it shows, and what is written above it."""

    array: Array
    index: Shape  # of the grid in its array, counted from 0
    grid: Grid
    name: str  # the defined name
    label: str
    margin: Margin = NO_MARGIN


@dataclass(frozen=True)
class Mark:
    """A text beside the grids: a label, an operator, the name of a vector's element."""

    row: int
    column: int
    text: str
    style: str


@dataclass
class Page:
    """A sheet with its grids."""

    sheet: str
    node: Node | None
    blocks: list[Block] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    grids: dict[str, Grids] = field(default_factory=dict)  # by the id of their array
    choices: dict[Shape, Grid] = field(default_factory=dict)  # by the index of the kernel that they choose
    rows: int = HEADER
    columns: int = 1

    @property
    def names(self) -> dict[str, Grid]:
        """The defined names: of each grid, or of all kernels of a filter, which have one name together."""
        found: dict[str, Grid] = {}
        for block in self.blocks:
            first = found.setdefault(block.name, block.grid)
            if first is not block.grid:
                rows, columns = block.grid.bottom - first.top + 1, first.right - first.left + 1
                found[block.name] = Grid(self.sheet, first.top, first.left, rows, columns)
        return found

    def add(self, block: Block) -> None:
        """Take a block in, with its label above it."""
        grid, (top, _, bottom, right) = block.grid, block.margin
        self.blocks.append(block)
        if block.label:
            self.marks.append(Mark(grid.top - top - 1, grid.left - block.margin[1], block.label, "label"))
        self.rows = max(self.rows, grid.bottom + bottom)
        self.columns = max(self.columns, grid.right + right)


def lay_out(graph: Graph) -> dict[str, Page]:
    """The pages by the name of what they show ("input" and the layers).

    Raises LimitError, naming the layer, the number and the limit, where a spreadsheet could not hold it.
    """
    network = graph.network
    pages = {INPUT: _input_page(graph)}
    for node in network.nodes:
        if len(node.shape) == 3:
            read = pages[node.inputs[0]].grids[graph.output(node.inputs[0]).id]
            pages[node.name] = _maps_page(network, node, graph.of[node.name], read)
        else:
            pages[node.name] = _vector_page(network, node, graph.of[node.name])
        _refuse_too_large(network, node.title, pages[node.name])
    return pages


def gallery_page(graph: Graph, limit: int) -> Page:
    """The whole network on one sheet: a column for each layer, its maps one below the other."""
    page = Page(GALLERY, None)
    pen = _Pen(page)
    column = LEFT
    for array in thumbnails(graph, limit):
        title = f"{array.key}: {shape_text(graph.network.shapes[array.key])}"
        page.marks.append(Mark(GALLERY_TOP - 1, column, title, array.key))
        row = GALLERY_TOP + 1
        for k in range(array.shape[0]):
            pen.put(array, (k,), row, column + 1, "", (1, 1, 1, 1))  # a frame, so that an empty map is seen too
            row += array.shape[1] + 3
        column += max(array.shape[2] + 2, math.ceil(len(title) * GALLERY_LETTER / TINY)) + 4
    return pen.finish()


def inspector_places(inspector: Inspector) -> dict[str, Grid]:
    """Where the inspector's named rectangles are: on its own sheet, on the hidden one, and on the layers' sheets."""
    places = {}

    def put(name: str, size: tuple[int, int], row: int, column: int, sheet: str = INSPECTOR) -> None:
        places[name] = Grid(sheet, row, column, *size)

    sizes = inspector.sizes()
    first = HEADER + 1  # of the panel and of the windows beside it
    for n, choice in enumerate(CHOICES):
        put(f"inspector_{choice}", (1, 1), first + n, 3)
    put("inspector_limit", (3, 1), first + 1, 4)
    put("inspector_source", (1, 1), first + 5, 3)
    put("inspector_first", (2, 1), first + 6, 3)
    put("inspector_last", (2, 1), first + 6, 4)
    put("inspector_word", (len(RESULTS), 1), first + 9, 2)
    put("inspector_divisor", (1, 1), first + 9, 4)
    put("inspector_result", (len(RESULTS), 1), first + 9, 3)
    put("inspector_scale", (2, 1), first + 10 + len(RESULTS), 3)
    column = 5
    for name in ("channel", "window", "kernel", "product", "sum", "part"):
        if (size := sizes.get(f"inspector_{name}")) is not None:
            put(f"inspector_{name}", size, first, column)
            column += size[1] + (name != "channel")
    row = 2
    for name, size in inspector.hidden_sizes().items():
        put(name, size, row, 2, TABLE)
        row += size[0] + 2
    taken: dict[str, int] = {}
    for stack in inspector.stacks.values():  # in the margin of the sheet, where nothing else is
        sheet = stack.grids[0].sheet
        put(stack.name, (len(MARKS), 1), first + taken.get(sheet, 0), 1, sheet)
        taken[sheet] = taken.get(sheet, 0) + len(MARKS)
    return places


def kernels_page(graph: Graph) -> Page:
    """The bank of kernels: the classic ones, then those of each layer as they were built."""
    page = Page(BANK, None)
    pen = _Pen(page)
    pen.put(LISTED, (), HEADER + 2, LEFT, "")
    pen.put(PRESETS, (), HEADER + 3, LEFT + 6, "")
    row = HEADER + len(NAMES) + 5
    for array in kept(graph):
        page.marks.append(Mark(row - 1, LEFT, array.owner, "strong"))
        rows, columns = array.size
        for index in array.indexes():
            place = int(np.ravel_multi_index(index[1:], array.shape[1 : array.grid_axes]))
            pen.put(array, index, row + 1 + index[0] * (rows + 2), LEFT + place * (columns + 1), "")
        row = page.rows + 4
    _refuse_too_large(graph.network, "the kernels", page)
    return pen.finish()


def pictures_page(network: Network, count: int) -> Page:
    """The bank of several pictures: side by side, their channels one below the other.

    Raises LimitError where they are too many for a formula that chooses among them, or for a sheet.
    """
    if count > MOST_PICTURES:
        raise LimitError(f"{network.source}: {count} pictures are too many; a formula can choose among {MOST_PICTURES}")
    page = Page("_pictures", None)
    pen = _Pen(page)
    channels, rows, columns = network.input.shape
    if count * channels * rows * columns > MAX_CELLS:
        raise LimitError(
            f"{network.source}: {count} pictures have {count * channels * rows * columns:,} pixels; a spreadsheet takes "
            f"{MAX_CELLS:,}; give fewer, or a smaller input"
        )
    array = Array("picture", (count, channels, rows, columns), owner=INPUT, role="bank", grid_axes=2)
    for p, c in np.ndindex(count, channels):
        pen.put(array, (p, c), HEADER + 2 + c * (rows + 2), LEFT + p * (columns + GAP), "")
    _refuse_too_large(network, "the pictures", page)
    return pen.finish()


def channel_names(network: Network, name: str) -> list[str]:
    """What the channels of a layer's output are called: R, G, B for a colour picture, else 1, 2, 3."""
    if name == INPUT and network.input.channels == 3:
        return ["R", "G", "B"]
    return [str(c + 1) for c in range(network.shapes[name][0])]


def _refuse_too_large(network: Network, title: str, page: Page) -> None:
    for have, limit, what in ((page.rows, MAX_ROWS, "rows"), (page.columns, MAX_COLUMNS, "columns")):
        if have > limit:
            raise LimitError(
                f"{network.source}: {title}: its sheet would have {have:,} {what}; Excel allows {limit:,}; make it smaller"
            )


def _label(texts: list[str], columns: int) -> str:
    """The longest text that fits above a grid of so many columns and the gap beside it."""
    room = (columns + GAP) * CELL
    return next((text for text in texts if len(text) * LETTER <= room), texts[-1])


def _room(text: str) -> int:
    """How many columns a text needs."""
    return math.ceil(len(text) * LETTER / CELL)


class _Pen:
    """Places the grids of one page and collects them by array."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._found: dict[str, dict[Shape, Grid]] = {}

    def put(self, array: Array, index: Shape, top: int, left: int, label: str, margin: Margin = NO_MARGIN) -> Grid:
        # Columns have letters up to Excel's last: what goes beyond is refused before any is asked for.
        rows, columns = array.size
        last = left + (columns - 1) * array.spacing[1]
        if last > MAX_COLUMNS:
            raise LimitError(
                f'the sheet of "{array.owner}" would have at least {last:,} columns; Excel allows {MAX_COLUMNS:,}; make the layer smaller'
            )
        grid = Grid(self.page.sheet, top, left, rows, columns, array.spacing)
        self.page.add(Block(array, index, grid, array.name(index), label, margin))
        self._found.setdefault(array.id, {})[index] = grid
        return grid

    def finish(self) -> Page:
        for name, grids in self._found.items():
            self.page.grids[name] = _nested(grids)
        return self.page


def _nested(grids: dict[Shape, Grid]) -> Grids:
    """Grids by index as nested lists."""
    if () in grids:
        return grids[()]
    inner: dict[int, dict[Shape, Grid]] = {}
    for index, grid in grids.items():
        inner.setdefault(index[0], {})[index[1:]] = grid
    return [_nested(part) for part in inner.values()]


def _input_page(graph: Graph) -> Page:
    network, settings = graph.network, graph.network.input
    page = Page("Input", None)
    pen = _Pen(page)
    margin = network.margin(INPUT)
    top, left, bottom, right = margin
    pitch = top + settings.height + bottom + 2
    arrays = {array.key: array for array in graph.of[INPUT]}
    for c, name in enumerate(channel_names(network, INPUT)):
        row = HEADER + 1 + c * pitch + 1 + top
        column = LEFT + left
        what = f"channel {name}"
        pen.put(arrays["channel"], (c,), row, column, what, NO_MARGIN if settings.normalizes else margin)
        column += settings.width + right + GAP
        if not settings.normalizes:
            continue
        for key in ("scale", "mean", "std"):
            if key in arrays and (key != "scale" or c == 0):
                pen.put(arrays[key], () if key == "scale" else (c,), row, column, key)
            if key in arrays:
                column += _room(key) + 1
        pen.put(arrays["normalized"], (c,), row, column + left, f"{what}, normalized", margin)
    return pen.finish()


def _maps_page(network: Network, node: Node, arrays: list[Array], read: Grids) -> Page:
    """A page of feature maps: one band per map, read left to right like the equation."""
    page = Page(node.name, node)
    pen = _Pen(page)
    output = arrays[-1]
    # The sum first, then what is added to it, then kernels with what is made of them.
    parts = sorted(arrays[:-1], key=lambda d: (d.grid_axes > 1, d.grid_axes == 1 and d.role != "step"))
    paired = [array for array in parts if array.grid_axes > 1]  # a grid for each filter and input channel
    wide = node.layer.wide(*node.in_shapes)
    slots: list[tuple[Array, Shape]] = [(array, ()) for array in parts if array.grid_axes == 1]
    if not wide:
        places = sorted({rest for array in paired for rest in np.ndindex(*array.shape[1 : array.grid_axes])})
        slots += [(d, rest) for rest in places for d in paired if all(map(int.__lt__, rest, d.shape[1 : d.grid_axes]))]
    margin = network.margin(node.name)
    top, left, bottom, right = margin
    chooses = choosable(node)  # then a list of kernels stands below each kernel
    heights = [d.margin[0] + (d.size[0] - 1) * d.spacing[0] + 1 + d.margin[2] + chooses for d, _ in slots]
    pitch = 1 + max([top + output.size[0] + bottom, *(top + height for height in heights)]) + 1
    channels = channel_names(network, node.inputs[0])
    forms = {array.key: _form(array, node.shape[0], channels) for array in parts}
    map_label = _label([f"map {node.shape[0]}", str(node.shape[0])], output.size[1] + left + right)
    for k in range(node.shape[0]):
        label = f"map {k + 1}" if map_label.startswith("map") else str(k + 1)
        pen.put(output, (k,), HEADER + 2 + k * pitch + top, LEFT + left, label, margin)
    column = LEFT + left + output.size[1] + right + GAP
    before = output
    for array, rest in slots:
        width = array.margin[1] + (array.size[1] - 1) * array.spacing[1] + 1 + array.margin[3]
        form, letters = forms[array.key]
        sign = array.sign if array.sign is not None else "=" if before.label in ("map", "sum") else "+"
        for k in range(array.shape[0]):
            seen = channels[node.layer.channels_of(k, len(channels))]
            # What belongs to several maps, such as the mean of a group, stands beside the first of them.
            several = node.shape[0] // array.shape[0] if node.shape[0] % array.shape[0] == 0 else 1
            row = HEADER + 2 + k * max(1, several) * pitch + top
            if paired and sign:
                page.marks.append(Mark(row, column - 1, sign, "sign"))
            label = form.format(k=k + 1, c=_channel(array, rest, seen)).replace("channel all", "all channels")
            pen.put(array, (k, *rest), row + array.margin[0], column + array.margin[1], label, array.margin)
        column += max(width, _room(letters) - GAP + 1) + GAP
        before = array if sign else before
    if wide:
        _wide_kernels(node, paired[0], pen, column, read, channels)
    if chooses:
        _choices(page)
    return pen.finish()


def _choices(page: Page) -> None:
    """A cell below each kernel, as wide as the kernel, for choosing another."""
    for block in page.blocks:
        if block.array.key == "weight":
            grid = block.grid
            page.choices[block.index] = Grid(page.sheet, grid.bottom + 1, grid.left, 1, grid.right - grid.left + 1)
            page.rows = max(page.rows, grid.bottom + 1)


KERNEL = ("filter {k} · channel {c}", "channel {c}", "ch {c}", "{c}")
DEEP = ("filter {k} · depth {c}", "depth {c}", "{c}")


def _form(array: Array, maps: int, channels: list[str]) -> tuple[str, str]:
    """The longest form of a array's label that fits above all its grids, so that bands stay alike; and its longest text."""
    longest = max([*channels, "all"] if array.grid_axes == 2 and array.shape[1] == 1 else channels, key=len)
    width = array.margin[1] + (array.size[1] - 1) * array.spacing[1] + 1 + array.margin[3]
    forms = array.labels or (DEEP if array.grid_axes > 2 else KERNEL if array.label == "kernel" else (array.label,))
    texts = {form.format(k=maps, c=longest): form for form in forms}
    text = _label(list(texts), width)
    return texts[text], text


def _channel(array: Array, rest: Shape, seen: list[str]) -> str:
    """What the input channel (or the depth) of a grid is called."""
    if len(rest) > 1:
        return str(rest[-1] + 1)
    if not rest:
        return ""
    return seen[rest[0]] if len(seen) == array.shape[1] else "all"


def _wide_kernels(node: Node, array: Array, pen: _Pen, column: int, read: Grids, channels: list[str]) -> None:
    """A filter's kernels one below the other at the heights of their channels: one SUMPRODUCT then spans them all."""
    width = (array.size[1] - 1) * array.spacing[1] + 1
    names = max(_room(f"channel {name}") for name in channels)
    column += names + 1
    tops = {name: grid.top for name, (_, grid) in zip(channels, flat(read), strict=True)}
    for name, top in tops.items():
        pen.page.marks.append(Mark(top, column - names - 1, f"channel {name}", "label"))
    for k in range(node.shape[0]):
        for c, name in enumerate(channels[node.layer.channels_of(k, len(channels))]):
            label = _label([f"filter {k + 1}", str(k + 1)], width) if c == 0 else ""
            pen.put(array, (k, c), tops[name], column, label)
        column += width + GAP - 1


def _vector_page(network: Network, node: Node, arrays: list[Array]) -> Page:
    """A page of a vector: one row for each of its numbers, the output first, then what it is made of."""
    page = Page(node.name, node)
    pen = _Pen(page)
    above = [d for d in arrays if d.role == "step" and len(d.shape) == 2]  # a row over the weights
    columns = [arrays[-1], *(d for d in arrays[:-1] if len(d.shape) == 1 and d.role == "step")]
    columns += [d for d in arrays[:-1] if len(d.shape) == 1 and d.role != "step"]
    tables = [d for d in arrays[:-1] if len(d.shape) == 2 and d.role != "step"]
    first = HEADER + 2 + (3 if above else 0)
    last_labels = network.settings.labels if node is network.nodes[-1] else None
    names = list(last_labels) if last_labels else [str(n + 1) for n in range(node.shape[0])]
    column = LEFT + min(8, max(1, *(_room(name) for name in names[:MAX_NAMED]))) + 1
    for n, name in enumerate(names[:MAX_NAMED]):
        page.marks.append(Mark(first + n, LEFT, name, "element"))
    for array in columns:
        pen.put(array, (), first, column, array.label)
        column += max(1, _room(array.label)) + 1
    column += 1
    for array in tables:
        for row in above:
            pen.put(row, (), first - 3, column, "input, as a row")
        pen.put(array, (), first, column, f"{array.label}: a row for each output, a column for each input")
        column += array.size[1] + GAP
    return pen.finish()
