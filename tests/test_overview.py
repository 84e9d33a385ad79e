"""The Overview: what the network answers, with bars; how far an edit has reached; pictures for all readers."""

from __future__ import annotations

import io
import re
import zipfile
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
from sheetcnn.image import contact_sheet
from sheetcnn.templates import LESSONS

NETWORK = """
name = "<a> & \\"b\\""
{labels}
[input]
channels = 1
height = 1
width = {size}
[[layers]]
type = "flatten"
[[layers]]
type = "{last}"
name = "out"
"""
NAMES = ["cat", "dog", "=bird"]


def network(size: int, *, last: str = "identity", labels: bool = True, names: list[str] | None = None) -> str:
    given = names or [f"n{i}" for i in range(size)]
    return NETWORK.format(size=size, last=last, labels=f"labels = {given!r}" if labels else "")


def shown(path: Path, name: str) -> list[Any]:
    """What was saved in a column."""
    book = read_book(path)
    sheet, top, left, bottom, _ = book.names[name]
    texts = book.sheets[sheet].saved_texts
    return [texts.get((row, left), float(book.sheets[sheet].saved[row, left])) for row in range(top, bottom + 1)]


def test_a_few_answers_are_all_shown(make: Callable[..., Path]) -> None:
    path = make(network(3, names=NAMES), [[[2, 10, -4]]])
    assert shown(path, "overview_answer") == ["dog"]
    assert shown(path, "overview_name") == ["cat", "dog", "=bird"]
    assert shown(path, "overview_number") == [2, 10, -4]
    assert shown(path, "overview_bar") == ["█" * 4, "█" * 20, "▒" * 8]
    assert shown(path, "overview_full") == [10]
    report = sheetcnn.check(path)
    assert report.ok
    assert next(layer.cells for layer in report.layers if layer.layer == "overview") == 1 + 1 + 9 + 1


def test_of_many_answers_the_largest_are_shown(make: Callable[..., Path]) -> None:
    numbers = np.arange(20.0)
    numbers[3], numbers[7], numbers[12] = 40, 60, 40  # equal ones are both called by the first one's name
    path = make(network(20), [[numbers]])
    assert shown(path, "overview_name") == ["n7", "n3", "n3", "n19", "n18"]
    assert shown(path, "overview_number") == [60, 40, 40, 19, 18]
    assert sheetcnn.check(path).ok


@pytest.mark.libreoffice
def test_answers_in_libreoffice(make: Callable[..., Path], office: Callable[..., Any]) -> None:
    for size, name in ((3, "n1"), (20, "n1")):
        path = make(network(size, last="softmax"), [[np.linspace(0, 1, size)]], name=f"n{size}")
        assert sheetcnn.check(path, engine="libreoffice").ok
        book = read_book(path)
        sheet, top, left, *_ = book.names["input_channel_1"]
        places = [book.names[name] for name in ("overview_answer", "overview_state", "overview_name")]
        read = [[s, f"{LETTERS[column]}{row}"] for s, row, column, *_ in places]
        [done] = office([{"book": str(path), "edits": [[sheet, f"{LETTERS[left + 1]}{top}", 5]], "read": read}])
        answer, state, first = (area[0][0] for area in done["read"])
        assert (answer, state) == (name, "changed since built: see Check")
        assert first == ("n0" if size == 3 else "n1")


def test_ties_are_no_mistakes(make: Callable[..., Path]) -> None:
    """Numbers that are equal but for rounding may be named, and measured, either way."""
    for numbers in ([0.1] * 4, [*np.linspace(0, 1, 17), 2, 2 + 4e-16, 2]):
        path = make(network(len(numbers)), [[numbers]])
        book = openpyxl.load_workbook(path)
        sheet, top, left, *_ = read_book(path).names["input_channel_1"]
        cell = book[sheet].cell(top, left + len(numbers) - 1)
        cell.value = cell.value * (1 + 4e-16)
        book.save(path)
        assert sheetcnn.check(path).ok, sheetcnn.check(path).findings
    assert shown(make(network(4), [[[3, 3, 3, 3]]]), "overview_name") == ["n0", "n1", "n2", "n3"]


