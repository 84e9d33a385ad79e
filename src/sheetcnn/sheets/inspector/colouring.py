"""What the inspector's cells look like as their numbers change."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

from openpyxl.styles import Border, Font, PatternFill, Side

from ...a1 import LETTERS
from ...arrays.grid import Grid
from ...xlsx import palette
from ...xlsx.colours import scale_rule
from ...xlsx.draft import area_of
from ...xlsx.labels import Sheet
from ...xlsx.rules import compared, where
from ..scales.look import MOST_BARS
from .inspected import FINE
from .place import HEADS
from .shown import HOLE
from .table import BOX_COLUMNS, CHOICES, LIMITS, SIZES, Inspector

STEPS = 8  # of the colours from 0 to the largest number
WRONG, RIGHT = PatternFill("solid", bgColor=palette.WRONG), PatternFill("solid", bgColor=palette.RIGHT)
BOX = Border(*[Side("thin", color=palette.RULE)] * 4)


Test = tuple[str, palette.Scale]  # when cells have a scale: a test, "" where they always do


def colour_inspector(sheet: Sheet, inspector: Inspector, places: dict[str, Grid], pictures: list[palette.Scale]) -> None:
    """All rules of conditional formatting; `pictures` are the scales of the picture's channels."""
    size = {name: cell_of(places["inspector_scale"], n, 0) for n, name in enumerate(SIZES)}
    live = {name: palette.Scale(palette.MAPS, (-1.0, 0.0, 1.0), of) for name, of in size.items()}
    _window(sheet, places, _either(_row_of(places["inspector_window_shade"]), pictures, live["read"]))
    live["kernel"] = palette.Scale(palette.WEIGHTS, live["kernel"].values, size["kernel"])
    for name in ("kernel", "product"):
        if (grid := places.get(f"inspector_{name}")) is not None:
            graded(sheet, grid, [("", live[name])])
    if (shot := places.get("inspector_shot")) is not None:
        marks, shades = places["inspector_shot_mark"], places["inspector_shot_shade"]
        for part in _parts(inspector, shot):
            _frame(sheet, part, shot, marks)
            shade = Grid("", part.top, shades.left, 1, 1).area
            for test, scale in _either(shade, pictures, live["read"]):
                sheet.add_rules(area_of(part), scale_rule(scale, test or None))
    shot = places["inspector_map_shot"]
    _frame(sheet, shot, shot, places["inspector_map_mark"])
    sheet.add_rules(area_of(shot), scale_rule(live["own"]))
    _steps(sheet, places)
    _choices(sheet, places)


def _either(shade: str, pictures: list[palette.Scale], live: palette.Scale) -> list[Test]:
    """The scale of what is read: where it is a channel of the picture, whose number a cell has, that channel's."""
    alike: dict[palette.Scale, list[int]] = {}
    for channel, scale in enumerate(pictures, start=1):
        alike.setdefault(scale, []).append(channel)
    if len(alike) > MOST_BARS:
        return [("", live)]
    tests = {
        scale: f"{shade}>0" if len(alike) == 1 else "+".join(f"({shade}={channel})" for channel in channels) + ">0"
        for scale, channels in alike.items()
    }
    return [*((test, scale) for scale, test in tests.items()), (f"{shade}=0", live)]


def _parts(inspector: Inspector, shot: Grid) -> list[Grid]:
    """The thumbnails in parts, of whose rows no layer shows more than one channel: a scale's ends are the same for all its cells."""
    pictured = [(layer.pictured, inspector.high(layer)) for layer in inspector.layers]
    starts = {t * high for count, high in pictured for t in range(count + 1)} | {shot.rows}
    ends = sorted(start for start in starts if start <= shot.rows)
    return [Grid("", shot.top + first, shot.left, last - first, shot.columns) for first, last in pairwise(ends)]


def _row_of(shades: Grid) -> str:
    """The cell of a column beside the first of its rows, for rules of all rows."""
    return f"${LETTERS[shades.left]}{shades.top}"


def _window(sheet: Sheet, places: dict[str, Grid], scales: list[Test]) -> None:
    """The window, blank cells and the largest cell of a pool marked."""
    grid = places["inspector_window"]
    corner, cells = f"{LETTERS[grid.left]}{grid.top}", area_of(grid)
    head, box = (cell_of(places[f"inspector_{name}"], 0, 0) for name in ("head", "box"))
    winner = f'AND({head}="largest of the window",{corner}={box})'
    orange = Border(*[Side("medium", color=palette.OUTLINE)] * 4)
    gold = PatternFill("solid", bgColor=palette.WINNER)
    add = sheet.add_rules
    add(cells, compared("equal", [f'"{HOLE}"'], fill=PatternFill("solid", bgColor=palette.BLANK), border=BOX))
    add(cells, where(winner, fill=gold, font=Font(bold=True), border=orange))
    graded(sheet, grid, scales)


