"""Unrolled steps of training, against PyTorch's optimizers, in our evaluator and in LibreOffice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engines import by_ironcalc, check_with
from openpyxl import load_workbook

import sheetcnn
from sheetcnn.errors import SheetcnnError
from sheetcnn.formula import read_book
from sheetcnn.model.graph import Graph

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {},
    "momentum": {"momentum": 0.8},
    "adam": {"betas": [0.8, 0.95], "eps": 1e-6},
}
MIXED: dict[str, Any] = {  # strides, groups, shared weights, a normalisation, a frozen layer, a branch
    "name": "mixed",
    "input": {"channels": 2, "height": 6, "width": 6, "scale": 2, "mean": [0.1, 0.2], "std": [0.5, 0.7]},
    "labels": ["a", "b", "c"],
    "layers": [
        {"type": "conv2d", "name": "frozen", "out_channels": 4, "kernel_size": 3, "padding": 1, "train": False},
        {"type": "conv2d", "name": "conv", "out_channels": 4, "kernel_size": 3, "padding": 1, "groups": 2, "activation": "relu"},
        {"type": "conv2d", "name": "again", "share": "conv", "out_channels": 4, "kernel_size": 3, "padding": 1, "groups": 2},
        {"type": "add", "name": "both", "input": ["again", "frozen"]},
        {"type": "group_norm", "name": "norm", "num_groups": 2},
        {"type": "conv2d", "name": "strided", "out_channels": 3, "kernel_size": 2, "stride": 2, "activation": "tanh"},
        {"type": "flatten"},
        {"type": "linear", "name": "fc", "out_features": 3, "activation": "softmax"},
    ],
}  # fmt: skip
PICTURES = [np.random.default_rng(n).normal(size=(2, 6, 6)) for n in range(3)]
ANSWERS = ["b", "a", "c"]
NEXT = "the next picture in every step"


def by_torch(
    graph: Graph,
    given: dict[str, np.ndarray],
    pictures: Sequence[np.ndarray],
    answers: Sequence[int],
    steps: int,
    rate: float = 0.05,
) -> tuple[list[float], dict[str, np.ndarray]]:
    """The loss of the picture that comes before each step and after the last one, and the weights then; pictures take turns."""
    import torch
    from torch_network import run

    training = graph.network.training
    learned = {
        f"{node.name}.{key}"
        for node in graph.network.nodes
        if node.train and node.share is None
        for key in node.layer.all_parameters(*node.in_shapes)
    }
    now = {name: array for name, array in given.items() if "loss." not in name and name != "input.picture"}
    leaves = {name: torch.tensor(now[name], dtype=torch.double, requires_grad=True) for name in sorted(learned)}
    by_name: dict[str, Any] = {
        "sgd": lambda: torch.optim.SGD(leaves.values(), lr=rate),
        "momentum": lambda: torch.optim.SGD(leaves.values(), lr=rate, momentum=training.momentum or 0.9),
        "adam": lambda: torch.optim.Adam(
            leaves.values(), lr=rate, betas=training.betas or (0.9, 0.999), eps=training.eps or 1e-8
        ),
    }
    optimizer = by_name[training.optimizer]()
    losses = []
    for step in range(steps + 1):
        picture, answer = pictures[step % len(pictures)], answers[step % len(answers)]
        numbers = {name: leaf.detach().numpy() for name, leaf in leaves.items()}
        tensors = run(graph, now | numbers | {"input.channel": picture})
        last = graph.network.nodes[-1]
        scores = tensors[f"{last.name}.sum"] if last.layer.final is not None else tensors[f"{last.inputs[0]}.output"]
        loss = torch.nn.functional.cross_entropy(scores, torch.tensor(answer))
        losses.append(float(loss.detach()))
        if step < steps:
            loss.backward()
            for name, leaf in leaves.items():
                leaf.grad = tensors[name].grad
            optimizer.step()
    return losses, {name: leaf.detach().numpy() for name, leaf in leaves.items()}


def after(built: Any) -> dict[str, np.ndarray]:
    """The weights after the last step, as NumPy has them."""
    return {
        f"{name}.{key}": built.content.values[arrays[-1].id] for (name, key), arrays in built.graph.learning.course.items()
    }


def given_of(built: Any) -> dict[str, np.ndarray]:
    return {array.id: built.content.values[array.id] for array in built.graph if array.forward is None}


@pytest.mark.torch
@pytest.mark.libreoffice
def test_twenty_steps_of_digits_in_libreoffice(tmp_path: Path, office: Any) -> None:
    """What stands in LibreOffice's cells is PyTorch's loss, to 1e-9, and so are the kernels after the last step."""
    built = sheetcnn.build("digits", "digit-9-hard", tmp_path / "b.xlsx", steps=20, gallery=False, inspector=False)
    pixels = built.content.values["input.channel"]
    losses, weights = by_torch(built.graph, given_of(built), [pixels], [9], 20, 0.003)
    with office.recalculated(edit(built.path, {"loss_rate": 0.003})) as saved:
        book = load_workbook(saved, data_only=True)

    def numbers(name: str) -> np.ndarray:
        sheet, area = next(book.defined_names[name].destinations)
        return np.array([[cell.value for cell in row] for row in book[sheet][area.replace("$", "")]], float)

    np.testing.assert_allclose(numbers("loss_curve")[:, 0], losses, rtol=1e-9, atol=1e-9)
    for k in range(8):
        found = numbers(f"step_20_conv1_kernel_{k + 1}_1")
        np.testing.assert_allclose(found, weights["conv1.weight"][k, 0], rtol=0, atol=1e-9)
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.torch
@pytest.mark.libreoffice
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers(optimizer: str, tmp_path: Path, office: Any) -> None:
    """Five steps of a network that has a bit of everything, with one picture and with three in turn."""
    network = MIXED | {"training": {"rate": 0.05, "optimizer": optimizer, **OPTIMIZERS[optimizer]}}
    one = sheetcnn.build(network, PICTURES[0], tmp_path / "one.xlsx", steps=5, answer="b", gallery=False, inspector=False)
    losses, weights = by_torch(one.graph, given_of(one), PICTURES[:1], [1], 5)
    np.testing.assert_allclose(one.content.values["loss.curve"], losses, rtol=1e-9, atol=1e-9)
    found = after(one)
    assert set(found) == set(weights) == {f"{n}.{k}" for n in ("conv", "norm", "strided", "fc") for k in ("weight", "bias")}
    for name, want in weights.items():
        np.testing.assert_allclose(found[name], want, rtol=1e-9, atol=1e-9, err_msg=name)
    for report in (sheetcnn.check(one.path), check_with(by_ironcalc, one.path), check_with(office.recalculated, one.path)):
        assert report.findings == []
        assert not report.notes
    sheetcnn.export(one.path, tmp_path / "after.npz", after=True)
    assert np.abs(np.load(tmp_path / "after.npz")["conv.weight"] - weights["conv.weight"]).max() < 1e-9

    several = sheetcnn.build(network, PICTURES, tmp_path / "b.xlsx", steps=5, answer=ANSWERS, gallery=False, inspector=False)
    np.testing.assert_allclose(several.content.values["loss.curve"], losses, rtol=1e-9, atol=1e-9)  # the same one each time
    given = given_of(several) | {"loss.order": np.array([2.0])}
    values = several.graph.run(given)
    losses, weights = by_torch(several.graph, given, PICTURES, [1, 0, 2], 5)
    np.testing.assert_allclose(values["loss.curve"], losses, rtol=1e-9, atol=1e-9)
    arrays = several.graph.learning.course["conv", "weight"]
    np.testing.assert_allclose(values[arrays[-1].id], weights["conv.weight"], rtol=0, atol=1e-9)
    edited = edit(
        several.path, {"steps_pictures": NEXT, "steps_kernel": "strided · filter 2 · channel 3", "loss_rate": 0.02}
    )
    for report in (sheetcnn.check(edited), check_with(office.recalculated, edited)):
        assert report.findings == []
        assert not any("backward" in note or "steps" in note for note in report.notes)


def edit(book: Path, cells: dict[str, Any]) -> Path:
    """A copy of a workbook with other values in named cells."""
    opened = load_workbook(book)
    for name, value in cells.items():
        sheet, cell = next(opened.defined_names[name].destinations)
        opened[sheet][cell.replace("$", "").split(":")[0]] = value
    edited = book.with_name("edited.xlsx")
    opened.save(edited)
    return edited


def test_two_steps_worked_by_hand() -> None:
    """y = w·x with x = 2 and wanted 3, from w = 1 at rate 1/8: (y − 3)² falls 1, 0, with the step ½ both in its direction and size."""
    network = {
        "name": "n",
        "input": {"channels": 1, "height": 1, "width": 1},
        "training": {"loss": "mse", "rate": 0.0625, "answers": [[3.0]]},
        "layers": [
            {"type": "conv2d", "name": "conv", "out_channels": 1, "kernel_size": 1, "weight": [[[[1]]]], "bias": False},
            {"type": "flatten"},
        ],
    }
    values = sheetcnn.build(network, np.array([[[2.0]]]), steps=2).content.values
    # Gradient 2·(2w − 3)·2: −4 at w = 1, so w = 1.25, where it is −2, so w = 1.375; losses (2w − 3)².
    assert values["loss.curve"].tolist() == [1, 0.25, 0.0625]
    assert values["loss.sizes"].tolist() == [[4, 2]]
    adam = network | {"training": network["training"] | {"optimizer": "adam", "rate": 0.5, "eps": 0.0}}
    values = sheetcnn.build(adam, np.array([[[2.0]]]), steps=1).content.values
    assert values["conv.after_weight"].tolist() == [[[[1.5]]]]  # Adam's first step is as large as the rate
    assert "loss.straight" not in values
    momentum = network | {"training": network["training"] | {"optimizer": "momentum", "momentum": 0.5}}
    values = sheetcnn.build(momentum, np.array([[[2.0]]]), steps=2).content.values
    # The second step: gradient −2 and half of −4, so w = 1.25 + 4/16.
    assert values["step_2_conv.weight"].tolist() == [[[[1.5]]]]


@pytest.mark.libreoffice
def test_wide_layers(tmp_path: Path, office: Any) -> None:
    """Kernels of wide layers stand at the heights of their channels on the hidden sheets, too."""
    network = {
        "name": "wide",
        "input": {"channels": 18, "height": 4, "width": 4},
        "training": {"loss": "mse"},
        "layers": [
            {"type": "conv2d", "name": "a", "out_channels": 20, "kernel_size": 3, "padding": 1, "activation": "relu"},
            {"type": "conv2d", "name": "b", "out_channels": 34, "kernel_size": 2, "stride": 2, "groups": 2},
            {"type": "conv2d", "name": "c", "out_channels": 3, "kernel_size": 1},
        ],
    }
    pictures = [np.random.default_rng(n).normal(size=(18, 4, 4)) for n in range(2)]
    book = sheetcnn.build(network, pictures, tmp_path / "b.xlsx", steps=3, gallery=False, inspector=False).path
    assert book is not None
    for report in (sheetcnn.check(book), check_with(office.recalculated, book)):
        assert report.findings == []
    assert len(read_book(book).sheets["_step_3"].formula(*_first(book, "step_3_a_map_1")) or "") < 60  # one SUMPRODUCT


def _first(book: Path, name: str) -> tuple[int, int]:
    _, top, left, *_ = read_book(book).names[name]
    return top, left


def test_many_pictures_to_choose_from(tmp_path: Path) -> None:
    """LibreOffice's CHOOSE takes 30 options: of more, one is asked for after the other."""
    network = {"name": "n", "input": {"channels": 1, "height": 1, "width": 2}, "layers": [{"type": "relu"}]}
    book = sheetcnn.build(network, [np.full((1, 1, 2), n / 40) for n in range(40)], tmp_path / "b.xlsx").path
    assert book is not None
    assert sheetcnn.check(edit(book, {"input_picture": 38})).findings == []


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "none": ({}, {"steps": 0}, "steps 0: must be a whole number from 1 to 1,000"),
    "half a step": ({}, {"steps": 1.5}, "steps 1.5: must be"),
    "too many names": ({}, {"steps": 1000}, "187 steps would fit"),
    "another optimizer": ({"optimizer": "rmsprop"}, {"steps": 2}, "optimizer: .* not 'rmsprop'"),
    "its settings": ({"momentum": 0.5}, {"steps": 2}, 'momentum is a setting of optimizer = "momentum", not of "sgd"'),
    "a beta": ({"optimizer": "adam", "betas": [0.9, 1.0]}, {"steps": 2}, "betas"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_one_line_where_it_cannot_be(what: str, tmp_path: Path) -> None:
    training, options, line = REFUSED[what]
    with pytest.raises(SheetcnnError, match=line) as error:
        sheetcnn.build(MIXED | {"training": training}, PICTURES[0], tmp_path / "b.xlsx", answer="a", **options)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())
