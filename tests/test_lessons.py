"""The lessons on how a network learns: each shows what its text and docs/lessons.md say, computed here by hand or in plain NumPy."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engines import check_with
from numpy.lib.stride_tricks import sliding_window_view
from openpyxl import load_workbook
from openpyxl.utils import range_boundaries

import sheetcnn
from sheetcnn.arrays.array import Values
from sheetcnn.arrays.kernels import KERNELS
from sheetcnn.builder import Built, load_pictures, picture_of
from sheetcnn.model.network_file import read_network
from sheetcnn.model.weights import load_parameters
from sheetcnn.templates import LESSONS, samples, templates

LEARNING = [name for name, lesson in LESSONS.items() if lesson.train]
PAGE = (Path(__file__).parents[1] / "docs" / "lessons.md").read_text(encoding="utf-8")
OPENS = 3.0  # seconds


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Built]:
    """All of them as their first lines say."""
    folder = tmp_path_factory.mktemp("lessons")
    return {
        name: sheetcnn.build(
            name, LESSONS[name].picture, folder / f"{name}.xlsx", train=True, gallery=False, inspector=False
        )
        for name in LEARNING
    }


def with_changes(name: str, training: dict[str, Any] | None = None, answer: str | None = None, **layers: Any) -> Values:
    """The numbers of a lesson with other settings of training or of layers."""
    data = tomllib.loads(templates()[name].read_text(encoding="utf-8"))
    data["training"] |= training or {}
    for layer in data["layers"]:
        layer |= layers.get(layer["name"], {})
    return sheetcnn.build(data, LESSONS[name].picture, train=True, answer=answer).content.values


def numbers_of(picture: str) -> np.ndarray:
    return np.loadtxt(samples()[picture], delimiter=",")


def windows(x: np.ndarray, size: int) -> np.ndarray:
    """What lies under a kernel, a row for each of its places."""
    return sliding_window_view(x, (size, size)).reshape(-1, size * size)


def says(*texts: str) -> None:
    """The page of docs says so."""
    for text in texts:
        assert text in PAGE, text


def test_there_are_nine_and_a_page_walks_through_them() -> None:
    assert len(LEARNING) == 9
    commands = re.findall(r"^sheetcnn build (learn-\S+) (\S+) --train$", PAGE, re.M)
    assert commands == [(name, LESSONS[name].picture) for name in LEARNING]
    for name in LEARNING:
        first = templates()[name].read_text(encoding="utf-8").splitlines()[0]
        assert first == f"# Build it:  sheetcnn build {name} {LESSONS[name].picture} --train"


def test_every_cell(built: dict[str, Built]) -> None:
    for name, made in built.items():
        assert made.path is not None
        assert sheetcnn.check(made.path).findings == [], name
        assert not made.notes, name


@pytest.mark.libreoffice
def test_every_cell_in_libreoffice(built: dict[str, Built], office: Any) -> None:
    for name, made in built.items():
        assert made.path is not None
        assert check_with(office.recalculated, made.path).findings == [], name


@pytest.mark.libreoffice
def test_they_open_quickly(built: dict[str, Built], office: Any) -> None:
    """The three largest; the others have a hundredth of their cells."""
    largest = sorted((made.path for made in built.values() if made.path), key=lambda path: path.stat().st_size)[-3:]
    seconds = {
        path.stem: job["load"] for path, job in zip(largest, office([{"book": str(path)} for path in largest]), strict=True)
    }
    assert max(seconds.values()) < OPENS, seconds


def test_what_they_speak_of_stands_on_one_screen(built: dict[str, Built]) -> None:
    """Of 1366×700: LibreOffice shows 57 columns there, and 517 pixels down and those that headings would need."""
    seen = {
        "learn-by-hand": ("conv_back", ["conv_after_kernel_1_1", "conv_after_bias_1"]),
        "learn-sharing": ("conv_back", ["conv_grad_map_1", "conv_grad_kernel_1_1"]),
        "learn-relu-gate": ("conv_back", ["conv_grad_sum_2", "conv_after_kernel_2_1"]),
        "learn-pool-winner": ("conv_back", ["conv_grad_map_1", "conv_back_reads_1"]),
        "learn-skip": ("stem_back", ["stem_grad_map_1"]),
        "learn-edge": ("Steps", ["steps_film_0", "steps_film_10", "steps_film_30"]),
        "learn-vanishing": ("Loss", ["loss_size"]),
        "learn-twins": ("conv_back", ["conv_after_kernel_1_1", "conv_after_kernel_2_1"]),
        "learn-by-heart": ("Loss", ["loss_now", "loss_rate", "loss_right"]),
    }
    for name, (sheet, grids) in seen.items():
        path = built[name].path
        assert path is not None
        book = load_workbook(path)
        shown = book[sheet]
        heights = [(shown.row_dimensions[row].height or shown.sheet_format.defaultRowHeight) * 4 / 3 for row in range(1, 40)]
        for grid in grids:
            [(where, area)] = book.defined_names[grid].destinations
            _, _, right, bottom = range_boundaries(area)
            assert where == sheet, (name, grid)
            assert sum(heights[:bottom]) <= 517 + 16, (name, grid)
            assert right <= 57, (name, grid)
        assert sheet in PAGE.split(f"sheetcnn build {name} ")[1].split("\n## ")[0]
        assert sheet in read_network(templates()[name]).settings.about, name


def test_by_hand(built: dict[str, Built]) -> None:
    """Kernel [1 2; 0 3] and bias 1 on two places: [1 0; 0 1] and [0 2; 1 1]."""
    values = built["learn-by-hand"].content.values
    assert numbers_of("by-hand").tolist() == [[1, 0, 2], [0, 1, 1]]
    assert values["flatten.output"].tolist() == [1 + 1 + 3, 1 + 4 + 0 + 3]
    assert values["loss.grad"].tolist() == [5 - 1, 8 - 10]
    gradient = [[4 * 1 - 2 * 0, 4 * 0 - 2 * 2], [4 * 0 - 2 * 1, 4 * 1 - 2 * 1]]
    assert values["conv.grad_weight"].tolist() == [[gradient]]
    assert values["conv.grad_bias"].tolist() == [4 - 2]
    np.testing.assert_allclose(values["conv.after_weight"][0, 0], [[0.6, 2.4], [0.2, 2.8]], atol=1e-12)
    np.testing.assert_allclose(values["step_1_flatten.output"], [0.8 + 0.6 + 2.8, 0.8 + 4.8 + 0.2 + 2.8], atol=1e-12)
    losses = {0.1: (3.2**2 + 1.4**2) / 2, 0.5: (0**2 + 1**2) / 2, 1.0: (4**2 + 4**2) / 2}
    for rate, loss in losses.items():
        after = with_changes("learn-by-hand", {"rate": rate})
        assert (after["loss.now"][0], after["loss.after"][0]) == (10, pytest.approx(loss))
        assert after["loss.straight"][0] == pytest.approx(rate * (16 + 16 + 4 + 4 + 4))
    says("from 10 to 6.1", "4.4", "At 0.5 it is 0.5", "at 1 it is 16")


def test_sharing(built: dict[str, Built]) -> None:
    values, under = built["learn-sharing"].content.values, windows(numbers_of("quarters"), 2)
    assert values["conv.grad_map"].tolist() == [[[1, 0, 1], [0, 0, 0], [1, 0, 0]]]
    assert under[[0, 2, 6]].tolist() == [[100, 200, 300, 400], [10, 20, 30, 40], [1, 2, 3, 4]]
    assert values["conv.grad_weight"].ravel().tolist() == [111, 222, 333, 444] == under[[0, 2, 6]].sum(axis=0).tolist()
    right = with_changes("learn-sharing", {"answers": [[-4.5, 0, 0, 0, 0, 0, -4.5, 0, 0]]})
    assert right["conv.grad_weight"].ravel().tolist() == [101, 202, 303, 404]
    assert values["loss.after"] < values["loss.now"]
    says("111, 222, 333, 444", "101, 202, 303, 404")


def test_the_gate(built: dict[str, Built]) -> None:
    values, under = built["learn-relu-gate"].content.values, windows(numbers_of("gate"), 2)
    sums = [[under[n] @ [1, 0, 0, 2] + bias for n in range(4)] for bias in (-4, -20)]
    assert sums == [[3, -2, 2, 9], [-13, -18, -14, -7]]
    assert values["flatten.grad_out"].tolist() == [1] * 8
    open_ = np.array(sums) > 0
    assert values["conv.grad_sum"].reshape(2, 4).tolist() == open_.tolist() == [[1, 0, 1, 1], [0, 0, 0, 0]]
    assert values["conv.grad_weight"][0, 0].ravel().tolist() == under[open_[0]].sum(axis=0).tolist() == [6, 4, 4, 10]
    assert values["conv.grad_bias"].tolist() == [3, 0]
    np.testing.assert_array_equal(values["conv.after_weight"][1], values["conv.weight"][1])
    awake = with_changes("learn-relu-gate", conv={"bias": [-4, -4]})
    assert awake["conv.grad_weight"][1].any()
    assert values["loss.after"] < values["loss.now"]
    says("6, 4, 4, 10")


def test_the_winner(built: dict[str, Built]) -> None:
    values, x = built["learn-pool-winner"].content.values, numbers_of("winners")
    want = np.zeros((4, 4))
    for n, (i, j) in enumerate(((0, 0), (0, 2), (2, 0), (2, 2))):
        window = x[i : i + 2, j : j + 2]
        row, column = divmod(int(window.argmax()), 2)  # the first where there are several
        want[i + row, j + column] = n + 1
    assert values["conv.grad_map"][0].tolist() == want.tolist() == [[0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 4, 0], [3, 0, 0, 0]]
    assert (x[2:, 2:] == 5).sum() == 2
    assert values["conv.grad_weight"].item() == (want * x).sum() == 64
    assert values["loss.after"] < values["loss.now"]
    says("1, 2, 3 and 4", "64")


def test_two_ways(built: dict[str, Built]) -> None:
    values = built["learn-skip"].content.values
    at_sum = np.array([[1, 2], [3, 4]])
    assert values["sum.grad_map"][0].tolist() == at_sum.tolist()
    assert values["stem.grad_map"][0].tolist() == (at_sum + 10 * at_sum).tolist() == [[11, 22], [33, 44]]
    shut, cancelled = (with_changes("learn-skip", branch={"weight": [[[[kernel]]]]}) for kernel in (0, -1))
    for found in (shut["sum.grad_map"], shut["stem.grad_map"]):
        assert found[0].tolist() == ((numbers_of("two-ways") - [[9, 18], [27, 36]]) / 2).tolist() == [[-4, -8], [-12, -16]]
    assert cancelled["sum.grad_map"].all()
    assert not cancelled["stem.grad_map"].any()
    assert values["loss.after"] < values["loss.now"]
    says("11, 22, 33, 44", "−4, −8, −12, −16")


def test_an_edge(built: dict[str, Built]) -> None:
    """Gradient descent on nine numbers, and the curvature of the loss, in plain NumPy."""
    made = built["learn-edge"]
    data = tomllib.loads(templates()["learn-edge"].read_text(encoding="utf-8"))
    pixels = load_pictures([picture_of("cat")], made.network.input)["cat"][0]
    under = windows((pixels / 255 - 0.5) / 0.25, 3)
    wanted, start = under @ np.ravel(KERNELS["sobel_x"]), made.content.values["student.weight"].ravel()
    hessian = 2 / len(wanted) * under.T @ under
    limit = 2 / np.linalg.eigvalsh(hessian)[-1]

    def course(rate: float) -> tuple[list[float], np.ndarray]:
        kernel, losses = start.copy(), []
        for step in range(31):
            losses.append(float(((under @ kernel - wanted) ** 2).mean()))
            if step < 30:
                kernel -= rate * 2 / len(wanted) * under.T @ (under @ kernel - wanted)
        return losses, kernel

    for rate in (0.44, 0.84, 0.9, 1.06):
        values = made.content.values if rate == data["training"]["rate"] else with_changes("learn-edge", {"rate": rate})
        losses, kernel = course(rate)
        np.testing.assert_allclose(values["loss.curve"], losses, rtol=1e-6)
        if rate == 0.84:
            rounded = [[-1.08, 0.05, 1.05], [-1.87, -0.02, 1.93], [-1.06, 0.02, 1.06]]
            assert kernel.reshape(3, 3).round(2).tolist() == rounded
    fine, better, turns, explodes = (course(rate)[0] for rate in (0.44, 0.84, 0.9, 1.06))
    assert (f"{fine[0]:.2f}", f"{fine[-1]:.3f}", f"{better[-1]:.3f}") == ("3.80", "0.006", "0.002")
    assert int(np.argmin(turns)) == 3
    assert all(a < b for a, b in pairwise(turns[3:]))
    assert f"{turns[-1]:.1f}" == "2.5"
    assert explodes[-1] > 1e8
    assert f"{limit:.3f}" == "0.883"
    says("3.80", "0.006", "0.883", "−1.08 0.05 1.05", "2.5")


def test_vanishing(built: dict[str, Built]) -> None:
    made = built["learn-vanishing"]
    sizes = made.content.values["loss.size"]
    sigmoid, relu = sizes[:7], sizes[7:]
    assert all(a < b / 1.25 for a, b in pairwise(sigmoid))
    assert (f"{sigmoid[-1]:.2f}", f"{sigmoid[0]:.6f}") == ("0.08", "0.000003")
    assert (f"{relu.min():.3f}", f"{relu.max():.3f}") == ("0.009", "0.031")
    # One layer back in plain NumPy, by a small change of a kernel's cell: how the loss follows.
    network = made.network
    given, _ = load_parameters(network, None, None)
    assert all((given[f"sigmoid{n}.weight"].shape == given[f"relu{n}.weight"].shape) for n in range(1, 8))

    def loss(changed: str, by: float) -> float:
        x = np.array(made.content.values["input.normalized"][0])
        ends = []
        for kind in ("sigmoid", "relu"):
            now = x
            for n in range(1, 8):
                kernel = given[f"{kind}{n}.weight"][0, 0].copy()
                kernel[1, 1] += by * (changed == f"{kind}{n}")
                sums = windows(np.pad(now, 1), 3) @ kernel.ravel()
                now = (1 / (1 + np.exp(-sums)) if kind == "sigmoid" else np.maximum(sums, 0)).reshape(x.shape)
            ends.append(now)
        return float((np.stack(ends) ** 2).mean())

    for name in ("sigmoid1", "sigmoid7", "relu1", "relu7"):
        slope = (loss(name, 1e-5) - loss(name, -1e-5)) / 2e-5
        assert made.content.values[f"{name}.grad_weight"][0, 0, 1, 1] == pytest.approx(slope, rel=1e-3, abs=1e-9)
    says("0.08", "0.000003", "0.009", "0.031")


def test_twins(built: dict[str, Built]) -> None:
    def after(values: Values) -> np.ndarray:
        return values[built["learn-twins"].graph.learning.course["conv", "weight"][-1].id]  # type: ignore[union-attr]

    alike = built["learn-twins"].content.values
    for twins in (alike["conv.output"], alike["conv.grad_sum"], alike["conv.grad_weight"], after(alike)):
        assert np.abs(twins).max() > 0
        np.testing.assert_array_equal(twins[0], twins[1])
    assert np.abs(after(alike) - alike["conv.weight"]).min() > 0.05
    kernel = alike["conv.weight"].copy()
    kernel[1, 0, 0, 0] = -1
    other = with_changes("learn-twins", conv={"weight": kernel.tolist()})
    assert np.abs(other["conv.grad_weight"][0] - other["conv.grad_weight"][1]).min() > 0.1
    assert np.abs(after(other)[0] - after(other)[1]).min() > 0.01


def test_by_heart(built: dict[str, Built]) -> None:
    curve = built["learn-by-heart"].content.values["loss.curve"]
    assert (f"{curve[0]:.2f}", f"{curve[-1]:.2f}", f"{np.exp(-curve[-1]):.0%}") == ("2.21", "0.02", "98%")
    seven = with_changes("learn-by-heart", answer="7")["loss.curve"]
    assert (f"{seven[0]:.2f}", f"{seven[-1]:.2f}") == ("1.76", "0.01")
    assert all(a > b for run in (curve, seven) for a, b in pairwise(run))
    says("2.21", "0.02", "98 %", "1.76", "0.01")
