"""A student who fills in a handout of the exercise `digits`, without a spreadsheet program."""

from __future__ import annotations

import re
import zipfile
from html import escape
from pathlib import Path

from sheetcnn.a1 import cell_name
from sheetcnn.formula import Book

FILLED = (("conv1", 2), ("conv1", 3), ("pool", 8))  # what the exercise leaves blank whole


def hand_in(path: Path, key: Book, around: str) -> None:
    """Fill a student's maps with the key's formulas, each inside another one."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheets = re.findall(r'<sheet [^>]*?name="([^"]+)"', parts["xl/workbook.xml"].decode())
    for layer, k in FILLED:
        sheet, top, left, bottom, right = key.names[f"{layer}_map_{k}"]
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
