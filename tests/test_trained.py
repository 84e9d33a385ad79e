"""The trained templates: they read held-out pictures as well as they say, and were not trained on them."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sheetcnn
from sheetcnn.image import load_input
from sheetcnn.model.graph import Graph
from sheetcnn.model.network_file import read_network
from sheetcnn.model.settings import INPUT
from sheetcnn.model.weights import load_parameters
from sheetcnn.templates import samples, templates

ROOT = Path(__file__).parents[1]
DATA = runpy.run_path(str(ROOT / "templates" / "data.py"))
PAGE = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
TRAINED = ("digits", "lenet5", "shapes-rgb")
LEAST = {"digits": 0.97, "lenet5": 0.97, "shapes-rgb": 0.97}


def answers(name: str, pictures: np.ndarray, folder: Path, others: dict[str, np.ndarray] | None = None) -> np.ndarray:
    """What a template, with other weights perhaps, takes pictures for, which it reads from files as anybody's."""
    network = read_network(templates()[name])
    parameters, notes = load_parameters(network, templates()[name].parent)
    assert not notes, "every array is read, and none is missing"
    parameters |= others or {}
    graph, found = Graph(network), []
    for picture in pictures:
        Image.fromarray(picture).save(folder / "picture.png")
        values = graph.run(parameters | {"input.channel": load_input(folder / "picture.png", network.input)})
        found.append(values[graph.output(network.nodes[-1].name).id].argmax())
    return np.array(found)


@pytest.mark.parametrize("name", TRAINED)
def test_accuracy_on_held_out_pictures(name: str, tmp_path: Path) -> None:
    pictures, classes = DATA["held_out"](name)
    right = int((answers(name, pictures, tmp_path) == classes).sum())
    assert right / len(classes) >= LEAST[name]
    about = read_network(templates()[name]).settings.about
    for text in (f"{right:,}", f"{len(classes):,}", f"{100 * right / len(classes):.1f} %"):
        assert text in about, f"{name}: {right} of {len(classes)} are right"
    with np.load(templates()[name].with_suffix(".npz")) as arrays:
        parameters = sum(arrays[key].size for key in arrays)
    assert re.search(
        rf"\| `{name}` .*\| {parameters:,} \| {right:,} of {len(classes):,}, {100 * right / len(classes):.1f} % \|", PAGE
    )


@pytest.mark.parametrize("name", TRAINED)
def test_recorded_epochs(name: str) -> None:
    """They end in the weights that the template has, and what was measured falls and rises with them."""
    path = templates()[name]
    network = read_network(path)
    assert network.training.snapshots == f"{name}-epochs.npz"
    assert (path.parent / f"{name}-epochs.npz").stat().st_size < 1_000_000
    with np.load(path.parent / f"{name}-epochs.npz") as epochs, np.load(path.with_suffix(".npz")) as weights:
        last = {"digits": 300, "lenet5": 60, "shapes-rgb": 40}[name]
        assert epochs["epoch"].tolist() == [n for n in (0, 1, 2, 5, 10, 20, 50, 100) if n <= last / 2] + [last]
        assert {*epochs} == {*weights, "epoch", "loss", "accuracy"}
        for key in weights:
            np.testing.assert_array_equal(epochs[key][-1], weights[key])
        told = int(re.findall(r"right on ([\d,]+)", network.settings.about)[0].replace(",", ""))
        assert round(epochs["accuracy"][-1] * len(DATA["held_out"](name)[1])) == told
        assert epochs["accuracy"][0] < 0.3
        assert epochs["loss"][-1] < epochs["loss"][0] / 10


def test_what_was_measured_on_the_way(tmp_path: Path) -> None:
    """Of one epoch in the middle, by sheetcnn's own numbers."""
    pictures, classes = DATA["held_out"]("digits")
    with np.load(templates()["digits"].parent / "digits-epochs.npz") as epochs:
        middle = epochs["epoch"].tolist().index(5)
        numbers = {key: epochs[key][middle] for key in epochs}
    found = answers("digits", pictures, tmp_path, numbers)
    assert (found == classes).mean() == pytest.approx(numbers["accuracy"])


@pytest.mark.parametrize("name", TRAINED)
def test_nothing_is_learned_from_what_is_held_out(name: str) -> None:
    learned, held_out = ({picture.tobytes() for picture in DATA[part](name)[0]} for part in ("learned_from", "held_out"))
    assert learned
    assert held_out
    assert not learned & held_out


