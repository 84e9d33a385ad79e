"""The Overview: what the network is, how to use the workbook, the layers as a table."""

from __future__ import annotations

import math

import numpy as np
from openpyxl.styles import Border, PatternFill, Side
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.worksheet import Worksheet

from ...a1 import LETTERS
from ...arrays.array import shape_text
from ...arrays.grid import Grid
from ...model.loss import LOSS
from ...model.network import Network
from ...model.settings import INPUT
from ...xlsx import palette
from ...xlsx.cells import CellBlock
from ...xlsx.draft import WorkbookDraft
from ...xlsx.labels import dress, merged, put
from ..answer.content import NAMES, answer_sizes, gives_answer
from ..answer.content import OVERVIEW as HOME
from ..answer.look import FULL_BAR, OTHER_NUMBERS, answer_names, draw_answer, widen
from ..check.content import CHECK
from ..content import WorkbookContent
from ..epochs.look import epoch_curves, epoch_line
from ..gallery.content import GALLERY
from ..inspector.table import INSPECTOR
from ..page import LEFT
from .content import OVERVIEW, overview_views
from .diagram import diagrams_of, draw_diagram

# Columns are narrow and many, so that boxes and arrows can stand where they should; texts have several of them.
MARGIN, UNIT = 2, 1.3  # the widths of column A and of all others
COLUMNS = 122  # of the others: together as wide as a window of 1,366 pixels at 100 %
LAST = LEFT + COLUMNS - 1
LETTERS_A_UNIT = 1.1  # of a column's width, on the average, in lines that break between words
LINE, MOST_HEIGHT = 14, 400  # the height of a line of text, and of the highest row, in points
HEAD_HEIGHT = 116  # of title, words and picture, at least, in points
PICTURE, SEVERAL, EACH = 16, 48, 8  # columns of a picture, of several, and of one of these
SIZES = {
    (False, False): 150,
    (True, False): 64,
    (True, True): 430,
}  # in pixels: of a picture, of each of several, of many together
DIAGRAM = 5  # its first row
INDENT = 4  # columns before the text of links, the state, and the like
SECOND = 72  # the column in which the answer or the legend stands, beside how to use the workbook
ANSWER = (SECOND + 1, SECOND + 11, SECOND + 29)  # the columns of names, bars and numbers
STATE = LEFT + INDENT + 36  # the column of the state, beside the links
NUMBER = 8  # columns of a number
VERDICT = SECOND + 26  # the column of whether the answer is right
MOST_NAMED = 4  # layers in a sentence
WHAT = (
    "A {kind}neural network, laid out in cells: it looks at a {picture} ({shape} numbers), layer by layer. Each layer makes "
    "new grids of numbers, its feature maps, from those of the layer before."
)
WORDS = (
    ("channel", "one of the grids that a layer reads: a colour of the picture, or a feature map of the layer before"),
    ("kernel", "a small grid of weights, laid on one channel"),
    ("filter", "a kernel for each channel, and one bias: together they make one feature map"),
    (
        "window",
        "the cells of a channel that a kernel lies on; each is multiplied by the weight on it, and all products are summed",
    ),
    ("feature map", "what a filter found: a cell for each place of its windows"),
    ("bias", "a number that is added to the sum of all channels, once"),
    ("activation", "what is done to each sum, after the bias: ReLU sets what is negative to 0"),
    ("stride", "how many cells a window moves to its next place: with 2, maps are half as wide"),
    ("padding", "blank cells around a channel, so that windows fit at its edge; they count as 0"),
    ("pooling", "makes each map smaller by itself: of each window the largest number, or the mean"),
)
USE = (
    "Click a layer's name to go to its sheet. Shaded layers have weights.",
    "Click a cell of a feature map and read it: it is an ordinary formula.{apart}",
    "{typed}",
    "The sheet Check tells which maps your edit has reached. Undo brings everything back.",
)
USE_BACK = "The lower row leads back, from the loss to each layer's gradients, along which training steps down."
TYPED = "Type a new number into a blue cell (a pixel, a kernel, a bias, a weight): every later map follows."
CHOSEN = (
    "Type over a blue number (a kernel, a bias), or a pixel in a yellow cell of Input: maps follow."  # of several pictures
)
ALTERNATIVE = "{name}: the picture that {network} reads, at the size that it reads"
TOGETHER = "{name}: the pictures that {network} reads, at the size that it reads"
# The table: its heads, and how many columns each has.
HEADS = {"": 2, "layer": 13, "type": 14, "settings": 30, "output C×H×W": 10, "parameters": 34, "multiplications": 11}
HEADS["sees (pixels)"] = COLUMNS - sum(HEADS.values())
SWATCH = 3  # columns of a colour in the legend
OUTLINE = Border(*[Side("thin", color=palette.RULE)] * 4)
SWATCHES = (
    (palette.MAPS, palette.MAPS_RULE),
    (palette.WEIGHTS, palette.WEIGHTS_RULE),
)


