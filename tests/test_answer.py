"""The answer beside the pixels: what is read, whether it is right, and bars that do not lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from rearrange import changed

import sheetcnn
from sheetcnn.a1 import LETTERS
from sheetcnn.formula import evaluate, group_formulas, read_book
from sheetcnn.model.labels import label_number
from sheetcnn.sheets.input.place import SCREEN
from sheetcnn.templates import LESSONS, samples

LABELS = ("red disc", "blue disc", "disc", "2", "cat")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("disc", "disc"),
        ("red-disc", "red disc"),  # the longest that fits
        ("big_red_disc", "red disc"),
        ("Red Disc", "red disc"),
        ("blue-disc-hard", "blue disc"),  # the disc in it is part of that
        ("photo-2", "2"),
        ("cat", "cat"),
        ("cat-hard", "cat"),
        ("cat (2)", "cat"),  # the second of that name, no 2
        ("2-cat", "cat"),  # the end counts
        ("2-cat (3)", "cat"),
        ("2-cat-x", ""),
        ("photo-12", ""),
        ("cats", ""),
        ("picture", ""),
        ("-_ ", ""),
    ],
)
def test_the_label_in_a_picture_s_name(name: str, label: str) -> None:
    """Whole words at the end of the name, or else the only ones in it."""
    found = label_number(name, LABELS)
    assert (LABELS[found - 1] if found else "") == label


@pytest.mark.parametrize("name", sorted(name for name in samples() if name.startswith("digit-")))
def test_digits_are_what_they_are_called(name: str) -> None:
    assert label_number(name, [str(n) for n in range(10)]) == int(name[6]) + 1


def answers(path: Path, *names: str) -> list[list[Any]]:
    """What our evaluator makes of the named columns."""
    book = read_book(path)
    evaluate(book, group_formulas(book))
    found = []
    for name in names:
        sheet, top, left, bottom, _ = book.names[name]
        found.append([book.sheets[sheet].value(row, left) or None for row in range(top, bottom + 1)])
    return found


NETWORK: dict[str, Any] = {
    "name": "n",
    "labels": ["up", "down", "even"],
    "input": {"channels": 1, "height": 1, "width": 3},
    "layers": [{"type": "flatten", "name": "flat"}],
}


def built(tmp_path: Path, pictures: dict[str, list[float]], *more: dict[str, Any], **options: Any) -> Path:
    """A network that passes its pictures on, or does `more` to them."""
    for name, numbers in pictures.items():
        np.save(tmp_path / f"{name}.npy", np.array([[numbers]], float))
    network = NETWORK | {"layers": [*NETWORK["layers"], *more]}
    files = [tmp_path / f"{name}.npy" for name in pictures]
    return sheetcnn.build(network, files, tmp_path / "n.xlsx", **options).path


@pytest.mark.parametrize("home", ["input", "overview"])
def test_right_wrong_and_not_known(home: str, tmp_path: Path) -> None:
    path = built(tmp_path, {"one-up": [3, 1, 2], "one-down": [5, 4, 4], "unknown": [0, 2, 7]})
    sheet, top, left, *_ = read_book(path).names["input_picture"]
    for number, (answer, verdict, truly) in enumerate(
        [("up", "✓ truly", "up"), ("up", "✗ truly", "down"), ("even", None, None)], start=1
    ):
        with changed(path) as opened:
            opened[sheet].cell(top, left).value = number
        assert answers(path, f"{home}_answer", f"{home}_verdict", f"{home}_truly") == [[answer], [verdict], [truly]]
        assert sheetcnn.check(path).ok


def test_one_picture_and_what_is_typed_over_it(tmp_path: Path) -> None:
    path = built(tmp_path, {"one-up": [3, 1, 2]})
    assert answers(path, "input_answer", "input_verdict", "input_truly") == [["up"], ["✓ truly"], ["up"]]
    opened = openpyxl.load_workbook(path)
    sheet, top, left, *_ = read_book(path).names["input_channel_1"]
    opened[sheet].cell(top, left + 1).value = 9
    opened.save(path)
    assert answers(path, "input_answer", "input_verdict", "input_truly") == [["down"], ["✗ truly"], ["up"]]
    assert sheetcnn.check(path).ok


def test_nothing_is_said_where_no_name_has_a_label(tmp_path: Path) -> None:
    for pictures in ({"x": [1, 2, 3]}, {"x": [1, 2, 3], "y": [1, 2, 3]}):
        path = built(tmp_path, pictures)
        names = read_book(path).names
        assert "input_answer" in names
        assert not {"input_verdict", "input_truly", "input_truth", "overview_verdict"} & names.keys()
        assert sheetcnn.check(path).ok


def test_a_tie_may_be_read_either_way(tmp_path: Path) -> None:
    """Equal but for rounding: other programs may find the other one, and call it wrong or right."""
    path = built(tmp_path, {"one-down": [0.1, 0.1 * (1 + 2e-16), 0]})
    report = sheetcnn.check(path)
    assert report.ok
    assert answers(path, "input_truly") == [["down"]]


@pytest.mark.parametrize("home", ["input", "overview"])
def test_a_full_bar_is_all(home: str, tmp_path: Path) -> None:
    """exp(x) / Σ exp(x) of ln 2, ln 6 and ln 12 is 0.1, 0.3 and 0.6: of 20 letters 2, 6 and 12."""
    path = built(tmp_path, {"one-even": np.log([2, 6, 12]).tolist()}, {"type": "softmax", "name": "soft"})
    name, bar, number = answers(path, f"{home}_name", f"{home}_bar", f"{home}_number")
    assert name == ["up", "down", "even"]
    assert bar == ["█" * 2, "█" * 6, "█" * 12]
    np.testing.assert_allclose(number, [0.1, 0.3, 0.6])
    book = read_book(path)
    assert f"{home}_full" not in book.names
    sheet, top, left, *_ = book.names[f"{home}_bar"]
    assert book.sheets[sheet].texts[top - 1, left] == "░" * 20
    assert "= 100 %" in book.sheets[sheet].texts.values()
    assert sheetcnn.check(path).ok


@pytest.mark.parametrize(
    ("numbers", "bars", "full"),
    [
        ([2, 10, -4], ["█" * 4, "█" * 20, "▒" * 8], 10),
        ([2, 1, -8], ["█" * 5, "█" * 3, "▒" * 20], 8),  # 2.5 is rounded up
        ([0, 0, 0], [None, None, None], 1e-9),
        ([-1, -2, -4], ["▒" * 5, "▒" * 10, "▒" * 20], 4),
    ],
)
def test_bars_of_other_numbers(numbers: list[float], bars: list[str], full: float, tmp_path: Path) -> None:
    """A full bar is the largest number, whatever its sign; negative ones look otherwise."""
    path = built(tmp_path, {"x": numbers})
    assert answers(path, "input_bar", "input_full") == [bars, [full]]
    for sheet in ("Input", "Overview"):
        assert "a full bar is the largest in size; ▒: negative" in read_book(path).sheets[sheet].texts.values()
    assert sheetcnn.check(path).ok


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("input_answer", "down", "overwritten"),
        ("input_verdict", '="✓ truly"', "changed"),
        ("input_truly", "down", "overwritten"),
        ("input_bar", '=REPT("█",20)', "changed"),
        ("input_full", "=1", "changed"),
        ("input_truth", 2, "changed"),
        ("answer_names", "cat", "changed"),
    ],
)
def test_edits_are_found(name: str, value: Any, kind: str, tmp_path: Path) -> None:
    path = built(tmp_path, {"one-up": [3, 1, 2], "two-up": [1, 2, 3]})
    opened = openpyxl.load_workbook(path)
    sheet, top, left, *_ = read_book(path).names[name]
    opened[sheet].cell(top, left).value = value
    opened.save(path)
    found = [(finding.kind, finding.cell) for finding in sheetcnn.check(path).findings]
    assert (kind, f"{sheet}!{LETTERS[left]}{top}") in found


DIGITS = [f"digit-{n}" for n in range(10)] + ["digit-9-harder"]
SHAPES = ["red-disc", "red-triangle", "green-square", "green-triangle", "blue-disc", "blue-square"]


@pytest.mark.parametrize(
    ("template", "pictures"),
    [
        (name, given)
        for name, many in (("digits", DIGITS), ("lenet5", DIGITS), ("shapes-rgb", SHAPES))
        for given in (many[:1], many)
    ],
)
def test_the_answer_stands_beside_the_pixels(template: str, pictures: list[str], tmp_path: Path) -> None:
    """In the first 52 columns and 23 rows: what a window of 1,366 × 700 pixels shows at 100 %, which is what the sheet has."""
    path = sheetcnn.build(template, pictures, tmp_path / "n.xlsx").path
    names = read_book(path).names
    right = names["input_channel_1"][4]
    assert right < SCREEN
    for name in ("input_answer", "input_verdict", "input_truly", "input_name", "input_bar", "input_number"):
        sheet, top, column, bottom, _ = names[name]
        assert sheet == "Input"
        assert right < column <= SCREEN - 2 * (name == "input_number")
        assert 7 < top <= bottom <= 23
    taken = [names[name] for name in names if name.startswith(("input_channel", "input_typed", "input_normalized"))]
    for _, top, start, bottom, end in (names[name] for name in ("input_answer", "input_name", "input_bar", "input_number")):
        assert not any(t <= bottom and top <= b and s <= end and start <= e for _, t, s, b, e in taken if t > 7)
    assert openpyxl.load_workbook(path)["Input"].sheet_view.zoomScale == 100


@pytest.mark.parametrize("template", ["digits", "shapes-rgb"])
def test_typed_cells_stand_on_the_first_screen(template: str, tmp_path: Path) -> None:
    given = {"digits": DIGITS, "shapes-rgb": SHAPES}[template]
    names = read_book(sheetcnn.build(template, given, tmp_path / "n.xlsx").path).names
    assert names["input_typed_1"][4] <= SCREEN
    assert names["input_typed_1"][1:4:2] == names["input_channel_1"][1:4:2]  # the same rows


def test_the_answer_is_printed_on_one_page(tmp_path: Path) -> None:
    """Names, bars and numbers together, and no page ends between them."""
    network = NETWORK | {
        "input": {"channels": 1, "height": 20, "width": 60, "scale": 2},
        "layers": [{"type": "adaptive_avg_pool2d", "output_size": [1, 3]}, *NETWORK["layers"]],
    }
    path = sheetcnn.build(network, [np.ones((20, 60))] * 2, tmp_path / "n.xlsx").path
    names, sheet = read_book(path).names, openpyxl.load_workbook(path)["Input"]
    breaks = [each.id for each in sheet.col_breaks.brk]
    left, right = names["input_channel_1"][4] + 1, names["input_number"][4] + 2
    assert breaks
    assert not [column for column in breaks if left < column < right]


def test_what_becomes_the_answer_has_its_labels(tmp_path: Path) -> None:
    """Also before the activation; a layer that is only read, or does more than activate, counts."""
    linear = {"type": "linear", "name": "fc", "out_features": 3}
    path = built(
        tmp_path, {"x": [1, 2, 3]}, linear, {"type": "relu", "name": "act"}, {"type": "dropout", "name": "drop"},
        {"type": "softmax", "name": "soft"},
    )  # fmt: skip
    book = read_book(path)

    def named(layer: str) -> list[str]:
        _, top, _, bottom, _ = book.names[f"{layer}_out"]
        return [book.sheets[layer].texts.get((row, 2)) for row in range(top, bottom + 1)]

    for layer in ("fc", "act", "drop", "soft"):
        assert named(layer) == ["up", "down", "even"]
    assert named("flat") == ["1", "2", "3"]


def test_digits_name_their_logits(tmp_path: Path) -> None:
    book = read_book(sheetcnn.build("digits", LESSONS["digits"].picture, tmp_path / "n.xlsx").path)
    _, top, _, bottom, _ = book.names["fc_out"]
    assert [book.sheets["fc"].texts[row, 2] for row in range(top, bottom + 1)] == [str(n) for n in range(10)]


def test_handouts_tell_no_answer(tmp_path: Path) -> None:
    """It is what is to be found."""
    made = sheetcnn.hand_out("digits", "digit-3", tmp_path / "out")
    for path in (made.key, *made.workbooks):
        names = read_book(path).names
        assert "input_channel_1" in names
        assert not {"input_answer", "input_typed_1", "input_truth"} & names.keys()


@pytest.mark.libreoffice
def test_answers_in_libreoffice(office: Callable[..., Any], tmp_path: Path) -> None:
    path = built(tmp_path, {"one-up": [3, 1, 2], "one-down": [5, 4, 4]}, {"type": "softmax", "name": "soft"})
    names = read_book(path).names
    place = {name: f"{LETTERS[left]}{top}" for name, (_, top, left, *_) in names.items() if name.startswith("input_")}
    edits = [["Input", place["input_picture"], 2], ["Input", place["input_typed_1"], 0]]
    read = [["Input", place[f"input_{key}"]] for key in ("answer", "verdict", "truly", "bar")]
    saved = tmp_path / "saved.xlsx"
    [done] = office([{"book": str(path), "edits": edits, "read": read, "save": str(saved)}])
    assert [area[0][0] for area in done["read"]] == ["down", "✓ truly", "down", ""]
    assert sheetcnn.check(saved).ok
    assert sheetcnn.check(saved, engine="libreoffice").ok
