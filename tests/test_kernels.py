"""Kernels to choose from: below each kernel of the first layer a list of classic ones, and the numbers as built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

import sheetcnn
from sheetcnn.a1 import LETTERS
from sheetcnn.formula import read_book

NETWORK = """
name = "n"
[input]
channels = 2
height = 5
width = 5
[[layers]]
type = "conv2d"
name = "conv"
out_channels = 2
kernel_size = {size}
padding = "same"
dilation = {dilation}
[[layers]]
type = "conv2d"
name = "second"
out_channels = 1
kernel_size = 3
"""
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
PIXELS = np.random.default_rng(0).integers(0, 9, (2, 5, 5))


def place(path: Path, name: str) -> tuple[str, str]:
    sheet, top, left, bottom, right = read_book(path).names[name]
    return sheet, f"{LETTERS[left]}{top}:{LETTERS[right]}{bottom}"


def chosen(path: Path, **kernels: str) -> Path:
    """The workbook with kernels chosen, by "filter_channel"."""
    book = openpyxl.load_workbook(path)
    for key, name in kernels.items():
        sheet, area = place(path, f"conv_choice_{key.removeprefix('k')}")
        book[sheet][area.split(":")[0]] = name
    book.save(path)
    return path


def test_the_list(make: Callable[..., Path]) -> None:
    path = make(NETWORK.format(size=3, dilation=1), PIXELS)
    book = openpyxl.load_workbook(path)
    (rule,) = book["conv"].data_validations.dataValidation
    sheet, area = rule.formula1.replace("$", "").split("!")
    names = [cell.value for (cell,) in book[sheet][area]]
    assert names == ["as built", "identity", "blur", "gaussian", "sharpen", "sobel_x", "sobel_y", "prewitt_x", "prewitt_y",
                     "laplacian", "emboss", "outline"]  # fmt: skip
    assert book[sheet].sheet_state == "hidden"
    cells = [place(path, f"conv_choice_{k}_{c}")[1].split(":")[0] for k in (1, 2) for c in (1, 2)]
    assert sorted(str(part) for part in rule.sqref.ranges) == sorted(cells)
    assert [book["conv"][cell].value for cell in cells] == ["as built"] * 4
    for k, c in ((1, 1), (2, 2)):  # just below the kernel, in its first column
        _, _, left, bottom, _ = read_book(path).names[f"conv_kernel_{k}_{c}"]
        assert read_book(path).names[f"conv_choice_{k}_{c}"][1:3] == (bottom + 1, left)
    assert not book["second"].data_validations.dataValidation


@pytest.mark.libreoffice
@pytest.mark.parametrize(("size", "dilation"), [(3, 1), (5, 1), (3, 2)])
def test_a_kernel_is_chosen_in_libreoffice(
    size: int, dilation: int, make: Callable[..., Path], office: Callable[..., Any]
) -> None:
    path = make(NETWORK.format(size=size, dilation=dilation), PIXELS)
    as_built = sheetcnn.build(path.with_suffix(".toml"), path.with_suffix(".npy"), path.with_name("2.xlsx")).values
    sheet, cell = place(path, "conv_choice_1_2")
    read = [place(path, name) for name in ("conv_kernel_1_2", "conv_map_1", "conv_map_2")]
    before, after, back = office(
        [
            {"book": str(path), "read": read},
            {"book": str(path), "edits": [[sheet, cell, "sobel_x"]], "read": read},
            {"book": str(path), "edits": [[sheet, cell, "sobel_x"], [sheet, cell, "as built"]], "read": read},
        ]
    )
    wanted = np.zeros((size, size))
    middle = slice((size - 3) // 2, (size - 3) // 2 + 3)
    wanted[middle, middle] = SOBEL
    kernel, first, second = (np.array(area, dtype=object) for area in after["read"])
    np.testing.assert_array_equal(kernel[::dilation, ::dilation].astype(float), wanted)
    weight = np.load(path.with_suffix(".npy"))  # the picture
    padded = np.pad(weight, ((0, 0), (2 * size, 2 * size), (2 * size, 2 * size)))
    old = np.array(before["read"][0], dtype=object)[::dilation, ::dilation].astype(float)
    change = np.zeros((5, 5))
    start = 2 * size - (size - 1) * dilation // 2
    for a, b in np.ndindex(size, size):
        top, left = start + a * dilation, start + b * dilation
        change += (wanted - old)[a, b] * padded[1, top : top + 5, left : left + 5]
    np.testing.assert_allclose(first.astype(float), as_built["conv"]["output"][0] + change, atol=1e-9)
    np.testing.assert_allclose(second.astype(float), as_built["conv"]["output"][1], atol=1e-9)
    assert back["read"] == before["read"]


def test_check_follows_the_choice(make: Callable[..., Path]) -> None:
    path = chosen(make(NETWORK.format(size=3, dilation=1), PIXELS), k1_2="sobel_x", k2_1="Emboss")
    report = sheetcnn.check(path)
    assert report.ok, report.findings


def test_typing_over_a_kernel_works(make: Callable[..., Path]) -> None:
    path = make(NETWORK.format(size=3, dilation=1), PIXELS)
    book = openpyxl.load_workbook(path)
    _, top, left, *_ = read_book(path).names["conv_kernel_1_1"]
    book["conv"].cell(top, left, 7)
    book["conv"].cell(top, left + 1, "=1/9")
    book.save(path)
    report = sheetcnn.check(path)
    assert report.ok, report.findings


def test_a_name_that_is_no_kernel(make: Callable[..., Path]) -> None:
    path = chosen(make(NETWORK.format(size=3, dilation=1), PIXELS), k1_2="sobel")
    cell = f"conv!{place(path, 'conv_choice_1_2')[1].split(':')[0]}"
    findings = sheetcnn.check(path).findings
    named = [finding for finding in findings if finding.cell == cell]
    assert [finding.kind for finding in named] == ["input"]
    assert "'sobel', which is no kernel" in named[0].text


@pytest.mark.parametrize("name", ["kernel_presets", "kernel_names"])
def test_an_edited_bank_is_found(name: str, make: Callable[..., Path]) -> None:
    path = make(NETWORK.format(size=3, dilation=1), PIXELS)
    book = openpyxl.load_workbook(path)
    sheet, top, left, *_ = read_book(path).names[name]
    book[sheet].cell(top + 1, left, 0.25)
    book.save(path)
    assert [finding.kind for finding in sheetcnn.check(path).findings] == ["changed"]


def test_numbers_as_built_are_kept_for_every_layer(make: Callable[..., Path]) -> None:
    path = make(NETWORK.format(size=3, dilation=1), PIXELS)
    book = read_book(path)
    for layer, filters, channels in (("conv", 2, 2), ("second", 1, 2)):
        for k, c in np.ndindex(filters, channels):
            kernel, built = (book.names[f"{layer}_{what}_{k + 1}_{c + 1}"] for what in ("kernel", "built"))
            one, other = (
                np.where(np.isnan(book.sheets[s].saved), book.sheets[s].number, book.sheets[s].saved)[
                    t : b + 1, left : r + 1
                ]
                for s, t, left, b, r in (kernel, built)
            )
            np.testing.assert_array_equal(one, other)
            assert built[0] == "_kernels"


@pytest.mark.parametrize("size", [1, 2, 4, "[3, 2]"])
def test_kernels_without_a_middle_have_no_list(size: Any, make: Callable[..., Path]) -> None:
    path = make(NETWORK.format(size=size, dilation=1), PIXELS)
    assert not [name for name in read_book(path).names if "choice" in name]
    assert isinstance(openpyxl.load_workbook(path)["conv"].cell(*read_book(path).names["conv_kernel_1_1"][1:3]).value, float)
    assert sheetcnn.check(path).ok


def test_large_kernels_are_not_copied(make: Callable[..., Path]) -> None:
    network = NETWORK.format(size=3, dilation=1).replace("out_channels = 2", "out_channels = 60")
    network = network.replace("out_channels = 1\n", "out_channels = 60\n")
    names = read_book(make(network, PIXELS)).names
    assert "conv_built_60_2" in names
    assert not [name for name in names if name.startswith("second_built")]  # 60·60·9 are more than 20,000
