"""Networks of any size: weights that are read when they are written, names that many grids share, and what is said of it."""

from __future__ import annotations

import json
import re
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

import sheetcnn
from sheetcnn.a1 import LETTERS
from sheetcnn.arrays import lazy
from sheetcnn.arrays.lazy import LazyValues, as_float, compact
from sheetcnn.checking import frozen
from sheetcnn.checking.contents import description_texts
from sheetcnn.errors import NetworkError, PictureError, WorkbookError
from sheetcnn.formula import read_book
from sheetcnn.layers import linear
from sheetcnn.model import limits
from sheetcnn.model.frozen import sums_of
from sheetcnn.model.network import parse_network
from sheetcnn.opening import read_model
from sheetcnn.reading import Held
from sheetcnn.sheets.description.content import pieces_of

HEAD: dict[str, Any] = {"name": "n", "input": {"channels": 1, "height": 4, "width": 4}}


def test_what_google_sheets_cannot_take_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [{"type": "conv2d", "out_channels": 1, "kernel_size": 3}]
    whole = HEAD | {"layers": layers}
    pixels = np.arange(16.0).reshape(1, 4, 4)
    drawn: dict[str, Any] = {"detail": "compact", "mirrors": False}
    assert not sheetcnn.build(whole, pixels, **drawn).notes
    monkeypatch.setattr(limits, "GOOGLE_CELLS", 29)  # 16 pixels, 9 weights, a bias and 4 cells are 30
    [note] = sheetcnn.build(whole, pixels, **drawn).notes
    assert note.startswith("the workbook has 30 cells: Google Sheets takes 29, LibreOffice needs some 0.0 GB of memory")


