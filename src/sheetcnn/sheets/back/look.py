"""The sheets of gradients, dressed as layers' sheets are."""

from __future__ import annotations

from ...arrays.array import Array
from ...model.loss import LOSS
from ...model.settings import INPUT
from ...model.training import back_of
from ...xlsx import palette
from ...xlsx.colours import known
from ...xlsx.columns import square_cells
from ...xlsx.draft import WorkbookDraft
from ...xlsx.labels import line_columns
from ..content import WorkbookContent
from ..layer.look import cell_block, corner, header, links_of, marks
from ..page import GAP, HEADER, LEFT, Block, Page
from ..scales.content import has_colours
from ..scales.look import colour_array, scale_bars
from ..screen import show
from .content import back_lines, sheet_name, word_of

LEAST = 60  # per cent: equations are read number by number


def back_sheet(draft: WorkbookDraft, content: WorkbookContent, name: str, page: Page, neighbours: tuple[str, str]) -> None:
    """The gradients of a layer, or of the input."""
    learning = content.graph.learning
    assert learning is not None
    sheet = draft.sheet(page.sheet, "grids")
    square_cells(sheet, page.columns)
    show(sheet, page, LEAST)
    lines = back_lines(content.graph, name)
    title = f"{page.sheet}  ·  gradients"
    links = links_of(*neighbours, content.home)
    loss = sheet_name(LOSS)  # where the learning rate is
    if name != INPUT and loss not in neighbours and fits([*links, (loss, loss)], page.corner):
        links.append((loss, loss))
    if page.corner:
        corner(sheet, page, title, lines, links)
        row, column = 1, page.corner + GAP
    else:
        row, column = HEADER - 1, header(sheet, title, lines, links)
    marks(sheet, page)
    arrays = learning.pages[back_of(name)]
    scale_bars(draft, sheet, content, arrays, row, column, word_of)
    pour(draft, content, page, arrays)


def fits(links: list[tuple[str, str | None]], corner: int) -> bool:
    """Whether links have room beside each other in the text at the top left, if there is such a corner."""
    return not corner or LEFT + line_columns(links) <= corner


def pour(draft: WorkbookDraft, content: WorkbookContent, page: Page, arrays: list[Array], colours: bool = True) -> None:
    """Every grid of a page with its formulas, named and, if it is to be seen, coloured."""
    sheet = draft.book[page.sheet]
    by_array: dict[str, list[Block]] = {}
    for block in page.blocks:
        by_array.setdefault(block.array.id, []).append(block)
    for name, grid in page.names.items():
        draft.name(name, grid)
    blank = draft.style("blank")
    for array in arrays:
        blocks, numbers = by_array.get(array.id, []), content.values[array.id]
        typed = array.formula is None
        kind = "typed" if typed else "formula"
        style = draft.style(kind, palette.number_format(known(numbers), typed, array.label.startswith(("grad", "part"))))
        write = None if typed else array.written(content.grids, page.sheet)
        for block in blocks:
            draft.fill(page.sheet, cell_block(block, content.written[array.id], write, style, blank))
        if colours and has_colours(array):
            colour_array(draft, sheet, content, array, [(block.index, block.grid) for block in blocks], kind)
