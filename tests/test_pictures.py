"""Several pictures in one workbook: a drop-down on the Input sheet switches everything."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from PIL import Image

import sheetcnn
from sheetcnn.a1 import LETTERS
from sheetcnn.errors import LimitError, NetworkError, PictureError
from sheetcnn.formula import evaluate, group_formulas, read_book
from sheetcnn.formula.functions import FUNCTIONS
from sheetcnn.image import load_input
from sheetcnn.model.network_file import read_network
from sheetcnn.sheets.pictures.content import CHANGED, MOST_TYPED, NO_NUMBERS
from sheetcnn.templates import samples, templates
from sheetcnn.xlsx.palette import TYPED

PICTURES = ["cat", "coffee", "astronaut"]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return sheetcnn.build("edges", PICTURES, tmp_path / "book.xlsx").path


def maps(path: Path) -> np.ndarray:
    """The maps of the first layer as our evaluator computes them."""
    opened = read_book(path)
    evaluate(opened, group_formulas(opened))
    areas = [opened.names[f"edges_map_{k}"] for k in (1, 2, 3, 4)]
    return np.stack([opened.sheets[s].number[t : b + 1, left : r + 1] for s, t, left, b, r in areas])


def of_picture(name: str, folder: Path) -> np.ndarray:
    return sheetcnn.build("edges", name, folder / "one.xlsx").values["edges"]["output"]


def test_the_first_picture_is_shown(book: Path, tmp_path: Path) -> None:
    np.testing.assert_allclose(maps(book), of_picture("cat", tmp_path), atol=1e-9)
    assert sheetcnn.check(book).ok
    opened = openpyxl.load_workbook(book)
    assert opened.sheetnames[-5:] == ["Check", "_pictures", "_kernels", "_inspector", "_sheetcnn"]
    assert opened["_pictures"].sheet_state == "hidden"
    choice, typed = opened["Input"].data_validations.dataValidation
    assert (choice.type, typed.type) == ("list", "decimal")
    assert choice.formula1 == "_pictures!$B$2:$B$4"
    assert [opened["_pictures"].cell(row, 2).value for row in (2, 3, 4)] == ["1 · cat", "2 · coffee", "3 · astronaut"]
    assert [opened["_pictures"].cell(row, 1).value for row in (2, 3, 4)] == PICTURES


def test_the_bank_holds_every_picture(book: Path) -> None:
    opened, network = read_book(book), read_network(templates()["edges"])
    for p, name in enumerate(PICTURES, start=1):
        for c in (1, 2, 3):
            sheet, top, left, bottom, right = opened.names[f"input_picture_{p}_{c}"]
            want = load_input(samples()[name], network.input)[c - 1]
            np.testing.assert_array_equal(opened.sheets[sheet].number[top : bottom + 1, left : right + 1], want)


def cells(path: Path, name: str) -> list[list[Any]]:
    """What our evaluator makes of a named rectangle."""
    opened = read_book(path)
    evaluate(opened, group_formulas(opened))
    sheet, top, left, bottom, right = opened.names[name]
    return [[opened.sheets[sheet].value(i, j) for j in range(left, right + 1)] for i in range(top, bottom + 1)]


def choose(book: Path, name: float | str) -> None:
    opened = openpyxl.load_workbook(book)
    sheet, top, left, *_ = read_book(book).names["input_picture"]
    opened[sheet].cell(top, left).value = name
    opened.save(book)


@pytest.mark.parametrize("name", PICTURES)
def test_choosing_switches_the_whole_workbook(book: Path, name: str, tmp_path: Path) -> None:
    choose(book, name)
    np.testing.assert_allclose(maps(book), of_picture(name, tmp_path), atol=1e-9)
    assert sheetcnn.check(book).ok


def test_a_picture_that_does_not_exist_is_reported(book: Path) -> None:
    choose(book, "dog")
    report = sheetcnn.check(book)
    assert not report.ok
    assert report.findings[0].layer == "input"


SMALL = """
name = "small"
input = {channels = 2, height = 1, width = 3}
layers = [{type = "conv2d", name = "c", out_channels = 1, kernel_size = 1, bias = false, weight = [[[[1]], [[10]]]]}]
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Two pictures of 2×1×3: 1 2 3, 4 5 6 and their negatives. The map is channel 1 + 10 times channel 2."""
    (tmp_path / "small.toml").write_text(SMALL)
    for name, sign in (("plus", 1.0), ("minus", -1.0)):
        np.save(tmp_path / f"{name}.npy", sign * np.array([[[1.0, 2, 3]], [[4, 5, 6]]]))
    return sheetcnn.build(
        tmp_path / "small.toml", [tmp_path / "plus.npy", tmp_path / "minus.npy"], tmp_path / "small.xlsx"
    ).path


def type_pixels(book: Path, typed: dict[tuple[int, int], Any]) -> None:
    """Type over pixels (channel, column, both counted from 1), beside them."""
    opened, names = openpyxl.load_workbook(book), read_book(book).names
    for (channel, column), value in typed.items():
        sheet, top, left, *_ = names[f"input_typed_{channel}"]
        opened[sheet].cell(top, left + column - 1).value = value
    opened.save(book)


@pytest.mark.parametrize(
    ("typed", "picture", "first", "second", "told"),
    [
        ({}, 1, [1, 2, 3], [4, 5, 6], (0, None)),
        ({(1, 2): 7}, 1, [1, 7, 3], [4, 5, 6], (1, CHANGED)),
        ({(1, 2): 0}, 1, [1, 0, 3], [4, 5, 6], (1, CHANGED)),  # no blank
        ({(1, 2): 0, (2, 3): -0.5}, 2, [-1, 0, -3], [-4, -5, -0.5], (2, CHANGED)),
        ({(1, 2): "=1+1/4"}, 2, [-1, 1.25, -3], [-4, -5, -6], (1, CHANGED)),
        ({(1, 2): None}, 2, [-1, -2, -3], [-4, -5, -6], (0, None)),
    ],
)
def test_pixels_are_typed_beside_the_picture(
    typed: dict, picture: int, first: list, second: list, told: tuple, small: Path
) -> None:
    type_pixels(small, typed)
    choose(small, picture)
    assert [cells(small, f"input_channel_{c}")[0] for c in (1, 2)] == [first, second]
    assert cells(small, "c_map_1")[0] == [a + 10 * b for a, b in zip(first, second, strict=True)]
    assert (cells(small, "input_typed_count")[0][0], cells(small, "input_typed_state")[0][0] or None) == told
    report = sheetcnn.check(small)
    assert report.ok
    assert not any("typed over" in note for note in report.notes)
    type_pixels(small, dict.fromkeys(typed))  # deleted
    choose(small, 1)
    assert cells(small, "c_map_1") == [[41, 52, 63]]


@pytest.mark.parametrize("value", ["7", " ", "x", True])
def test_what_is_no_number_does_not_count_and_is_named(value: Any, small: Path) -> None:
    type_pixels(small, {(1, 2): value, (2, 1): 8})
    assert [cells(small, f"input_channel_{c}")[0] for c in (1, 2)] == [[1, 2, 3], [8, 5, 6]]
    assert (cells(small, "input_typed_count"), cells(small, "input_typed_state")) == ([[1]], [[NO_NUMBERS]])
    [finding] = sheetcnn.check(small).findings
    sheet, top, left, *_ = read_book(small).names["input_typed_1"]
    assert (finding.kind, finding.cell) == ("input", f"{sheet}!{LETTERS[left + 1]}{top}")


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("input_picture_number", 2, ("overwritten", "Input!{}")),
        ("input_typed_count", "=0", ("changed", "Input!{}")),
        ("input_typed_state", "fine", ("overwritten", "Input!{}")),
        ("input_pictures", "other", ("changed", "_pictures!B2")),  # the list says something else now
    ],
)
def test_what_choosing_and_typing_read_is_compared(name: str, value: Any, finding: tuple, small: Path) -> None:
    opened = openpyxl.load_workbook(small)
    sheet, top, left, *_ = read_book(small).names[name]
    opened[sheet].cell(top, left).value = value
    opened.save(small)
    found = [(one.kind, one.cell) for one in sheetcnn.check(small).findings]
    assert (finding[0], finding[1].format(f"{LETTERS[left]}{top}")) in found


def test_a_pixel_that_follows_but_is_wrong(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As from an evaluator whose CHOOSE gives the first whatever is chosen."""
    choose(small, 2)
    choosing = FUNCTIONS["CHOOSE"]
    first = replace(choosing, compute=lambda context, trees: choosing.compute(context, (trees[0], trees[1], trees[1])))
    monkeypatch.setitem(FUNCTIONS, "CHOOSE", first)
    found = {(finding.kind, finding.layer) for finding in sheetcnn.check(small).findings}
    assert found == {("value", "input")}


