"""What the inspector's cells look like as their numbers change."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from openpyxl.formatting.rule import CellIsRule, FormulaRule
from openpyxl.styles import Border, Font, PatternFill, Side
from openpyxl.worksheet.worksheet import Worksheet

from ...a1 import LETTERS
from ...arrays.grid import Grid
from ...xlsx import palette
from ...xlsx.colours import scale_rule
from ...xlsx.draft import area_of
from .inspected import FINE
from .place import HEADS
from .shown import HOLE
from .table import BOX_COLUMNS, CHOICES, LIMITS, SIZES

STEPS = 8  # of the colours from 0 to the largest number
WRONG, RIGHT = PatternFill("solid", bgColor="FECACA"), PatternFill("solid", bgColor="BBF7D0")
BOX = Border(*[Side("thin", color=palette.RULE)] * 4)


def colour_inspector(sheet: Worksheet, places: dict[str, Grid]) -> None:
    """All rules of conditional formatting."""
    size = {name: cell_of(places["inspector_scale"], n, 0) for n, name in enumerate(SIZES)}
    _window(sheet, places, size["read"])
    for name, colours in (("kernel", palette.WEIGHTS), ("product", palette.MAPS)):
        if (grid := places.get(f"inspector_{name}")) is not None:
            _graded(sheet, grid, colours, size[name])
    _thumbnails(sheet, places, size)
    _steps(sheet, places)
    _choices(sheet, places)


def _window(sheet: Worksheet, places: dict[str, Grid], size: str) -> None:
    """The window, blank cells and the largest cell of a pool marked."""
    grid = places["inspector_window"]
    corner, cells = f"{LETTERS[grid.left]}{grid.top}", area_of(grid)
    head, box = (cell_of(places[f"inspector_{name}"], 0, 0) for name in ("head", "box"))
    winner = f'AND({head}="largest of the window",{corner}={box})'
    orange = Border(*[Side("medium", color=palette.OUTLINE)] * 4)
    gold = PatternFill("solid", bgColor="FCD34D")
    add = sheet.conditional_formatting.add
    add(cells, CellIsRule("equal", [f'"{HOLE}"'], fill=PatternFill("solid", bgColor="E5E7EB"), border=BOX))
    add(cells, FormulaRule([winner], fill=gold, font=Font(bold=True), border=orange))
    _graded(sheet, grid, palette.MAPS, size)


def _graded(sheet: Worksheet, grid: Grid, colours: tuple[str, ...], size: str) -> None:
    """The colours of a scale in steps: LibreOffice lays a scale over the first row only of cells that are made one."""
    corner, cells = f"{LETTERS[grid.left]}{grid.top}", area_of(grid)
    for sign in (1, -1):
        for step in range(STEPS, 0, -1):
            limit = f"{corner}*{sign}>={(step - 0.5) / STEPS:g}*{size}"
            shade = _shade(colours, 1 + sign * step / STEPS)
            sheet.conditional_formatting.add(cells, FormulaRule([f"AND(ISNUMBER({corner}),{limit})"], border=BOX, **shade))
    sheet.conditional_formatting.add(cells, FormulaRule([f"ISNUMBER({corner})"], border=BOX, **_shade(colours, 1.0)))


def _shade(colours: tuple[str, ...], place: float) -> dict[str, Any]:
    """Fill and text at a place of a scale."""
    colour = palette.between(colours, place)
    text = max(("000000", "FFFFFF"), key=lambda ink: palette.contrast(ink, colour))
    return {
        "fill": PatternFill("solid", bgColor=bytes(int(part) for part in colour).hex().upper()),
        "font": Font(color=text),
    }


def _thumbnails(sheet: Worksheet, places: dict[str, Grid], size: dict[str, str]) -> None:
    """The place of the window, and that of the cell, in orange."""
    for name, marks, read in (("shot", "shot_mark", "read"), ("map_shot", "map_mark", "own")):
        if (grid := places.get(f"inspector_{name}")) is None:
            continue
        _frame(sheet, grid, places[f"inspector_{marks}"])
        scale = palette.Scale(palette.MAPS, (-1.0, 0.0, 1.0), size[read])
        sheet.conditional_formatting.add(area_of(grid), scale_rule(scale))


def _frame(sheet: Worksheet, grid: Grid, marks: Grid) -> None:
    """A frame around the marked cells: a rule for each choice of sides, those with more sides before those with fewer."""
    first, last = (f"${LETTERS[marks.left + n]}{grid.top}" for n in (0, 1))
    above, below = (f"${LETTERS[marks.left]}{grid.top + n}" for n in (-1, 1))
    column = f"(COLUMN()-{grid.left})"
    inside = [f"{first}>=0", f"{column}>={first}", f"{column}<={last}"]
    at_top, at_bottom = f"ROW()={grid.top}", f"ROW()={grid.bottom}"
    ends = {
        "left": f"{column}={first}",
        "right": f"{column}={last}",
        "top": f"OR({at_top},{above}<>{first})",
        "bottom": f"OR({at_bottom},{below}<>{first})",
    }
    line = Side("medium", color=palette.OUTLINE)
    for count in range(len(ends), 0, -1):
        for sides in combinations(ends, count):
            test = f"AND({','.join([*inside, *(ends[side] for side in sides)])})"
            border = Border(**dict.fromkeys(sides, line))
            sheet.conditional_formatting.add(area_of(grid), FormulaRule([test], border=border))


def _steps(sheet: Worksheet, places: dict[str, Grid]) -> None:
    """The numbers on the way to the cell, and whether it is right."""
    boxes, tick = places["inspector_box"], places["inspector_tick"]
    shown = f"{LETTERS[boxes.left]}{boxes.top}"
    wide = f"{shown}:{LETTERS[boxes.right + BOX_COLUMNS - 3]}{boxes.top + FINE - 1}"
    add = sheet.conditional_formatting.add
    add(wide, FormulaRule([f"ISNUMBER({shown})"], fill=PatternFill("solid", bgColor="EEF2FF"), font=Font(bold=True)))
    area = area_of(Grid("", tick.top, tick.left, FINE, 3 * BOX_COLUMNS + 1))
    for sign, fill in (("=", RIGHT), ("<>", WRONG)):
        add(area, FormulaRule([f'LEFT({cell_of(tick, 0, 0)},1){sign}"✓"'], fill=fill))


def _choices(sheet: Worksheet, places: dict[str, Grid]) -> None:
    """A place that does not exist in a warning colour, and no words above what is not there."""
    for choice, limit in zip(CHOICES[1:], LIMITS, strict=True):
        cell, most = (cell_of(places[f"inspector_{name}"], 0, 0) for name in (choice, limit))
        good = f"AND(ISNUMBER({cell}),{cell}>=1,{cell}<={most},{cell}=INT({cell}))"
        rule = FormulaRule([f"NOT({good})"], fill=WRONG, font=Font(color="B91C1C"))
        sheet.conditional_formatting.add(area_of(places[f"inspector_{choice}"]), rule)
    if (kernel := places.get("inspector_kernel")) is not None:
        blank = cell_of(kernel, 0, kernel.columns - 1)
        last = places.get("inspector_part", places["inspector_sum"]).right
        heads = f"{LETTERS[kernel.left - 1]}{HEADS}:{LETTERS[last]}{HEADS}"
        sheet.conditional_formatting.add(heads, FormulaRule([f'{blank}=""'], font=Font(color="FFFFFF")))


def cell_of(grid: Grid, row: int, column: int) -> str:
    """A cell of a rectangle, written with $."""
    return Grid("", grid.top + row * grid.spacing[0], grid.left + column * grid.spacing[1], 1, 1).area
