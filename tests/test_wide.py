"""Layers of many channels: kernels one below the other, and no more defined names than spreadsheet programs can take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from engines import Office, check_with
from test_check import edit

import sheetcnn
from sheetcnn.errors import LimitError, SheetcnnError
from sheetcnn.formula import read_book
from sheetcnn.layers import conv2d
from sheetcnn.model.graph import MAX_GRID_NAMES
from sheetcnn.model.network_file import read_network
from sheetcnn.xlsx import draft

GROUPED = """
name = "grouped"
[input]
channels = 36
height = 5
width = 6
[[layers]]
type = "conv2d"
name = "first"
out_channels = 38
kernel_size = [2, 3]
padding = 1
groups = 2
activation = "relu"
[[layers]]
type = "conv2d"
name = "second"
out_channels = 3
kernel_size = 2
dilation = 2
"""
MANY = """
name = "many"
[input]
channels = {channels}
height = 2
width = 3
[[layers]]
type = "conv2d"
name = "conv"
out_channels = {filters}
kernel_size = 1
"""
Make = Callable[..., Path]


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 9, shape).astype(float)


@pytest.fixture
def together(make: Make, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workbook whose wide layers have a name for each filter, as if it had too many kernels."""
    monkeypatch.setattr("sheetcnn.model.graph.MAX_GRID_NAMES", 300)
    return make(GROUPED, pixels(36, 5, 6), detail="steps")


def test_a_filters_kernels_have_one_name(together: Path) -> None:
    names = read_book(together).names
    assert {f"first_kernel_{k}" for k in range(1, 39)} | {f"second_kernel_{k}" for k in range(1, 4)} <= set(names)
    assert not any(name.startswith(("first_kernel_1_", "second_kernel_1_")) for name in names)
    # The second group's first filter begins at the height of its first channel, and ends with its last.
    _, top, left, bottom, right = names["first_kernel_20"]
    assert (top, right - left + 1) == (names["input_channel_19"][1], 3)
    assert bottom - top + 1 == names["input_channel_36"][1] - names["input_channel_19"][1] + 2
    assert sheetcnn.check(together).ok


def test_edited_kernels_are_found_again(together: Path, tmp_path: Path) -> None:
    names = read_book(together).names
    down = names["input_channel_20"][1] - names["input_channel_19"][1]
    edit(together, "first_kernel_20", 123.5, down + 1, 2)
    assert sheetcnn.check(together).ok
    [weights] = sheetcnn.export(together, tmp_path / "weights.npz")
    with np.load(weights) as arrays:
        changed = arrays["first.weight"]
    assert np.argwhere(changed == 123.5).tolist() == [[19, 1, 1, 2]]
    where = edit(together, "first_kernel_20", "seven", down + 1, 1)
    [finding] = [finding for finding in sheetcnn.check(together).findings if finding.kind == "input"]
    assert (finding.layer, finding.cell) == ("first", where)


def test_a_number_between_kernels_is_found(together: Path) -> None:
    where = edit(together, "second_kernel_2", 4, 1, 0)
    first, *others = sheetcnn.check(together).findings
    assert (first.kind, first.cell) == ("stray", where)
    assert {finding.kind for finding in others} == {"value"}  # it spoils the sums of its filter


@pytest.mark.libreoffice
def test_libreoffice_agrees(together: Path, office: Office) -> None:
    assert sheetcnn.check(together).ok
    assert check_with(office.recalculated, together).ok


def test_no_handout_without_names(together: Path, tmp_path: Path) -> None:
    exercise = tmp_path / "exercise.toml"
    exercise.write_text('title = "T"\n[[tasks]]\nkind = "shapes"\n')
    network, picture = together.with_suffix(".toml"), together.with_suffix(".npy")
    with pytest.raises(SheetcnnError, match="more grids than can have names"):
        sheetcnn.hand_out(network, picture, tmp_path / "class", exercise=exercise)