def test_pixels_of_several_pictures_are_black_and_closed(tmp_path: Path) -> None:
    """Blue is for typing: the cells beside them. Where these would be too many, pixels are typed over."""
    path = sheetcnn.build("edges", PICTURES, tmp_path / "book.xlsx", protect=True).path
    names, opened = read_book(path).names, openpyxl.load_workbook(path)

    def looks(name: str) -> tuple[str, bool]:
        sheet, top, left, *_ = names[name]
        cell = opened[sheet].cell(top, left)
        return cell.font.color.rgb[2:], cell.protection.locked

    assert looks("input_channel_1") == ("000000", True)
    assert looks("input_typed_1") == (TYPED, False)
    path = sheetcnn.build("edges", "cat", tmp_path / "book.xlsx", protect=True).path
    names, opened = read_book(path).names, openpyxl.load_workbook(path)
    assert looks("input_channel_1") == (TYPED, False)
    assert not any(name.startswith("input_typed") for name in names)
    large = {"name": "n", "input": {"channels": 1, "height": 142, "width": 142}, "layers": [{"type": "relu"}]}
    assert MOST_TYPED < 142 * 142
    pictures = [np.full((142, 142), n) for n in (1.0, 2.0)]
    path = sheetcnn.build(large, pictures, tmp_path / "book.xlsx", protect=True, gallery=False, inspector=False).path
    names, opened = read_book(path).names, openpyxl.load_workbook(path)
    assert looks("input_channel_1") == ("000000", False)
    assert not any(name.startswith("input_typed") for name in names)
    choose(path, 2)
    assert cells(path, "input_channel_1")[141][141] == 2
    assert sheetcnn.check(path).ok


