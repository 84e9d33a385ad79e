"""A student who fills in a handout of the exercise `digits`, or of `shapes-rgb`, without a spreadsheet program."""

from __future__ import annotations

import re
import zipfile
from html import escape
from pathlib import Path

from sheetcnn.a1 import cell_name
from sheetcnn.formula import Book

FILLED = ("conv1_map_2", "conv1_map_3", "pool_map_8")  # what the exercise leaves blank whole
GRADIENTS = tuple(f"conv2_{what}_kernel_1_{c}" for what in ("grad", "after") for c in (1, 2))  # and that of shapes-rgb


def hand_in(path: Path, key: Book, around: str, filled: tuple[str, ...] = FILLED) -> None:
    """Fill a student's maps with the key's formulas, each inside another one."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheets = re.findall(r'<sheet [^>]*?name="([^"]+)"', parts["xl/workbook.xml"].decode())
    for grid in filled:
        sheet, top, left, bottom, right = key.names[grid]
        part = f"xl/worksheets/sheet{sheets.index(sheet) + 1}.xml"
        text = parts[part].decode()
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                name, formula = cell_name(row, column), key.sheets[sheet].formula(row, column)
                given = f"<f>{escape(around.format(formula))}</f></c>"
                text = re.sub(
                    rf'(<c r="{name}" s="\d+")(?:/>|></c>)', lambda match, given=given: f"{match[1]}>{given}", text, count=1
                )
        parts[part] = text.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