@pytest.mark.libreoffice
def test_more_kernels_than_libreoffice_has_names_for(make: Make, office: Office) -> None:
    """LibreOffice 7.4 counts names in 16 bits: with more it gives wrong values and crashes."""
    channels, filters = 256, 257
    assert channels * filters > 65_535 > MAX_GRID_NAMES
    book = make(MANY.format(channels=channels, filters=filters), pixels(channels, 2, 3), gallery=False)
    assert len(read_book(book).names) < 1_100
    assert sheetcnn.check(book).ok
    assert check_with(office.recalculated, book).ok


def test_too_many_grids_are_refused(make: Make) -> None:
    """Narrow layers name each kernel: what cannot be named is refused before anything is written."""
    with pytest.raises(LimitError, match='would have 35,864 grids, 35,852 of them in "conv"'):
        make(MANY.format(channels=12, filters=2_560), pixels(12, 2, 3))


def test_too_many_names_are_refused(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(draft, "MAX_DEFINED_NAMES", 20)
    with pytest.raises(LimitError, match="defined names; LibreOffice takes 20"):
        make(MANY.format(channels=3, filters=4), pixels(3, 2, 3))
    assert {path.suffix for path in tmp_path.iterdir()} == {".toml", ".npy"}


def test_a_layer_with_very_many_terms_is_wide(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine channels are few, but not where a million terms would have to be written."""
    network, numbers = MANY.format(channels=9, filters=4), pixels(9, 2, 3)
    book = read_book(make(network, numbers, inspector=False))
    assert book.names["conv_kernel_1_2"][1] == book.names["conv_kernel_1_1"][1]
    assert book.sheets["conv"].formulas[book.names["conv_map_1"][1]][0][1].count("SUMPRODUCT") == 9
    monkeypatch.setattr(conv2d, "MOST_TERMS", 9 * 4 * 6 - 1)
    path = make(network, numbers, inspector=False)
    book = read_book(path)
    assert book.names["conv_kernel_1_2"][1] > book.names["conv_kernel_1_1"][1]
    assert book.sheets["conv"].formulas[book.names["conv_map_1"][1]][0][1].count("SUMPRODUCT") == 1
    assert sheetcnn.check(path).ok
    monkeypatch.setattr(conv2d, "MOST_TERMS", 9 * 4 * 6)
    assert not any(node.layer.wide(*node.in_shapes) for node in read_network(path.with_suffix(".toml")).nodes)


def test_no_lists_below_very_many_kernels(make: Make) -> None:
    names = read_book(
        make(MANY.format(channels=3, filters=667).replace("size = 1", "size = 3\npadding = 1"), pixels(3, 2, 3))
    ).names
    assert "conv_choice_1" not in names
    depthwise = MANY.format(channels=64, filters=64).replace("size = 1", "size = 3\npadding = 1\ngroups = 64")
    assert "conv_choice_64" in read_book(make(depthwise, pixels(64, 2, 3), gallery=False)).names  # 64 kernels are few


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("kind", ["softmax", "log_softmax"])
def test_softmax_over_more_channels_than_a_function_has_arguments(kind: str, size: int, make: Make) -> None:
    network = f'name = "n"\n[input]\nchannels = 300\nheight = {size}\nwidth = 1\n[[layers]]\ntype = "{kind}"\n'
    report = sheetcnn.check(make(network, pixels(300, size, 1)))
    assert report.ok
    assert report.cells > 300 * size


def test_groups_of_as_many_maps_as_a_formula_takes(make: Make) -> None:
    network = 'name = "n"\n[input]\nchannels = {}\nheight = 2\nwidth = 3\n[[layers]]\ntype = "group_norm"\nnum_groups = 1\n'
    assert sheetcnn.check(make(network.format(190), pixels(190, 2, 3), gallery=False)).ok
    with pytest.raises(LimitError, match=r"the formula in .* has .* characters; Excel allows 8,192"):
        make(network.format(300), pixels(300, 2, 3))
