"""How students name cells and type numbers, and when all points are given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula

from sheetcnn.a1 import cell_name
from sheetcnn.formula import read_book
from sheetcnn.handout.grader import Grader
from sheetcnn.handout.marking import Graded, Tally
from sheetcnn.handout.typed import number_in
from sheetcnn.handout.writer import HandedOut, hand_out

NETWORK: dict[str, Any] = {
    "name": "Answers",
    "input": {"channels": 1, "height": 4, "width": 4},
    "layers": [
        {"type": "conv2d", "name": "fc1", "out_channels": 2, "kernel_size": 2, "weight": [[[[1, 2], [3, -4]]], [[[0.5, 0], [0, -3.5]]]]},
        {"type": "max_pool2d", "name": "the_pool", "kernel_size": 2, "stride": 1},
    ],
    "exercise": {
        "title": "Answers",
        "tasks": [
            {"kind": "mistake", "layer": "the_pool", "mistake": "average_for_max", "points": 4},
            {"kind": "compute", "layer": "fc1", "map": 2, "rows": 1, "columns": [1, 2], "points": 2},
            {"kind": "shapes", "layer": ["fc1"], "points": 4},
        ],
    },
}  # fmt: skip
PICTURE = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 1, 2, 3], [4, 5, 6, 7]]
# 0.5·1 − 3.5·6 = −20.5 and 0.5·2 − 3.5·7 = −23.5.
COMPUTED = (-20.5, -23.5)


@pytest.fixture
def made(tmp_path: Path) -> HandedOut:
    (tmp_path / "net.json").write_text(json.dumps(NETWORK), encoding="utf-8")
    np.save(tmp_path / "net.npy", np.array([PICTURE], float))
    return hand_out(tmp_path / "net.json", tmp_path / "net.npy", tmp_path / "out")


def graded(made: HandedOut, answers: dict[tuple[str, int, int], Any], title: str = "the_pool") -> list[Graded]:
    """What is said of a workbook with answers by the name of the grid, row and column; text in braces is an array formula."""
    names = read_book(made.workbooks[0]).names
    opened = openpyxl.load_workbook(made.workbooks[0])
    for (name, i, j), value in answers.items():
        sheet, top, left, *_ = names[name]
        where = cell_name(top + i, left + j)
        if isinstance(value, str) and value.startswith("{="):
            opened[sheet][where] = ArrayFormula(where, value[1:-1])
        else:
            opened[sheet][where] = value
            if isinstance(value, str) and not value.startswith("="):
                opened[sheet][where].data_type = "s"
    opened["the_pool"].title = title
    for name in opened.defined_names.values():  # as a spreadsheet program does
        name.attr_text = name.attr_text.replace("the_pool!", f"'{title}'!")
    path = made.key.parent / "student.xlsx"
    opened.save(path)
    return Grader(made.key).grade(path, path.name).tasks


def wrong_map(made: HandedOut) -> int:
    return int(np.argwhere(Grader(made.key).variant(0).planted[1].mask)[0][0]) + 1


@pytest.mark.parametrize(
    "words",
    [
        "the_pool!{0}",
        "{0}",
        "${0}",
        "the_pool!{0}:{1}",
        "'the_pool'!{0}",
        "$the_pool.{0}",
        "the_pool.{0}",
        "the_pool {0}",
        "THE_POOL!{0}",
        "cell {0} on sheet the_pool",
        "Zelle {0} auf dem Blatt the_pool",
        "the_pool: {0}",
        "It is in {0}.",
        "{0}, {1}",
        "{0} and {1}",
        "{0}:{1}",
        "=the_pool!{0}",
        "=the_pool!{0}:{1}",
        "{{=the_pool!{0}:{1}}}",
        "=the_pool_map_{2}",
        " the_pool!{0} ",
        "(the_pool!{0})",
    ],
)
def test_ways_to_name_the_wrong_cell(words: str, made: HandedOut) -> None:
    k = wrong_map(made)
    _, top, left, bottom, right = read_book(made.workbooks[0]).names[f"the_pool_map_{k}"]
    text = words.format(cell_name(top, left), cell_name(bottom, right), k)
    task = graded(made, {("task_1_cell", 0, 0): text})[0]
    assert task.points == 2.0, task.remarks
    assert not any("is not a cell" in remark for remark in task.remarks)


@pytest.mark.parametrize(
    "words",
    [
        "fc1!{0}",  # the same place on another sheet
        "{0}:{3}",  # beyond the map
        "{0} {3}",
        "the_pool!{3}",
        "=Input!{0}",
        "the_pool",
        "everywhere",
        "A1:XFD1048576",
        "A1 {0}",
        "=1+1",
        "fc1",
    ],
)
def test_what_names_no_wrong_cell(words: str, made: HandedOut) -> None:
    k = wrong_map(made)
    _, top, left, bottom, right = read_book(made.workbooks[0]).names[f"the_pool_map_{k}"]
    text = words.format(cell_name(top, left), cell_name(bottom, right), k, cell_name(bottom + 1, right + 1))
    task = graded(made, {("task_1_cell", 0, 0): text})[0]
    assert task.points == 0
    assert task.remarks[0].startswith(f"{text!r:.60} is not a cell that has the mistake")


def test_a_cell_of_a_renamed_sheet(made: HandedOut) -> None:
    k = wrong_map(made)
    _, top, left, *_ = read_book(made.workbooks[0]).names[f"the_pool_map_{k}"]
    for words in ("My sheet!{0}", "'My sheet'!{0}", "my sheet {0}", "the_pool!{0}"):
        answers = {("task_1_cell", 0, 0): words.format(cell_name(top, left))}
        assert graded(made, answers, "My sheet")[0].points == 2.0, words


def test_a_cell_without_its_sheet_is_of_the_task_s_own_layer(made: HandedOut, tmp_path: Path) -> None:
    """Another task's mistake may lie in the same place of another sheet."""
    network = NETWORK | {
        "exercise": {
            "title": "Two",
            "tasks": [
                {"kind": "mistake", "layer": layer, "mistake": kind, "points": 4}
                for layer, kind in (("the_pool", "average_for_max"), ("fc1", "flipped_kernel"))
            ],
        }
    }
    (tmp_path / "two.json").write_text(json.dumps(network), encoding="utf-8")
    both = hand_out(tmp_path / "two.json", tmp_path / "net.npy", tmp_path / "two")
    planted, names = Grader(both.key).variant(0).planted, read_book(both.workbooks[0]).names
    answers = {}
    for n, layer in ((1, "the_pool"), (2, "fc1")):
        k = int(np.argwhere(planted[n].mask)[0][0]) + 1
        answers[f"task_{n}_cell", 0, 0] = cell_name(*names[f"{layer}_map_{k}"][1:3])
    assert [task.points for task in graded(both, answers)] == [2.0, 2.0]


