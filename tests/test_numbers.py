"""Numbers in cells: none too wide to be read, and none that is not a number unseen."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from PIL import ImageFont

import sheetcnn
from sheetcnn.arrays.kernels import KERNELS
from sheetcnn.formula import read_book
from sheetcnn.templates import LESSONS
from sheetcnn.xlsx import palette
from sheetcnn.xlsx.cells import texts_of
from sheetcnn.xlsx.colours import known

# LibreOffice leaves 0.35 mm free at either side of a cell: of 22 pixels, 19.35 are for numbers.
ROOM = 22 - 2 * 0.35 / 25.4 * 96
FONTS = ("LiberationSans-Regular.ttf", "Arial.ttf", "arial.ttf")  # of the same widths


def width(text: str) -> float:
    """Of a text of 7 points, in pixels."""
    for name in FONTS:
        try:
            return float(ImageFont.truetype(name, 1000).getlength(text)) / 1000 * 7 * 96 / 72
        except OSError:
            continue
    pytest.skip("neither Arial nor Liberation Sans is installed")


def shown(code: str, value: float) -> str:
    """What a program shows of a number: for the few forms that there are, worked out here once more."""
    if code == palette.FITTING:
        texts = (f"{value:.{n}f}".rstrip("0").rstrip(".") if n else f"{value:.0f}" for n in (2, 1, 0))
        return next((text for text in texts if width(text) <= ROOM), f"{value:.0f}")
    if code == palette.THOUSANDS:
        return f"{value:.0f}" if value < 999.5 else f"{value / 1000:.1f}k" if value < 9950 else f"{value / 1000:.0f}k"
    positive, negative, _ = code.split(";")
    if value == 0:
        return "0"
    part = positive if value > 0 else negative.removeprefix("-")
    whole, _, after = part.partition(".")
    text = f"{abs(value):.{len(after)}f}"
    while after.endswith("#") and text.endswith("0"):
        after, text = after[:-1], text[:-1]
    text = text.removeprefix("0") if whole == "#" else text
    return f"-{text}" if value < 0 else text


@pytest.mark.parametrize(
    ("values", "typed", "code"),
    [
        ([0, 1, -4], False, "General"),
        ([0, 255], False, palette.THOUSANDS),
        ([0, 1552.5], False, palette.THOUSANDS),
        ([0.5, 0], False, "#.00;-#.00;0"),
        ([2.63, -0.7], False, "#.00;-#.00;0"),
        ([2.63, -1.7], False, "#.00;-0.0;0"),
        ([12.3, -11.7], False, "0.0;-0;0"),
        ([123.4, -3.7], False, "0;-0.0;0"),
        ([0.37, -1.25], True, "#.0#;-#.0#;0"),
    ],
)
def test_formats(values: list[float], typed: bool, code: str) -> None:
    assert palette.number_format(np.array(values), typed) == code


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("General", -1, "-1"),
        ("General", 1 / 9, "0.11"),
        ("General", -1 / 16, "-0.1"),
        ("General", 1 / 16, "0.06"),
        (palette.THOUSANDS, 1552, "1.6k"),
        (palette.THOUSANDS, -123, "-123"),
        (palette.THOUSANDS, 12345, "12k"),
        ("#.00;-#.00;0", -0.37, "-.37"),
        ("#.00;-#.00;0", 1.25, "1.25"),
        ("#.0#;-#.0#;0", 0.5, ".5"),
        ("#.0#;-#.0#;0", -1, "-1.0"),
        ("0.0;-0.0;0", -1.27, "-1.3"),
        ("0.0;-0.0;0", 0, "0"),
    ],
)
def test_what_is_shown(code: str, value: float, text: str) -> None:
    assert shown(code, value) == text
    assert width(text) <= ROOM


def test_the_ruler() -> None:
    """As seen in LibreOffice: three digits with a sign fit, four digits or a sign, three digits and a point do not."""
    assert width("-123") < ROOM < width("1552")
    assert width("-1.00") > ROOM


@pytest.mark.parametrize("template", LESSONS)
def test_every_number_of_every_template_fits(template: str, tmp_path: Path) -> None:
    """In its cell, at 7 points: parameters by their own formats, everything else by that of its array."""
    made = sheetcnn.build(template, LESSONS[template].picture, tmp_path / "t.xlsx", gallery=False, inspector=False)
    for array in made.content.graph:
        numbers = made.content.values[array.id] + 0.0
        typed = array.formula is None
        code = palette.number_format(known(numbers), typed)
        if code == "0E+0":
            continue
        for value in np.unique(numbers).tolist():
            needs = typed and code != palette.FITTING and palette.needs_room(np.array([value]))[0]
            text = shown(palette.ONE_DECIMAL if needs else code, value)
            assert width(text) <= ROOM, (array.id, value, text)


@pytest.mark.parametrize("built", ["General", "#.0#;-#.0#;0"])
def test_every_kernel_that_can_be_chosen_fits(built: str) -> None:
    for name, kernel in KERNELS.items():
        for value in kernel.ravel().tolist():
            assert width(shown(built, value)) <= ROOM, name


NETWORK = """
name = "n"
[input]
channels = 2
height = 6
width = 6
[[layers]]
type = "conv2d"
name = "conv"
out_channels = 3
kernel_size = 3
dilation = {dilation}
bias = [1, -1.25, 0]
weight = {weight}
"""


@pytest.mark.parametrize("dilation", [1, 2])
def test_what_is_no_number_glares(dilation: int, make: Callable[..., Path]) -> None:
    """In kernels alone, not in labels or lists between them, though one range reaches over all in a column."""
    weight = np.arange(54).reshape(3, 2, 3, 3).tolist()
    path = make(NETWORK.format(dilation=dilation, weight=weight), np.ones((2, 6, 6)))
    sheet = openpyxl.load_workbook(path)["conv"]
    names = read_book(path).names
    tall: dict[int, set[int]] = {}
    for name, (_, top, left, bottom, _) in names.items():
        if name.startswith("conv_kernel"):
            tall.setdefault(left, set()).update(range(top, bottom + 1))
    rules = [
        (ranges, rule)
        for ranges in sheet.conditional_formatting
        for rule in ranges.rules
        if rule.dxf and rule.dxf.fill and rule.dxf.fill.bgColor.rgb == f"FF{palette.NO_NUMBER}"
    ]
    ((ranges, rule),) = rules
    assert rule.priority == min(other.priority for other in ranges.rules), "the first, since LibreOffice takes no other"
    (formula,) = rule.formula
    test, top, pitch, height = re.fullmatch(  # type: ignore[union-attr]
        r"AND\((\w+)\((?:ISNUMBER\()?[A-Z]+\d+\)*,MOD\(ROW\([A-Z]+\d+\)-(\d+),(\d+)\)<(\d+)\)", formula
    ).groups()
    assert test == ("NOT" if dilation == 1 else "ISTEXT"), "between a dilated kernel's numbers cells are blank"
    for area in ranges.cells.ranges:
        rows = {row for row in range(area.min_row, area.max_row + 1) if (row - int(top)) % int(pitch) < int(height)}
        assert rows == tall[area.min_col]
    assert {area.min_col for area in ranges.cells.ranges} == set(tall)


def test_long_numbers_that_are_typed_have_a_decimal_less(make: Callable[..., Path]) -> None:
    weight = np.full((3, 2, 3, 3), 0.37)
    weight[0, 0, 0] = -1.25, -1.2, -0.25
    path = make(NETWORK.format(dilation=1, weight=weight.tolist()), np.ones((2, 6, 6)))
    book, (sheet, top, left, *_) = openpyxl.load_workbook(path), read_book(path).names["conv_kernel_1_1"]
    cells: list[Any] = [book[sheet].cell(top, left + n) for n in range(3)]
    assert [cell.number_format for cell in cells] == ["0.0;-0.0;0", "#.0#;-#.0#;0", "#.0#;-#.0#;0"]
    assert all(cell.value.startswith("=IF(") for cell in cells)
    assert all(cell.alignment.shrink_to_fit for cell in cells)


def test_formats_that_choose_their_decimals_do_not_shrink(make: Callable[..., Path]) -> None:
    """LibreOffice would show all decimals instead, as small as need be."""
    weight = np.ones((3, 2, 3, 3), int).tolist()
    path = make(NETWORK.format(dilation=1, weight=weight), np.ones((2, 6, 6)))
    book, (sheet, top, left, *_) = openpyxl.load_workbook(path), read_book(path).names["conv_kernel_1_1"]
    cell = book[sheet].cell(top, left)
    assert (cell.number_format, bool(cell.alignment.shrink_to_fit)) == ("General", False)


def test_digits_tell_numbers_from_all_others() -> None:
    """Read again they are the same to the last bit, and hardly ever longer than Python's own: 0.00001 is 1e-05 there."""
    rng = np.random.default_rng(0)
    some = np.frombuffer(rng.bytes(160_000))
    numbers = [
        *some[np.isfinite(some)].tolist(),
        *rng.normal(size=20_000).tolist(),
        0.0,
        255.0,
        0.1,
        1e-5,
        1e16,
        1e23,
        5e-324,
        2.0**53,
    ]
    texts = texts_of(numbers)
    assert [float(text) for text in texts] == numbers
    assert all(len(text) <= len(repr(number)) + 2 for text, number in zip(texts, numbers, strict=True))
    assert texts_of([1.5, float("nan")]) == ["1.5", "NaN"]  # of which no cell is written
