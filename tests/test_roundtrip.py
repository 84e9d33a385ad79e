"""Workbooks that other programs have opened, edited and saved, in their own formats too: `check` still finds all well."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from engines import Office
from test_check import NETWORK, PIXELS, WIDE, cell, edit

import sheetcnn
from sheetcnn.formula import read_book

gnumeric = pytest.mark.skipif(shutil.which("ssconvert") is None, reason="Gnumeric is not installed (ssconvert)")

NETWORKS = {"small": (NETWORK, PIXELS), "wide": (WIDE, np.ones((20, 5, 5)))}


def numbers(book: Path, name: str) -> np.ndarray:
    """The saved values of a named grid."""
    opened = read_book(book)
    sheet, top, left, bottom, right = opened.names[name]
    return opened.sheets[sheet].saved[top : bottom + 1, left : right + 1]


@pytest.mark.libreoffice
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("detail", ["compact", "steps"])
def test_through_opendocument(name: str, detail: str, make: Callable[..., Path], office: Office, tmp_path: Path) -> None:
    """Edited, saved as .ods, opened again, edited once more, and back to .xlsx."""
    book = make(*NETWORKS[name], detail=detail)
    between, back = tmp_path / "book.ods", tmp_path / "back.xlsx"
    kernel, pixel = cell(book, "conv_kernel_2_1", 1 if name == "small" else 2, 0), cell(book, "input_channel_2", 1, 1)
    office(
        [
            {"book": str(book), "edits": [[*kernel, 2.5]], "save": str(between)},
            {"book": str(between), "edits": [[*pixel, -3]], "save": str(back)},
        ]
    )
    assert not np.allclose(numbers(back, "conv_map_2"), numbers(book, "conv_map_2"))
    report = sheetcnn.check(back)
    assert report.ok, report.findings[:3]
    assert not report.notes


@pytest.mark.gnumeric
@gnumeric
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("detail", ["compact", "steps"])
def test_through_gnumeric(name: str, detail: str, make: Callable[..., Path], tmp_path: Path) -> None:
    """Edited (which leaves formulas without values), computed and saved by Gnumeric in its own format, and back."""
    book, back = make(*NETWORKS[name], detail=detail), tmp_path / "back.xlsx"
    before = numbers(book, "conv_map_2")
    edit(book, "conv_kernel_2_1", 2.5, 1 if name == "small" else 2, 0)
    between = tmp_path / "book.gnumeric"
    for source, target in ((book, between), (between, back)):
        command = [
            "ssconvert",
            "--recalc",
            *(["-T", "Gnumeric_Excel:xlsx2"] if target is back else []),
            str(source),
            str(target),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert not np.allclose(numbers(back, "conv_map_2"), before)
    report = sheetcnn.check(back)
    assert report.ok, report.findings[:3]
    assert not report.notes
