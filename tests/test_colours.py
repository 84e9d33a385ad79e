"""One colour rule: what can be read, what colour-blind readers and a grey print tell apart, and which cells look alike."""

from __future__ import annotations

import base64
import io
import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from PIL import Image

import sheetcnn
from sheetcnn.a1 import LETTERS
from sheetcnn.formula import read_book
from sheetcnn.handout.draft import FRAMES
from sheetcnn.handout.feedback import DARKEST, GREEN, SHADES, WRONG, WRONG_INK
from sheetcnn.notebook import maps
from sheetcnn.xlsx import palette
from sheetcnn.xlsx.colours import colour, shades_of
from sheetcnn.xlsx.draft import WorkbookDraft

Make = Callable[..., Path]
SCALES = {"maps": palette.MAPS, "weights": palette.WEIGHTS, "gray": palette.GRAY, **palette.CHANNELS}
SIGNED = ("maps", "weights")
LEGEND = 11  # cells of a scale bar

# Dichromats' view of linear RGB. Source: Machado, Oliveira and Fernandes, A Physiologically-based Model for Simulation of
# Color Vision Deficiency, IEEE TVCG 15 (6), 2009, the matrices of severity 1.0.
VIEWS = {
    "all colours": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "grey": [[0.2126, 0.7152, 0.0722]] * 3,
}
NEIGHBOURS = 4.6  # ΔE of 1976 between cells of a legend, at least: twice what is just noticed, 2.3 (Mahy and others, 1994)
SIGNS = 12.0  # between any negative and any positive cell of a legend
ENDS = 15.0  # in lightness L* between the ends of a signed scale, so that they differ in a grey print


def lab(rgb: np.ndarray, view: Any) -> np.ndarray:
    """CIE L*a*b* of a colour of numbers from 0 to 255, as somebody sees it; white is D65."""
    part = rgb / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(view) @ linear, 0, 1)
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    xyz = np.array(to_xyz) @ seen / [0.95047, 1.0, 1.08883]
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def mixed(points: list[tuple[float, str]], value: float) -> np.ndarray:
    """The colour of a number on a scale, as spreadsheet programs mix it."""
    for (low, one), (high, other) in itertools.pairwise(points):
        if value <= high or (high, other) == points[-1]:
            part = min(1.0, max(0.0, (value - low) / (high - low)))
            first, second = (np.array(list(bytes.fromhex(shade)), float) for shade in (one, other))
            return first * (1 - part) + second * part
    raise AssertionError


def legend(name: str) -> list[np.ndarray]:
    points = list(enumerate(SCALES[name]))
    return [mixed([(float(n), shade) for n, shade in points], place) for place in np.linspace(0, len(points) - 1, LEGEND)]


def test_machados_matrices_are_for_grey_what_they_should_be() -> None:
    """Greys are seen as they are; pure red and green, far apart for all, come near each other for who sees no red or no green."""
    for view in VIEWS.values():
        assert lab(np.full(3, 128.0), view) == pytest.approx(lab(np.full(3, 128.0), np.eye(3)), abs=0.1)
    olive, brown = np.array([90.0, 120.0, 0.0]), np.array([150.0, 90.0, 0.0])
    apart = {name: np.linalg.norm(lab(olive, view) - lab(brown, view)) for name, view in VIEWS.items()}
    assert apart["deuteranopia"] < 0.4 * apart["all colours"]
    assert lab(np.array([255.0, 0, 0]), np.eye(3)) == pytest.approx([53.24, 80.09, 67.2], abs=0.1)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", SCALES)
def test_neighbours_of_a_legend_are_told_apart(name: str, view: str) -> None:
    seen = [lab(cell, VIEWS[view]) for cell in legend(name)]
    assert min(np.linalg.norm(one - other) for one, other in itertools.pairwise(seen)) > NEIGHBOURS


@pytest.mark.parametrize("view", [view for view in VIEWS if view != "grey"])
@pytest.mark.parametrize("name", SIGNED)
def test_signs_are_told_apart(name: str, view: str) -> None:
    seen = [lab(cell, VIEWS[view]) for cell in legend(name)]
    assert min(np.linalg.norm(one - other) for one in seen[:5] for other in seen[6:]) > SIGNS


