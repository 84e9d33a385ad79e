"""What labels and cells look like."""

from __future__ import annotations

from typing import Any

from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side

from . import palette

FONT = "Arial"
TEXT_STYLES: dict[str, dict[str, Any]] = {
    "title": {"font": Font(FONT, 16, bold=True, color=palette.INK)},
    "words": {"font": Font(FONT, 11, color=palette.INK)},
    "typed": {"font": Font(FONT, 9, color=palette.TYPED), "alignment": Alignment(horizontal="center")},
    "listed": {"font": Font(FONT, 9, color=palette.LISTED), "alignment": Alignment(horizontal="center")},
    "warning": {"font": Font(FONT, 10, bold=True, color=palette.WARNING)},
    "choice": {
        "font": Font(FONT, 10, bold=True, color=palette.TYPED),
        "fill": PatternFill("solid", fgColor=palette.CHOICE),
        "alignment": Alignment(horizontal="left", vertical="center"),
        "protection": Protection(locked=False),
    },
    "small_choice": {
        "font": Font(FONT, 7, bold=True, color=palette.TYPED),
        "fill": PatternFill("solid", fgColor=palette.CHOICE),
        "alignment": Alignment(horizontal="center", vertical="center"),
        "protection": Protection(locked=False),
    },
    "soft": {"font": Font(FONT, 9, color=palette.SOFT)},
    "code": {"font": Font("Courier New", 9, color=palette.SOFT)},
    "link": {
        "font": Font(FONT, 10, color=palette.LINK, underline="single"),
        "alignment": Alignment(vertical="center"),
    },
    "label": {"font": Font(FONT, 7, bold=True, color=palette.INK)},
    "element": {"font": Font(FONT, 8, color=palette.SOFT), "alignment": Alignment(vertical="center")},
    "sign": {"font": Font(FONT, 11, bold=True, color=palette.SOFT), "alignment": Alignment(horizontal="center")},
    "long_sign": {"font": Font(FONT, 9, bold=True, color=palette.SOFT)},
    "full_bar": {"font": Font(FONT, 8, color=palette.BAR), "alignment": Alignment(horizontal="left", vertical="center")},
    "head": {
        "font": Font(FONT, 9, bold=True, color=palette.INK),
        "border": Border(bottom=Side("medium", color=palette.EDGE)),
        "alignment": Alignment(vertical="center", wrap_text=True),
    },
    "head_right": {
        "font": Font(FONT, 9, bold=True, color=palette.INK),
        "border": Border(bottom=Side("medium", color=palette.EDGE)),
        "alignment": Alignment(horizontal="right", vertical="center"),
    },
    "body": {"font": Font(FONT, 10, color=palette.INK), "alignment": Alignment(vertical="center", wrap_text=True)},
    "strong": {"font": Font(FONT, 10, bold=True, color=palette.INK), "alignment": Alignment(vertical="center")},
    "strong_right": {
        "font": Font(FONT, 10, bold=True, color=palette.INK),
        "alignment": Alignment(horizontal="right", vertical="center"),
    },
    "row": {"font": Font(FONT, 10, color=palette.INK), "alignment": Alignment(vertical="center")},
    "box": {
        "font": Font(FONT, 9, bold=True, color=palette.LINK),
        "alignment": Alignment(horizontal="center", vertical="center"),
    },
    "box_still": {"font": Font(FONT, 9, color=palette.SOFT), "alignment": Alignment(horizontal="center", vertical="center")},
    "box_more": {"font": Font(FONT, 8, color=palette.INK), "alignment": Alignment(horizontal="center", vertical="center")},
    "gallery_name": {
        "font": Font(FONT, 8, bold=True, color=palette.LINK),
        "alignment": Alignment(horizontal="left", vertical="center"),
    },
    "gallery_text": {"font": Font(FONT, 7, color=palette.INK), "alignment": Alignment(horizontal="left", vertical="center")},
    "gallery_label": {
        "font": Font(FONT, 7, bold=True, color=palette.INK),
        "alignment": Alignment(horizontal="right", vertical="top"),
    },
    "head_of_arrow": {
        "font": Font(FONT, 9, color=palette.EDGE),
        "alignment": Alignment(horizontal="right", vertical="center"),
    },
    "head_back": {
        "font": Font(FONT, 9, color=palette.EDGE),
        "alignment": Alignment(horizontal="left", vertical="center"),
    },
    "aside_right": {
        "font": Font(FONT, 10, color=palette.SOFT),
        "alignment": Alignment(horizontal="right", vertical="center"),
    },
}

