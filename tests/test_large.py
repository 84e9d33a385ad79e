"""Networks of any size: weights that are read when they are written, names that many grids share, and what is said of it."""

from __future__ import annotations

import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

import sheetcnn
from sheetcnn.arrays import lazy
from sheetcnn.arrays.lazy import LazyValues, as_float, compact
from sheetcnn.errors import WorkbookError
from sheetcnn.formula import read_book
from sheetcnn.model import limits

HEAD: dict[str, Any] = {"name": "n", "input": {"channels": 1, "height": 4, "width": 4}}


def test_what_google_sheets_cannot_take_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [{"type": "conv2d", "out_channels": 1, "kernel_size": 3}]
    whole = HEAD | {"layers": layers}
    pixels = np.arange(16.0).reshape(1, 4, 4)
    drawn: dict[str, Any] = {"detail": "compact", "mirrors": False}
    assert not sheetcnn.build(whole, pixels, **drawn).notes
    monkeypatch.setattr(limits, "GOOGLE_CELLS", 29)  # 16 pixels, 9 weights, a bias and 4 cells are 30
    [note] = sheetcnn.build(whole, pixels, **drawn).notes
    assert note.startswith("the workbook has 30 cells: Google Sheets takes 29, LibreOffice needs some 0.0 GB of memory")


def test_lazy_values() -> None:
    read: list[str] = []

    def source(name: str) -> Any:
        return lambda: (read.append(name), np.full(3, len(read)))[1]

    values = LazyValues({"a": np.zeros(1)}, {"b": source("b"), "c": source("c")})
    assert [*values] == ["a", "b", "c"]
    assert "b" in values
    assert "d" not in values
    assert [values["b"][0], values["b"][0], values["c"][0], values["b"][0]] == [1, 1, 2, 3]
    assert read == ["b", "c", "b"]
    more = values | {"d": np.ones(1)}
    assert [*more] == ["a", "d", "b", "c"]
    with pytest.raises(KeyError):
        values["e"]


def test_the_same_numbers_in_less_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    monkeypatch.setattr(lazy, "LARGE", 10)
    single, double = rng.normal(size=(5, 6)).astype(np.float32).astype(float).T, rng.normal(size=(5, 6))
    for array, size in ((single, 4), (double, 8)):
        held = compact(array)
        np.testing.assert_array_equal(held, array)
        assert held.dtype.itemsize == size
    same = compact(np.full((4, 5), 0.1))
    assert same.strides == (0, 0)
    assert as_float(same).strides == (0, 0)
    np.testing.assert_array_equal(as_float(same), np.full((4, 5), 0.1))
    assert compact(double[:1]) is not None


@pytest.mark.parametrize("kind", ["npz", "init"])
def test_memory_does_not_grow_with_the_weights(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four layers of 40,000 weights take as much as one, whose numbers are in the workbook all the same."""
    monkeypatch.setattr("sheetcnn.model.weights.LARGE", 10_000)
    rng, taken = np.random.default_rng(0), []
    for count in (1, 4):
        layers = [{"type": "linear", "out_features": 200, "bias": False, "name": f"fc{n}"} for n in range(count)]
        network = {
            "name": "n",
            "input": {"channels": 200, "height": 1, "width": 1},
            "layers": [{"type": "flatten"}, *layers],
        }
        weights = {f"fc{n}.weight": rng.normal(size=(200, 200)) for n in range(count)}
        if kind == "npz":
            np.savez(tmp_path / "n.npz", **weights)
            network["weights"] = "n.npz"
        (tmp_path / "n.json").write_text(json.dumps(network))
        tracemalloc.start()
        built = sheetcnn.build(tmp_path / "n.json", rng.normal(size=(200, 1, 1)), gallery=False, inspector=False)
        taken.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        book = built.save(tmp_path / "n.xlsx").path
        assert sheetcnn.check(book).ok
        if kind == "npz":
            sheetcnn.export(book, tmp_path / "out.npz")
            with np.load(tmp_path / "out.npz") as found:
                assert {name: (found[name] == weights[name]).all() for name in weights} == dict.fromkeys(weights, True)
    assert taken[1] - taken[0] < 2 * 200 * 200 * 8 / 3


def test_maps_that_have_one_name_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even a name for all kernels of a filter is few enough; every cell is found and checked all the same."""
    monkeypatch.setattr("sheetcnn.model.graph.MAX_GRID_NAMES", 90)
    monkeypatch.setattr(limits, "MAX_GRID_NAMES", 90)
    layers = [
        {"type": "conv2d", "name": "conv", "out_channels": 12, "kernel_size": 3, "padding": 1},
        {"type": "batch_norm2d", "name": "bn"},
        {"type": "conv_transpose2d", "name": "up", "out_channels": 2, "kernel_size": 2, "stride": 2},
        {"type": "flatten", "name": "flat"},
    ]
    book = tmp_path / "n.xlsx"
    pixels = np.random.default_rng(0).normal(size=(1, 4, 4))
    sheetcnn.build(HEAD | {"layers": layers}, pixels, book, mirrors=False)
    names = read_book(book).names
    together = {"conv_map", "conv_bias", "bn_map", "bn_running_mean", "bn_running_var", "bn_weight", "bn_bias", "up_map"}
    assert together <= names.keys()
    assert not [name for name in names if re.fullmatch(r"(conv|bn|up)_(map|bias|weight)_\d+", name)]
    report = sheetcnn.check(book)
    assert report.ok, report.findings
    opened = openpyxl.load_workbook(book)
    sheet, top, left, bottom, _ = names["conv_map"]
    opened[sheet].cell(bottom, left).value = 7  # in the last map
    opened.save(book)
    findings = sheetcnn.check(book).findings
    assert [f.kind for f in findings if f.layer == "conv"] == ["overwritten"]
    opened = openpyxl.load_workbook(book)
    opened.defined_names["conv_map"].attr_text = f"conv!$A${top}:$D${bottom + 1}"
    opened.save(book)
    with pytest.raises(WorkbookError, match="conv_map stands for 12 grids at equal distances, and has other rows or"):
        sheetcnn.check(book)