@pytest.mark.parametrize("name", SIGNED)
def test_the_ends_of_signed_scales_differ_in_a_grey_print(name: str) -> None:
    """Between them the numbers have signs: a cell of half the size may be as grey as one of the other sign."""
    first, *_, last = (lab(cell, VIEWS["grey"])[0] for cell in legend(name))
    assert last - first > ENDS


@pytest.mark.parametrize("ink", palette.INKS)
@pytest.mark.parametrize("name", SCALES)
def test_every_number_can_be_read(name: str, ink: str) -> None:
    """In the shade that the rules give it, on the colour that the scale gives its cell."""
    colours = SCALES[name]
    points = [(float(n), shade) for n, shade in enumerate(colours)]
    rules = shades_of(palette.Scale(colours, tuple(value for value, _ in points)), ink)
    for value in np.linspace(0, len(colours) - 1, 4001):
        shade = next((font.color.rgb[2:] for *rule, font in rules if holds(value, *rule)), palette.INKS[ink][0])
        assert palette.contrast(shade, mixed(points, value)) >= palette.CONTRAST, value


def holds(value: float, operator: str, limits: list[str]) -> bool:
    numbers = [float(limit) for limit in limits]
    if operator == "between":
        return numbers[0] <= value <= numbers[1]
    return value < numbers[0] if operator == "lessThan" else value > numbers[0]


@pytest.mark.parametrize("frame", FRAMES)
def test_frames_are_seen_on_every_map(frame: str) -> None:
    assert min(palette.contrast(frame, end) for end in palette.GRAY) >= 3  # WCAG 2.1 for what is no text


def test_what_students_fill_in_can_be_read() -> None:
    greens = [(shade, ink) for _, shade, ink in SHADES] + [DARKEST, GREEN, (WRONG, WRONG_INK)]
    greens += [(palette.CHOICE, shades[0]) for shades in palette.INKS.values()]
    assert min(palette.contrast(*pair) for pair in greens) >= palette.CONTRAST
    lightness = [palette.luminance(shade) for shade, _ in greens[: len(SHADES) + 1]]
    assert lightness == sorted(lightness, reverse=True)


def test_contrast() -> None:
    """WCAG's own examples: black on white, and its grey that just passes."""
    assert palette.contrast("000000", "FFFFFF") == pytest.approx(21)
    assert palette.contrast("767676", "FFFFFF") == pytest.approx(4.54, abs=0.01)


# -- in workbooks ------------------------------------------------------------------------------------------------------
IDENTITY = """name = "n"
[input]
channels = 1
height = 2
width = 3
[[layers]]
name = "same"
type = "conv2d"
out_channels = 2
kernel_size = 1
weight = [[[[1]]], [[[-1]]]]
bias = [0, 0]
[[layers]]
name = "relu"
type = "relu"
[[layers]]
name = "twice"
type = "add"
input = ["relu", "relu"]
"""
PIXELS = np.array([[[0.0, 1, 2], [3, 4, 8]]])


def numbers_of(book: Any, text: Any) -> float:
    """A limit of a rule on a sheet of cached values: `-1*MAX($B$3,0.000000001)` or `0.3*$B$3`."""
    found = re.fullmatch(r"(-?[\d.]+)(?:\*(MAX\()?(\$[A-Z]+\$\d+)(?:,0\.000000001\))?)?", str(text))
    assert found, text
    size = book[found[3].replace("$", "")].value if found[3] else 1
    return float(found[1]) * (max(size, 1e-9) if found[2] else size)


def looks(path: Path, name: str) -> list[list[tuple[str, str]]]:
    """The colour of each cell of a grid and of its number, by its first rules that hold."""
    sheet, top, left, bottom, right = read_book(path).names[name]
    book, cached = openpyxl.load_workbook(path)[sheet], openpyxl.load_workbook(path, data_only=True)[sheet]
    lines = []
    for row in range(top, bottom + 1):
        line = []
        for column in range(left, right + 1):
            where = book.cell(row, column).coordinate
            rules = [rule for area in book.conditional_formatting if where in area.sqref for rule in area.rules]
            scales = [rule.colorScale for rule in rules if rule.type == "colorScale"]
            assert len(scales) == 1, name
            points = [
                (numbers_of(cached, end.val), shade.rgb[2:])
                for end, shade in zip(scales[0].cfvo, scales[0].color, strict=True)
            ]
            value = cached[where].value
            fonts = [
                rule.dxf.font.color.rgb[2:]
                for rule in rules
                if rule.type == "cellIs" and holds(value, rule.operator, [str(numbers_of(cached, f)) for f in rule.formula])
            ]
            shade = "".join(f"{round(part):02X}" for part in mixed(points, value))
            line.append((shade, fonts[0] if fonts else book[where].font.color.rgb[2:]))
        lines.append(line)
    return lines


