"""Handouts: what students are given, what they hand in, and the points that they get."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from openpyxl.utils import get_column_letter
from test_workbook import PICTURE_OF

import sheetcnn
from sheetcnn.arrays.array import shape_text
from sheetcnn.cli import main
from sheetcnn.errors import ExerciseError, SheetcnnError, WorkbookError
from sheetcnn.formula import Book, evaluate, group_formulas, read_book
from sheetcnn.handout.grader import Grade, Grader, grade, read_key
from sheetcnn.handout.mistakes import MISTAKES
from sheetcnn.handout.report import page, write_csv
from sheetcnn.handout.workers import Lost, on_all_cores
from sheetcnn.handout.writer import HandedOut, hand_out
from sheetcnn.layers.conv2d import Conv2d
from sheetcnn.model.network_file import read_network
from sheetcnn.sheets.gallery.place import gallery_page
from sheetcnn.sheets.layer.look import layer_lines
from sheetcnn.sheets.page import Page
from sheetcnn.templates import exercises, templates
from sheetcnn.xlsx.rules import Rule

# Two channels, one filter of 2×2, then the largest of each 2×1 cells; all numbers small enough to work out by hand.
NETWORK = """
name = "small"
[input]
channels = 2
height = 3
width = 3
[[layers]]
type = "conv2d"
name = "conv"
out_channels = 2
kernel_size = 2
activation = "relu"
weight = [[[[1, 2], [0, 1]], [[0, -1], [1, 0]]], [[[1, 0], [0, -1]], [[2, 0], [0, 1]]]]
bias = [1, -1]
[[layers]]
type = "max_pool2d"
name = "pool"
kernel_size = [2, 1]
"""
PIXELS = [[[1, 2, 0], [3, 1, 2], [0, 1, 4]], [[2, 1, 3], [1, 0, 5], [2, 2, 1]]]
# Map 1 of conv: 1 + (1·1 + 2·2 + 0·3 + 1·1) + (0·2 − 1·1 + 1·1 + 0·0) = 1 + 6 + 0 = 7, and so on.
MAP = [[7.0, 2.0], [9.0, 7.0]]
Give = Callable[..., HandedOut]


@pytest.fixture
def give(tmp_path: Path) -> Give:
    """A function that writes a network, its picture and an exercise, and hands them out."""

    def write(
        tasks: str, network: str = NETWORK, pixels: Any = PIXELS, students: str | None = None, **more: Any
    ) -> HandedOut:
        (tmp_path / "net.toml").write_text(network, encoding="utf-8")
        (tmp_path / "net.exercise.toml").write_text('title = "Exercise"\n' + tasks, encoding="utf-8")
        np.save(tmp_path / "net.npy", np.asarray(pixels, float))
        if students is not None:
            (tmp_path / "roster.csv").write_text(students, encoding="utf-8")
            more["students"] = tmp_path / "roster.csv"
        return hand_out(tmp_path / "net.toml", tmp_path / "net.npy", tmp_path / "out", overwrite=True, **more)

    return write


def cell(book: Path, name: str, i: int = 0, j: int = 0) -> tuple[str, str]:
    """The sheet and the cell of an element of a named grid."""
    sheet, top, left, *_ = read_book(book).names[name]
    return sheet, f"{get_column_letter(left + j)}{top + i}"


def fill(made: HandedOut, answers: dict[tuple[str, int, int], Any], name: str = "student.xlsx") -> Path:
    """A student's workbook with answers by the name of the grid, row and column."""
    book = made.workbooks[0]
    opened = openpyxl.load_workbook(book)
    for (grid, i, j), value in answers.items():
        sheet, where = cell(book, grid, i, j)
        opened[sheet][where] = value
    path = made.key.parent / name
    opened.save(path)
    return path


def graded(made: HandedOut, path: Path) -> Grade:
    return Grader(made.key).grade(path, path.name)


def points(made: HandedOut, path: Path) -> list[float]:
    return [task.points for task in graded(made, path).tasks]


def window(book: Path, name: str, i: int, j: int, rows: int, columns: int) -> str:
    """The text of a window of a named grid."""
    sheet, first = cell(book, name, i, j)
    return f"{sheet}!{first}:{cell(book, name, i + rows - 1, j + columns - 1)[1]}"


def conv(book: Path, i: int, j: int, k: int = 1) -> str:
    """The formula of a cell of `conv`, written here once more."""
    terms = [
        f"SUMPRODUCT({window(book, f'input_channel_{c}', i, j, 2, 2)},{window(book, f'conv_kernel_{k}_{c}', 0, 0, 2, 2)})"
        for c in (1, 2)
    ]
    bias = "!".join(cell(book, f"conv_bias_{k}"))
    return f"=MAX(0,{bias}+{'+'.join(terms)})"


FILL = '[[tasks]]\nkind = "fill"\nlayer = "conv"\nmap = 1\npoints = 4\n'
MISTAKE = '[[tasks]]\nkind = "mistake"\nlayer = "{layer}"\nmistake = "{kind}"\nextent = "{extent}"\npoints = 4\n'


def saved_values_agree(book: Path) -> Book:
    """What is saved beside formulas is what they give; returns the evaluated workbook."""
    opened = read_book(book)
    evaluate(opened, group_formulas(opened))
    assert not opened.problems, next(iter(opened.problems.items()))
    for sheet in opened.sheets.values():
        known = ~np.isnan(sheet.saved)
        np.testing.assert_allclose(sheet.number[known], sheet.saved[known], rtol=1e-9, atol=1e-9, err_msg=sheet.name)
    return opened


# -- every exercise that ships --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", exercises())
def test_shipped_exercises(name: str, tmp_path: Path) -> None:
    """The key gets full points, the untouched handout none; both are consistent in themselves."""
    made = hand_out(name, PICTURE_OF[name], tmp_path)
    key, untouched = graded(made, made.key), graded(made, made.workbooks[0])
    assert key.points == key.of == made.handout.exercise.points
    assert all(not task.remarks for task in key.tasks)
    assert [task.points for task in untouched.tasks] == [0] * len(untouched.tasks)
    assert all(task.remarks for task in untouched.tasks)
    for book in (made.key, made.workbooks[0]):
        saved_values_agree(book)


@pytest.mark.parametrize("name", [name for name in PICTURE_OF if name != "lenet5"])
def test_every_layer_of_every_template_can_be_filled_in(name: str, tmp_path: Path) -> None:
    """What the key holds is right in all trials, whatever the layer; blank maps get nothing."""
    nodes = read_network(templates()[name]).nodes
    tasks = [f'[[tasks]]\nkind = "fill"\nlayer = "{node.name}"\n' for node in nodes]
    (tmp_path / "all.toml").write_text('title = "all"\nfeedback = "live"\n' + "".join(tasks), encoding="utf-8")
    made = hand_out(name, PICTURE_OF[name], tmp_path / "out", exercise=tmp_path / "all.toml")
    assert points(made, made.key) == [1.0] * len(nodes)
    assert points(made, made.workbooks[0]) == [0.0] * len(nodes)


def test_all_kinds_ship() -> None:
    kinds = set()
    for name in exercises():
        for line in exercises()[name].read_text(encoding="utf-8").splitlines():
            kinds |= set(re.findall(r'^kind = "(\w+)"', line))
    assert kinds == {"fill", "compute", "design", "mistake", "shapes"}


# -- filling in -----------------------------------------------------------------------------------------------------------------
def test_what_is_right_by_hand(give: Give) -> None:
    assert give(FILL).handout.variant(0).values["conv.output"][0].tolist() == MAP


