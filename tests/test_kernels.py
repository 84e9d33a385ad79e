"""Kernels to choose from: for each filter of the first layer a list of classic ones, and the numbers as built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

import sheetcnn
from sheetcnn.a1 import LETTERS
from sheetcnn.formula import evaluate, group_formulas, read_book
from sheetcnn.xlsx import palette

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
CLASSIC = """
name = "n"
[input]
channels = 2
height = 5
width = 5
[[layers]]
type = "conv2d"
name = "conv"
kernels = ["sobel_x", "outline"]
"""
NAMES = ["as built", "identity", "blur", "gaussian", "sharpen", "sobel_x", "sobel_y", "prewitt_x", "prewitt_y", "laplacian",
         "emboss", "outline"]  # fmt: skip
NO_NUMBER = "not a number: 0"


def place(path: Path, name: str) -> tuple[str, str]:
    sheet, top, left, bottom, right = read_book(path).names[name]
    return sheet, f"{LETTERS[left]}{top}:{LETTERS[right]}{bottom}"


def cell(path: Path, name: str, row: int = 0, column: int = 0) -> tuple[str, str]:
    """A cell of a named grid, counted from 0, with its sheet."""
    sheet, top, left, *_ = read_book(path).names[name]
    return sheet, f"{LETTERS[left + column]}{top + row}"


def edited(path: Path, edits: dict[tuple[str, str], Any]) -> Path:
    book = openpyxl.load_workbook(path)
    for (sheet, where), value in edits.items():
        book[sheet][where] = value
    book.save(path)
    return path


def chosen(path: Path, *kernels: str) -> Path:
    """The workbook with a kernel chosen for each filter."""
    return edited(path, {cell(path, f"conv_choice_{k}"): name for k, name in enumerate(kernels, start=1)})


def test_the_list(make: Callable[..., Path]) -> None:
    path = make(NETWORK.format(size=3, dilation=1), PIXELS)
    book = openpyxl.load_workbook(path)
    (rule,) = book["conv"].data_validations.dataValidation
    sheet, area = rule.formula1.replace("$", "").split("!")
    assert [cell.value for (cell,) in book[sheet][area]] == NAMES
    assert book[sheet].sheet_state == "hidden"
    cells = [cell(path, f"conv_choice_{k}")[1] for k in (1, 2)]
    assert sorted(str(part) for part in rule.sqref.ranges) == sorted(cells)
    assert [book["conv"][cell].value for cell in cells] == ["as built"] * 2
    names = read_book(path).names
    for k in (1, 2):  # just below the first kernel, as wide as it is, and its state below that
        _, _, left, bottom, right = names[f"conv_kernel_{k}_1"]
        assert names[f"conv_choice_{k}"][1:3] == (bottom + 1, left)
        assert f"{LETTERS[left]}{bottom + 1}:{LETTERS[right]}{bottom + 1}" in book["conv"].merged_cells
        assert names[f"conv_state_{k}"][1:] == (bottom + 2, left, bottom + 2, left)
    assert not book["second"].data_validations.dataValidation


def test_lists_show_what_filters_were_built_with(make: Callable[..., Path]) -> None:
    path = make(CLASSIC, PIXELS)
    book = openpyxl.load_workbook(path)
    assert [book["conv"][cell(path, f"conv_choice_{k}")[1]].value for k in (1, 2)] == ["sobel_x", "outline"]
    assert sheetcnn.check(path).ok
    weight = [[SOBEL.tolist(), SOBEL.tolist()], [SOBEL.tolist(), SOBEL.T.tolist()]]
    numbers = f"out_channels = 2\nkernel_size = 3\nbias = [0, 0]\nweight = {weight}"
    inline = CLASSIC.replace('kernels = ["sobel_x", "outline"]', numbers)
    path = make(inline, PIXELS, "inline")
    book = openpyxl.load_workbook(path)
    assert [book["conv"][cell(path, f"conv_choice_{k}")[1]].value for k in (1, 2)] == ["sobel_x", "as built"]


@pytest.mark.libreoffice
@pytest.mark.parametrize(("size", "dilation"), [(3, 1), (5, 1), (3, 2)])
def test_a_kernel_is_chosen_in_libreoffice(
    size: int, dilation: int, make: Callable[..., Path], office: Callable[..., Any]
) -> None:
    path = make(NETWORK.format(size=size, dilation=dilation), PIXELS)
    as_built = sheetcnn.build(path.with_suffix(".toml"), path.with_suffix(".npy"), path.with_name("2.xlsx")).values
    where = cell(path, "conv_choice_1")
    read = [place(path, name) for name in ("conv_kernel_1_1", "conv_kernel_1_2", "conv_map_1", "conv_map_2")]
    before, after, back = office(
        [
            {"book": str(path), "read": read},
            {"book": str(path), "edits": [[*where, "sobel_x"]], "read": read},
            {"book": str(path), "edits": [[*where, "sobel_x"], [*where, "as built"]], "read": read},
        ]
    )
    wanted = np.zeros((size, size))
    middle = slice((size - 3) // 2, (size - 3) // 2 + 3)
    wanted[middle, middle] = SOBEL
    *kernels, first, second = (np.array(area, dtype=object) for area in after["read"])
    picture = np.load(path.with_suffix(".npy"))
    padded = np.pad(picture, ((0, 0), (2 * size, 2 * size), (2 * size, 2 * size)))
    change = np.zeros((5, 5))
    start = 2 * size - (size - 1) * dilation // 2
    for c, kernel in enumerate(kernels):
        np.testing.assert_array_equal(kernel[::dilation, ::dilation].astype(float), wanted)
        old = np.array(before["read"][c], dtype=object)[::dilation, ::dilation].astype(float)
        for a, b in np.ndindex(size, size):
            top, left = start + a * dilation, start + b * dilation
            change += (wanted - old)[a, b] * padded[c, top : top + 5, left : left + 5]
    np.testing.assert_allclose(first.astype(float), as_built["conv"]["output"][0] + change, atol=1e-9)
    np.testing.assert_allclose(second.astype(float), as_built["conv"]["output"][1], atol=1e-9)
    assert back["read"] == before["read"]


def test_check_follows_the_choice(make: Callable[..., Path]) -> None:
    path = chosen(make(NETWORK.format(size=3, dilation=1), PIXELS), "sobel_x", "Emboss")
    report = sheetcnn.check(path)
    assert report.ok, report.findings


def test_a_chosen_kernel_is_exported(make: Callable[..., Path], tmp_path: Path) -> None:
    path = chosen(make(NETWORK.format(size=5, dilation=1), PIXELS), "blur")
    sheetcnn.export(path, tmp_path / "w.npz")
    weight = np.load(tmp_path / "w.npz")["conv.weight"]
    np.testing.assert_array_equal(weight[0, :, 1:4, 1:4], np.full((2, 3, 3), 1 / 9))
    assert np.count_nonzero(weight[0]) == 18


def test_typing_over_a_kernel_works(make: Callable[..., Path]) -> None:
    path = make(NETWORK.format(size=3, dilation=1), PIXELS)
    edited(path, {cell(path, "conv_kernel_1_1"): 7, cell(path, "conv_kernel_1_1", 0, 1): "=1/9"})
    report = sheetcnn.check(path)
    assert report.ok, report.findings


# What is done to filter 1, built as sobel_x on both channels, and what the cell beside its list then says. In cells of
# (channel, row, column) "as built" stands for the number there, taken from below.
STATES: dict[str, tuple[dict[Any, Any], str]] = {
    "nothing": ({}, ""),
    "another name": ({"list": "blur"}, ""),
    "the other name for what it was": ({"list": "as built"}, ""),
    "a number": ({(2, 1, 1): 7}, "edited"),
    "the same number": ({(1, 0, 0): -1}, ""),
    "a number, then another name": ({(2, 1, 1): 7, "list": "blur"}, "edited"),
    "another name, then what it was": ({"list": "outline"} | {(c, i, j): SOBEL[i, j] for c in (1, 2) for i, j in np.ndindex(3, 3)}, "as built"),
    "a text": ({(2, 2, 2): "x"}, NO_NUMBER),
    "a blank": ({(1, 1, 1): None}, NO_NUMBER),
    "a blank and a number": ({(1, 1, 1): None, (1, 0, 0): 5}, NO_NUMBER),
}  # fmt: skip


def with_state(path: Path, edits: dict[Any, Any]) -> dict[tuple[str, str], Any]:
    cells = {}
    for where, value in edits.items():
        name, at = ("conv_choice_1", ()) if where == "list" else (f"conv_kernel_1_{where[0]}", where[1:])
        cells[cell(path, name, *at)] = value if isinstance(value, str | None) else float(value)
    return cells


@pytest.mark.parametrize("case", STATES)
def test_states(case: str, make: Callable[..., Path]) -> None:
    """As our evaluator computes them; NumPy says the same, and finds what is not so."""
    edits, state = STATES[case]
    path = make(CLASSIC, PIXELS)
    edited(path, with_state(path, edits))
    book = read_book(path)
    evaluate(book, group_formulas(book))
    assert [book.sheets["conv"].value(*book.names[f"conv_state_{k}"][1:3]) for k in (1, 2)] == [state or "", ""]
    findings = [finding.kind for finding in sheetcnn.check(path).findings if finding.layer == "conv"]
    assert findings == ["input"] * (case == "a text")
    for wrong in ('="edited"' if state != "edited" else '=""', "nonsense"):
        edited(path, {cell(path, "conv_state_1"): wrong})
        where = "!".join(cell(path, "conv_state_1"))
        (finding,) = (finding for finding in sheetcnn.check(path).findings if finding.cell == where)
        assert finding.kind == ("changed" if wrong.startswith("=") else "overwritten")


@pytest.mark.libreoffice
def test_states_in_libreoffice(make: Callable[..., Path], office: Callable[..., Any]) -> None:
    path = make(CLASSIC, PIXELS)
    read = [place(path, name) for name in ("conv_state_1", "conv_state_2")]
    jobs = []
    for edits, _ in STATES.values():
        cells = with_state(path, edits)
        jobs.append({"book": str(path), "edits": [[*where, value] for where, value in cells.items()], "read": read})
    found = {
        case: [one[0][0], other[0][0]]
        for case, done in zip(STATES, office(jobs), strict=True)
        for one, other in [done["read"]]
    }
    assert found == {case: [state, ""] for case, (_, state) in STATES.items()}


def test_a_name_that_is_no_kernel(make: Callable[..., Path]) -> None:
    path = chosen(make(NETWORK.format(size=3, dilation=1), PIXELS), "sobel")
    where = "!".join(cell(path, "conv_choice_1"))
    findings = sheetcnn.check(path).findings
    named = [finding for finding in findings if finding.cell == where]
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
            assert built[0] == ("_kernels" if layer == "second" else "conv")  # where there are lists, in the open


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


@pytest.mark.parametrize("dilation", [1, 2])
def test_kernels_as_built_are_copied_from_below(dilation: int, make: Callable[..., Path]) -> None:
    """They stand below all else on the same sheet, each as far spread as the kernel that it is copied over."""
    path = make(NETWORK.format(size=3, dilation=dilation), PIXELS)
    names = {name: area for name, area in read_book(path).names.items() if area[0] == "conv"}
    built = {name: area for name, area in names.items() if "_built_" in name}
    assert sorted(built) == [f"conv_built_{k}_{c}" for k in (1, 2) for c in (1, 2)]
    lowest = max(area[3] for name, area in names.items() if name not in built)
    for name, (_, top, left, bottom, right) in built.items():
        _, y0, x0, y1, x1 = names[name.replace("built", "kernel")]
        assert (bottom - top, right - left) == (y1 - y0, x1 - x0)
        assert top > lowest + 2
    blur = chosen(path, "blur")
    copies = {}
    opened = openpyxl.load_workbook(blur)
    for c in (1, 2):
        for i, j in np.ndindex(3 * dilation - dilation + 1, 3 * dilation - dilation + 1):
            sheet, where = cell(path, f"conv_built_1_{c}", i, j)
            copies[cell(path, f"conv_kernel_1_{c}", i, j)] = opened[sheet][where].value
    edited(blur, copies)
    book = read_book(blur)
    evaluate(book, group_formulas(book))
    assert book.sheets["conv"].value(*book.names["conv_state_1"][1:3]) == "as built"
    assert sheetcnn.check(blur).ok


def test_what_a_list_fills_in_has_an_ink_of_its_own(make: Callable[..., Path]) -> None:
    """Neither the blue of what is typed nor the black of formulas; `test_colours` knows on what it is readable."""
    path = make(NETWORK.format(size=3, dilation=1), PIXELS)
    book, names = openpyxl.load_workbook(path), read_book(path).names
    inks = {
        name: book[sheet].cell(top, left).font.color.rgb
        for name, (sheet, top, left, *_) in names.items()
        if name in ("conv_kernel_1_1", "second_kernel_1_1", "conv_map_1", "conv_built_1_1")
    }
    assert inks == {
        "conv_kernel_1_1": f"FF{palette.LISTED}",
        "second_kernel_1_1": f"FF{palette.TYPED}",
        "conv_map_1": "FF000000",
        "conv_built_1_1": "FF000000",
    }
    texts = list(read_book(path).sheets["Overview"].texts.values())
    assert [text.strip() for text in texts if "green numbers" in text] == [
        "green numbers are filled in by a yellow list; they may be typed over, too"
    ]