@pytest.fixture
def same(make: Make) -> Path:
    return make(IDENTITY, PIXELS)


def colours(path: Path, name: str) -> list[list[str]]:
    return [[shade for shade, _ in line] for line in looks(path, name)]


def test_identity_looks_like_its_channel(same: Path) -> None:
    """0 is 2E, 8 is FF: 4 is half way, 96.5."""
    channel = colours(same, "input_channel_1")
    assert (channel[0][0], channel[1][1], channel[1][2]) == ("2E2E2E", "969696", "FFFFFF")
    assert colours(same, "same_map_1") == channel
    assert colours(same, "gallery_same_1") == channel


def test_negative_numbers_are_blue_and_relu_leaves_the_others(same: Path) -> None:
    """Half way from 2E2E2E to 4A7DF0 is 3C558F."""
    minus = colours(same, "same_map_2")
    assert (minus[0][0], minus[1][1], minus[1][2]) == ("2E2E2E", "3C568F", "4A7DF0")
    assert colours(same, "relu_map_1") == colours(same, "same_map_1")
    assert colours(same, "relu_map_2") == [["2E2E2E"] * 3] * 2


def test_the_same_map_has_the_same_colours_wherever_it_is_shown(make: Make) -> None:
    path = make(IDENTITY, PIXELS)
    names = [name for name in read_book(path).names if re.fullmatch(r"(same|relu|twice)_reads_\d+", name)]
    shown = {"same_reads_1": "input_channel_1", "relu_reads_1": "same_map_1", "relu_reads_2": "same_map_2"}
    shown |= {"twice_reads_1": "relu_map_1", "twice_reads_2": "relu_map_2", "twice_reads_3": "relu_map_1"}
    for name in names:
        if name in shown:
            assert colours(path, name) == colours(path, shown[name]), name
    for layer in ("same", "relu", "twice"):
        for k in (1, 2):
            assert colours(path, f"gallery_{layer}_{k}") == colours(path, f"{layer}_map_{k}")


RGB = """name = "n"
[input]
channels = 3
height = 2
width = 3
scale = 2
[[layers]]
name = "conv"
type = "conv2d"
out_channels = 1
kernel_size = 1
[[layers]]
name = "pool"
type = "max_pool2d"
kernel_size = 1
"""


def true(test: str, shade: int) -> bool:
    """Whether a test of a rule holds while its cell says that a row is in these colours: `($C7=1)>0`, `$C$7=0`."""
    return bool(eval(re.sub(r"\$C\$?\d+", str(shade), test).replace("=", "==")))


def rules_of(path: Path, name: str) -> list[Any]:
    sheet, top, left, *_ = read_book(path).names[name]
    where = f"{LETTERS[left]}{top}"
    book = openpyxl.load_workbook(path)[sheet]
    return [rule for area in book.conditional_formatting if where in area.sqref for rule in area.rules]


@pytest.mark.parametrize("channel", [1, 2, 3])
def test_the_inspector_shows_a_channel_of_the_picture_in_its_colours(channel: int, make: Make) -> None:
    """Those of its own sheet; `check` proves that the cells beside windows and thumbnails say which one is shown."""
    path = make(RGB, np.arange(18.0).reshape(3, 2, 3))
    own = next(rule.colorScale for rule in rules_of(path, f"input_normalized_{channel}") if rule.colorScale)
    ends, shades = [float(end.val) for end in own.cfvo], [shade.rgb for shade in own.color]
    found = []
    for rule in rules_of(path, "inspector_shot"):
        if rule.colorScale:
            parts = [re.fullmatch(r'IF\((.+?),(-?[\d.]+),""\)', end.val) for end in rule.colorScale.cfvo]
            if all(part is not None and true(part[1].replace("$D", "$C"), channel) for part in parts):
                found.append(([float(part[2]) for part in parts], [shade.rgb for shade in rule.colorScale.color]))  # type: ignore[index]
    assert found == [(ends, shades)]
    points = [(end, shade[2:]) for end, shade in zip(ends, shades, strict=True)]
    values = np.linspace(*ends, 33).tolist()
    for value, shown in zip(values, window_shades(path, values, channel), strict=True):
        assert np.abs(np.array(list(bytes.fromhex(shown))) - mixed(points, value)).max() < 255 / 16 + 1  # it has steps