def test_what_is_no_answer(make: Callable[..., Path]) -> None:
    path = make(network(3, labels=False), [[[2, 10, -4]]])
    assert "overview_answer" not in read_book(path).names
    path = make(network(3, labels=False, last="softmax"), [[[2, 10, -4]]])
    assert shown(path, "overview_answer") == ["2"]
    assert sheetcnn.check(path).ok


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("overview_answer", "dog", "overwritten"),
        ("overview_bar", '=REPT("█",3)', "changed"),
        ("overview_state", "every grid is as built", "overwritten"),
        ("check_sum", 0, "overwritten"),
        ("check_state", "=0", "changed"),
    ],
)
def test_edits_are_found(name: str, value: Any, kind: str, make: Callable[..., Path]) -> None:
    path = make(network(3, names=NAMES), [[[2, 10, -4]]])
    book = openpyxl.load_workbook(path)
    sheet, top, left, *_ = read_book(path).names[name]
    book[sheet].cell(top, left, value)
    book.save(path)
    findings = sheetcnn.check(path).findings
    assert (findings[0].kind, findings[0].layer) == (kind, name.split("_")[0])


def test_the_state_follows_an_edit(make: Callable[..., Path]) -> None:
    path = make(network(3, names=NAMES), [[[2, 10, -4]]])
    book = openpyxl.load_workbook(path)
    sheet, top, left, *_ = read_book(path).names["input_channel_1"]
    book[sheet].cell(top, left, 77)
    book.save(path)
    assert sheetcnn.check(path).ok, "an edit is no mistake"