def overview_sheet(draft: WorkbookDraft, sheet: Worksheet, content: WorkbookContent, checked: dict[str, Grid]) -> None:
    """Everything at a glance; `checked` are the Check sheet's columns."""
    sheet.page_setup.orientation = "portrait"  # a long page: table, legend and words on one
    sheet.sheet_view.showRowColHeaders = False  # a page to read: the letters of so many columns would be none
    sheet.column_dimensions["A"].width = MARGIN
    sheet.column_dimensions["B"] = ColumnDimension(sheet, index="B", min=LEFT, max=LAST, width=UNIT, customWidth=True)
    _head(draft, sheet, content)
    diagrams = diagrams_of(content.graph, DIAGRAM, LEFT, COLUMNS)
    for diagram in diagrams:
        draw_diagram(sheet, diagram)
    row = diagrams[-1].bottom + 1 if diagrams else DIAGRAM
    apart = f" The sheet {INSPECTOR} takes it apart." if INSPECTOR in draft.blocks else ""
    typed = CHOSEN if content.pictures else TYPED
    use = (*USE, USE_BACK) if content.learning else USE
    for below, text in enumerate(use):
        put(sheet, row + below, LEFT, f"{below + 1}   {text.format(apart=apart, typed=typed)}", "row")
    loss = [content.learning[LOSS].sheet] if content.learning else []
    links = [name for name in (GALLERY, INSPECTOR) if name in draft.blocks] + ["Input", *loss, CHECK]
    for n, name in enumerate(links):
        put(sheet, row + len(use), LEFT + INDENT + n * NUMBER, name, "link", name)
    answered = _computed(draft, sheet, content, checked, row, row + len(use))
    below = row + len(use) + 1
    if content.recorded is not None:
        below = epoch_curves(sheet, content.recorded, below + 1)
    legend = _legend(draft, sheet, *((below + 1, LEFT) if answered > row else (row, SECOND)))
    row = _table(sheet, content, max(below, legend, answered) + 1)
    _words(sheet, row + 2)


def _head(draft: WorkbookDraft, sheet: Worksheet, content: WorkbookContent) -> None:
    """The title, what this is, and the pictures beside it."""
    network = content.network
    put(sheet, 1, LEFT, network.settings.name, "title")
    sheet.row_dimensions[1].height = 28
    columns = COLUMNS - _pictures(draft, sheet, content)
    for row, text in ((2, _what(network)), (3, network.settings.about)):
        put(sheet, row, LEFT, text, "body")
        merged(sheet, row, LEFT, 1, columns)
        sheet.row_dimensions[row].height = _height(text, columns * UNIT) + 6
    words = "   ".join(filter(None, [_not_live(network), _not_learned(content)]))
    if content.recorded is not None:
        epoch_line(draft, sheet, content.recorded, words)
    else:
        put(sheet, 4, LEFT, words, "row")
    used = sum(sheet.row_dimensions[row].height for row in (1, 2, 3))
    sheet.row_dimensions[4].height = max(
        24 if content.recorded else 18 if words else 8, HEAD_HEIGHT - used if content.pngs else 0
    )


def _what(network: Network) -> str:
    """What kind of thing this is, for who never saw one."""
    shapes = [shape for node in network.nodes for shape in node.layer.all_parameters(*node.in_shapes).values()]
    kind = "convolutional " * any(len(shape) > 2 for shape in shapes)  # kernels have rows and columns
    picture = "picture" if network.input.channels in (1, 3) else "grid of numbers"
    return WHAT.format(kind=kind, picture=picture, shape=shape_text(network.input.shape))


