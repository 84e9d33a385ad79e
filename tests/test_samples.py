"""The ready workbooks in samples/ are what today's code makes, and agree with NumPy."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

import sheetcnn
from sheetcnn.formula import read_book

SAMPLES = Path(__file__).parents[1] / "samples"
MODULE = runpy.run_path(str(SAMPLES / "workbooks.py"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh")
    MODULE["make"](folder)
    return folder


def test_all_are_there() -> None:
    assert {path.stem for path in (SAMPLES / "workbooks").glob("*.xlsx")} == set(MODULE["BOOKS"])


@pytest.mark.parametrize("name", MODULE["BOOKS"])
def test_not_stale(name: str, fresh: Path) -> None:
    """Run `make samples` where this fails."""
    kept, made = (read_book(folder / f"{name}.xlsx") for folder in (SAMPLES / "workbooks", fresh))
    assert kept.names == made.names
    assert list(kept.sheets) == list(made.sheets)
    for sheet, other in zip(kept.sheets.values(), made.sheets.values(), strict=True):
        assert sheet.formulas == other.formulas, sheet.name
        assert sheet.texts == other.texts, sheet.name
        np.testing.assert_allclose(sheet.number, other.number, atol=1e-9, err_msg=sheet.name)
        np.testing.assert_allclose(sheet.saved, other.saved, atol=1e-9, err_msg=sheet.name)


@pytest.mark.parametrize("name", MODULE["BOOKS"])
def test_small_and_right(name: str) -> None:
    path = SAMPLES / "workbooks" / f"{name}.xlsx"
    assert path.stat().st_size < 1_000_000
    assert sheetcnn.check(path).ok
