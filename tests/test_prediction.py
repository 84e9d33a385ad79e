"""What a network says of a picture, with labels from the network file or from a file of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pytest
from test_cli import fails, run

import sheetcnn
from sheetcnn.errors import NetworkError

NETWORK = """
name = "three numbers"
{labels}
[input]
channels = 1
height = 1
width = 3
[[layers]]
type = "flatten"
[[layers]]
type = "linear"
out_features = 3
weight = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
bias = [0, 0, 0.5]
{last}
"""
SOFTMAX = '[[layers]]\ntype = "softmax"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plain.toml").write_text(NETWORK.format(labels="", last=""))
    (tmp_path / "labelled.toml").write_text(NETWORK.format(labels='labels = ["cat", "dog", "[b]"]', last=SOFTMAX))
    np.save(tmp_path / "a.npy", [[2, -4, 0]])
    np.save(tmp_path / "b.npy", [[0, 0, np.log(2) - 0.5]])
    (tmp_path / "labels.txt").write_text("roux\r\n=1+1\r\nçà\r\n\r\n", encoding="utf-8-sig", newline="")
    return tmp_path


def test_predictions_are_ranked(folder: Path) -> None:
    built = sheetcnn.build(folder / "plain.toml", [folder / "a.npy", folder / "b.npy"], folder / "x.xlsx")
    assert list(built.predictions) == ["a", "b"]
    assert built.predictions["a"] == [("1", 2.0), ("3", 0.5), ("2", -4.0)]
    assert [label for label, _ in built.predictions["b"]] == ["3", "1", "2"], "equal numbers stay in their order"
    assert not built.network.gives_probabilities


def test_probabilities(folder: Path) -> None:
    built = sheetcnn.build(folder / "labelled.toml", folder / "b.npy", folder / "x.xlsx")
    ((label, most), (_, second), (_, third)) = built.predictions["b"]
    assert label == "[b]"
    assert [most, second, third] == pytest.approx([0.5, 0.25, 0.25])  # exp(ln 2) : 1 : 1
    assert built.network.gives_probabilities


def test_maps_are_no_prediction(tmp_path: Path) -> None:
    assert sheetcnn.build("cs231n", "cs231n", tmp_path / "x.xlsx").predictions == {}


def test_one_picture_is_printed_with_bars(folder: Path) -> None:
    done = run("build", "labelled.toml", "b.npy", folder=folder)
    assert "Prediction for b: [b]" in done.stdout
    lines = [line.split() for line in done.stdout.splitlines() if "█" in line]
    assert lines == [["[b]", "50.0", "%", "█" * 10], ["cat", "25.0", "%", "█" * 5], ["dog", "25.0", "%", "█" * 5]]
    done = run("build", "plain.toml", "a.npy", folder=folder)
    lines = [line.split() for line in done.stdout.split("Prediction for a: 1")[1].splitlines()]
    assert ["1", "2", "█" * 10] in lines, "half as long as that of −4 would be, were it positive"
    assert ["2", "-4"] in lines


def test_several_pictures_have_a_line_each(folder: Path) -> None:
    done = run("build", "labelled.toml", "a.npy", "b.npy", folder=folder)
    lines = [line.split() for line in done.stdout.split("Predictions")[1].splitlines()]
    assert ["a", "cat", "81.6", "%"] in lines  # 1 / (1 + exp(−6) + exp(−1.5))
    assert ["b", "[b]", "50.0", "%"] in lines
    assert "█" not in done.stdout


def test_only_the_largest_are_shown(tmp_path: Path) -> None:
    done = run("build", "digits", "digit-3", folder=tmp_path)
    shown = done.stdout.split("Prediction for digit-3: 3")[1].split("wrote")[0]
    assert shown.count("%") == 5


def test_labels_file(folder: Path) -> None:
    done = run("build", "labelled.toml", "a.npy", "--labels", "labels.txt", "-o", "x.xlsx", folder=folder)
    assert "Prediction for a: roux" in done.stdout
    book = openpyxl.load_workbook(folder / "x.xlsx")
    texts = {cell.value: cell.data_type for row in book["softmax_3"].iter_rows() for cell in row}
    assert texts["roux"] == texts["=1+1"] == texts["çà"] == "s"
    assert "cat" not in texts
    assert sheetcnn.check(folder / "x.xlsx").ok


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a\nb", "has 2 names, the last layer 'linear_2' puts out 3; give one name for each number of a vector"),
        (b"", "line 1 is empty; give one label a line"),
        (b"a\n\nb\n", "line 2 is empty; give one label a line"),
        (b"a\nb\x1b[2J\nc\n", "line 2: the control character '\\x1b' cannot stand in a workbook; leave it out"),
        (b"a\rb\rc", "line 1: the control character '\\r' cannot stand in a workbook; leave it out"),
        (b"a\nb\n" + b"c" * 201, "line 3 has 201 letters; a label has at most 200"),
        (b"\xff\xfea\x00", "is not a text file in UTF-8; save it as UTF-8, one label a line"),
        (b"a\n" * 600_000, "is larger than 1,000,000 bytes; give a text file with one label a line"),
    ],
)
def test_bad_labels_files(data: bytes, message: str, folder: Path) -> None:
    path = folder / "bad.txt"
    path.write_bytes(data)
    with pytest.raises(NetworkError) as caught:
        sheetcnn.build(folder / "plain.toml", folder / "a.npy", folder / "x.xlsx", labels=path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert not (folder / "x.xlsx").exists()


def test_labels_that_cannot_be(folder: Path) -> None:
    assert "none.txt: cannot be read" in fails("build", "plain.toml", "a.npy", "--labels", "none.txt", folder=folder)
    line = fails("build", "edges", "cat", "--labels", "labels.txt", folder=folder)
    assert "labels.txt: labels has 3 names, the last layer 'pool' puts out 4×11×11" in line
