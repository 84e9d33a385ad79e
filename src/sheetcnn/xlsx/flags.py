"""What is no number where one is needed: text and blank cells count as 0 in SUMPRODUCT, and nobody would notice."""

from __future__ import annotations

from itertools import pairwise

from openpyxl.styles import Font, PatternFill

from . import palette
from .cells import CellBlock
from .draft import spans
from .labels import Sheet
from .rules import where


def flag_no_numbers(sheet: Sheet, blocks: list[CellBlock], blanks: bool) -> None:
    """Let cells of grids of one size glare that hold no number; blank ones too, where they are not to be filled in.

    To be called before the grids are coloured: LibreOffice takes the first rule that holds, of one set for a range. Such a
    range reaches over the labels between grids that stand one below the other, so the rule says in which rows grids are.
    """
    ranges = spans([block.grid for block in blocks])
    one = blocks[0].grid if blocks[0].stack is None else blocks[0].stack.first
    tops = sorted({first for block in blocks for first, _ in block.bands})
    pitches = {after - before for before, after in pairwise(tops)}
    if len(pitches) > 1:
        return
    cell, height = ranges.split(":")[0], one.bottom - one.top + 1
    spread = one.spacing != (1, 1)  # then there are blank cells between its numbers
    tests = [f"NOT(ISNUMBER({cell}))" if blanks and not spread else f"ISTEXT({cell})"]
    tests += [f"MOD(ROW({cell})-{tops[0]},{pitch})<{height}" for pitch in pitches]
    fill = PatternFill("solid", bgColor=palette.NO_NUMBER)
    rule = where(f"AND({','.join(tests)})", font=Font(bold=True, color="FFFFFF"), fill=fill)
    sheet.add_rules(ranges, rule)