def test_partial_credit_by_cells(give: Give) -> None:
    made = give(FILL)
    book = made.workbooks[0]
    answers = {("conv_map_1", i, j): conv(book, i, j) for i, j in ((0, 0), (0, 1), (1, 0))}
    assert points(made, fill(made, answers)) == [3.0]
    assert points(made, fill(made, answers | {("conv_map_1", 1, 1): conv(book, 1, 1)})) == [4.0]
    assert graded(made, fill(made, answers)).tasks[0].remarks == ["left blank: conv!C15"]


def test_numbers_typed_where_formulas_are_asked(give: Give) -> None:
    made = give(FILL)
    path = fill(made, {("conv_map_1", i, j): MAP[i][j] for i in (0, 1) for j in (0, 1)})
    task = graded(made, path).tasks[0]
    assert (task.points, task.right, task.cells) == (0, 0, 4)
    assert task.remarks == ["a number was typed where a formula is asked: conv!B14, conv!C14, conv!B15 and 1 more"]


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("=7", "right for this picture only"),
        ("=3+4", "right for this picture only"),
        ("=MAX(0,7)", "right for this picture only"),
        ("=8", "wrong: conv!B14 is 8, should be 7"),
        ("=1/0", "a formula that gives an error"),
        ("=RAND()", "wrong: conv!B14 is 0."),
        ("=B14", "a formula that cannot be evaluated"),
        ("seven", "a text where a number is needed"),
    ],
)
def test_reasons(give: Give, formula: str, reason: str) -> None:
    made = give(FILL)
    task = graded(made, fill(made, {("conv_map_1", 0, 0): formula})).tasks[0]
    assert task.points == 0
    assert any(remark.startswith(reason) for remark in task.remarks), task.remarks


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("MAX(0,", "(", 1),  # without ReLU
        lambda text: re.sub(r"SUMPRODUCT\([^()]*\)", r"MAX(0,\g<0>)", text),
        lambda text: text.replace("MAX(0,", "MAX(0,0*", 1),  # without the bias
        lambda text: text.replace("SUMPRODUCT", "2*SUMPRODUCT", 1),
    ],
)
def test_wrong_computations_are_seen_whatever_this_picture_gives(give: Give, change: Callable[[str], str]) -> None:
    """With kernels and biases of 0 every formula gives 0: only other numbers tell them apart."""
    nothing = re.sub(r"weight = .*\nbias = .*", 'init = "zeros"', NETWORK)
    made = give(FILL, nothing)
    right = conv(made.workbooks[0], 0, 0)
    assert points(made, fill(made, {("conv_map_1", 0, 0): right})) == [1.0]
    path = fill(made, {("conv_map_1", 0, 0): change(right)})
    assert "right for this picture only" in " ".join(graded(made, path).tasks[0].remarks)
    assert points(made, path) == [0.0]


def test_other_ways_to_write_it(give: Give) -> None:
    """A formula of one's own, through a spare cell, and pixels and kernels that the student has changed."""
    made = give(FILL)
    book = made.workbooks[0]
    own = "=IF(AH1>0,AH1,0)"
    path = fill(
        made,
        {
            ("conv_map_1", 0, 0): own,
            ("conv_map_1", -13, 32): conv(book, 0, 0).replace("MAX(0,", "(", 1),
            ("conv_map_1", 1, 1): conv(book, 1, 1),
            ("input_channel_1", 0, 0): 55,
            ("conv_kernel_1_1", 0, 0): -3,
            ("conv_bias_1", 0, 0): 17,
        },
    )
    assert points(made, path) == [2.0]


def test_tasks_do_not_suffer_from_each_other(give: Give) -> None:
    """A right pooling formula over maps that are still blank is right."""
    made = give('[[tasks]]\nkind = "fill"\nlayer = "conv"\n[[tasks]]\nkind = "fill"\nlayer = "pool"\nmap = 2\npoints = 2\n')
    book = made.workbooks[0]
    answers = {("pool_map_2", 0, j): f"=MAX({window(book, 'conv_map_2', 0, j, 2, 1)})" for j in (0, 1)}
    assert points(made, fill(made, answers)) == [0.0, 2.0]
    answers = {("pool_map_2", 0, j): "=0" for j in (0, 1)}
    assert points(made, fill(made, answers)) == [0.0, 0.0]


def test_parts_of_maps_and_numbers(give: Give) -> None:
    made = give(FILL.replace("map = 1", 'map = [1, 2]\nrows = 2\nanswer = "number"\ntolerance = 0.1'))
    blank = np.isnan(made.handout.variant(0).shown()["conv.output"])
    assert blank.tolist() == [[[False, False], [True, True]]] * 2
    answers = {("conv_map_1", 1, 0): 9.1, ("conv_map_1", 1, 1): 7.2, ("conv_map_2", 1, 0): "=0"}
    task = graded(made, fill(made, answers)).tasks[0]
    right = made.handout.variant(0).values["conv.output"][1, 1].tolist()
    assert right[0] == max(0, -1 + 3 - 1 + 2 + 2)  # by hand
    assert (task.points, task.right) == (1.0, 1)
    assert "wrong: conv!C15 is 7.2, should be 7" in " ".join(task.remarks)


# -- computing, shapes, design --------------------------------------------------------------------------------------------------
def test_compute_outlines_and_tolerance(give: Give) -> None:
    made = give('[[tasks]]\nkind = "compute"\nlayer = "conv"\nmap = 1\nrows = 2\npoints = 4\ntolerance = 0.5\n')
    book = openpyxl.load_workbook(made.workbooks[0])
    thick = {
        sheet.title: sum(
            side.style == "medium" for row in sheet for c in row for side in (c.border.left, c.border.top) if side
        )
        for sheet in book
    }
    # Two cells whose windows share a column: only the first has a frame; a kernel and a window for each channel,
    # with two left and two top sides each.
    assert thick["conv"] == 2 + 2 * (2 + 2) + 2 * (2 + 2)
    assert thick["Input"] == 0
    answers = {("conv_map_1", 1, 0): 9.4, ("conv_map_1", 1, 1): 7.6}
    assert points(made, fill(made, answers)) == [2.0]


def test_shapes(give: Give) -> None:
    made = give('[[tasks]]\nkind = "shapes"\npoints = 8\n')
    task = made.handout.exercise.tasks[0]
    assert task.wanted(made.handout.network) == [[2, 2, 2, 18], [2, 1, 2, 0]]  # type: ignore[attr-defined]
    answers: dict[tuple[str, int, int], Any] = {("task_1_shapes", 0, j): n for j, n in enumerate((2, 2, 3, "=2*2*2*2+2"))}
    result = graded(made, fill(made, answers)).tasks[0]
    assert result.points == 3.0
    assert result.remarks[0] == "wrong: columns of conv is 3, should be 2"
    texts = [c.value for row in openpyxl.load_workbook(made.workbooks[0])["conv"]["A1:Z6"] for c in row]
    assert not any(isinstance(text, str) and ("2×2×2" in text or "18" in text) for text in texts)


def texts_of(book: Path) -> dict[str, list[str]]:
    """All texts of the sheets on which sizes are not given."""
    sheets = [sheet for sheet in openpyxl.load_workbook(book) if sheet.title not in ("Exercise", "Input", "_sheetcnn")]
    return {sheet.title: [c.value for row in sheet for c in row if c.data_type == "s"] for sheet in sheets}