def test_typed_pixels_are_exported(book: Path, tmp_path: Path) -> None:
    type_pixels(book, {(1, 1): 0, (2, 1): 255, (3, 1): "7"})
    choose(book, 2)
    sheetcnn.export(book, picture=tmp_path / "out.png")
    exported = np.asarray(Image.open(tmp_path / "out.png"))
    coffee = load_input(samples()["coffee"], read_network(templates()["edges"]).input)
    assert exported[0, 0].tolist() == [0, 255, coffee[2, 0, 0]]
    np.testing.assert_array_equal(exported[1:], coffee.transpose(1, 2, 0)[1:])


def test_typing_over_a_pixel_still_works(book: Path) -> None:
    """Its formula is gone then, and a note says so."""
    sheet, top, left, *_ = read_book(book).names["input_channel_2"]
    opened = openpyxl.load_workbook(book)
    opened[sheet].cell(top + 3, left + 3).value = 255
    opened.save(book)
    report = sheetcnn.check(book)
    assert report.ok
    assert "pixels whose formulas were typed over follow no list any more: 1" in report.notes


@pytest.mark.libreoffice
def test_choosing_in_libreoffice(book: Path, office: Callable, tmp_path: Path) -> None:
    opened = read_book(book)
    letter = openpyxl.utils.get_column_letter
    sheet, top, left, *_ = opened.names["input_picture"]
    _, row, column, last, end = opened.names["edges_map_3"]
    saved = tmp_path / "saved.xlsx"
    (done,) = office(
        [
            {
                "book": str(book),
                "edits": [[sheet, f"{letter(left)}{top}", "astronaut"]],
                "read": [["edges", f"{letter(column)}{row}:{letter(end)}{last}"]],
                "save": str(saved),
            }
        ]
    )
    np.testing.assert_allclose(done["read"][0], of_picture("astronaut", tmp_path)[2], atol=1e-9)
    assert sheetcnn.check(saved).ok
    assert sheetcnn.check(saved, engine="libreoffice").ok


