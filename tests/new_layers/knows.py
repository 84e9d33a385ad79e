"""What sheetcnn knows of a layer that was added as one file. `test_new_layer.py` runs this with the file in its place."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from engines import Office, check_with
from test_cli import fails, run
from test_docs import MAKE
from test_export import close, ran
from test_handout import cell, fill, points

import sheetcnn
from sheetcnn.formula import read_book
from sheetcnn.handout.writer import hand_out
from sheetcnn.model.costs import costs
from sheetcnn.model.network_file import read_network

KIND = os.environ["NEW_LAYER"]
DEPTHWISE = KIND == "depthwise_conv2d"
LAYERS = {
    "square": """
{type = "conv2d", name = "it", out_channels = 2, kernel_size = 3, padding = 1, activation = "square"},
{type = "square", name = "more"},
""",
    "depthwise_conv2d": """
{type = "depthwise_conv2d", name = "it", kernel_size = 3, padding = 1, stride = 2, activation = "relu"},
{type = "depthwise_conv2d", name = "more", kernel_size = [1, 2], dilation = [1, 2], bias = false},
""",
}[KIND]
NETWORK = f'name = "n"\ninput = {{channels = 2, height = 5, width = 6}}\nlayers = [{LAYERS}]\n'
PIXELS = np.random.default_rng(3).integers(0, 9, (2, 5, 6))
Make = Callable[..., Path]


@pytest.mark.parametrize("detail", ["compact", "steps"])
def test_every_cell_agrees(detail: str, make: Make) -> None:
    report = sheetcnn.check(make(NETWORK, PIXELS, detail=detail))
    assert report.ok, report.findings
    assert {layer.layer: layer.type for layer in report.layers}["more"] == KIND


def test_its_gradients_are_right(make: Make) -> None:
    """As formulas and in NumPy, and as finite differences have them."""
    built = sheetcnn.build(make(NETWORK, PIXELS).with_suffix(".toml"), PIXELS, train=True)
    book = make(NETWORK, PIXELS, train=True)
    assert sheetcnn.check(book).findings == []
    graph, values = built.graph, built.content.values
    given = {array.id: values[array.id] for array in graph if array.forward is None}
    for name in ("it.weight", "input.channel"):
        owner, key = name.split(".")
        grad = values[f"{owner}.grad_{key}"]
        at = tuple(np.argwhere(grad)[0])
        moved = []
        for step in (1e-5, -1e-5):
            array = given[name].astype(float)
            array[at] += step
            moved.append(graph.run(given | {name: array})["loss.now"][0])
        assert (moved[0] - moved[1]) / 2e-5 == pytest.approx(grad[at], rel=1e-6)


@pytest.mark.libreoffice
def test_every_cell_agrees_in_libreoffice(make: Make, office: Office) -> None:
    report = check_with(office.recalculated, make(NETWORK, PIXELS))
    assert report.ok, report.findings


def test_commands_list_it(make: Make, tmp_path: Path) -> None:
    assert KIND in run("layers", folder=tmp_path).stdout
    make(NETWORK, PIXELS)
    shown = run("summary", "net.toml", folder=tmp_path).stdout
    assert KIND in shown
    assert ("2·1·3·3 + 2 = 20" if DEPTHWISE else "2·2·3·3 + 2 = 38") in shown
    assert f"| `{KIND}` | " in MAKE["layers"]()


def test_costs(make: Make) -> None:
    """By hand: 2 maps of 3×3 cells of 9 products each, then 2 of 3×1 of 2; squares have no weights and see what they read."""
    found = costs(read_network(make(NETWORK, PIXELS).with_suffix(".toml")))
    numbers = {name: (cost.parameters, cost.multiplications, cost.receptive_field) for name, cost in found.items()}
    if DEPTHWISE:  # its windows start at columns −1 and 3, and end at 1 and 5
        assert numbers == {"it": (20, 162, (3, 3)), "more": (4, 12, (3, 6))}
    else:
        assert numbers == {"it": (38, 1080, (3, 3)), "more": (0, 0, (3, 3))}


def chosen(book: Path, cells: dict[str, str | int]) -> Path:
    """The workbook with other choices in cells that have names."""
    opened = openpyxl.load_workbook(book)
    for name, value in cells.items():
        sheet, where = cell(book, name)
        opened[sheet][where] = value
    opened.save(book)
    return book


def test_the_inspector_shows_it(make: Make) -> None:
    book = make(NETWORK, PIXELS)
    assert _texts(book, "inspector_layers") == ["it", "more"]
    shown = read_book(book).sheets["_inspector"].texts.values()
    assert ("relu" if DEPTHWISE else "square") in shown
    choice = {"inspector_layer": "it", "inspector_map": 2, "inspector_row": 2, "inspector_column": 1}
    report = sheetcnn.check(chosen(book, choice))
    assert report.ok, report.findings


def _texts(book: Path, name: str) -> list[Any]:
    """What a column that has a name shows."""
    sheet, top, left, bottom, _ = read_book(book).names[name]
    opened = openpyxl.load_workbook(book, data_only=True)[sheet]
    return [opened.cell(row, left).value for row in range(top, bottom + 1)]


def test_classic_kernels_can_be_chosen(make: Make) -> None:
    """Below each kernel of the layer that reads the input; not of the next."""
    book = make(NETWORK, PIXELS)
    names = [name for name in read_book(book).names if "choice" in name]
    assert sorted(names) == ["it_choice_1", "it_choice_2"]
    report = sheetcnn.check(chosen(book, {max(names): "sobel_x"}))
    assert report.ok, report.findings


def test_export(make: Make, tmp_path: Path) -> None:
    book = make(NETWORK, PIXELS)
    sheetcnn.export(book, tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz") as weights:
        assert weights["it.weight"].shape == ((2, 1, 3, 3) if DEPTHWISE else (2, 2, 3, 3))
    if DEPTHWISE:
        sheetcnn.export(book, tmp_path / "model.onnx")
        values = sheetcnn.build(tmp_path / "net.toml", tmp_path / "net.npy", tmp_path / "again.xlsx").values
        close(ran(tmp_path / "model.onnx", PIXELS)[-1], values["more"]["output"])
    else:
        assert "square has no form in ONNX" in fails("export", book, "-o", "model.onnx", folder=tmp_path)


@pytest.mark.parametrize("kind", ["fill", "compute"])
def test_handouts(kind: str, make: Make, tmp_path: Path) -> None:
    """Two cells are left blank; with one of them filled in, half of the points."""
    make(NETWORK, PIXELS)
    (tmp_path / "net.exercise.toml").write_text(
        f'title = "Exercise"\n[[tasks]]\nkind = "{kind}"\nlayer = "it"\nmap = 2\nrows = 2\ncolumns = [1, 2]\npoints = 4\n'
    )
    made = hand_out(tmp_path / "net.toml", tmp_path / "net.npy", tmp_path / "out")
    assert points(made, fill(made, {})) == [0]
    key = read_book(made.key)
    answers: dict[tuple[str, int, int], Any] = {}
    for j in (0, 1):
        sheet, top, left, *_ = key.names["it_map_2"]
        saved, formula = key.sheets[sheet].saved[top + 1, left + j], _formula(made.key, "it_map_2", 1, j)
        answers["it_map_2", 1, j] = formula if kind == "fill" else float(saved)
        assert points(made, fill(made, answers)) == [2.0 * (j + 1)]


def _formula(book: Path, name: str, i: int, j: int) -> str:
    sheet, where = cell(book, name, i, j)
    return openpyxl.load_workbook(book)[sheet][where].value