def test_no_cell_is_named(made: HandedOut) -> None:
    assert graded(made, {})[0].remarks[0].startswith("no cell is named; ")


@pytest.mark.parametrize(
    "typed", [("−20,5", "-23.5"), ("-20,50", " -23,5 "), ("–20.5", "-23.5\u00a0"), ("-20.5", -23.5), ("-2.05E1", "−23.500")]
)
def test_numbers_typed_as_texts(typed: tuple[Any, Any], made: HandedOut) -> None:
    task = graded(made, {("fc1_map_2", 0, j): value for j, value in enumerate(typed)})[1]
    assert (task.points, task.remarks) == (2.0, [])
    task = graded(made, {("fc1_map_2", 0, 0): "-20,6", ("fc1_map_2", 0, 1): "about -23.5"})[1]
    assert task.points == 0
    assert sorted(remark.partition(":")[0] for remark in task.remarks) == ["a text where a number is needed", "wrong"]


def test_shapes_typed_as_texts(made: HandedOut) -> None:
    assert graded(made, {("task_3_shapes", 0, n): text for n, text in enumerate(("2", "3 ", "3,0", "10"))})[2].points == 4
    assert graded(made, {("task_3_shapes", 0, n): text for n, text in enumerate(("2", "3x", "3,5", "10"))})[2].points == 2


@pytest.mark.parametrize(
    ("text", "number", "whole"),
    [
        ("3", 3, 3),
        ("-3,0", -3, -3),
        ("+.5", 0.5, 0.5),
        ("1,234", 1.234, 1234),
        ("1.234", 1.234, 1234),
        ("61 706", 61706, 61706),
        ("61\u202f706", 61706, 61706),
        ("61'706", 61706, 61706),
        ("61’706", 61706, 61706),
        ("1.234.567", 1234567, 1234567),
        ("1.234,5", 1234.5, 1234.5),
        ("1,234.5", 1234.5, 1234.5),
        ("٣", None, None),  # digits that Python's float would take
        ("1_000", None, None),
        ("nan", None, None),
        ("1e999", None, None),
        ("", None, None),
        ("3 of 4", None, None),
        ("0x10", None, None),
        ("３", 3, 3),  # full-width digits
    ],
)
def test_what_a_text_spells(text: str, number: float | None, whole: float | None) -> None:
    assert number_in(text) == number
    assert number_in(text, whole=True) == whole


def test_all_points_only_where_all_is_right() -> None:
    tally = Tally()
    for n in range(2888):
        tally.add(f"A{n}", "wrong" if n == 77 else "")
    assert tally.graded(10).points == 9.99
    assert tally.graded(10).right == 2887
    tally = Tally()
    tally.add("A1")
    assert tally.graded(10).points == 10


def test_what_nobody_can_evaluate_is_to_be_looked_at(made: HandedOut) -> None:
    """It is no silent 0: the task names the cells and says why; what is wrong already is wrong."""
    formula = "=_xlfn.LAMBDA(_xlpm.x,_xlpm.x)({0})"
    answers = {("fc1_map_2", 0, 0): formula.format(-20.5), ("fc1_map_2", 0, 1): "=NOBODYKNOWS(1)"}
    task = graded(made, answers)[1]
    names = read_book(made.workbooks[0]).names["fc1_map_2"]
    cells = [f"'{names[0]}'!{cell_name(names[1], names[2] + j)}" for j in (0, 1)]
    assert task.look == cells
    assert task.points == 0
    assert task.remarks == [
        f"not graded: look at {cells[0]} (names values with LET or LAMBDA, which sheetcnn does not know)",
        f"not graded: look at {cells[1]} (calls NOBODYKNOWS, which sheetcnn does not know)",
    ]
    task = graded(made, {("fc1_map_2", 0, 0): -20.5, ("fc1_map_2", 0, 1): "=NOBODYKNOWS(1)"})[1]
    assert (task.points, task.look) == (1.0, cells[1:])


def test_what_reads_an_unknown_cell_is_unknown(made: HandedOut) -> None:
    names = read_book(made.workbooks[0]).names["fc1_map_2"]
    answers = {("fc1_map_2", 0, 0): f"={cell_name(names[1] + 30, names[2])}-20.5", ("fc1_map_2", 0, 1): -23.5}
    assert graded(made, answers)[1].points == 2.0  # a blank cell is 0
    answers["fc1_map_2", 30, 0] = "=NOBODYKNOWS(1)"
    task = graded(made, answers)[1]
    assert (task.points, len(task.look)) == (1.0, 1)
    assert task.remarks == [f"not graded: look at '{names[0]}'!{cell_name(names[1], names[2])}"]