ONE = """
name = "one"
input = {channels = 1, height = 1, width = 1}
layers = [{type = "conv2d", name = "c", out_channels = 1, kernel_size = 1, bias = false, weight = [[[[1e200]]]]}]
"""


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a/x.npy", "b/x.npy", "c.npy"], ["x", "x (2)", "c"]),
        (["cat (2).npy", "cat.npy", "a/cat.npy"], ["cat (2)", "cat", "cat (3)"]),
        (["cat.npy", "Cat.npy", "CAT (2).npy"], ["cat", "Cat (2)", "CAT (2) (2)"]),  # MATCH takes cat for Cat
        (["a~b.npy", "a*b.npy", "a?.npy"], ["a_b", "a_b (2)", "a_"]),  # and these for wildcards
        (["3.npy", "TRUE.npy", "1e5.npy"], ["3", "TRUE", "1e5"]),
    ],
)
def test_names_are_told_apart(files: list[str], names: list[str], tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(ONE)
    for number, file in enumerate(files, start=1):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        np.save(tmp_path / file, np.full((1, 1), float(number)))
    path = sheetcnn.build(tmp_path / "one.toml", [tmp_path / file for file in files], tmp_path / "book.xlsx").path
    bank = openpyxl.load_workbook(path)["_pictures"]
    assert [bank.cell(row, 1).value for row in (2, 3, 4)] == names
    for number, name in enumerate(names, start=1):
        choose(path, name)
        opened = read_book(path)
        evaluate(opened, group_formulas(opened))
        sheet, top, left, *_ = opened.names["input_channel_1"]
        assert opened.sheets[sheet].number[top, left] == number
        assert sheetcnn.check(path).ok


@pytest.mark.parametrize(
    ("choice", "number"),
    [(1, 1), (2, 2), (3, 3), ("2 · 3", 2), ("3 · 1e5", 3), ("3", 2), ("1e5", 3), ("1 · TRUE", 1), ("true", 1)],
)
def test_by_number_by_entry_or_by_name(choice: float | str, number: int, tmp_path: Path) -> None:
    """A number is the number of a picture; the list's entries are texts that no program takes for one, as it might a name."""
    (tmp_path / "one.toml").write_text(ONE)
    files = [tmp_path / f"{name}.npy" for name in ("TRUE", "3", "1e5")]
    for n, file in enumerate(files, start=1):
        np.save(file, np.full((1, 1), n * 10.0))
    path = sheetcnn.build(tmp_path / "one.toml", files, tmp_path / "book.xlsx").path
    choose(path, choice)
    assert cells(path, "input_picture_number") == [[number]]
    assert cells(path, "input_picture_name") == [[files[number - 1].stem]]
    assert cells(path, "input_channel_1") == [[number * 10]]
    assert sheetcnn.check(path).ok


@pytest.mark.libreoffice
def test_by_number_in_libreoffice(book: Path, office: Callable, tmp_path: Path) -> None:
    """With a text where a pixel is typed, and a 0: LibreOffice tells them apart like our evaluator."""
    opened, saved = read_book(book), tmp_path / "saved.xlsx"
    places = {
        name: f"{LETTERS[left]}{top}" for name, (_, top, left, *_) in opened.names.items() if name.startswith("input_")
    }
    edits = [["Input", places["input_picture"], 3], ["Input", places["input_typed_2"], 0]]
    edits.append(["Input", places["input_typed_3"], "0"])
    read = [["Input", places[name]] for name in ("input_channel_1", "input_channel_2", "input_channel_3")]
    read += [["Input", places[name]] for name in ("input_typed_count", "input_typed_state")]
    [done] = office([{"book": str(book), "edits": edits, "read": read, "save": str(saved)}])
    pixels = load_input(samples()["astronaut"], read_network(templates()["edges"]).input)
    found = [area[0][0] for area in done["read"]]
    assert found == [pixels[0, 0, 0], 0, pixels[2, 0, 0], 1, "typed cells hold no number: they do not count"]
    for engine in ("python", "libreoffice"):
        report = sheetcnn.check(saved, engine=engine)
        assert [(finding.kind, finding.cell) for finding in report.findings] == [
            ("input", f"Input!{places['input_typed_3']}")
        ]


def test_every_picture_must_give_finite_numbers(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(ONE)
    for name, value in (("small", 1.0), ("big", 1e200)):
        np.save(tmp_path / f"{name}.npy", np.full((1, 1), value))
    pictures = [tmp_path / "small.npy", tmp_path / "big.npy"]
    sheetcnn.build(tmp_path / "one.toml", pictures[0], tmp_path / "book.xlsx")
    (tmp_path / "book.xlsx").unlink()
    with pytest.raises(NetworkError, match=r'layer 1 \(conv2d "c"\): output at \(1, 1, 1\) is inf for the picture big; '):
        sheetcnn.build(tmp_path / "one.toml", pictures, tmp_path / "book.xlsx", detail="compact")
    assert not (tmp_path / "book.xlsx").exists()


def test_bad_pictures(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"none\.png"):
        sheetcnn.build("edges", ["cat", tmp_path / "none.png"], tmp_path / "book.xlsx")
    with pytest.raises(PictureError, match="no picture"):
        sheetcnn.build("edges", [], tmp_path / "book.xlsx")
    with pytest.raises(LimitError, match="255 pictures are too many"):
        sheetcnn.build("cs231n", ["cs231n"] * 255, tmp_path / "book.xlsx")
    assert not (tmp_path / "book.xlsx").exists()


def test_protected_drop_down_stays_open(tmp_path: Path) -> None:
    path = sheetcnn.build("edges", PICTURES, tmp_path / "book.xlsx", protect=True).path
    sheet, top, left, *_ = read_book(path).names["input_picture"]
    opened = openpyxl.load_workbook(path)
    assert opened[sheet].protection.sheet
    assert not opened[sheet].cell(top, left).protection.locked


def scales_of(path: Path, sheet: str, name: str) -> list[tuple[float, float]]:
    """Between which numbers the colours of grids run, whose names begin alike."""
    book = openpyxl.load_workbook(path)
    found = []
    for grid, (where, top, left, *_) in sorted(read_book(path).names.items()):
        if where == sheet and grid.startswith(name):
            for ranges, rules in book[sheet].conditional_formatting._cf_rules.items():
                if book[sheet].cell(top, left).coordinate in ranges.sqref:
                    found += [
                        (float(rule.colorScale.cfvo[0].val), float(rule.colorScale.cfvo[-1].val))
                        for rule in rules
                        if rule.type == "colorScale"
                    ]
    return found


@pytest.mark.parametrize(
    ("sizes", "ends"),
    [
        ([0, 1, 2], (0, 2)),
        ([3, 4, 7], (3, 7)),
        ([0, 0.25, 1], (0, 1)),
        ([0, 5, 1000], (0, 1000)),
        ([6, 6, 6], (6, 7)),
        ([-3, 0, 1], (-3, 3)),
    ],
)
@pytest.mark.parametrize("kind", ["npy", "csv", "array"])
def test_numbers_are_coloured_by_their_own_range(
    kind: str, sizes: list[float], ends: tuple[float, float], tmp_path: Path
) -> None:
    """Whatever their size: the lightest is the largest of all, on the Input sheet and in the gallery; or 0 is white."""
    numbers = np.resize(np.array(sizes, float), (3, 3))
    (tmp_path / "net.toml").write_text(
        'name = "n"\n[input]\nchannels = 1\nheight = 3\nwidth = 3\n[[layers]]\ntype = "relu"\n', encoding="utf-8"
    )
    np.save(tmp_path / "n.npy", numbers)
    np.savetxt(tmp_path / "n.csv", numbers, delimiter=",")
    given = numbers if kind == "array" else tmp_path / f"n.{kind}"
    path = sheetcnn.build(tmp_path / "net.toml", given, tmp_path / "book.xlsx").path
    assert scales_of(path, "Input", "input_channel") == [ends]
    assert scales_of(path, "Gallery", "gallery_input") == [ends]


def test_cs231n_is_not_black(tmp_path: Path) -> None:
    path = sheetcnn.build("cs231n", "cs231n", tmp_path / "book.xlsx").path
    assert scales_of(path, "Input", "input_channel") == [(0, 2)] * 3
    assert scales_of(path, "Gallery", "gallery_input") == [(0, 2)] * 3
    with zipfile.ZipFile(path) as book:
        [png] = [name for name in book.namelist() if name.endswith(".png")]
        picture = np.asarray(Image.open(io.BytesIO(book.read(png))))
    assert (picture.min(), picture.max()) == (0, 255)


def test_a_dark_picture_stays_dark(tmp_path: Path) -> None:
    """A file of a picture, or an array of bytes, as other programs give one; beside numbers both ends count."""
    (tmp_path / "net.toml").write_text(
        'name = "n"\n[input]\nchannels = 1\nheight = 3\nwidth = 3\nscale = 255\n[[layers]]\ntype = "relu"\n',
        encoding="utf-8",
    )
    dark = np.resize(np.array([0, 1, 30], np.uint8), (3, 3))
    Image.fromarray(dark).save(tmp_path / "dark.png")
    np.save(tmp_path / "n.npy", dark * 20.0)
    for given, high in ((tmp_path / "dark.png", 255), (dark, 255), ([tmp_path / "dark.png", tmp_path / "n.npy"], 600)):
        path = sheetcnn.build(tmp_path / "net.toml", given, tmp_path / "book.xlsx").path
        assert scales_of(path, "Input", "input_channel") == [(0, high)]
        assert scales_of(path, "Input", "input_normalized") == [(0, pytest.approx(high / 255))]


def test_handouts_are_coloured_alike(tmp_path: Path) -> None:
    made = sheetcnn.hand_out("cs231n", "cs231n", tmp_path / "out")
    for path in (made.key, *made.workbooks):
        assert scales_of(path, "Input", "input_channel") == [(0, 2)] * 3
