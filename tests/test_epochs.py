"""Recorded epochs behind a list: the whole workbook is the network as it was after the chosen one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from engines import Office
from openpyxl.worksheet.worksheet import Worksheet

import sheetcnn
from sheetcnn.a1 import LETTERS
from sheetcnn.errors import SheetcnnError
from sheetcnn.formula import read_book
from sheetcnn.formula.functions import FUNCTIONS
from sheetcnn.formula.parser import parse

EPOCHS = [0, 1, 2, 5, 10]
NETWORK = """
name = "recorded"
labels = ["a", "b", "c"]
{top}
input = {{channels = 1, height = 5, width = 5}}
{training}
[[layers]]
type = "conv2d"
name = "conv"
out_channels = 2
kernel_size = 3
padding = 1
activation = "relu"
[[layers]]
type = "batch_norm2d"
name = "bn"
[[layers]]
type = "conv2d"
name = "kept"
out_channels = 2
kernel_size = 3
train = false
kernels = ["blur", "blur"]
[[layers]]
type = "conv_transpose2d"
name = "up"
weights_prefix = "net.up"
out_channels = 3
kernel_size = 2
dilation = 2
[[layers]]
type = "flatten"
[[layers]]
type = "linear"
name = "fc"
out_features = 3
[[layers]]
type = "softmax"
name = "softmax"
"""
SHAPES = {"conv.weight": (2, 1, 3, 3), "conv.bias": (2,), "net.up.weight": (2, 3, 2, 2), "net.up.bias": (3,), "fc.weight": (3, 75),
          "fc.bias": (3,)} | {f"bn.{key}": (2,) for key in ("weight", "bias", "running_mean", "running_var")}  # fmt: skip
RNG = np.random.default_rng(5)
RECORDED: dict[str, np.ndarray] = {key: RNG.uniform(0.1, 1, (5, *shape)) for key, shape in SHAPES.items()}
MEASURED = {
    "epoch": np.array(EPOCHS),
    "loss": np.array([2.5, 1.5, 1, 0.5, 0.25]),
    "accuracy": np.array([0.1, 0.5, 0.75, 0.9, 1]),
}
PICTURE = RNG.uniform(size=(5, 5))
TRAINING = '[training]\nsnapshots = "epochs.npz"\n'


def network(folder: Path, changes: dict[str, Any] | None = None, training: str = TRAINING, text: str = NETWORK) -> Path:
    """The network file beside its recorded epochs; of changes, None takes an array away."""
    arrays = {key: one for key, one in (RECORDED | MEASURED | (changes or {})).items() if one is not None}
    np.savez(folder / "epochs.npz", **arrays)
    return written(folder / "net.toml", 0, training, text)


def written(file: Path, epoch: int, training: str = "", text: str = NETWORK) -> Path:
    """A network file with one epoch's numbers as its weights."""
    weights = file.with_suffix(".npz")
    np.savez(weights, **{key: one[EPOCHS.index(epoch)] for key, one in RECORDED.items()})
    file.write_text(text.format(top=f'weights = "{weights.name}"', training=training), encoding="utf-8")
    return file


def after(folder: Path, epoch: int) -> dict[str, dict[str, np.ndarray]]:
    """What NumPy says of the network with one epoch's numbers as its weights."""
    return sheetcnn.build(written(folder / "plain.toml", epoch), PICTURE).values


def cell(book: Path, name: str) -> tuple[str, str]:
    """The sheet and the first cell of a name."""
    sheet, top, left, *_ = read_book(book).names[name]
    return sheet, f"{LETTERS[left]}{top}"