def _height(text: str, width: float) -> float:
    """The height of a row, in points, that shows a text in a column so wide."""
    return min(MOST_HEIGHT, LINE * math.ceil(len(text) / (width * LETTERS_A_UNIT)))


def _not_live(network: Network) -> str:
    """That layers are numbers, where any are: no edit reaches these."""
    count = sum(not node.live for node in network.nodes)
    if not count:
        return ""
    return f"{count} of {len(network.nodes)} layers are not live: numbers that NumPy computed, which follow no edit."


def _not_learned(content: WorkbookContent) -> str:
    """That weights are random, where any are: who looks for sense in such maps looks in vain."""
    nodes = content.network.nodes
    weighted = {
        node.name for node in nodes if any(len(shape) > 1 for shape in node.layer.all_parameters(*node.in_shapes).values())
    }
    names = [node.name for node in nodes if node.name in content.random]
    if not names:
        return ""
    if weighted <= content.random:
        return "Weights are random: this network has not learned."
    if len(names) > MOST_NAMED:
        return f"Weights are random in {len(names)} of {len(weighted)} layers that have some: these have not learned."
    layers = " and ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])
    return f"Weights of {layers} are random: {'it has' if len(names) == 1 else 'they have'} not learned."


def _computed(
    draft: WorkbookDraft, sheet: Worksheet, content: WorkbookContent, checked: dict[str, Grid], row: int, state: int
) -> int:
    """What the network answers, with bars, from a row on, and the state of the check in another; returns the next free row."""
    column = STATE + NUMBER * bool(content.learning)  # beside a link more
    places = checked | {"overview_state": Grid(OVERVIEW, state, column + 5, 1, 1)}
    put(sheet, state, column, "state", "soft")
    for view in overview_views(places, 0):
        draft.view(view, places[view.name], draft.style("strong"))
    return _answer(draft, sheet, content, row) if gives_answer(content.network) else row


def _answer(draft: WorkbookDraft, sheet: Worksheet, content: WorkbookContent, row: int) -> int:
    """What the network answers, and bars; returns the next free row."""
    names, bars, numbers = ANSWER
    corners = {"answer": (row, SECOND + 6), "verdict": (row, VERDICT), "truly": (row, VERDICT + NUMBER)}
    corners |= {"full": (row + 1, numbers), "name": (row + 2, names), "bar": (row + 2, bars), "number": (row + 2, numbers)}
    sizes = answer_sizes(content.network, HOME, content.knows_truth)
    places = {name: Grid(OVERVIEW, *corners[name.removeprefix(f"{HOME}_")], *size) for name, size in sizes.items()}
    put(sheet, row, SECOND, "answer", "soft")
    put(sheet, row + 1, bars, FULL_BAR, "full_bar")
    draft.name(NAMES, answer_names(content))
    draw_answer(draft, content, places, HOME, COLUMNS + LEFT - VERDICT)
    row += 2 + sizes[f"{HOME}_bar"][0]
    if content.network.gives_probabilities:
        put(sheet, places[f"{HOME}_bar"].top - 1, numbers, "= 100 %", "soft")
    else:
        widen(sheet, places[f"{HOME}_full"], NUMBER)
        put(sheet, row, bars, OTHER_NUMBERS, "soft")
        row += 1
    widen(sheet, places[f"{HOME}_name"], bars - names)
    widen(sheet, places[f"{HOME}_number"], NUMBER)
    return row


def _pictures(draft: WorkbookDraft, sheet: Worksheet, content: WorkbookContent) -> int:
    """The input as a picture at the right, or all of several with their names; returns how many columns they take."""
    several, together = len(content.pictures) > 1, len(content.pngs) < len(content.pictures)  # many of them are one
    first = LAST + 1 - (SEVERAL if several else PICTURE)
    for n, (name, png) in enumerate(content.pngs.items()):
        row, column = (2 if several and not together else 1), first + n * EACH
        words = (TOGETHER if together else ALTERNATIVE).format(name=name, network=content.network.settings.name)
        draft.picture(sheet, png, f"{LETTERS[column]}{row}", words, SIZES[several, together])
        if several and not together:
            put(sheet, 1, column, name, "soft")
    return LAST + 2 - first if content.pngs else 0