def descriptions(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        parts = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/drawings/drawing")]
    return re.findall(r'descr=(?:"([^"]*)"|\'[^\']*\')', "".join(parts))


def test_pictures_are_described(tmp_path: Path) -> None:
    path = sheetcnn.build("edges", ["cat", "coffee"], tmp_path / "e.xlsx").path
    assert [text.split(":")[0] for text in descriptions(path)] == ["cat", "coffee"]
    overview = openpyxl.load_workbook(path)["Overview"]
    assert len(overview._images) == 2
    assert {"cat", "coffee"} <= {cell.value for row in overview.iter_rows() for cell in row}


def test_descriptions_are_escaped(make: Callable[..., Path]) -> None:
    path = make(network(3, names=NAMES), [[[2, 10, 4]]])
    with zipfile.ZipFile(path) as archive:
        drawing = archive.read("xl/drawings/drawing1.xml").decode()
    assert "&lt;a&gt; &amp; " in drawing
    assert len(openpyxl.load_workbook(path)["Overview"]._images) == 1


@pytest.mark.parametrize(("pictures", "most"), [(["cat"], 150), (["cat", "coffee"], 64)])
def test_large_pictures_are_no_higher_than_the_head(pictures: list[str], most: int, tmp_path: Path) -> None:
    """224 pixels a side would cover the diagram below."""
    layers = [{"type": "global_avg_pool2d"}]
    network = {"name": "n", "input": {"channels": 3, "height": 224, "width": 112}, "layers": layers}
    path = sheetcnn.build(network, pictures, tmp_path / "n.xlsx", gallery=False, inspector=False).path
    sizes = [(image.anchor.ext.width, image.anchor.ext.height) for image in openpyxl.load_workbook(path)["Overview"]._images]
    assert sizes == [(most // 2 * 9525, most * 9525)] * len(pictures)


def test_many_pictures_are_shown_together(tmp_path: Path) -> None:
    """All but what there is no room for, each with its name; in the room that six have."""
    for count, more in ((7, ""), (50, " and 2 more")):
        path = sheetcnn.build("cs231n", ["cs231n"] * count, tmp_path / "e.xlsx", gallery=False, inspector=False).path
        [image] = openpyxl.load_workbook(path)["Overview"]._images
        assert image.anchor.ext.width <= 430 * 9525
        assert image.anchor.ext.height <= 150 * 9525
        [words] = descriptions(path)
        names = ["cs231n", *(f"cs231n ({n})" for n in range(2, min(count, 48) + 1))]
        assert words.startswith(f"{', '.join(names)}{more}: the pictures that ")


def test_small_pictures_are_what_they_are_of() -> None:
    """Three pictures of one grey each, and one of two colours: where they stand, and how large."""
    grey = {f"g{n}": np.full((1, 4, 4), 50.0 * n) for n in (1, 2, 3)}
    sheet = np.asarray(Image.open(io.BytesIO(contact_sheet(grey, (0, 255), (330, 100)))))
    assert sheet.shape == (100, 330, 3)  # 4 pixels of 17 each, and 32 for the names
    for n in range(3):
        assert (sheet[:68, 110 * n : 110 * n + 68] == 50 * (n + 1)).all()
        assert (sheet[:68, 110 * n + 68 : 110 * n + 110] == 255).all()
        assert (sheet[68:, 110 * n : 110 * n + 110] < 255).any()
    large = {"rgb": np.stack([np.full((500, 500), shade) for shade in (255.0, 0.0, 51.0)])}
    sheet = np.asarray(Image.open(io.BytesIO(contact_sheet(large, (0, 255), (100, 100)))))
    assert sheet.shape == (100, 100, 3)
    assert (sheet[:68, :68] == (255, 0, 51)).all()


def test_everything_at_most_doubles_a_lenet(tmp_path: Path) -> None:
    layers = [
        'type = "conv2d"\nout_channels = 6\nkernel_size = 5\npadding = 2\nactivation = "relu"',
        'type = "max_pool2d"\nkernel_size = 2',
        'type = "conv2d"\nout_channels = 16\nkernel_size = 5\nactivation = "relu"',
        'type = "max_pool2d"\nkernel_size = 2',
        'type = "flatten"',
        *(f'type = "linear"\nout_features = {n}' for n in (120, 84, 10)),
        'type = "softmax"',
    ]
    text = 'name = "n"\n[input]\nchannels = 1\nheight = 28\nwidth = 28\n[[layers]]\n' + "\n[[layers]]\n".join(layers)
    (tmp_path / "n.toml").write_text(text, encoding="utf-8")
    built = sheetcnn.build(tmp_path / "n.toml", "cat", tmp_path / "n.xlsx")
    plain = sum(array.count for array in built.graph)
    with zipfile.ZipFile(built.path) as archive:
        cells = sum(archive.read(name).count(b"<v>") for name in archive.namelist() if "worksheets/sheet" in name)
    assert plain < cells <= 2 * plain


@pytest.mark.parametrize("template", ["edges", "digits", "inception-block", "unet-tiny", "conv-types"])
def test_fits_a_small_window(template: str, tmp_path: Path) -> None:
    """All columns stand within 1,366 pixels: LibreOffice shows 161 units of width there at 100 %."""
    picture = LESSONS[template].picture
    book = sheetcnn.build(template, picture, tmp_path / "n.xlsx").path
    sheet = openpyxl.load_workbook(book)["Overview"]
    groups = [dimension for dimension in sheet.column_dimensions.values() if dimension.customWidth]
    assert max(group.max for group in groups) == sheet.max_column == 123
    assert sum(group.width * (group.max - group.min + 1) for group in groups) <= 161


def test_says_what_it_is_and_what_its_words_mean(tmp_path: Path) -> None:
    """Who never saw one is told; a network without kernels is not called convolutional."""
    sheet = openpyxl.load_workbook(sheetcnn.build("edges", "cat", tmp_path / "e.xlsx").path)["Overview"]
    texts = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert sum(text.startswith("A convolutional neural network, ") for text in texts) == 1
    assert {
        "channel",
        "kernel",
        "filter",
        "window",
        "feature map",
        "bias",
        "activation",
        "stride",
        "padding",
        "pooling",
    } <= {*texts}
    dense = {
        "name": "n",
        "input": {"channels": 1, "height": 2, "width": 2},
        "layers": [{"type": "max_pool2d", "kernel_size": 2}],
    }
    sheet = openpyxl.load_workbook(sheetcnn.build(dense, np.ones((1, 2, 2)), tmp_path / "d.xlsx").path)["Overview"]
    assert str(sheet["B2"].value).startswith("A neural network, ")


def test_no_text_of_the_table_is_cut(make: Callable[..., Path]) -> None:
    """What is longer than its column breaks into lines, such as the parameters of a layer that shares them."""
    layer = '[[layers]]\ntype = "conv2d"\nname = "{}"\nout_channels = 300\nkernel_size = [1, 3]\n{}'
    text = 'name = "n"\n[input]\nchannels = 3\nheight = 2\nwidth = 3\n' + layer.format("a_long_name", "")
    book = make(text + layer.format("twin", 'input = "input"\nshare = "a_long_name"'), np.ones((3, 2, 3)), gallery=False)
    sheet = openpyxl.load_workbook(book)["Overview"]
    [shared] = [
        cell for row in sheet.iter_rows() for cell in row if str(cell.value).startswith("0, shared with a_long_name")
    ]
    assert len(shared.value) > 40
    lines = sheet.row_dimensions[shared.row].height // 14
    assert shared.alignment.wrap_text
    [area] = [area for area in sheet.merged_cells.ranges if shared.coordinate in area]
    assert lines * area.size["columns"] * sheet.column_dimensions["B"].width >= len(shared.value)


RANDOM = """
name = "n"
weights = "w.npz"
[input]
channels = 1
height = 5
width = 5
[[layers]]
type = "conv2d"
name = "classic"
kernels = ["blur"]
bias = false
[[layers]]
type = "conv2d"
name = "own"
input = "input"
out_channels = 1
kernel_size = 1
weight = [[[[2]]]]
[[layers]]
type = "conv2d"
name = "trained"
input = "input"
out_channels = 1
kernel_size = 3
[[layers]]
type = "conv2d"
name = "ones"
input = "input"
out_channels = 1
kernel_size = 3
init = "ones"
[[layers]]
type = "batch_norm2d"
name = "norm"
init = "ones"
"""
LEFT_ALONE = """
[[layers]]
type = "conv2d"
name = "left_alone"
input = "input"
out_channels = 1
kernel_size = 3
seed = 4
"""
SHARING = LEFT_ALONE + LEFT_ALONE.replace("left_alone", "sharing").replace("seed = 4", 'share = "left_alone"')


@pytest.mark.parametrize(
    ("layers", "told", "says"),
    [
        ("", set(), ""),
        (LEFT_ALONE, {"left_alone"}, "Weights of left_alone are random: it has not learned."),
        (SHARING, {"left_alone", "sharing"}, "Weights of left_alone and sharing are random: they have not learned."),
    ],
)
def test_random_weights_are_declared(
    layers: str, told: set[str], says: str, make: Callable[..., Path], tmp_path: Path
) -> None:
    """Only where numbers are random: not of classic kernels, of numbers in the file or the archive, nor of ones."""
    np.savez(tmp_path / "w.npz", **{"trained.weight": np.zeros((1, 1, 3, 3)), "trained.bias": np.zeros(1)})
    book = read_book(make(RANDOM + layers, np.ones((1, 5, 5))))
    texts = {name: " ".join(map(str, sheet.texts.values())) for name, sheet in book.sheets.items()}
    assert {name for name, text in texts.items() if "random: this layer has not learned" in text} == told
    assert says in texts["Overview"]
    assert bool(says) == ("random" in texts["Overview"])


@pytest.mark.parametrize(
    ("template", "picture", "says"),
    [
        ("unet-tiny", "shapes", "Weights are random: this network has not learned."),
        ("two-convs", "cat", "Weights of conv2 are random: it has not learned."),
        ("digits", "digit-3", ""),
        ("edges", "cat", ""),
        ("cs231n", "cs231n", ""),
        ("conv-types", "cross", ""),
    ],
)
def test_templates_that_have_not_learned_say_so(template: str, picture: str, says: str, tmp_path: Path) -> None:
    book = read_book(sheetcnn.build(template, picture, tmp_path / "book.xlsx").path)
    found = [text for text in book.sheets["Overview"].texts.values() if str(text).startswith("Weights ")]
    assert found == ([says] if says else [])


def test_models_are_not_called_random(tmp_path: Path) -> None:
    made = sheetcnn.build("digits", "digit-3", tmp_path / "book.xlsx")
    [model] = sheetcnn.export(made.path, tmp_path / "model.onnx")
    assert not sheetcnn.build(model, "digit-3").content.random


def test_handouts_declare_random_weights_too(tmp_path: Path) -> None:
    (tmp_path / "task.toml").write_text(
        'title = "t"\n[[tasks]]\nkind = "fill"\nlayer = "conv1"\nmap = 1\n', encoding="utf-8"
    )
    made = sheetcnn.hand_out("two-convs", "cat", tmp_path / "out", exercise=tmp_path / "task.toml")
    book = read_book(made.workbooks[0])
    assert "random: this layer has not learned" in " ".join(map(str, book.sheets["conv2"].texts.values()))
    assert "random" not in " ".join(map(str, book.sheets["conv1"].texts.values()))