def test_the_inspector_shows_maps_in_the_colours_of_maps(make: Make) -> None:
    path = make(RGB, np.arange(18.0).reshape(3, 2, 3))
    scales = [rule.colorScale for rule in rules_of(path, "inspector_shot") if rule.colorScale]
    kept = [scale for scale in scales if true(scale.cfvo[0].val[3:].split(",")[0].replace("$D", "$C"), 0)]
    assert [[shade.rgb[2:] for shade in scale.color] for scale in kept] == [list(palette.MAPS)]
    assert window_shades(path, [-9, 0, 9], 0) == list(palette.MAPS)


def window_shades(path: Path, values: list[float], shade: int) -> list[str]:
    """The colours of numbers in a window, by the first rule that holds."""
    cached, rules = openpyxl.load_workbook(path, data_only=True)["Inspector"], rules_of(path, "inspector_window")
    parts = [re.fullmatch(r"AND\(ISNUMBER\((\w+)\),(.+?)(?:,\1>=(.+))?\)", rule.formula[0]) for rule in rules]
    kept = [(part[3], rule) for part, rule in zip(parts, rules, strict=True) if part and true(part[2], shade)]
    ends = [(-np.inf if limit is None else numbers_of(cached, limit), rule.dxf.fill.bgColor.rgb[2:]) for limit, rule in kept]
    return [next(colour for end, colour in ends if value >= end) for value in values]


def test_kernels_are_white_around_0(same: Path) -> None:
    assert looks(same, "same_kernel_1_1") == [[("F9A04E", "0000CC")]]
    assert looks(same, "same_kernel_2_1") == [[("4A7DF0", "000058")]]


TURNED = """name = "n"
[input]
channels = 1
height = 2
width = 2
[[layers]]
name = "shift"
type = "cellwise"
weight = [[[1, 0], [0, 2]]]
[[layers]]
name = "up"
type = "conv_transpose2d"
out_channels = 1
kernel_size = 2
weight = [[[[1, 2], [-4, 4]]]]
"""


def test_a_turned_kernel_is_as_orange_as_the_kernel(make: Make) -> None:
    path = make(TURNED, np.ones((1, 2, 2)))
    assert colours(path, "up_turned_1_1") == [line[::-1] for line in colours(path, "up_kernel_1_1")[::-1]]
    assert colours(path, "up_turned_1_1")[0] == ["F9A04E", "4A7DF0"]


def test_numbers_of_a_map_are_no_filter(make: Make) -> None:
    """What a cellwise layer adds to each map is not called filter and channel."""
    path = make(TURNED, np.ones((1, 2, 2)))
    sheet, top, left, *_ = read_book(path).names["shift_kernel_1"]
    assert openpyxl.load_workbook(path)[sheet].cell(top - 1, left).value == "weight 1"


def test_texts_change_their_shade(same: Path) -> None:
    """Typed numbers are pale on dark, darker blues in the middle, blue on light; formulas are white or black."""
    assert [font for line in looks(same, "input_channel_1") for _, font in line] == [
        "DCEBFF", "DCEBFF", "DCEBFF", "00002B", "000058", "0000CC",
    ]  # fmt: skip
    assert [font for line in looks(same, "same_map_1") for _, font in line] == ["FFFFFF"] * 3 + ["000000"] * 3


def bar(path: Path, name: str) -> list[float]:
    sheet, top, left, _, right = read_book(path).names[name]
    cells = openpyxl.load_workbook(path, data_only=True)[sheet]
    return [cells.cell(top, column).value for column in range(left, right + 1)]


