"""The backward pass in a workbook: by hand, by finite differences, after edits, in LibreOffice, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engines import by_ironcalc, check_with
from openpyxl import load_workbook

import sheetcnn
from sheetcnn.errors import SheetcnnError
from sheetcnn.model.drawn import Drawn
from sheetcnn.model.graph import Graph
from sheetcnn.model.network import parse_network
from sheetcnn.model.weights import load_parameters

BY_HAND: dict[str, Any] = {
    "name": "by hand",
    "input": {"channels": 1, "height": 2, "width": 3},
    "training": {"loss": "mse", "rate": 0.5, "answers": [[4.0, 7.0]]},
    "layers": [
        {"type": "conv2d", "name": "conv", "out_channels": 1, "kernel_size": 2, "weight": [[[[1, 0], [0, 2]]]], "bias": [1]},
        {"type": "flatten"},
    ],
}
PICTURE = np.array([[[1.0, 2, 3], [0, 1, 2]]])


def test_a_step_worked_by_hand(tmp_path: Path) -> None:
    """out = 1+1·1+2·1 = 4 and 1+2+4 = 7 with other targets: g = y − t, since 2/n is 1."""
    network = BY_HAND | {"training": {"loss": "mse", "rate": 0.5, "answers": [[3.0, 9.0]]}}  # g = 1 and −2
    values = sheetcnn.build(network, PICTURE, tmp_path / "b.xlsx", train=True).content.values
    assert values["conv.output"].tolist() == [[[4, 7]]]
    assert values["loss.grad"].tolist() == [1, -2]
    # Each number of the kernel's gradient is g · what lay under it: 1·1 − 2·2, 1·2 − 2·3, 1·0 − 2·1, 1·1 − 2·2.
    assert values["conv.grad_weight"].tolist() == [[[[-3, -4], [-2, -3]]]]
    assert values["conv.grad_bias"].tolist() == [-1]
    assert values["conv.after_weight"].tolist() == [[[[2.5, 2], [1, 3.5]]]]
    assert values["conv.after_bias"].tolist() == [1.5]
    # Back to the pixels: every g times the kernel where it lay.
    assert values["input.grad_channel"].tolist() == [[[1, -2, 0], [0, 2, -4]]]
    assert values["loss.now"].tolist() == [2.5]  # (1² + 2²) / 2
    assert values["loss.straight"].tolist() == [0.5 * (9 + 16 + 4 + 9 + 1)]
    assert sheetcnn.check(tmp_path / "b.xlsx").ok


def test_a_sheet_of_gradients_reads_as_the_equation(tmp_path: Path) -> None:
    """kernel − rate · gradient = kernel after, side by side, and the formula reads the kernel there."""
    sheetcnn.build(BY_HAND, PICTURE, tmp_path / "b.xlsx", train=True)
    book = load_workbook(tmp_path / "b.xlsx")
    sheet, named = book["conv_back"], book.defined_names
    names = [f"conv_{what}_kernel_1_1" for what in ("before", "grad", "after")]
    before, grad, after = (next(named[name].destinations)[1].replace("$", "").split(":")[0] for name in names)
    columns = [sheet[cell].column for cell in (before, grad, after)]
    assert len({sheet[cell].row for cell in (before, grad, after)}) == 1
    assert columns == sorted(columns)
    signs = [sheet.cell(sheet[grad].row, columns[1] - 2).value, sheet.cell(sheet[grad].row, columns[2] - 1).value]
    assert signs == ["− rate·", "="]
    rate = next(named["loss_rate"].destinations)[1]
    assert sheet[after].value == f"={before}-Loss!{rate}*{grad}"
    kernel = next(named["conv_kernel_1_1"].destinations)[1].replace("$", "").split(":")[0]
    assert sheet[before].value == f"=conv!{kernel}"
    links = {cell.value: cell.hyperlink.location for row in sheet.iter_rows() for cell in row if cell.hyperlink}
    assert links["from behind: flatten_2_back"] == "flatten_2_back!A1"
    assert links["forward: conv"] == "conv!A1"


def test_small_numbers_of_the_loss_keep_their_digits(tmp_path: Path) -> None:
    sheetcnn.build("digits", "digit-9-hard", tmp_path / "b.xlsx", train=True, gallery=False, inspector=False)
    book = load_workbook(tmp_path / "b.xlsx")
    for name in ("loss_p", "loss_grad", "loss_after_exp"):
        sheet, cells = next(book.defined_names[name].destinations)
        first = book[sheet][cells.replace("$", "").split(":")[0]]
        assert "0.0000" in first.number_format
        assert any(first.coordinate in area and area.size["columns"] == 3 for area in book[sheet].merged_cells.ranges)


NETWORKS = {
    "digits": ("digits", "digit-9-hard"),
    "edges": ("edges", "cat"),
    "resnet-block": ("resnet-block", "cat"),
    "mobilenet-block": ("mobilenet-block", "cat"),
    "conv3d": ("conv3d", "cat"),
}


@pytest.mark.libreoffice
@pytest.mark.parametrize("name", NETWORKS)
def test_every_cell_in_other_programs(name: str, tmp_path: Path, office: Any) -> None:
    network, image = NETWORKS[name]
    book = sheetcnn.build(network, image, tmp_path / "b.xlsx", train=True, gallery=False, inspector=False).path
    assert book is not None
    for report in (sheetcnn.check(book), check_with(by_ironcalc, book), check_with(office.recalculated, book)):
        assert report.findings == []
        assert not any("backward" in note for note in report.notes)


@pytest.mark.libreoffice
def test_flat_areas_and_ties_agree_with_the_rule(tmp_path: Path, office: Any) -> None:
    """A picture of one colour: every window of the pool has ties, every sum before ReLU may be 0 but for rounding."""
    network = {
        "name": "ties",
        "input": {"channels": 1, "height": 6, "width": 6},
        "layers": [
            {"type": "conv2d", "name": "conv", "kernels": ["laplacian", "blur"], "padding": 1, "activation": "relu"},
            {"type": "max_pool2d", "name": "pool", "kernel_size": 3, "stride": 2},
        ],
    }
    book = sheetcnn.build(network, np.full((1, 6, 6), 0.3), tmp_path / "b.xlsx", train=True).path
    assert book is not None
    assert sheetcnn.check(book).findings == []
    assert check_with(by_ironcalc, book).findings == []
    assert check_with(office.recalculated, book).findings == []
    values = sheetcnn.build(network, np.full((1, 6, 6), 0.3), train=True).content.values
    inside = values["conv.grad_sum"][0, 1:-1, 1:-1]
    assert not inside.any()  # the Laplacian of a flat area is 0, but for rounding: the gate is shut


def test_finite_differences() -> None:
    """A third witness: how the loss changes when each weight is moved a little."""
    network = parse_network(
        {
            "name": "n",
            "input": {"channels": 2, "height": 5, "width": 5},
            "layers": [
                {
                    "type": "conv2d",
                    "name": "conv",
                    "out_channels": 3,
                    "kernel_size": 3,
                    "stride": 2,
                    "padding": 1,
                    "activation": "tanh",
                },
                {"type": "avg_pool2d", "name": "pool", "kernel_size": 2, "stride": 1},
                {"type": "flatten"},
                {"type": "linear", "name": "fc", "out_features": 4, "activation": "softmax"},
            ],
        },
        "test",
    )
    graph = Graph(network, Drawn(training=True))
    given, _ = load_parameters(network, None, None)
    given |= {
        "input.channel": np.random.default_rng(3).normal(size=(2, 5, 5)),
        "loss.rate": np.array([0.1]),
        "loss.answer": np.array([2.0]),
    }
    values = graph.run(given)
    for name in ("conv.weight", "conv.bias", "fc.weight", "input.channel"):
        owner, key = name.split(".")
        grad = values[f"{owner}.grad_{key}"]
        for at in list(np.ndindex(given[name].shape))[::5]:
            moved = []
            for step in (1e-5, -1e-5):
                array = given[name].copy()
                array[at] += step
                moved.append(graph.run(given | {name: array})["loss.now"][0])
            assert (moved[0] - moved[1]) / 2e-5 == pytest.approx(grad[at], abs=1e-8)


def test_without_training_nothing_changes(tmp_path: Path) -> None:
    """Not a byte: with a table [training] but without `train`, all parts but the description are those of a network without one."""
    plain, described = parts_by(BY_HAND, tmp_path), parts_by({k: v for k, v in BY_HAND.items() if k != "training"}, tmp_path)
    assert plain.keys() == described.keys()
    differ = [name for name in plain if plain[name] != described[name]]
    assert [plain[name].count(b"training") for name in differ] == [1]  # the network file, as the workbook carries it along
    assert set(plain) == set(parts_by(BY_HAND, tmp_path, train=False))
    assert set(plain) < set(parts_by(BY_HAND, tmp_path, train=True))


def parts_by(network: dict[str, Any], folder: Path, **options: Any) -> dict[str, bytes]:
    """The parts of the file, but for the time at which it was made."""
    sheetcnn.build(network, PICTURE, folder / "b.xlsx", **options)
    with zipfile.ZipFile(folder / "b.xlsx") as book:
        return {name: book.read(name) for name in book.namelist() if name != "docProps/core.xml"}


def test_edits_move_everything(tmp_path: Path) -> None:
    """A kernel, the rate and the right answer are typed over; what is there then agrees with NumPy run on it."""
    book = tmp_path / "b.xlsx"
    sheetcnn.build("digits", "digit-9-hard", book, train=True, gallery=False, inspector=False)
    opened = load_workbook(book)
    named = opened.defined_names
    for name, value in (("conv1_kernel_1_1", 3.0), ("loss_rate", 0.01), ("loss_right", "4")):
        sheet, cells = next(named[name].destinations)
        opened[sheet][cells.replace("$", "").split(":")[0]] = value
    opened.save(book)
    report = sheetcnn.check(book)
    assert report.findings == []
    written = sheetcnn.export(book, tmp_path / "after.npz", after=True)
    assert [path.name for path in written] == ["after.npz"]
    before = sheetcnn.export(book, tmp_path / "before.npz")
    assert before
    old, new = np.load(tmp_path / "before.npz"), np.load(tmp_path / "after.npz")
    assert old["conv1.weight"][0, 0, 0, 0] == 3.0
    assert new["conv1.weight"].shape == old["conv1.weight"].shape
    assert not np.array_equal(new["fc.weight"], old["fc.weight"])


def test_frozen_layers_stay(tmp_path: Path) -> None:
    network = {**BY_HAND, "layers": [{**BY_HAND["layers"][0], "train": False}, *BY_HAND["layers"][1:]]}
    built = sheetcnn.build(network, PICTURE, tmp_path / "b.xlsx", train=True)
    assert "conv.grad_weight" not in built.content.values
    assert "input.grad_channel" in built.content.values
    assert sheetcnn.check(tmp_path / "b.xlsx").ok


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "maps and cross entropy": (
        {"training": {"loss": "cross_entropy"}, "layers": BY_HAND["layers"][:1]}, {}, "puts out maps",
    ),
    "a label for maps": ({"training": None, "layers": BY_HAND["layers"][:1]}, {"answer": "cat"}, "puts out maps, which no label names"),
    "no label": ({"training": None, "labels": ["cat", "dog"]}, {"answer": "bird"}, "'bird' is no label"),
    "no answer": ({"training": None, "labels": ["cat", "dog"]}, {}, "right answer is not known"),
    "too many numbers": ({"training": {"loss": "mse", "answers": [[1, 2, 3]]}}, {}, "3 numbers do not fit"),
    "a rate that is none": ({"training": {"rate": float("nan")}}, {}, "rate"),
    "a name": ({"training": None, "layers": [{**BY_HAND["layers"][0], "name": "Loss"}, {"type": "flatten"}]}, {"answer": "1"}, "is taken by"),
    "activations per channel": (
        {"training": None, "layers": [{**BY_HAND["layers"][0], "activation": "relu", "activation_scope": "channel"}, {"type": "flatten"}]},
        {"answer": "1"},
        "has no backward pass",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_one_line_where_it_cannot_be(what: str, tmp_path: Path) -> None:
    change, options, line = REFUSED[what]
    network = {key: value for key, value in (BY_HAND | change).items() if value is not None}
    with pytest.raises(SheetcnnError, match=line) as error:
        sheetcnn.build(network, PICTURE, tmp_path / "b.xlsx", train=True, **options)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_weights_after_a_step_need_one(tmp_path: Path) -> None:
    sheetcnn.build(BY_HAND, PICTURE, tmp_path / "b.xlsx")
    with pytest.raises(SheetcnnError, match="built without --train"):
        sheetcnn.export(tmp_path / "b.xlsx", tmp_path / "w.npz", after=True)