def _legend(draft: WorkbookDraft, sheet: Worksheet, row: int, column: int) -> int:
    """What colours mean; returns the next free row."""
    text = column + 3 * SWATCH
    put(sheet, row, column, "12", "typed")
    merged(sheet, row, column, 1, SWATCH)
    put(sheet, row, text, "  blue numbers are for typing, black ones are formulas", "soft")
    row += 1
    put(sheet, row, column, "12", "listed")
    merged(sheet, row, column, 1, SWATCH)
    put(sheet, row, text, "  green numbers are filled in by a yellow list; they may be typed over, too", "soft")
    for shades, words in SWATCHES:
        row += 1
        for n, shade in enumerate(shades):
            dress(sheet, row, column + n * SWATCH, fill=PatternFill("solid", fgColor=shade), border=OUTLINE)
            merged(sheet, row, column + n * SWATCH, 1, SWATCH)
        put(sheet, row, text, f"  {words}", "soft")
    row += 1
    padding = Grid(OVERVIEW, row, column, 1, 3 * SWATCH)
    draft.fill(OVERVIEW, CellBlock(padding, np.empty((1, 3 * SWATCH)), 0, None, blank=draft.style("blank"), empty=True))
    put(sheet, row, text, "  padding: blank cells around a grid, which count as 0", "soft")
    return row + 1


def _table(sheet: Worksheet, content: WorkbookContent, row: int) -> int:
    """The network as a table, a row for each layer; returns its last row."""
    names = max(len(node.name) for node in content.network.nodes)
    more = max(0, math.ceil((names + 1) / UNIT) - HEADS["layer"])  # columns, for long names
    columns = HEADS | {"layer": HEADS["layer"] + more, "settings": HEADS["settings"] - more}
    starts = [LEFT + sum([*columns.values()][:n]) for n in range(len(columns))]
    for start, (text, count) in zip(starts, columns.items(), strict=True):
        put(sheet, row, start, text.strip(), "head")
        merged(sheet, row, start, 1, count)
    for number, (name, *texts) in enumerate(_rows(content)):
        row += 1
        if number:
            put(sheet, row, LEFT, number, "element")
            merged(sheet, row, LEFT, 1, columns[""])
        put(sheet, row, starts[1], name, "link", name)
        for start, count, text in zip(starts[2:], [*columns.values()][2:], texts, strict=True):
            put(sheet, row, start, text, "body")
            merged(sheet, row, start, 1, count)
        sheet.row_dimensions[row].height = max(
            LINE + 1, *(_height(text, count * UNIT) for text, count in zip(texts, [*columns.values()][2:], strict=True))
        )
    found = content.costs.values()
    row += 1
    put(sheet, row, starts[1], "all layers", "row")
    put(sheet, row, starts[5], f"{sum(cost.parameters for cost in found):,}", "row")
    put(sheet, row, starts[6], f"{sum(cost.multiplications for cost in found):,}", "row")
    return row


def _words(sheet: Worksheet, row: int) -> None:
    """The field's own words, as this workbook uses them."""
    put(sheet, row, LEFT, "what the words mean", "head")
    merged(sheet, row, LEFT, 1, COLUMNS)
    for below, (word, meaning) in enumerate(WORDS, start=row + 1):
        put(sheet, below, LEFT, word, "strong")
        put(sheet, below, LEFT + NUMBER + 4, meaning, "row")


def _rows(content: WorkbookContent) -> list[list[str]]:
    """The table's texts from the column of the layers' names on: first the input, then the layers."""
    network = content.network
    rows = [["Input", "", "", shape_text(network.input.shape), "", "", ""]]
    before = INPUT
    for node in network.nodes:
        cost = content.costs[node.name]
        reads = "" if node.inputs == (before,) else f"  ← {', '.join(node.inputs)}"
        before = node.name
        row = [
            node.name,
            node.layer.type + ("" if node.live else ", not live") + reads,
            node.layer.setting_words(),
            shape_text(node.shape),
        ]
        multiplications = f"{cost.multiplications:,}" if cost.multiplications else ""
        rows.append([*row, node.named_parameter_words, multiplications, cost.sees])
    return rows