_LINE = Side("thin", color=palette.RULE)
_TODO = PatternFill("solid", fgColor=palette.CHOICE)
_TYPED = Font(FONT, 7, color=palette.TYPED)
_OPEN = Protection(locked=False)


def _in_tables(size: int, bold: bool, side: str, indent: int = 0) -> dict[str, Any]:
    font = Font(FONT, size, bold=bold, color=palette.INK)
    return {"font": font, "border": Border(), "alignment": Alignment(side, "center", indent=indent)}


# What poured cells look like where their kind says nothing else.
IN_GRIDS: dict[str, Any] = {
    "border": Border(_LINE, _LINE, _LINE, _LINE),
    "font": Font(FONT, 7, color="000000"),
    "alignment": Alignment("center", "center", shrink_to_fit=True),
}
NUMBERS = ("formula", "typed", "listed")  # kinds of cells for numbers in grids
UNSHRUNK = Alignment("center", "center")  # of formats that choose the decimals for which there is room
CELL_STYLES: dict[str, dict[str, Any]] = {
    "formula": {},
    "typed": {"font": _TYPED, "protection": _OPEN},
    "listed": {"font": Font(FONT, 7, color=palette.LISTED), "protection": _OPEN},  # by a list, but may be typed over
    "state": {
        "font": Font(FONT, 7, bold=True, color=palette.WARNING),
        "border": Border(),
        "alignment": Alignment("left", "center", indent=0),
    },
    "row": {
        "font": Font(FONT, 10, color=palette.INK),
        "border": Border(),
        "alignment": Alignment("left", "center", indent=0),
    },
    "open": {"protection": _OPEN},  # a formula that may be typed over
    "to_type": {"font": _TYPED, "protection": _OPEN, "fill": PatternFill("solid", fgColor=palette.CHOICE)},
    # Around grids, with diagonal lines, because LibreOffice shows no pattern fills.
    "blank": {
        "border": Border(diagonal=Side("hair", color=palette.PADDING), diagonalUp=True),
        "fill": PatternFill("solid", fgColor="F3F4F6"),
    },
    # What a student is to fill in.
    "todo": {"fill": _TODO, "protection": _OPEN},
    "todo_number": {"fill": _TODO, "protection": _OPEN, "font": _TYPED},
    "answer": {"fill": _TODO, "protection": _OPEN, "font": Font(FONT, 10, bold=True, color=palette.TYPED)},
    "thumbnail": {"border": Border()},
    "frame": {"border": Border(), "fill": PatternFill("solid", fgColor=palette.FRAME)},
    "plain": {"border": Border()},  # bordered by conditional formatting, where something is shown
    "inspected": {"border": Border(), "font": Font(FONT, 9, color="000000")},
    "step": {"border": Border(), "font": Font(FONT, 10, bold=True, color=palette.INK)},
    "small": {
        "border": Border(),
        "font": Font(FONT, 8, color=palette.INK),
        "alignment": Alignment("right", "top", wrap_text=True, indent=0),
    },
    "small_head": {
        "border": Border(),
        "font": Font(FONT, 8, color=palette.SOFT),
        "alignment": Alignment("center", "bottom", wrap_text=True),
    },
    "operator": {"border": Border(), "font": Font(FONT, 12, bold=True, color=palette.SOFT)},
    "wrong": {
        "border": Border(),
        "font": Font(FONT, 10, bold=True, color="B91C1C"),
        "alignment": Alignment("left", "center"),
    },
    "said": {
        "border": Border(),
        "font": Font(FONT, 12, bold=True, color=palette.INK),
        "alignment": Alignment("left", "center"),
    },
    "read": {
        "font": Font(FONT, 16, bold=True, color=palette.INK),
        "border": Border(),
        "alignment": Alignment("left", "center"),
    },
    "warn": {"font": Font(FONT, 9, bold=True, color=palette.WARNING), "border": Border(), "alignment": Alignment("left")},
    "bar": {"font": Font(FONT, 8, color=palette.BAR), "border": Border(), "alignment": Alignment("left", "center")},
    "table": _in_tables(10, False, "right"),
    "strong": _in_tables(10, True, "left"),
    "note": _in_tables(10, False, "left"),
    "aside": _in_tables(9, False, "right", indent=1),
}