def edited(book: Path, **changes: Any) -> sheetcnn.Report:
    """The check's report after the first cells of these names hold something else."""
    opened = openpyxl.load_workbook(book)
    for name, value in changes.items():
        sheet, place = cell(book, name)
        page = opened[sheet]
        assert isinstance(page, Worksheet)
        page[place] = value
    opened.save(book.with_name("edited.xlsx"))
    return sheetcnn.check(book.with_name("edited.xlsx"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("epochs")
    return sheetcnn.build(network(folder), PICTURE, folder / "book.xlsx", epochs=True, gallery=False, inspector=False).path


def test_the_last_epoch_is_shown(built: Path, tmp_path: Path) -> None:
    book, wanted = openpyxl.load_workbook(built, data_only=True), after(tmp_path, 10)
    sheet, place = cell(built, "softmax_out")
    assert book[sheet][place].value == pytest.approx(next(reversed(wanted.values()))["output"][0], abs=1e-12)
    assert (book["Overview"]["G4"].value, book["_epochs"].sheet_state) == (10, "hidden")
    assert sheetcnn.check(built).ok
    formulas = openpyxl.load_workbook(built)
    assert re.fullmatch(
        r"=INDEX\(_epochs!\$C\$\d+:\$G\$\d+,Overview!\$M\$4\)", formulas["fc"][cell(built, "fc_weight")[1]].value
    )
    assert formulas["kept"][cell(built, "kept_bias_1")[1]].value == 0  # which was not recorded
    assert len(formulas["Overview"]._charts) == 2


@pytest.mark.libreoffice
def test_choosing_an_epoch(built: Path, office: Office, tmp_path: Path) -> None:
    """Every layer, each epoch in turn, in LibreOffice; a kernel that was typed over stays."""
    names = read_book(built).names
    layers = {"conv": "conv_map_2", "bn": "bn_map_2", "up": "up_map_3", "fc": "fc_out"}
    areas = [names[name] for name in (*layers.values(), "epoch_loss_now")]
    read = [[sheet, f"{LETTERS[left]}{top}:{LETTERS[right]}{bottom}"] for sheet, top, left, bottom, right in areas]
    saved = tmp_path / "saved.xlsx"
    rounds = [{"edits": [[*cell(built, "epoch"), epoch]], "read": read} for epoch in EPOCHS]
    (done,) = office([{"book": str(built), "rounds": rounds, "save": str(saved)}])
    for epoch, (*found, (loss,)) in zip(EPOCHS, done["rounds"], strict=True):
        wanted = after(tmp_path, epoch)
        for layer, numbers in zip(layers, found, strict=True):
            last = wanted[layer]["output"] if layer == "fc" else wanted[layer]["output"][-1]
            np.testing.assert_allclose(np.array(numbers).reshape(last.shape), last, atol=1e-12)
        assert loss == [MEASURED["loss"][EPOCHS.index(epoch)]]
    typed = {"edits": [[*cell(built, "epoch"), 1], [*cell(built, "fc_weight"), 0.5], [*cell(built, "conv_kernel_1_1"), 2]]}
    office([{"book": str(built), "rounds": [typed], "save": str(saved)}])
    report = sheetcnn.check(saved)
    assert report.ok, report.findings[:3]
    sheetcnn.export(saved, tmp_path / "out.npz")
    values = np.load(tmp_path / "out.npz")
    assert (values["fc.weight"][0, 0], values["conv.weight"][0, 0, 0, 0]) == (0.5, 2)
    np.testing.assert_allclose(values["net.up.weight"], RECORDED["net.up.weight"][1], rtol=1e-14)  # of 15 digits


def test_the_check_sees_what_is_wrong(built: Path) -> None:
    # What may be typed: recorded numbers, kernels, formulas; a list's kernel stands whatever the epoch.
    changes = {"epoch_fc_weight": 7, "conv_kernel_2_1": 3, "conv_choice_1": "sobel_x", "up_bias_2": 4, "fc_bias": "=1/4"}
    assert edited(built, epoch=2, **changes).ok
    (finding,) = edited(built, epoch=3).findings
    assert (finding.kind, finding.cell) == ("input", "Overview!G4")
    assert finding.text == "holds 3, which is no recorded epoch; choose one of the list"
    (finding,) = edited(built, epoch_number=2).findings
    assert (finding.kind, finding.layer) == ("overwritten", "input")
    book = built.with_name("saved.xlsx")
    book.write_bytes(built.read_bytes())
    assert "not checked: the recorded epochs" in " ".join(without(book, "epoch_fc_weight").notes)


def test_a_weight_that_follows_but_is_wrong(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As from an evaluator whose INDEX gives the first number always."""
    index = FUNCTIONS["INDEX"]
    first = replace(index, compute=lambda context, trees: index.compute(context, (trees[0], parse("1"))))
    monkeypatch.setitem(FUNCTIONS, "INDEX", first)
    report = sheetcnn.check(built)
    assert ("value", "fc") in {(finding.kind, finding.layer) for finding in report.findings}


def without(book: Path, name: str) -> sheetcnn.Report:
    opened = openpyxl.load_workbook(book)
    del opened.defined_names[name]
    opened.save(book)
    return sheetcnn.check(book)


def test_nothing_without_the_option(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    books = [
        sheetcnn.build(network(folder, training=training), PICTURE, folder / "book.xlsx").path.read_bytes()
        for folder, training in ((tmp_path, TRAINING), (tmp_path / "plain", ""))
    ]
    assert len(books[0]) == len(books[1])
    assert read_book(tmp_path / "book.xlsx").names.keys() == read_book(tmp_path / "plain" / "book.xlsx").names.keys()


NAN = np.where(np.arange(5) == 2, np.nan, 1)
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no epochs": ({"epoch": None}, "needs an array 'epoch' with the numbers of the epochs"),
    "not rising": ({"epoch": np.array([0, 1, 1, 2, 3])}, "epoch: must be whole numbers from 0 on that rise"),
    "halves": ({"epoch": np.array([0, 0.5, 1, 2, 3])}, "epoch: must be whole numbers"),
    "too many": ({"epoch": np.arange(201)}, "has 201 epochs; record 1 to 200 of them"),
    "table": ({"epoch": np.zeros((5, 1))}, "needs an array 'epoch'"),
    "another count": ({"fc.bias": np.zeros((4, 3))}, "fc.bias: has the shape [4, 3], the layer needs [5, 3]"),
    "another shape": ({"net.up.weight": np.zeros((5, 3, 2, 2, 2))}, "net.up.weight: has the shape"),
    "not finite": ({"loss": NAN}, "loss: has numbers that are not finite"),
    "not numbers": ({"conv.bias": np.full((5, 2), "x")}, "has the type <U1; save real numbers"),
    "no layer's": (dict.fromkeys(SHAPES), "has no array of any layer, such as conv.weight"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_are_refused(name: str, tmp_path: Path) -> None:
    changes, message = REFUSED[name]
    refused(network(tmp_path, changes), message)


def test_settings_that_are_refused(tmp_path: Path) -> None:
    refused(network(tmp_path, training=""), 'has no recorded epochs: write  snapshots = "FILE.npz"  below [training]')
    refused(
        network(tmp_path, training='[training]\nsnapshots = "../e.npz"'),
        "snapshots '../e.npz': leaves the network file's folder",
    )
    epoch = NETWORK.replace('"fc"', '"epoch_fc"\nweights_prefix = "fc"')
    refused(network(tmp_path, text=epoch), "name 'epoch_fc' is taken by the recorded epochs")


def refused(file: Path, message: str) -> None:
    with pytest.raises(SheetcnnError, match=re.escape(message)) as caught:
        sheetcnn.build(file, PICTURE, file.with_suffix(".xlsx"), epochs=True)
    assert "\n" not in str(caught.value)
    assert not file.with_suffix(".xlsx").exists()


def test_only_what_is_recorded(tmp_path: Path) -> None:
    """Neither loss nor accuracy, one epoch, one layer: no curve, and the others keep their numbers."""
    arrays = dict.fromkeys((*SHAPES, "loss", "accuracy")) | {"epoch": np.array([7]), "fc.bias": np.array([[1.0, 2, 3]])}
    book = sheetcnn.build(network(tmp_path, arrays), PICTURE, tmp_path / "book.xlsx", epochs=True, train=True, answer="b")
    assert book.content.values["fc.bias"].tolist() == [1, 2, 3]
    assert sheetcnn.check(book.path).ok
    assert not openpyxl.load_workbook(book.path)["Overview"]._charts