def test_digits_are_split_between_forms() -> None:
    """Every form has the same text; the held-out part begins where it begins anew."""
    pictures, classes = DATA["digits"]()
    assert (len(pictures), DATA["HELD_OUT"]) == (1797, 1415)
    text = "".join(str(n) for n in classes)
    opening = "0123456789" * 3 + "09556509898417735100"
    assert text.startswith(opening)
    assert text[DATA["HELD_OUT"] :].startswith(opening)


def test_digits_are_those_of_scikit_learn() -> None:
    """Rounded to 0 … 255 and dark on light; 16 is the darkest ink there."""
    from sklearn.datasets import load_digits

    images = load_digits().images
    pictures, _ = DATA["digits"]()
    np.testing.assert_allclose((255 - pictures.astype(float)) * 16 / 255, images, atol=0.5 * 16 / 255)
    np.testing.assert_array_equal(pictures == 0, images == 16)
    np.testing.assert_array_equal(pictures == 255, images == 0)


@pytest.mark.parametrize(("name", "decimals"), [("digits", 2), ("lenet5", 3), ("shapes-rgb", 2)])
def test_weights_are_short_and_files_small(name: str, decimals: int) -> None:
    path = templates()[name].with_suffix(".npz")
    assert path.stat().st_size < 300_000
    parameters, _ = load_parameters(read_network(templates()[name]), path.parent)
    for key, array in parameters.items():
        if not key.startswith(INPUT):
            np.testing.assert_array_equal(array, np.round(array, decimals))


def test_lenet5_has_the_parameters_of_lenet5() -> None:
    network = read_network(templates()["lenet5"])
    parameters, _ = load_parameters(network, templates()["lenet5"].parent)
    assert sum(array.size for name, array in parameters.items() if not name.startswith(INPUT)) == 61_706


def test_a_filter_for_each_colour() -> None:
    """For each of R, G and B, some filter of `shapes-rgb` adds this colour and subtracts both others."""
    network = read_network(templates()["shapes-rgb"])
    parameters, _ = load_parameters(network, templates()["shapes-rgb"].parent)
    signs = {tuple(np.sign(kernels.sum((1, 2)))) for kernels in parameters["conv1.weight"]}
    assert signs >= {(1, -1, -1), (-1, 1, -1), (-1, -1, 1)}


def of_samples(name: str) -> dict[str, str]:
    """The sample pictures of a template and what they show."""
    stems = [stem for stem in samples() if re.fullmatch(r"digit-\d.*|(red|green|blue)-.+", stem)]
    if name == "shapes-rgb":
        return {stem: " ".join(stem.split("-")[:2]) for stem in stems if not stem.startswith("digit")}
    return {stem: stem.split("-")[1] for stem in stems if stem.startswith("digit")}


@pytest.mark.parametrize("name", TRAINED)
def test_samples_are_held_out_pictures_of_every_class(name: str) -> None:
    pictures, classes = DATA["held_out"](name)
    labels = read_network(templates()[name]).settings.labels
    assert labels is not None
    held_out = {picture.tobytes(): labels[n] for picture, n in zip(pictures, classes, strict=True)}
    shown = of_samples(name)
    assert {label for stem, label in shown.items() if "hard" not in stem} == set(labels)
    for stem, label in shown.items():
        assert held_out[np.asarray(Image.open(samples()[stem])).tobytes()] == label, stem


@pytest.mark.parametrize("name", TRAINED)
def test_samples_are_taken_for_what_their_list_says(name: str, tmp_path: Path) -> None:
    """`samples/README.md` says of each hard picture what each template takes it for; the others are read rightly."""
    table = (ROOT / "samples" / "README.md").read_text(encoding="utf-8")
    shown = of_samples(name)
    predictions = sheetcnn.build(name, list(shown), tmp_path / "book.xlsx").predictions
    for stem, label in shown.items():
        answer = predictions[stem][0][0]
        if "hard" in stem:
            line = next(line for line in table.splitlines() if line.startswith(f"| `{stem}.png` |"))
            assert re.search(rf"{answer} to [^;|]*`{name}`", line), f"{stem} is {answer} to {name}"
        else:
            assert answer == label, stem
    assert any(predictions[stem][0][0] != label for stem, label in shown.items()), "some mistake is shown"