def graded(sheet: Sheet, grid: Grid, scales: list[Test]) -> None:
    """The colours of scales in steps: LibreOffice lays a scale over the first row only of cells that are made one."""
    corner, cells = f"{LETTERS[grid.left]}{grid.top}", area_of(grid)
    for test, scale in scales:
        tests = [f"ISNUMBER({corner})", *([test] if test else [])]
        last = (len(scale.colours) - 1) * STEPS
        for step in range(last, -1, -1):
            limit = [f"{corner}>={scale.at((step - 0.5) / STEPS)}"] if step else []
            shade = _shade(scale.colours, step / STEPS)
            rule = where(f"AND({','.join([*tests, *limit])})", border=BOX, **shade)
            sheet.add_rules(cells, rule)


def _shade(colours: tuple[str, ...], place: float) -> dict[str, Any]:
    """Fill and text at a place of a scale."""
    colour = palette.between(colours, place)
    text = max(("000000", "FFFFFF"), key=lambda ink: palette.contrast(ink, colour))
    return {
        "fill": PatternFill("solid", bgColor=bytes(int(part) for part in colour).hex().upper()),
        "font": Font(color=text),
    }


def _frame(sheet: Sheet, part: Grid, whole: Grid, marks: Grid) -> None:
    """A frame around the marked cells: a rule for each choice of sides, those with more sides before those with fewer."""
    first, last = (f"${LETTERS[marks.left + n]}{part.top}" for n in (0, 1))
    above, below = (f"${LETTERS[marks.left]}{part.top + n}" for n in (-1, 1))
    column = f"(COLUMN()-{part.left})"
    inside = [f"{first}>=0", f"{column}>={first}", f"{column}<={last}"]
    at_top, at_bottom = f"ROW()={whole.top}", f"ROW()={whole.bottom}"
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
            sheet.add_rules(area_of(part), where(test, border=border))


def _steps(sheet: Sheet, places: dict[str, Grid]) -> None:
    """The numbers on the way to the cell, and whether it is right."""
    boxes, tick = places["inspector_box"], places["inspector_tick"]
    shown = f"{LETTERS[boxes.left]}{boxes.top}"
    wide = f"{shown}:{LETTERS[boxes.right + BOX_COLUMNS - 3]}{boxes.top + FINE - 1}"
    add = sheet.add_rules
    add(wide, where(f"ISNUMBER({shown})", fill=PatternFill("solid", bgColor=palette.STEP), font=Font(bold=True)))
    area = area_of(Grid("", tick.top, tick.left, FINE, 4 * BOX_COLUMNS + 1))
    for sign, fill in (("=", RIGHT), ("<>", WRONG)):
        add(area, where(f'LEFT({cell_of(tick, 0, 0)},1){sign}"✓"', fill=fill))


def _choices(sheet: Sheet, places: dict[str, Grid]) -> None:
    """A place that does not exist in a warning colour, and no words above what is not there."""
    for choice, limit in zip(CHOICES[1:], LIMITS, strict=True):
        cell, most = (cell_of(places[f"inspector_{name}"], 0, 0) for name in (choice, limit))
        good = f"AND(ISNUMBER({cell}),{cell}>=1,{cell}<={most},{cell}=INT({cell}))"
        rule = where(f"NOT({good})", fill=WRONG, font=Font(color=palette.WRONG_INK))
        sheet.add_rules(area_of(places[f"inspector_{choice}"]), rule)
    if (kernel := places.get("inspector_kernel")) is not None:
        blank = cell_of(kernel, 0, kernel.columns - 1)
        last = places["inspector_sum"].right
        heads = f"{LETTERS[kernel.left - 1]}{HEADS}:{LETTERS[last]}{HEADS}"
        sheet.add_rules(heads, where(f'{blank}=""', font=Font(color="FFFFFF")))
    if (part := places.get("inspector_part")) is not None:
        heads = f"{LETTERS[part.left - 1]}{HEADS}:{LETTERS[part.left]}{HEADS}"
        sheet.add_rules(heads, where(f'{cell_of(part, 0, 0)}=""', font=Font(color="FFFFFF")))


def cell_of(grid: Grid, row: int, column: int) -> str:
    """A cell of a rectangle, written with $."""
    return Grid("", grid.top + row * grid.spacing[0], grid.left + column * grid.spacing[1], 1, 1).area
