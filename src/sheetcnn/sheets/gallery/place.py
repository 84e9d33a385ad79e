"""Where the gallery's thumbnails stand: in cells as large as fit a screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...arrays.array import Array, shape_text
from ...model.graph import Graph
from ...model.network import Network
from ...model.settings import INPUT
from ..flow import Flow, Places, Wiring, flow_of, in_bands, wiring
from ..page import LEFT, Page, Pen, channel_names
from ..screen import LARGE, SMALL
from .content import GALLERY, SALIENCY, SALIENCY_WORDS, kernel_thumbnails, sheet_shown, tall, thumbnails
from .stack import HEAD, LABEL, MARGINS, NAME, SHAPE, SMALL_LETTER, TRACK, Stack

LEAST, MOST = 3, 16  # pixels that a cell is wide and high
SIZES = range(MOST, LEAST - 1, -1)
WEIGHTS = (1, 0.3, 3)  # of rows against columns, where layers are arranged
WORTH = 0.7  # how much smaller cells may be, for layers in fewer lines
HEADINGS = (34, 16)  # pixels that rows' numbers and columns' letters would need: they are hidden
HEADER = (26, 18, 6)  # the heights of the rows above the thumbnails, in points
TOP = len(HEADER) + 1  # the first row of thumbnails


@dataclass(frozen=True)
class Label:
    """A text in cells that are made one, perhaps a link to a grid or a sheet."""

    row: int
    column: int
    rows: int
    columns: int
    text: str
    style: str
    layer: str = ""  # that it leads to
    map: int | None = None  # of the layer: a map, or a number of a vector
    tells_size: bool = False


@dataclass
class GalleryPage(Page):
    """The gallery with its grids, its texts and its arrows."""

    size: int = 0  # of a cell in pixels
    labels: list[Label] = field(default_factory=list)
    lines: Wiring = field(default_factory=lambda: Wiring({}))
    places: Places = field(default_factory=lambda: Places([], LEFT, [], {}, {}))
    half_head: int = 1  # rows of half an arrow's head

    @property
    def too_large(self) -> bool:
        """Whether it is larger than a large screen."""
        return any(have > room + more for have, room, more in zip(self.extent, LARGE, HEADINGS, strict=True))

    @property
    def extent(self) -> tuple[int, int]:
        """How many pixels it needs across and down, the rows above the thumbnails among them."""
        return self.columns * self.size, sum(HEADER) * 4 // 3 + (self.rows - TOP + 1) * self.size


def gallery_page(graph: Graph, limit: int, kernels: bool = True) -> GalleryPage:
    """The whole network on one sheet, a column for each layer; its cells are as large as fit a small screen, or a large one."""
    maps = {array.key: array for array in thumbnails(graph, limit)}
    flow = flow_of(graph.network)
    if SALIENCY in maps:
        flow = flow.followed_by(SALIENCY)
    filters = {array.inputs[0].owner: array for array in kernel_thumbnails(graph, limit)} if kernels else {}

    def stacks(size: int) -> list[Stack]:
        return [_stack(graph, name, size, maps.get(name), filters.get(name)) for name in flow.place]

    for screen in (SMALL, LARGE):
        largest = 0
        best: tuple[list[Stack], list[range]] | None = None
        for size in SIZES:
            found = _fitting(flow, stacks(size), *_room(screen, size))
            if found is not None and (best is None or len(found[1]) < len(best[1])):
                largest, best = size, found
            if best is not None and (len(best[1]) == 1 or size <= WORTH * largest):
                break
        if best is not None:
            return _drawn(flow, best[0][0].size, *best)
    arranged = [stack.within(SMALL[1] // 2 // LEAST) for stack in stacks(LEAST)]
    return _drawn(flow, LEAST, arranged, _bands(flow, arranged, SMALL[0] // LEAST))


def _answers(network: Network, name: str) -> bool:
    """Whether a vector's numbers are for the answers: it is the last, or only softmax or the like comes after it."""
    for node in reversed(network.nodes):
        if node.name == name or len(node.inputs) > 1:
            return node.name == name
        if (
            not (node.layer.gives_probabilities or node.layer.cellwise)
            or node.inputs[0] != network.nodes[node.number - 2].name
        ):
            return False
    return False