def test_scale_bars(same: Path) -> None:
    """From −8 to 8 where numbers have both signs; from 0 where none is negative."""
    assert bar(same, "same_map_scale") == pytest.approx([-8, -6.4, -4.8, -3.2, -1.6, 0, 1.6, 3.2, 4.8, 6.4, 8])
    assert bar(same, "relu_map_scale") == pytest.approx([0, 0.8, 1.6, 2.4, 3.2, 4, 4.8, 5.6, 6.4, 7.2, 8])
    assert colours(same, "relu_map_scale")[0][::5] == ["2E2E2E", "969696", "FFFFFF"]
    assert colours(same, "same_map_scale")[0][::5] == ["4A7DF0", "2E2E2E", "FFFFFF"]
    assert sheetcnn.check(same).ok


def change(path: Path, name: str, offset: int, value: Any) -> None:
    sheet, top, left, *_ = read_book(path).names[name]
    book = openpyxl.load_workbook(path)
    book[sheet].cell(top, left + offset).value = value
    book.save(path)


def test_scale_bars_follow_edits(same: Path) -> None:
    change(same, "same_kernel_1_1", 0, 3)
    report = sheetcnn.check(same)
    assert report.ok, report.findings
    assert next(layer for layer in report.layers if layer.layer == "scale bars").cells > 0


@pytest.mark.libreoffice
def test_with_an_error_in_a_cell_the_others_keep_colours(same: Path, office: Callable[..., Any]) -> None:
    """The bar has numbers still, of the size of 1, so that text and cell are told apart."""
    names = read_book(same).names
    sheet, top, left, *_ = names["same_map_1"]
    line = names["same_map_scale"]
    area = f"{LETTERS[line[2]]}{line[1]}:{LETTERS[line[4]]}{line[3]}"
    job = {"book": str(same), "edits": [[sheet, f"{LETTERS[left]}{top}", "=1/0"]], "read": [[sheet, area]]}
    [done] = office([job])
    assert done["read"][0][0] == pytest.approx(np.linspace(-1, 1, LEGEND))


@pytest.mark.parametrize(("name", "offset"), [("same_map_scale", 0), ("same_map_scale", 3), ("twice_map_scale", 10)])
@pytest.mark.parametrize("value", [8, "=1+1", "=MAX(B20:C30)"])
def test_a_mistake_in_a_scale_bar_is_found(same: Path, name: str, offset: int, value: Any) -> None:
    change(same, name, offset, value)
    report = sheetcnn.check(same)
    assert {finding.layer for finding in report.findings} == {"scale bars"}


def test_a_map_of_zeros_is_dark(make: Make) -> None:
    path = make(IDENTITY, np.zeros((1, 2, 3)))
    sheet = openpyxl.load_workbook(path)["same"]
    scales = [rule.colorScale for area in sheet.conditional_formatting for rule in area.rules if rule.colorScale]
    live = [scale for scale in scales if scale.cfvo[0].type == "formula"]
    assert live
    for scale in live:
        assert scale.cfvo[0].val.startswith("-1*MAX(")
        assert scale.cfvo[0].val.endswith(",0.000000001)")
    assert colours(path, "same_map_1") == colours(path, "gallery_same_1") == [["2E2E2E"] * 3] * 2


def test_maps_in_a_notebook_have_the_same_colours() -> None:
    html = maps(np.array([[[-8.0, 0, 4, 8]]]))
    png = re.search('base64,([^"]+)', html)
    assert png is not None
    with Image.open(io.BytesIO(base64.b64decode(png[1]))) as picture:
        assert picture.size == (64, 16)
        found = ["{:02X}{:02X}{:02X}".format(*picture.getpixel((x, 8))) for x in (0, 16, 32, 63)]  # type: ignore[operator]
    assert found == ["4A7DF0", "2E2E2E", "969696", "FFFFFF"]


def test_an_ink_more_costs_a_line() -> None:
    sheet = WorkbookDraft().sheet("weights")
    colour(sheet, "A1:C3", palette.Scale(palette.WEIGHTS, (-1.0, 0.0, 1.0)), "listed")
    assert [rule.kind for _, rule in sheet.rules] == ["colorScale", "cellIs", "cellIs", "cellIs"]