@pytest.mark.parametrize("most", [10_000_000, 1_000])
def test_a_sheet_of_more_than_two_gb(most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else zipfile would break off there; it stays in a plain archive, which every program reads, up to four."""
    for kind in ("NUMBER", "FORMULA"):
        monkeypatch.setattr(f"sheetcnn.xlsx.write.{kind}_BYTES", 1_000)
    monkeypatch.setattr("sheetcnn.xlsx.write.PLAIN", most)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 60_000)
    book = sheetcnn.build("cs231n", "cs231n", tmp_path / "n.xlsx").path
    assert zipfile.ZIP64_LIMIT == 60_000
    assert sheetcnn.check(book).ok


def test_lazy_values() -> None:
    read: list[str] = []

    def source(name: str) -> Any:
        return lambda: (read.append(name), np.full(3, len(read)))[1]

    values = LazyValues({"a": np.zeros(1)}, {"b": source("b"), "c": source("c")})
    assert [*values] == ["a", "b", "c"]
    assert "b" in values
    assert "d" not in values
    assert [values["b"][0], values["b"][0], values["c"][0], values["b"][0]] == [1, 1, 2, 3]
    assert read == ["b", "c", "b"]
    more = values | {"d": np.ones(1)}
    assert [*more] == ["a", "d", "b", "c"]
    assert [*(values | {"b": np.zeros(1)}).unread()] == ["c"]  # what takes the place of a source is no longer read from it
    with pytest.raises(KeyError):
        values["e"]


def test_the_same_numbers_in_less_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    monkeypatch.setattr(lazy, "LARGE", 10)
    single, double = rng.normal(size=(5, 6)).astype(np.float32).astype(float).T, rng.normal(size=(5, 6))
    for array, size in ((single, 4), (double, 8)):
        held = compact(array)
        np.testing.assert_array_equal(held, array)
        assert held.dtype.itemsize == size
    same = compact(np.full((4, 5), 0.1))
    assert same.strides == (0, 0)
    assert as_float(same).strides == (0, 0)
    np.testing.assert_array_equal(as_float(same), np.full((4, 5), 0.1))
    assert compact(double[:1]) is not None


@pytest.mark.parametrize("kind", ["npz", "init"])
def test_memory_does_not_grow_with_the_weights(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four layers of 40,000 weights take as much as one, whose numbers are in the workbook all the same."""
    monkeypatch.setattr("sheetcnn.model.weights.LARGE", 10_000)
    rng, taken = np.random.default_rng(0), []
    for count in (1, 4):
        layers = [{"type": "linear", "out_features": 200, "bias": False, "name": f"fc{n}"} for n in range(count)]
        network = {
            "name": "n",
            "input": {"channels": 200, "height": 1, "width": 1},
            "layers": [{"type": "flatten"}, *layers],
        }
        weights = {f"fc{n}.weight": rng.normal(size=(200, 200)) for n in range(count)}
        if kind == "npz":
            np.savez(tmp_path / "n.npz", **weights)
            network["weights"] = "n.npz"
        (tmp_path / "n.json").write_text(json.dumps(network))
        tracemalloc.start()
        built = sheetcnn.build(tmp_path / "n.json", rng.normal(size=(200, 1, 1)), gallery=False, inspector=False)
        taken.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        book = built.save(tmp_path / "n.xlsx").path
        assert sheetcnn.check(book).ok
        if kind == "npz":
            sheetcnn.export(book, tmp_path / "out.npz")
            with np.load(tmp_path / "out.npz") as found:
                assert {name: (found[name] == weights[name]).all() for name in weights} == dict.fromkeys(weights, True)
    assert taken[1] - taken[0] < 2 * 200 * 200 * 8 / 3


def gemms(count: int, rng: np.random.Generator) -> Any:
    """A model of fully connected layers of 40,000 weights, every second of which is stored the other way round."""
    import onnx
    from onnx import helper, numpy_helper

    nodes = [helper.make_node("Flatten", ["x"], ["h0"])]
    weights = []
    for n in range(count):
        nodes.append(helper.make_node("Gemm", [f"h{n}", f"fc{n}.weight"], [f"h{n + 1}"], f"/fc{n}/Gemm", transB=n % 2))
        weights.append(numpy_helper.from_array(rng.normal(size=(200, 200)).astype(np.float32), f"fc{n}.weight"))
    value = helper.make_tensor_value_info
    kind = onnx.TensorProto.FLOAT
    graph = helper.make_graph(nodes, "g", [value("x", kind, [1, 2, 10, 10])], [value(f"h{count}", kind, [1, 200])], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


@pytest.mark.parametrize("how", ["file", "files beside it", "bytes"])
def test_weights_of_a_model_are_read_when_they_are_written(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory does not grow with them, and they are what ONNX's own reference computes with."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    for place in ("sheetcnn.model.weights.LARGE", "sheetcnn.onnx.file.LARGE", "sheetcnn.onnx.stored.LARGE"):
        monkeypatch.setattr(place, 10_000)
    rng, taken, path = np.random.default_rng(0), [], tmp_path / "n.onnx"
    pixels = rng.normal(size=(2, 10, 10))
    for count in (2, 8):
        model = gemms(count, rng)
        wanted = ReferenceEvaluator(model).run(None, {"x": pixels[None].astype(np.float32)})[0]
        beside = {"save_as_external_data": True, "location": f"{count}.bin", "size_threshold": 0} if "beside" in how else {}
        onnx.save(model, path, **beside)
        tracemalloc.start()
        source = path if how != "bytes" else Held(path.read_bytes(), "n.onnx")
        held = tracemalloc.get_traced_memory()[0]
        description, arrays = read_model(source)
        taken.append(tracemalloc.get_traced_memory()[0] - held)
        tracemalloc.stop()
        assert (len(arrays), [*dict.keys(arrays)]) == (count, [])
    assert taken[1] - taken[0] < 6 * 200 * 200 * 4 / 8
    if how == "bytes":
        assert description["layers"][1]["name"] == "fc0"
        return
    built = sheetcnn.build(path, pixels, tmp_path / "n.xlsx", gallery=False, inspector=False)
    np.testing.assert_allclose(built.values["fc7"]["output"], wanted[0], rtol=1e-3, atol=1e-3)
    assert sheetcnn.check(built.path).ok
    sheetcnn.import_onnx(path, tmp_path / "as")
    with np.load(tmp_path / "as" / "n.npz") as found:
        for n, tensor in enumerate(onnx.load(path).graph.initializer):
            numbers = onnx.numpy_helper.to_array(tensor)
            np.testing.assert_array_equal(found[tensor.name], numbers if n % 2 else numbers.T)
    if how == "file":
        built = sheetcnn.build(path, pixels)
        path.write_bytes(path.read_bytes() + b" ")
        with pytest.raises(NetworkError, match=r"n\.onnx: weight 'fc0\.weight': the file was changed while it was read"):
            built.save(tmp_path / "late.xlsx")
        assert not (tmp_path / "late.xlsx").exists()


def test_maps_that_have_one_name_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even a name for all kernels of a filter is few enough; every cell is found and checked all the same."""
    monkeypatch.setattr("sheetcnn.model.graph.MAX_GRID_NAMES", 90)
    monkeypatch.setattr(limits, "MAX_GRID_NAMES", 90)
    layers = [
        {"type": "conv2d", "name": "conv", "out_channels": 12, "kernel_size": 3, "padding": 1},
        {"type": "batch_norm2d", "name": "bn"},
        {"type": "conv_transpose2d", "name": "up", "out_channels": 2, "kernel_size": 2, "stride": 2},
        {"type": "flatten", "name": "flat"},
    ]
    book = tmp_path / "n.xlsx"
    pixels = np.random.default_rng(0).normal(size=(1, 4, 4))
    sheetcnn.build(HEAD | {"layers": layers}, pixels, book, mirrors=False)
    names = read_book(book).names
    together = {"conv_map", "conv_bias", "bn_map", "bn_running_mean", "bn_running_var", "bn_weight", "bn_bias", "up_map"}
    assert together <= names.keys()
    assert not [name for name in names if re.fullmatch(r"(conv|bn|up)_(map|bias|weight)_\d+", name)]
    report = sheetcnn.check(book)
    assert report.ok, report.findings
    opened = openpyxl.load_workbook(book)
    sheet, top, left, bottom, _ = names["conv_map"]
    opened[sheet].cell(bottom, left).value = 7  # in the last map
    opened.save(book)
    findings = sheetcnn.check(book).findings
    assert [f.kind for f in findings if f.layer == "conv"] == ["overwritten"]
    opened = openpyxl.load_workbook(book)
    opened.defined_names["conv_map"].attr_text = f"conv!$A${top}:$D${bottom + 1}"
    opened.save(book)
    with pytest.raises(WorkbookError, match="conv_map stands for 12 grids at equal distances, and has other rows or"):
        sheetcnn.check(book)


LAYERS = [
    {"type": "conv2d", "name": "one", "out_channels": 2, "kernel_size": 3, "padding": 1, "activation": "relu"},
    {"type": "max_pool2d", "name": "pool", "kernel_size": 2},
    {"type": "conv2d", "name": "two", "out_channels": 3, "kernel_size": 2},
    {"type": "flatten", "name": "flat"},
    {"type": "linear", "name": "fc", "out_features": 2},
    {"type": "softmax", "name": "end"},
]
PIXELS = np.random.default_rng(0).normal(size=(1, 4, 4))


def changed(book: Path, name: str, number: float, target: Path) -> Path:
    """A copy of a workbook with another number in the first cell of a grid."""
    sheet, top, left, *_ = read_book(book).names[name]
    opened = openpyxl.load_workbook(book)
    opened[sheet].cell(top, left).value = number
    opened.save(target)
    return target


@pytest.fixture(scope="module")
def last_live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("live") / "n.xlsx"
    assert sheetcnn.build(HEAD | {"layers": LAYERS}, PIXELS, path, live="two:").path == path
    return path


def test_layers_that_are_not_live_are_numbers(last_live: Path, tmp_path: Path) -> None:
    whole = sheetcnn.build(HEAD | {"layers": LAYERS}, PIXELS)
    part = read_book(last_live)
    for name, formulas in (("one_map_2", 0), ("pool_map_1", 0), ("two_map_1", 1)):
        sheet, top, left, *_ = part.names[name]
        assert (part.sheets[sheet].formula(top, left) is not None) == formulas
    assert not [name for name in part.names if re.match("one_(kernel|bias)", name)]
    sheet, top, left, bottom, right = part.names["one_map_2"]
    found = part.sheets[sheet].number[top : bottom + 1, left : right + 1]
    np.testing.assert_array_equal(found, whole.values["one"]["output"][1])
    assert part.sheets["one"].texts[7, 2].startswith("Not live: these are numbers that NumPy computed, and follow no edit")
    told = "2 of 6 layers are not live: numbers that NumPy computed, which follow no edit. Live: two to end."
    assert any(text.startswith(told) for text in part.sheets["Overview"].texts.values())
    assert "conv2d, not live" in part.sheets["Overview"].texts.values()
    _, top, left, bottom, right = part.names["check_state"]
    assert (bottom - top + 1, right - left + 1) == (6, 1)  # the three maps of two, flat, fc and end
    assert "Layers that are not live have no rows" in part.sheets["Check"].texts[5, 2]
    report = sheetcnn.check(last_live)
    assert report.ok, report.findings
    assert {one.layer: one.cells for one in report.layers}["one"] == 32
    assert report.notes == []
    as_file = HEAD | {"layers": [layer | {"live": layer["name"] not in ("one", "pool")} for layer in LAYERS]}
    sheetcnn.build(as_file, PIXELS, tmp_path / "file.xlsx")
    assert description_texts(read_book(tmp_path / "file.xlsx")) == description_texts(part)
    assert sheetcnn.check(last_live, network=HEAD | {"layers": LAYERS}).ok  # live or not, it is that network


@pytest.mark.parametrize(
    ("name", "layer", "text"),
    [
        ("one_map_2", "one", "one!{cell}: is 99, NumPy says {before}"),
        ("pool_map_1", "pool", "is 99, NumPy says "),
        ("two_map_1", "two", "was overwritten by 99"),
    ],
)
def test_a_number_that_was_changed(name: str, layer: str, text: str, last_live: Path, tmp_path: Path) -> None:
    sheet, row, column, *_ = (book := read_book(last_live)).names[name]
    before = book.sheets[sheet].value(row, column)
    findings = [f for f in sheetcnn.check(changed(last_live, name, 99, tmp_path / "n.xlsx")).findings if f.layer == layer]
    words = text.format(cell=f"{LETTERS[column]}{row}", before=f"{before or 0:.6g}"[:6])
    assert [words in f"{f.cell}: {f.text}" for f in findings] == [True]


def test_sums_say_where_numbers_were_changed() -> None:
    """One number a little; two in one row, which change places; one of a vector. LibreOffice saves 15 digits: that is no change."""
    numbers = np.random.default_rng(3).normal(size=(4, 5, 6)) * 100
    built = sums_of(numbers)
    assert frozen.changed(np.array([[[float(f"{n:.15g}") for n in row] for row in one] for one in numbers]), built) == []
    for places, wrong in (([(2, 3, 4)], [[2], [3], [4]]), ([(1, 2, 0), (1, 2, 5)], [[], [], [0, 5]])):
        other = numbers.copy()
        values = [numbers[at] for at in places]
        for at, value in zip(places, values[::-1] if len(values) > 1 else [values[0] + 1e-4], strict=True):
            other[at] = value
        assert [found.tolist() for found, _ in frozen.changed(other, built)] == wrong
    [(places, more)] = frozen.changed(numbers[0, 0] + np.eye(6)[3] * 1e-3, sums_of(numbers[0, 0]))
    assert places.tolist() == [3]
    assert more == pytest.approx([1e-3], abs=1e-8)


def test_numbers_are_those_of_a_network(last_live: Path, tmp_path: Path) -> None:
    """Whoever changes a number may change the sums beside it, too; not what a network file makes of the pixels."""
    network, conv = HEAD | {"layers": LAYERS}, "one"
    book = changed(last_live, "one_map_2", 99, tmp_path / "n.xlsx")
    sheet, row, column, *_ = read_book(book).names["one_map_2"]
    opened = openpyxl.load_workbook(book)
    texts = [cell for [cell] in opened["_sheetcnn"].iter_rows(min_row=2, max_col=1) if cell.value]
    description = json.loads("".join(cell.value for cell in texts))
    numbers = sheetcnn.build(network, PIXELS, live="two:").values[conv]["output"].copy()
    numbers[1, 0, 0] = 99
    description["numbers"][conv] = sums_of(numbers)
    pieces = pieces_of(description)
    assert len(pieces) == len(texts)
    for cell, piece in zip(texts, pieces, strict=True):
        cell.value = piece
    opened.save(book)
    assert [f for f in sheetcnn.check(book).findings if f.layer == conv] == []
    findings = [f for f in sheetcnn.check(book, network=network).findings if f.layer == conv]
    assert [f.cell for f in findings] == [f"{sheet}!{LETTERS[column]}{row}"]
    other = HEAD | {"layers": [LAYERS[0] | {"seed": 5}, *LAYERS[1:]]}
    assert sheetcnn.check(last_live, network=other).findings[0].layer == conv  # other weights


def test_several_numbers_that_were_changed(last_live: Path, tmp_path: Path) -> None:
    """Of each map one cell is named."""
    book = changed(changed(last_live, "one_map_1", 99, tmp_path / "a.xlsx"), "one_map_2", 7, tmp_path / "n.xlsx")
    texts = [f.text for f in sheetcnn.check(book).findings if f.layer == "one"]
    assert ["or others of its map are no longer what NumPy computed" in text for text in texts] == [True, True]


def test_numbers_that_changed_places(last_live: Path, tmp_path: Path) -> None:
    """Within a row only its columns' sums tell of it, which are those of all maps."""
    sheet, row, column, *_ = (book := read_book(last_live)).names["one_map_2"]
    numbers = [book.sheets[sheet].value(row, column + n) for n in (0, 1)]
    opened = openpyxl.load_workbook(last_live)
    for n in (0, 1):
        opened[sheet].cell(row, column + n).value = numbers[1 - n]
    opened.save(tmp_path / "n.xlsx")
    found = [f for f in sheetcnn.check(tmp_path / "n.xlsx").findings if f.layer == "one"]
    assert ["or others of this column, in whatever row and map, are no longer" in f.text for f in found] == [True, True]
    assert [re.sub("[^A-Z]", "", str(f.cell).split("!")[1]) for f in found] == LETTERS[column : column + 2]


def test_live_layers_follow_their_own_kernels_only(tmp_path: Path) -> None:
    """What is live is fed by numbers; what is not and reads what was changed keeps the numbers of before, and a note says so."""
    book = sheetcnn.build(HEAD | {"layers": LAYERS}, PIXELS, tmp_path / "n.xlsx", live="one,fc").path
    edited = changed(book, "one_kernel_1_1", 5, tmp_path / "e.xlsx")
    report = sheetcnn.check(edited)
    assert [f for f in report.findings if f.kind != "saved"] == []
    assert "pool is not live: what it reads was changed since, and its numbers are those of before" in report.notes


@pytest.mark.parametrize(
    ("live", "message"),
    [
        ("tow", "live 'tow': is no layer .did you mean 'two'"),
        ("one:tow", "live 'tow': is no layer .did you mean 'two'.*; there are one, pool, two, "),
        (":", ""),
        ("fc,pool:two", ""),
    ],
)
def test_which_layers_are_live(live: str, message: str) -> None:
    network = parse_network(HEAD | {"layers": LAYERS}, "n")
    if message:
        with pytest.raises(NetworkError, match=message):
            network.with_live(live)
        return
    wanted = {":": {node.name for node in network.nodes}, "fc,pool:two": {"pool", "two", "fc"}}[live]
    assert {node.name for node in network.with_live(live).nodes if node.live} == wanted


def test_what_needs_formulas_is_refused(last_live: Path, tmp_path: Path) -> None:
    network = HEAD | {"layers": LAYERS}
    with pytest.raises(NetworkError, match=r"layer 1 \(conv2d \"one\"\): is not live, and gradients are formulas"):
        sheetcnn.build(network, PIXELS, train=True, answer="1", live="two:")
    with pytest.raises(PictureError, match="one is not live, and has the numbers of one picture; give one, not 2"):
        sheetcnn.build(network, [PIXELS, PIXELS], live="two:")
    with pytest.raises(NetworkError, match="layer 'one' is not live"):
        sheetcnn.build(network, PIXELS, live="two:").explain("one")
    with pytest.raises(WorkbookError, match="one is not live: its weights are not in the workbook"):
        sheetcnn.export(last_live, tmp_path / "w.npz")
    with pytest.raises(NetworkError, match="live 'no' must be true or false"):
        parse_network(HEAD | {"layers": [LAYERS[0] | {"live": "no"}]}, "n")
    shared = [LAYERS[0] | {"live": False}, LAYERS[1], LAYERS[0] | {"name": "again", "input": "input", "share": "one"}]
    with pytest.raises(NetworkError, match="uses the weights of 'one', which is not; make that live, too"):
        parse_network(HEAD | {"layers": shared}, "n")


def test_shared_weights_of_layers_that_are_not_live(tmp_path: Path) -> None:
    again = LAYERS[0] | {"name": "again", "input": "input", "share": "one"}
    whole = sheetcnn.build(HEAD | {"layers": [*LAYERS[:1], again]}, PIXELS)
    for live in (":one", "pool"):
        layers = [*LAYERS[:2], again | {"live": False}]
        built = sheetcnn.build(HEAD | {"layers": layers}, PIXELS, tmp_path / f"{len(live)}.xlsx", live=live)
        np.testing.assert_array_equal(built.values["again"]["output"], whole.values["again"]["output"])
        assert sheetcnn.check(built.path).ok


@pytest.mark.libreoffice
def test_weights_of_more_inputs_than_a_sheet_has_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They stand in several lines for each output; the numbers, and what is exported, are as ever."""
    assert [linear.lines_of(n) for n in (1, 16_320, 25_088, 16_333)] == [(1,), (16_320,), (2, 12_544), (16_333, 1)]
    inputs = 67 * 3 * 3  # as maps too many for the Inspector
    layers: list[dict[str, Any]] = [
        {"type": "flatten", "name": "flat"},
        {"type": "linear", "name": "fc", "out_features": 4, "activation": "relu"},
        {"type": "linear", "name": "one", "out_features": 1, "bias": False, "input": "flat"},
        {"type": "linear", "name": "again", "out_features": 1, "bias": False, "input": "flat", "share": "one"},
        {"type": "concat", "input": ["fc", "one", "again"]},
    ]
    network = {"name": "n", "input": {"channels": 67, "height": 3, "width": 3}, "layers": layers}
    pixels = np.random.default_rng(0).normal(size=(67, 3, 3))
    plain = sheetcnn.build(network, pixels, tmp_path / "plain.xlsx")
    sheetcnn.export(plain.path, tmp_path / "plain.npz")
    linear.lines_of.cache_clear()
    monkeypatch.setattr(linear, "WIDEST", 250)
    try:
        with pytest.raises(NetworkError, match=r"linear \"fc\"\): reads 603 numbers; gradients are drawn of up to 250"):
            sheetcnn.build(network, pixels, train=True, answer="1")
        built = sheetcnn.build(network, pixels, tmp_path / "n.xlsx")
        np.testing.assert_array_equal(built.values["concat_5"]["output"], plain.values["concat_5"]["output"])
        assert built.network.by_name["fc"].parameter_words == f"4·{inputs} + 4 = 2416"
        assert built.network.by_name["fc"].named_parameter_words == f"4 outputs · {inputs} inputs + 4 biases = 2416"
        assert "sum" in str(built.explain("fc", 1, 3, 1))
        book = read_book(built.path)
        sheet, top, left, bottom, right = book.names["fc_weight"]
        assert (bottom - top + 1, right - left + 1) == (4 * 3, 201)
        found = book.sheets[sheet].number[top : bottom + 1, left : right + 1].reshape(4, inputs)
        assert book.names["one_weight"][3] - book.names["one_weight"][1] == 2
        for engine in ("python", "libreoffice"):
            report = sheetcnn.check(built.path, engine=engine)
            assert report.ok, report.findings
        sheetcnn.export(built.path, tmp_path / "w.npz")
        sheetcnn.export(built.path, tmp_path / "w.onnx")
        back = sheetcnn.build(tmp_path / "w.onnx", pixels)
        np.testing.assert_allclose(back.values["concat_5"]["output"], built.values["concat_5"]["output"], rtol=1e-6)
        edited = sheetcnn.check(changed(built.path, "fc_in", 9, tmp_path / "e.xlsx"))
        assert [(f.kind, f.layer) for f in edited.findings if f.kind == "overwritten"] == [("overwritten", "fc")]
    finally:
        linear.lines_of.cache_clear()
    with np.load(tmp_path / "w.npz") as one, np.load(tmp_path / "plain.npz") as other:
        np.testing.assert_array_equal(one["fc.weight"], found)
        assert {name: (one[name] == other[name]).all() for name in other} == dict.fromkeys(one, True)