def _room(screen: tuple[int, int], size: int) -> tuple[int, int]:
    """How many columns and rows of cells a screen shows."""
    wide, high = (pixels + more for pixels, more in zip(screen, HEADINGS, strict=True))
    return wide // size, (high - sum(HEADER) * 4 // 3) // size


def _stack(graph: Graph, name: str, size: int, maps: Array | None, kernels: Array | None) -> Stack:
    network = graph.network
    shape = network.shapes[INPUT if name == SALIENCY else name]
    if len(shape) == 3:
        names = channel_names(network, INPUT if name == SALIENCY else name)[: maps.shape[0] if maps else 0]
    elif maps is not None and tall(shape) * size >= LABEL - 2:
        names = list(network.answers) if _answers(network, name) else [str(n + 1) for n in range(shape[0])]
    else:
        names = []
    channels: list[str] = []
    if kernels is not None:
        read = channel_names(network, network.by_name[name].inputs[0])
        channels = read if len(read) == kernels.shape[1] else []
    title = (sheet_shown(name), *(SALIENCY_WORDS if name == SALIENCY else (shape_text(shape),)))
    return Stack(name, title, size, maps, kernels, tuple(names), tuple(channels))


def _fitting(flow: Flow, stacks: list[Stack], columns: int, rows: int) -> tuple[list[Stack], list[range]] | None:
    """The layers arranged in so many columns and rows of cells; None where they do not fit.

    First all maps of a layer stand one below the other. While that is too high, the lane whose layers need least width to
    be lower gets more maps side by side.
    """
    if sum(stack.maps.count for stack in stacks if stack.maps is not None) > rows * columns:
        return None
    ways = (_lowered(flow, stacks, columns, rows, weight) for weight in WEIGHTS)
    return next((found for found in ways if found is not None), None)


def _lowered(
    flow: Flow, stacks: list[Stack], columns: int, rows: int, weight: float
) -> tuple[list[Stack], list[range]] | None:
    """The layers with more and more maps side by side until they fit; a row saved is worth so many columns."""
    while True:
        bands = _bands(flow, stacks, columns)
        high, wide = _extent(flow, stacks, bands)
        if high <= rows and wide <= columns:
            return stacks, bands
        lower = []
        for lane in {flow.place[stack.name][1] for stack in stacks}:
            among = [stack.height for stack in stacks if flow.place[stack.name][1] == lane]
            fewer = [stack.within(max(among) - 1) if flow.place[stack.name][1] == lane else stack for stack in stacks]
            if any(stack.height == max(among) for stack in fewer if flow.place[stack.name][1] == lane):
                continue  # it cannot be lower
            lower.append((_extent(flow, fewer, _bands(flow, fewer, columns)), fewer))
        if not lower:
            return None
        stacks = min(lower, key=lambda each: weight * each[0][0] / rows + each[0][1] / columns)[1]


def _extent(flow: Flow, stacks: list[Stack], bands: list[range]) -> tuple[int, int]:
    """How many rows and columns these layers need."""
    widths = _widths(flow, stacks)
    high = sum(sum(_lanes(flow, stacks, band).values()) for band in bands)
    return high, LEFT + max(sum(widths[column] for column in band) for band in bands)


def _gap(flow: Flow, column: int, stack: Stack) -> int:
    """The columns behind a column of layers."""
    return stack.cells(TRACK) * (1 + flow.track_count(column)) + stack.cells(HEAD) + 1


def _by_column(flow: Flow, stacks: Iterable[Stack]) -> list[list[Stack]]:
    by_name = {stack.name: stack for stack in stacks}
    return [[by_name[name] for name in names] for names in flow.columns]


def _widths(flow: Flow, stacks: list[Stack]) -> list[int]:
    """The columns of each column of layers with the gap behind it."""
    found = []
    for column, among in enumerate(_by_column(flow, stacks)):
        own = max(stack.before for stack in among) + max(stack.width for stack in among)
        found.append(own + (_gap(flow, column, among[0]) if column < len(flow.columns) - 1 else 0))
    return found


def _bands(flow: Flow, stacks: list[Stack], columns: int) -> list[range]:
    widths = _widths(flow, stacks)
    if sum(widths) + LEFT <= columns:
        return [range(len(widths))]
    more = stacks[0].cells(TRACK) + 2 * stacks[0].cells(HEAD) + LEFT
    return in_bands(flow, widths, columns - more)