@pytest.mark.parametrize("name", ["digits", "mobilenet-block", "inception-block", "conv3d"])
def test_no_sheet_tells_the_shapes(name: str, tmp_path: Path) -> None:
    (tmp_path / "shapes.toml").write_text('title = "t"\n[[tasks]]\nkind = "shapes"\n', encoding="utf-8")
    made = hand_out(name, PICTURE_OF[name], tmp_path, exercise=tmp_path / "shapes.toml")
    nodes = made.handout.network.nodes
    sizes = {shape_text(node.shape) for node in nodes if len(node.shape) == 3}
    key, given = texts_of(made.key), texts_of(made.workbooks[0])
    assert {node.name for node in nodes if len(node.shape) == 3} <= {*given["Gallery"]}
    for node in nodes:
        assert any(shape_text(node.shape) in text for text in key[node.name])
        assert not any("parameters" in text for text in given[node.name])
    assert not [text for texts in given.values() for text in texts if any(size in text for size in sizes)]


def test_what_is_said_above_a_layer_later_may_tell_shapes_too(give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else stands above a layer's sheet, and as titles in the gallery, is left out as it is now."""

    def lines(node: Any, *more: Any, **others: Any) -> list[tuple[list[str], str]]:
        return [*layer_lines(node, *more, **others)[:3], ([f"in all {node.shape}"], "soft")]

    def titles(*given: Any) -> Page:
        page = gallery_page(*given)
        page.labels = [replace(one, text=f"{one.text} in cells") if one.tells_size else one for one in page.labels]
        return page

    monkeypatch.setattr("sheetcnn.sheets.layer.look.layer_lines", lines)
    monkeypatch.setattr("sheetcnn.sheets.gallery.look.gallery_page", titles)
    made = give('[[tasks]]\nkind = "shapes"\n')
    shown = [text for texts in texts_of(made.workbooks[0]).values() for text in texts]
    assert not [text for text in shown if "in all" in text or "in cells" in text]
    shown = [text for texts in texts_of(made.key).values() for text in texts]
    assert {"in all (2, 2, 2)", "2×2×2 in cells"} <= {*shown}


def test_design(give: Give) -> None:
    """Any kernels that give the target are right; those that give part of it get part of the points."""
    made = give('[[tasks]]\nkind = "design"\nlayer = "conv"\npoints = 4\n')
    kernels = {
        (f"conv_kernel_1_{c + 1}", i, j): float(n) for (c, i, j), n in np.ndenumerate([[[1, 2], [0, 1]], [[0, -1], [1, 0]]])
    }
    assert points(made, fill(made, kernels)) == [4.0]
    assert points(made, fill(made, kernels | {("conv_kernel_1_1", 0, 1): "=1+1"})) == [4.0]
    # Channel 2 is 1, 0, 5 in its second row: 1 more there changes the bottom right cell of the map only.
    zeros = dict.fromkeys(kernels, 0)
    assert points(made, fill(made, zeros)) == [0.0]
    # The map is 7 2 / 9 7; with all kernels 0 but the bias it is 1 everywhere, so 1 + pixel·2 of channel 1 gives 5 1 / 3 5.
    part = zeros | {("conv_kernel_1_1", 0, 0): 6}  # 1 + 6·(1 2 / 3 1) = 7 13 / 19 7: two of the four cells
    assert points(made, fill(made, part)) == [2.0]
    assert points(made, made.workbooks[0]) == [0.0]
    # The target has the colours of a map: dark is 0, and 9, the largest cell, is white; between them text is white.
    book = openpyxl.load_workbook(made.workbooks[0])
    sheet, where = cell(made.workbooks[0], "conv_target_1")
    rules = [rule for area in book[sheet].conditional_formatting if where in area.sqref for rule in area.rules]
    assert [rule.type for rule in rules] == ["colorScale", "cellIs"]
    assert [end.val for end in rules[0].colorScale.cfvo] == [-9, 0, 9]
    assert (rules[1].operator, rules[1].formula) == ("between", ["-7.54281", "3.01905"])
    # Map 2 is 3 6 / 5 0 (the last is −3 before ReLU): kernels of 0 have the 0 right, which is worth nothing.
    made = give('[[tasks]]\nkind = "design"\nlayer = "conv"\nmap = 2\npoints = 3\n')
    zeros = {(f"conv_kernel_2_{c}", i, j): 0 for c in (1, 2) for i in (0, 1) for j in (0, 1)}
    assert made.handout.variant(0).values["conv.output"][1].tolist() == [[3, 6], [5, 0]]
    assert points(made, fill(made, zeros)) == [0.0]


# -- planted mistakes -----------------------------------------------------------------------------------------------------------
PLACES = """
name = "places"
[input]
channels = 3
height = 7
width = 7
[[layers]]
type = "conv2d"
name = "conv"
out_channels = 3
kernel_size = 3
stride = 2
padding = 1
activation = "relu"
bias = [0.5, -0.25, 1]
[[layers]]
type = "avg_pool2d"
name = "mean"
kernel_size = 2
input = "input"
padding = 1
[[layers]]
type = "max_pool2d"
name = "largest"
kernel_size = 3
stride = 2
input = "input"
[[layers]]
type = "flatten"
name = "flat"
input = "conv"
[[layers]]
type = "linear"
name = "fc"
out_features = 2
"""
LAYER_OF = dict.fromkeys(MISTAKES, "conv") | {"max_for_average": "mean", "average_for_max": "largest"}
WRONG = [(kind, LAYER_OF[kind]) for kind in MISTAKES] + [
    ("shifted_window", "mean"),
    ("shifted_window", "largest"),
    ("wrong_stride", "mean"),
    ("wrong_stride", "largest"),
]


@pytest.mark.parametrize("extent", ["map", "cell"])
@pytest.mark.parametrize(("kind", "layer"), WRONG)
def test_every_mistake(give: Give, kind: str, layer: str, extent: str) -> None:
    """It shows, its saved values are what its formulas give, the key has it mended, the untouched handout gets nothing."""
    pixels = np.random.default_rng(4).integers(-4, 9, (3, 7, 7))
    made = give(MISTAKE.format(kind=kind, layer=layer, extent=extent), PLACES, pixels)
    variant = made.handout.variant(0)
    shown = saved_values_agree(made.workbooks[0])
    output = variant.values[f"{layer}.output"]
    wrong = []
    for k, i, j in np.ndindex(*output.shape):
        sheet, top, left, *_ = shown.names[f"{layer}_map_{k + 1}"]
        if abs(shown.sheets[sheet].number[top + i, left + j] - output[k, i, j]) > 1e-9:
            wrong.append((k, i, j))
    assert wrong
    assert {k for k, _, _ in wrong} == {wrong[0][0]}  # in one map
    assert len(wrong) == 1 or (extent == "map" and kind != "typed_number")
    assert points(made, made.key) == [4.0]
    assert points(made, made.workbooks[0]) == [0.0]
    # Naming a cell is half of it, whichever cell that has the mistake.
    k, i, j = wrong[-1]
    sheet, where = cell(made.workbooks[0], f"{layer}_map_{k + 1}", i, j)
    assert points(made, fill(made, {("task_1_cell", 0, 0): f"{sheet}!{where}"})) == [2.0]
    assert points(made, fill(made, {("task_1_cell", 0, 0): f" ${where[0]}${where[1:]} ".lower()})) == [2.0]
    assert points(made, fill(made, {("task_1_cell", 0, 0): f"{sheet}!A1"})) == [0.0]
    # Mending is the other half, by cells.
    key = read_book(made.key)
    mended = {}
    for at in map(tuple, np.argwhere(variant.planted[1].mask).tolist()):
        name = f"{layer}_map_{at[0] + 1}"
        sheet, top, left, *_ = key.names[name]
        mended[name, at[1], at[2]] = f"={key.sheets[sheet].formula(top + at[1], left + at[2])}"
    assert points(made, fill(made, mended)) == [2.0]
    half = dict(list(mended.items())[: len(mended) // 2])
    if half:
        assert points(made, fill(made, half)) == [round(2 * len(half) / len(mended), 2)]
    typed = {place: float(output[variant.planted[1].mask][n]) for n, place in enumerate(mended)}
    assert points(made, fill(made, typed)) == [0.0]


def test_mistakes_do_not_hang_on_how_a_layer_writes(give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the right formula's text is like: what is planted is wrong."""
    right = Conv2d.formula
    monkeypatch.setattr(Conv2d, "formula", lambda *given, **grids: f"({right(*given, **grids)})".replace(")+S", ") + S"))
    for kind in MISTAKES:
        if kind != "typed_number" and LAYER_OF[kind] == "conv":
            tasks = MISTAKE.format(kind=kind, layer="conv", extent="cell")
            pixels = np.random.default_rng(4).integers(-4, 9, (3, 7, 7))
            made = give(tasks, PLACES, pixels)
            [[k, i, j]] = np.argwhere(made.handout.variant(0).planted[1].mask).tolist()
            place = cell(made.key, f"conv_map_{k + 1}", i, j)
            texts = [str(openpyxl.load_workbook(book)[place[0]][place[1]].value) for book in (made.key, made.workbooks[0])]
            assert texts[0] != texts[1], kind
            saved_values_agree(made.workbooks[0])


def test_mistakes_as_formulas(give: Give) -> None:
    """The two that are no other setting of the layer, written out."""
    book = give(MISTAKE.format(kind="bias_per_channel", layer="conv", extent="cell")).workbooks[0]
    [[k, i, j]] = np.argwhere(read_key(book.with_name("key.xlsx"))[0].variant(0).planted[1].mask).tolist()
    sheet, where = cell(book, f"conv_map_{k + 1}", i, j)
    bias = cell(book, f"conv_bias_{k + 1}")[1]
    bias = f"${bias[0]}${bias[1:]}"
    formula = openpyxl.load_workbook(book)[sheet][where].value
    assert re.sub(r"SUMPRODUCT\([^()]*\)", "S", formula) == f"=MAX(0,{bias}+S+{bias}+S)"
    book = give(MISTAKE.format(kind="flipped_kernel", layer="conv", extent="cell")).workbooks[0]
    [[k, i, j]] = np.argwhere(read_key(book.with_name("key.xlsx"))[0].variant(0).planted[1].mask).tolist()
    sheet, where = cell(book, f"conv_map_{k + 1}", i, j)
    pairs = [
        f"{cell(book, f'conv_reads_{c}', i + a, j + b)[1]}*{cell(book, f'conv_kernel_{k + 1}_{c}', 1 - a, 1 - b)[1]}"
        for c in (1, 2)
        for a in (0, 1)
        for b in (0, 1)
    ]
    bias = cell(book, f"conv_bias_{k + 1}")[1]
    assert openpyxl.load_workbook(book)[sheet][where].value == f"=MAX(0,${bias[0]}${bias[1:]}+{'+'.join(pairs)})"


def test_mistake_by_hand(give: Give) -> None:
    """ReLU on each channel: channel 2 of map 1 gives −2, 0 / 4 −3 … of which ReLU leaves what is positive."""
    made = give(MISTAKE.format(kind="relu_before_sum", layer="conv", extent="map"))
    k = int(np.argwhere(made.handout.variant(0).planted[1].mask)[0][0])
    x = np.array(PIXELS, float)
    kernels = np.array([[[[1, 2], [0, 1]], [[0, -1], [1, 0]]], [[[1, 0], [0, -1]], [[2, 0], [0, 1]]]])[k]
    bias = (1, -1)[k]
    want = [
        [bias + sum(max(0, float((x[c, i : i + 2, j : j + 2] * kernels[c]).sum())) for c in (0, 1)) for j in (0, 1)]
        for i in (0, 1)
    ]
    assert made.handout.variant(0).shown()["conv.output"][k].tolist() == want


def test_bias_outside_relu_by_hand(give: Give) -> None:
    """Map 2 of filter 2, whose bias is −1: what ReLU leaves of the sum, less 1."""
    made = give(MISTAKE.format(kind="bias_outside_relu", layer="conv", extent="map"))
    k = int(np.argwhere(made.handout.variant(0).planted[1].mask)[0][0])
    x, bias = np.array(PIXELS, float), (1, -1)[k]
    kernels = np.array([[[[1, 2], [0, 1]], [[0, -1], [1, 0]]], [[[1, 0], [0, -1]], [[2, 0], [0, 1]]]])[k]
    want = [[bias + max(0.0, float((x[:, i : i + 2, j : j + 2] * kernels).sum())) for j in (0, 1)] for i in (0, 1)]
    assert made.handout.variant(0).shown()["conv.output"][k].tolist() == want


def test_random_kinds_are_those_of_earlier_handouts(give: Give) -> None:
    """A kind more would give each student of last term another variant than they have."""
    task = give(MISTAKE.format(kind="random", layer="conv", extent="map")).handout.exercise.tasks[0]
    network = give(MISTAKE.format(kind="random", layer="conv", extent="map")).handout.network
    kinds = {kind for _, kind in task.places(network, set())}  # type: ignore[attr-defined]
    assert "relu_before_sum" in kinds
    assert "bias_outside_relu" not in kinds


def test_mistakes_stay_away_from_other_tasks(give: Give) -> None:
    """Neither in their layers nor before them: else right work would look wrong."""
    tasks = FILL + '[[tasks]]\nkind = "mistake"\n'
    for seed in range(5):
        assert give(tasks, seed=seed).handout.variant(0).planted[2].node.name == "pool"
    with pytest.raises(ExerciseError, match="no layer left"):
        give(FILL.replace('"conv"', '"pool"') + '[[tasks]]\nkind = "mistake"\n')


# -- immediate feedback -----------------------------------------------------------------------------------------------------------
LIVE = 'feedback = "live"\n'
EACH = (
    FILL
    + '[[tasks]]\nkind = "compute"\nlayer = "conv"\nmap = 2\nrows = 1\ncolumns = 1\n'
    + '[[tasks]]\nkind = "shapes"\n[[tasks]]\nkind = "mistake"\nlayer = "pool"\n'
)


def done(book: Path, evaluated: bool = True) -> list[float]:
    """How far each task is done, as the Exercise sheet says."""
    opened = read_book(book)
    if evaluated:
        evaluate(opened, group_formulas(opened))
        return [float(opened.sheets["Exercise"].number[row, 6]) for row in range(9, 13)]
    return [float(opened.sheets["Exercise"].saved[row, 6]) for row in range(9, 13)]


def test_live_feedback(give: Give) -> None:
    made = give(LIVE + EACH)
    book = made.workbooks[0]
    assert done(book)[:3] == done(book, evaluated=False)[:3] == [0, 0, 0]
    assert done(made.key) == done(made.key, evaluated=False) == [4, 1, 8, 1]
    right = made.handout.variant(0).values["conv.output"][1, 0, 0]
    answers = {
        ("conv_map_1", 0, 0): conv(book, 0, 0),
        ("conv_map_1", 0, 1): 2.001,
        ("conv_map_1", 1, 0): "=1/0",
        ("conv_map_1", 1, 1): "7",
        ("conv_map_2", 0, 0): right + 0.004,
        ("task_3_shapes", 0, 3): 18,
    }
    assert done(fill(made, answers))[:3] == [1, 1, 1]
    assert done(fill(made, answers | {("conv_map_2", 0, 0): right + 0.006}))[:3] == [1, 0, 1]


MANY = """
name = "many"
[input]
channels = 1
height = 3
width = 3
[[layers]]
type = "conv2d"
name = "conv"
out_channels = {maps}
kernel_size = 2
[[layers]]
type = "max_pool2d"
name = "pool"
kernel_size = 2
"""


def test_live_tasks_on_one_map(give: Give) -> None:
    """A kernel to design and a cell of its own map to fill in: each has statuses of its own, and both turn green."""
    tasks = '[[tasks]]\nkind = "design"\nlayer = "conv"\n[[tasks]]\nkind = "fill"\nlayer = "conv"\nmap = 1\nrows = 1\ncolumns = 1\n'
    made = give('feedback = "live"\n' + tasks)
    for book in (made.workbooks[0], made.key):
        saved_values_agree(book)
    [grade] = sheetcnn.grade(made.key.parent, made.key)
    assert [task.of for task in grade.tasks] == [1, 1]


FILL_ALL = '[[tasks]]\nkind = "fill"\nlayer = "conv"\n'


def test_feedback_on_many_maps_is_no_more_work_for_each(give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules are laid once: with each map's laid before all others anew, twice the maps were four times the work."""
    calls = []
    write = Rule.element
    monkeypatch.setattr(Rule, "element", lambda *given: (calls.append(1), write(*given))[1])

    def work(maps: int) -> int:
        calls.clear()
        give(LIVE + FILL_ALL, MANY.format(maps=maps), np.ones((1, 3, 3)))
        return len(calls)

    assert 16 < work(16) < work(32) < 2 * work(16)


@pytest.mark.parametrize(
    ("tasks", "count"), [(FILL_ALL, 1_204), ('[[tasks]]\nkind = "mistake"\nlayer = "pool"\nmistake = "typed_number"\n', 1)]
)
def test_feedback_on_more_maps_than_one_formula_can_name(give: Give, tasks: str, count: int) -> None:
    """301 maps of 4 cells: Excel takes 255 arguments, and 8,192 characters."""
    made = give(LIVE + tasks, MANY.format(maps=301), np.ones((1, 3, 3)))
    opened = saved_values_agree(made.key)
    untouched = saved_values_agree(made.workbooks[0])
    assert [book.sheets["Exercise"].number[9, 6] for book in (opened, untouched)] == [count, 0]
    assert [book.sheets["Exercise"].saved[9, 6] for book in (opened, untouched)] == [count, 0]
    with zipfile.ZipFile(made.workbooks[0]) as archive:
        sheets = [archive.read(part).decode() for part in archive.namelist() if "sheets/sheet" in part]
    formulas = [text for sheet in sheets for text in re.findall(r"<f>(.*?)</f>", sheet)]
    assert max(map(len, formulas)) <= 8_192
    assert max(text.count(",") for text in formulas) < 255


def test_feedback_does_not_show_the_answers(give: Give) -> None:
    """No cell of the student's workbook holds a right number of a blank; equal numbers have unequal fingerprints."""
    zeros = re.sub(r"weight = .*\nbias = .*", 'init = "zeros"', NETWORK).replace('activation = "relu"', "bias = [3.5, 1.25]")
    made = give(LIVE + FILL, zeros)
    opened = read_book(made.workbooks[0])
    hidden = opened.sheets["_feedback"].number
    assert not np.isin([3.5, 1.25], hidden).any()
    for offset_or_print in (hidden[1:3, 3:5], hidden[1:3, 9:11]):
        assert len(np.unique(offset_or_print)) == 4
    with zipfile.ZipFile(made.workbooks[0]) as archive:
        text = archive.read("xl/workbook.xml").decode()
    assert re.search(r'name="_feedback"[^>]*state="veryHidden"', text)


def test_no_feedback_no_hidden_help(give: Give) -> None:
    made = give('feedback = "none"\n' + EACH)
    assert set(read_book(made.workbooks[0]).sheets) == {"Exercise", "Gallery", "Input", "conv", "pool", "_sheetcnn"}
    text = "".join(read_book(made.workbooks[0]).sheets["_sheetcnn"].texts.values())
    assert not any(word in text for word in ("layers", "weight", "mistake", "seed", "students", "parameters"))


HIDES = """
name = "hides"
[input]
channels = 2
height = 6
width = 6
[[layers]]
type = "conv2d"
name = "conv"
kernel_size = 3
out_channels = 2
activation = "relu"
weight = {weight}
bias = [4.628865979381443, 3]
[[layers]]
type = "conv2d"
name = "after"
kernel_size = 2
out_channels = 1
seed = 3
[[layers]]
type = "avg_pool2d"
name = "mean"
kernel_size = 2
"""
# The first filter's numbers are ninety-sevenths, and larger than the second's, which are whole.
KERNELS_TO_HIDE = [
    (np.append(np.arange(200, 209), -np.arange(100, 109)) / 97).reshape(2, 3, 3).tolist(),
    (np.arange(18) % 3).reshape(2, 3, 3).tolist(),
]
HIDDEN = [
    ("fill", 'layer = "conv"\nmap = 1'),
    ("fill", 'layer = "conv"\nmap = 1\nanswer = "number"'),
    ("compute", 'layer = "conv"\nmap = 1\nrows = 2'),
    ("design", 'layer = "conv"\nbias = true'),
    # Those that give a neighbour's right number, or have no place here, are left out.
    *[
        ("mistake", f'mistake = "{kind}"')
        for kind in sorted({*MISTAKES} - {"shifted_window", "wrong_stride", "average_for_max", "bias_outside_relu"})
    ],
]


def hidden_numbers(made: HandedOut, kind: str) -> np.ndarray:
    """The numbers that are an answer to the only task."""
    variant, task = made.handout.variant(0), made.handout.exercise.tasks[0]
    if kind == "design":
        return np.append(variant.parameters["conv.weight"][0], variant.parameters["conv.bias"][0])
    if kind == "mistake":
        return variant.values[f"{variant.planted[1].node.name}.output"][variant.planted[1].mask]
    return variant.values["conv.output"][task.blanks(made.handout.network)["conv.output"]]


@pytest.mark.parametrize(("kind", "settings"), HIDDEN)
def test_no_part_of_the_file_holds_an_answer(give: Give, kind: str, settings: str) -> None:
    """Values, colour scales, formats, hidden sheets, descriptions: an answer stands nowhere, as far as seven digits tell."""
    pixels = np.random.default_rng(8).uniform(0.5, 9, (2, 6, 6))
    network = HIDES.format(weight=KERNELS_TO_HIDE)
    made = give(f'feedback = "none"\n[[tasks]]\nkind = "{kind}"\n{settings}\n', network, pixels)
    hidden = hidden_numbers(made, kind)
    assert len(hidden)

    def found_in(book: Path) -> set[str]:
        with zipfile.ZipFile(book) as archive:
            parts = {part: archive.read(part).decode("utf-8", "replace") for part in archive.namelist()}
        return {f"{part}: {x}" for part, text in parts.items() for x in hidden if f"{abs(x):.8g}"[:-1] in text}

    assert len(found_in(made.key)) >= len(np.unique(hidden))  # else the search would find nothing anywhere
    assert not found_in(made.workbooks[0])


def test_hidden_kernels_leave_no_trace_in_formats(give: Give) -> None:
    """The other filter's numbers are whole, and shown so; what is typed into the blanks is shown as it is typed: all alike."""
    made = give(
        '[[tasks]]\nkind = "design"\nlayer = "conv"\nbias = true\n', HIDES.format(weight=KERNELS_TO_HIDE), np.ones((2, 6, 6))
    )
    book = openpyxl.load_workbook(made.workbooks[0])

    def number_format(name: str) -> str:
        sheet, where = cell(made.workbooks[0], name)
        return book[sheet][where].number_format

    assert [number_format(f"conv_{name}") for name in ("kernel_1_1", "bias_1", "kernel_2_1", "bias_2")] == ["General"] * 4
    scales = [rule.colorScale for area in book["conv"].conditional_formatting for rule in area.rules if rule.colorScale]
    # The largest number of the second filter is 2.
    assert [float(end.val) for end in scales[-2].cfvo] == [-2, 0, 2]


def test_blanks_have_no_values_and_keep_their_colours(give: Give) -> None:
    made = give(LIVE + FILL)
    book = openpyxl.load_workbook(made.workbooks[0])
    sheet, where = cell(made.workbooks[0], "conv_map_1")
    blank = book[sheet][where]
    assert blank.value is None
    assert not blank.protection.locked
    rules = [rule.type for area in book[sheet].conditional_formatting if where in area.sqref for rule in area.rules]
    assert "colorScale" in rules
    assert rules[0] == "expression"  # green comes first
    with zipfile.ZipFile(made.workbooks[0]) as archive:
        assert not any(b"nan" in archive.read(part) for part in archive.namelist() if "sheets/sheet" in part)
    with pytest.raises(WorkbookError, match="is a handout"):
        sheetcnn.check(made.workbooks[0])


# -- as students hand it in ---------------------------------------------------------------------------------------------------------
@pytest.mark.libreoffice
def test_libreoffice_as_the_student(give: Give, office: Callable, tmp_path: Path) -> None:
    """Right formulas, typed numbers, a mistake, nothing at all; renamed sheets and inserted rows; cells turn green."""
    made = give(LIVE + FILL)
    book = made.workbooks[0]
    folder = tmp_path / "in"
    folder.mkdir()

    def own(formula: str) -> str:  # LibreOffice's own way of writing
        return formula.replace("!", ".").replace(",", ";")

    places = [(i, j) for i in (0, 1) for j in (0, 1)]
    right = [[*cell(book, "conv_map_1", i, j), own(conv(book, i, j))] for i, j in places]
    typed = [[*cell(book, "conv_map_1", i, j), MAP[i][j]] for i, j in places]
    wrong = [[*cell(book, "conv_map_1", i, j), own(conv(book, i, j).replace("MAX(0,", "(", 1))] for i, j in places]
    jobs = [
        {"edits": right, "save": "right", "read": [["Exercise", "F9"]]},
        {"edits": typed, "save": "typed", "read": [["Exercise", "F9"]]},
        {"edits": [*right[:3], wrong[3]], "save": "mistake"},
        {"save": "nothing"},
        {"edits": right, "rename": [["conv", "my maps"], ["Input", "pixels"]], "save": "renamed"},
        {"edits": right, "insert_rows": [["conv", 3, 2], ["Input", 1, 3]], "save": "inserted"},
        {"edits": right, "insert_rows": [["conv", 14, 1]], "save": "cut"},
    ]
    read = office([{"book": str(book), **job, "save": str(folder / f"{job['save']}.xlsx")} for job in jobs])
    assert [read[0]["read"], read[1]["read"]] == [[[[4.0]]], [[[4.0]]]]  # all four are green in either
    grades = {one.file: one for one in grade(folder, made.key)}
    assert {name.removesuffix(".xlsx"): one.points for name, one in grades.items()} == {
        "right": 4.0,
        "typed": 0.0,
        "mistake": 3.0,
        "nothing": 0.0,
        "renamed": 4.0,
        "inserted": 4.0,
        "cut": 0.0,
    }
    assert "rows or columns were inserted" in grades["cut.xlsx"].tasks[0].remarks[0]


@pytest.mark.libreoffice
def test_open_document_files(give: Give, tmp_path: Path) -> None:
    from sheetcnn.office.libreoffice import find_libreoffice, write_profile

    made = give(FILL)
    write_profile(tmp_path / "profile")
    path = fill(made, {("conv_map_1", 0, 0): conv(made.workbooks[0], 0, 0)})
    command = [str(find_libreoffice()), f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless"]
    subprocess.run([*command, "--convert-to", "ods", "--outdir", str(tmp_path), str(path)], capture_output=True, check=True)
    assert points(made, tmp_path / "student.ods") == [1.0]
    (tmp_path / "in").mkdir()
    (tmp_path / "student.ods").rename(tmp_path / "in" / "student.ods")
    assert [one.points for one in grade(tmp_path / "in", made.key)] == [1.0]  # where memory is limited


def test_without_libreoffice(give: Give, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sheetcnn.office.libreoffice.find_libreoffice", lambda: None)
    (tmp_path / "a.ods").write_bytes(b"PK")
    assert "hand it in as .xlsx" in graded(give(FILL), tmp_path / "a.ods").remarks[0]


def broken(made: HandedOut, change: Callable[[Any], Any], name: str, folder: Path) -> None:
    opened = openpyxl.load_workbook(made.workbooks[0])
    change(opened)
    opened.save(folder / name)


def chain(book: Any, where: str) -> None:
    """Thousands of cells that wait for each other: seconds of work on any machine."""
    for row in range(100, 9000):
        book["conv"][f"Z{row}"] = f"=Z{row + 1}+1"
    book["conv"][where] = "=Z100"


SCRIPT = """
print("once")
import sheetcnn
made = sheetcnn.hand_out("cs231n", "cs231n", "class", students="roster.csv")
grades = sheetcnn.grade("class/students", made.key)
print([(grade.student, grade.points) for grade in grades])
"""


def run_script(folder: Path, script: str) -> str:
    """What a script prints, run as people run theirs: from a file, with nothing that keeps it from being imported."""
    (folder / "my script.py").write_text(script, encoding="utf-8")
    command = [sys.executable, "-W", "error", "my script.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_scripts_without_a_guard(tmp_path: Path) -> None:
    """Neither writing a class nor grading it runs the script again."""
    (tmp_path / "roster.csv").write_text("Anna\nBo\n", encoding="utf-8")
    assert run_script(tmp_path, SCRIPT) == "once\n[('Anna', 0.0), ('Bo', 0.0)]\n"


def test_documentation_as_a_script(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
    [snippet] = (part for part in re.findall(r"```python\n(.*?)```", page, re.S) if "sheetcnn.grade(" in part)
    out = run_script(tmp_path, snippet)
    assert out.splitlines()[-1] == "handout.xlsx 0.0 of 7.0"


def test_processes_that_do_not_start(give: Give, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said as it is, and no student is blamed for it."""
    made = give(FILL)
    with monkeypatch.context() as patch:
        patch.setattr("sheetcnn.handout.workers.CODE", "import sys; sys.exit('no memory left')")
        with pytest.raises(SheetcnnError, match=r"second Python process is needed, but .* could not be started \(no memory"):
            grade(made.key.parent, made.key)
        with pytest.raises(SheetcnnError, match="could not be started"):
            give(FILL, students="Anna\nBo\n")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no python"))
    with pytest.raises(SheetcnnError, match=r"no python could not be started \(No such file"):
        grade(made.key.parent, made.key)


def test_a_file_that_kills_its_process(give: Give, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one takes over, wherever the first one was."""
    monkeypatch.setattr("sheetcnn.handout.workers.usable_cores", lambda: 1)
    jobs = [(n,) for n in (0, 1, 0, 7, 0)]
    assert list(on_all_cores(dying, (), jobs, 60)) == [
        (0, 0),
        (1, Lost.BROKE_OFF),
        (2, 0),
        (3, Lost.BROKE_OFF),
        (4, 0),
    ]


def dying(*given: Any) -> Callable[[int], int]:
    """What a process is told to do: print, and end with a number that is not 0."""

    def do(code: int) -> int:
        print("this is no answer")
        os.system("echo neither is this")
        assert sys.stdin.read() == ""
        if code:
            os._exit(code)
        return code

    return do


def test_a_file_that_takes_too_long_is_given_up(give: Give, tmp_path: Path) -> None:
    made = give(FILL)
    (tmp_path / "in").mkdir()
    where = cell(made.workbooks[0], "conv_map_1")[1]
    broken(made, lambda book: chain(book, where), "slow.xlsx", tmp_path / "in")
    [one] = grade(tmp_path / "in", made.key, timeout=0.1)
    assert one.remarks == ["not graded: it takes more than 0.1 seconds; its formulas ask for too much"]
    assert one.points == 0


def test_no_file_stops_a_class(give: Give, tmp_path: Path) -> None:
    made = give(FILL)
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    where = cell(made.workbooks[0], "conv_map_1")[1]

    def formula(text: str) -> Callable[[Any], Any]:
        return lambda book: book["conv"].__setitem__(where, text)

    broken(made, formula("=SUMPRODUCT(A1:A1048576*A99:XFD99)"), "memory.xlsx", folder)
    broken(made, formula("=" + "(" * 3000 + "1" + ")" * 3000), "deep.xlsx", folder)
    broken(made, formula(f"={where}"), "circular.xlsx", folder)
    broken(made, lambda book: chain(book, where), "slow.xlsx", folder)
    broken(made, lambda book: book.remove(book["conv"]), "sheet_gone.xlsx", folder)
    broken(made, lambda book: book.remove(book["_sheetcnn"]), "hidden_gone.xlsx", folder)
    broken(made, lambda book: book["conv"].__setitem__("XFD1048576", 1), "far.xlsx", folder)
    broken(made, lambda book: [setattr(sheet.protection, "sheet", True) for sheet in book], "protected.xlsx", folder)
    (folder / "text.xlsx").write_text("no workbook")
    (folder / "essay.pdf").write_text("no workbook")
    (folder / ".hidden.xlsx").write_text("not handed in")
    (folder / "~$open.xlsx").write_text("a lock")
    with (
        zipfile.ZipFile(folder / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/workbook.xml", "w", force_zip64=True) as stream,
    ):
        for _ in range(2100):
            stream.write(bytes(1_000_000))
    fill(made, {("conv_map_1", i, j): conv(made.workbooks[0], i, j) for i in (0, 1) for j in (0, 1)}).replace(
        folder / "sub" / "right.xlsx"
    )
    seen: list[tuple[int, int]] = []
    grades = {one.file: one for one in grade(folder, made.key, progress=lambda *at: seen.append(at))}
    assert len(grades) == 12
    assert seen[-1] == (12, 12)
    assert grades.pop("sub/right.xlsx").points == 4.0
    assert all(one.points == 0 for one in grades.values())

    def said(name: str) -> str:
        return " ".join([*grades[name].remarks, *(words for task in grades[name].tasks for words in task.remarks)])

    assert "memory" in said("memory.xlsx")
    assert "a formula that gives an error" in said("deep.xlsx")
    assert "circular" in said("circular.xlsx")
    assert "cells that wait for each other" in said("slow.xlsx")
    assert "conv_map_1 is missing" in said("sheet_gone.xlsx")
    assert "hidden sheet" in said("hidden_gone.xlsx")
    assert not said("far.xlsx").startswith("not graded")
    assert "left blank" in said("protected.xlsx")
    assert "is no .xlsx workbook" in said("text.xlsx")
    assert "is no workbook" in said("essay.pdf")
    assert "2,041,100 bytes unpack to 2,100,000,000" in said("bomb.xlsx")


# -- a class ------------------------------------------------------------------------------------------------------------------------
def test_variants(give: Give, tmp_path: Path) -> None:
    """Each student has numbers of their own, the same again with the same seed; the key grades them all."""
    made = give(
        FILL + '[[tasks]]\nkind = "mistake"\nlayer = "pool"\n',
        students="name\nAnna Berg\nBo/../Ek\nCON\nANNA BERG\n",
        seed=3,
    )
    assert [path.name for path in made.workbooks] == ["Anna_Berg.xlsx", "Bo_Ek.xlsx", "CON_.xlsx", "ANNA_BERG_2.xlsx"]
    variants = [made.handout.variant(n) for n in range(5)]
    assert len({(variant.pixels.tobytes(), variant.parameters["conv.weight"].tobytes()) for variant in variants}) == 5
    for variant in variants[1:]:
        assert sorted(variant.pixels.ravel()) == sorted(np.ravel(PIXELS))
        assert [sorted(k.ravel()) for k in variant.parameters["conv.weight"]] == [
            [-1, 0, 0, 0, 1, 1, 1, 2],
            [-1, 0, 0, 0, 0, 1, 1, 2],
        ]
    assert np.array_equal(variants[2].pixels, read_key(made.key)[0].variant(2).pixels)
    for n, path in enumerate(made.workbooks, start=1):
        shown = saved_values_agree(path)
        sheet, top, left, bottom, right = shown.names["input_channel_1"]
        assert np.array_equal(shown.sheets[sheet].number[top : bottom + 1, left : right + 1], variants[n].pixels[0])
        assert openpyxl.load_workbook(path)["Exercise"]["B2"].value == ["Anna Berg", "Bo/../Ek", "CON", "ANNA BERG"][n - 1]
    folder = made.workbooks[0].parent
    answers = {("conv_map_1", i, j): conv(made.workbooks[0], i, j) for i in (0, 1) for j in (0, 1)}
    fill(made, answers).replace(folder / "copied.xlsx")
    made.workbooks[3].unlink()
    grades = grade(folder, made.key)
    assert [(one.student, one.file, one.points) for one in grades] == [
        ("Anna Berg", "Anna_Berg.xlsx", 0),
        ("Anna Berg", "copied.xlsx", 4.0),
        ("Bo/../Ek", "Bo_Ek.xlsx", 0),
        ("CON", "CON_.xlsx", 0),
        ("ANNA BERG", "", 0),
    ]
    assert [one.remarks for one in grades] == [
        ["does not count: copied.xlsx is the latest attempt"],
        ["the latest of 2 attempts; handed in too: Anna_Berg.xlsx"],
        [],
        [],
        ["no file was handed in"],
    ]


def test_given_kernels_and_trained_ones(give: Give, tmp_path: Path) -> None:
    """Classic kernels are drawn from the list; trained ones stay; `vary` says what differs."""
    classic = re.sub(
        r"out_channels = 2\nkernel_size = 2", 'kernels = ["blur", "sobel_x"]', re.sub(r"weight = .*\n", "", NETWORK)
    )
    classic = classic.replace("height = 3", "height = 6").replace("width = 3", "width = 6")
    pixels = np.random.default_rng(0).integers(0, 9, (2, 6, 6))
    made = give(FILL, classic, pixels, students="a\nb\nc\n")
    from sheetcnn.arrays.kernels import KERNELS

    for n in (1, 2, 3):
        weight = made.handout.variant(n).parameters["conv.weight"]
        assert all(any(np.array_equal(kernel, one) for one in KERNELS.values()) for kernel in weight[:, 0])
    same = give('vary = ["mistake"]\n' + FILL, classic, pixels, students="a\nb\n").handout
    assert np.array_equal(same.variant(1).pixels, pixels)
    assert np.array_equal(same.variant(1).parameters["conv.weight"], same.variant(2).parameters["conv.weight"])
    trained = hand_out("digits", ["digit-0", "digit-3"], tmp_path / "digits").handout
    assert np.array_equal(trained.variant(5).parameters["conv1.weight"], trained.parameters["conv1.weight"])
    assert {trained.variant(n).picture for n in range(1, 9)} == {"digit-0", "digit-3"}


def test_another_handout(give: Give, tmp_path: Path) -> None:
    old = fill(give(FILL), {}, "old.xlsx")
    made = give(FILL, seed=1)
    assert "another handout" in graded(made, old).remarks[0]
    assert "this is the key" in graded(made, made.key).remarks[0]
    book = sheetcnn.build(tmp_path / "net.toml", tmp_path / "net.npy", tmp_path / "book.xlsx").path
    with pytest.raises(ExerciseError, match="is no key"):
        grade(tmp_path, book)


# -- what is printed and written ---------------------------------------------------------------------------------------------------
def test_table_and_reports(give: Give, tmp_path: Path) -> None:
    made = give(FILL + MISTAKE.format(kind="average_for_max", layer="pool", extent="map"), students="=1+1\nBo\n")
    first = made.workbooks[0]
    fill(made, {("conv_map_1", 0, 0): conv(first, 0, 0), ("conv_map_1", 0, 1): "<b>"}).replace(first)
    grades = grade(first.parent, made.key)
    write_csv(tmp_path / "g.csv", grades, made.handout.exercise)
    text = (tmp_path / "g.csv").read_text(encoding="utf-8")
    assert text.startswith(
        "\ufeffstudent,e-mail,number,file,points,of,task 1 (fill),task 2 (mistake),counts,look at,remarks"
    )
    rows = list(csv.reader(text.splitlines()))
    assert [row[:9] for row in rows[1:]] == [
        ["'=1+1", "", "", "1_1.xlsx", "1", "8", "1", "0", "yes"],
        ["Bo", "", "", "Bo.xlsx", "0", "8", "0", "0", "yes"],
    ]
    assert "task 1: a text where a number is needed: conv!C14; task 1: left blank: conv!B15, conv!C15;" in rows[1][10]
    assert "task 2: no cell is named; the average is taken instead of the largest cell, in pool!" in rows[1][10]
    words = page(grades[0], made.handout.exercise)
    assert "<b>1 of 8 points</b>" in words
    assert "=1+1 · " not in words.replace("</b> · ", "")
    assert "<td class=n>1 of 4 right</td>" in words
    assert "&#x27;" not in words.split("<li>")[0]


def test_commands(give: Give, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    give(FILL)
    source = [str(tmp_path / "net.toml"), str(tmp_path / "net.npy")]

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(list(arguments))
        out, err = capsys.readouterr()
        return int(stopped.value.code or 0), out, err

    code, out, _ = run("handout", *source, "-o", str(tmp_path / "class"), "--seed", "5")
    assert (code, sorted(path.name for path in (tmp_path / "class").iterdir())) == (0, ["handout.xlsx", "key.xlsx"])
    assert "sheetcnn grade FOLDER --key" in out
    table = tmp_path / "class" / "grades.csv"
    for _ in range(2):  # the table and the reports of the first time are not graded
        code, out, _ = run("grade", str(tmp_path / "class"), "--key", str(tmp_path / "class" / "key.xlsx"), "-o", str(table))
        assert code == 0
        assert len(table.read_text(encoding="utf-8").splitlines()) == 2
    assert (tmp_path / "class" / "grades-reports" / "handout.html").exists()
    assert run("grade", str(tmp_path / "none"), "--key", str(tmp_path / "class" / "key.xlsx"))[0] == 2
    code, _, err = run("handout", *source, "-o", str(tmp_path / "x"), "--exercise", str(tmp_path / "none.toml"))
    assert code == 2
    assert err.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_exercise_inside_the_network_file(tmp_path: Path) -> None:
    inside = NETWORK.replace("[input]", '[exercise]\ntitle = "Inside"\n[[exercise.tasks]]\nkind = "shapes"\n[input]', 1)
    (tmp_path / "net.toml").write_text(inside, encoding="utf-8")
    np.save(tmp_path / "net.npy", np.array(PIXELS, float))
    made = hand_out(tmp_path / "net.toml", tmp_path / "net.npy", tmp_path / "out")
    assert made.handout.exercise.settings.title == "Inside"
    assert sheetcnn.check(sheetcnn.build(tmp_path / "net.toml", tmp_path / "net.npy", tmp_path / "b.xlsx").path).ok
    assert "exercise" not in read_network(tmp_path / "net.toml").description()


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ("", "tasks is missing"),
        ('[[tasks]]\nkind = "quiz"\n', "task 1: kind 'quiz' is unknown; there are compute, design, fill, mistake, shapes"),
        (FILL + "layers = 3\n", "task 1 (fill): unknown setting 'layers' (did you mean 'layer'?)"),
        (
            FILL.replace('"conv"', '"con"'),
            "task 1 (fill): layer 'con' is no layer (did you mean 'conv'?); there are conv, pool",
        ),
        (FILL.replace("map = 1", "map = 3"), "map [3]: layer 'conv' is 2×2×2, it has 2 maps"),
        (FILL + "rows = [2, 1]\n", "rows [2, 1]: give the first and the last"),
        (FILL + "columns = 9\n", "columns [9, 9]: layer 'conv' is 2×2×2, it has 2 columns"),
        (FILL.replace("points = 4", "points = 0"), "points: input should be greater than 0, not 0"),
        (FILL + FILL, "task 2 (fill): cell 1×1×1 of layer 'conv' is blank for task 1 already"),
        ('[[tasks]]\nkind = "design"\nlayer = "pool"\n', "layer 'pool' has no kernels of its own to design"),
        ('[[tasks]]\nkind = "mistake"\nmistake = "typo"\n', "mistake 'typo' is unknown; there are random, relu_before_sum"),
        ('[[tasks]]\nkind = "mistake"\nmistake = "max_for_average"\n', "the network has no place for it"),
        ('feedback = "maybe"\n' + FILL, "feedback: input should be 'live' or 'none', not 'maybe'"),
    ],
)
def test_bad_exercises(give: Give, tasks: str, words: str) -> None:
    with pytest.raises(ExerciseError) as error:
        give(tasks)
    assert words in str(error.value)
    assert str(error.value).startswith(str(Path(str(error.value).split(": ")[0])))
    assert "\n" not in str(error.value)