def _lanes(flow: Flow, stacks: list[Stack], band: range) -> dict[int, int]:
    """The rows of each lane of a band: as high as its highest layer, or as a line."""
    found = dict.fromkeys(flow.lanes(band), stacks[0].cells(NAME) * 2)
    for stack in stacks:
        column, lane = flow.place[stack.name]
        if column in band:
            found[lane] = max(found[lane], stack.height)
    return found


def _drawn(flow: Flow, size: int, stacks: list[Stack], bands: list[range]) -> GalleryPage:
    page = GalleryPage(GALLERY, None, size=size)
    pen = Pen(page)
    by_column = _by_column(flow, stacks)
    widths = _widths(flow, stacks)
    one = stacks[0]
    extents: list[tuple[int, int]] = []
    sides: dict[str, tuple[int, int]] = {}
    lines: dict[tuple[int, int], int] = {}
    row = TOP
    for band, columns in enumerate(bands):
        tops = {}
        for lane, rows in _lanes(flow, stacks, columns).items():
            tops[lane], lines[band, lane] = row, row + one.cells(NAME)
            row += rows
        at = LEFT + (one.cells(TRACK) + one.cells(HEAD) if len(bands) > 1 else 0)
        for column in columns:
            before = max(stack.before for stack in by_column[column])
            extents.append((at, at + before + max(stack.width for stack in by_column[column]) - 1))
            for stack in by_column[column]:
                top = tops[flow.place[stack.name][1]]
                title = _put(pen, page, stack, top, at + before)
                sides[stack.name] = (at + before, at + before + title - 1)
            at += widths[column]
    page.places = Places(bands, LEFT, extents, sides, lines, one.cells(HEAD), one.cells(TRACK))
    page.half_head = one.cells(HEAD / 2)
    page.lines = wiring(flow, page.places)
    page.rows = max(page.rows, row - 1)
    page.columns = max(
        [page.columns, *(column for _, column in page.lines.top), *(column for _, column in page.lines.heads)]
    )
    pen.finish()
    return page


def _put(pen: Pen, page: GalleryPage, stack: Stack, top: int, left: int) -> int:
    """Place what is shown of a layer, its maps from a column on; returns how many columns its title has."""
    cells, (name, *words) = stack.cells, stack.title
    title = stack.title_width
    page.labels.append(Label(top, left, cells(NAME), title, name, "gallery_name", stack.name))
    for n, text in enumerate(words):
        at = top + cells(NAME) + n * cells(SHAPE)
        told = stack.name not in (INPUT, SALIENCY)
        page.labels.append(Label(at, left, cells(SHAPE), title, text, "gallery_text", tells_size=told))
    first = top + stack.head
    high = cells(LABEL)
    if stack.kernels is not None:
        down, along = stack.pitch_of_kernels
        start = left - stack.before + stack.numbers
        for k in range(stack.kernels.shape[0] if stack.numbers and down >= high else 0):
            text = str(k + 1)
            page.labels.append(Label(first + k * down, start - stack.numbers, high, stack.numbers, text, "gallery_label"))
        for k, c in stack.kernels.indexes():
            pen.put(stack.kernels, (k, c), first + k * down, start + c * along, "")
        for c, channel in enumerate(stack.channels if stack.tells_channels else ()):
            page.labels.append(Label(first - high, start + c * along, high, along, channel, "gallery_text"))
    if stack.maps is None:
        return title
    count, rows, columns = stack.maps.shape
    down, along = stack.pitch
    for k in range(count):
        row, column = first + k // stack.across * down, left + k % stack.across * along
        pen.put(stack.maps, (k,), row, column + stack.label, "")
        if not stack.vector:
            label = Label(
                row, column, max(high, min(rows, 2 * high)), stack.label, stack.names[k], "gallery_label", stack.name, k
            )
            page.labels.append(label)
    each = rows // max(1, len(stack.names))
    for n, text in enumerate(stack.names if stack.vector else ()):
        width = cells(len(text) * SMALL_LETTER + MARGINS)
        page.labels.append(Label(first + n * each, left + columns, each, width, text, "gallery_text", stack.name, n))
    return title
