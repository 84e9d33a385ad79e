"""The same from Python without files: what goes in, what comes out, and how it shows itself."""

from __future__ import annotations

import ast
import io
import json
import os
import pickle
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from PIL import Image

import sheetcnn
from sheetcnn import SheetcnnError
from sheetcnn.model.network import parse_network
from sheetcnn.model.trace import as_maps
from sheetcnn.templates import samples, templates

# Worked by hand: the sum of each 2×2 window and the bias, of which ReLU makes 0 where it is negative.
LINES = {  # a cell is made of up to four, each by a part
    "name": "n",
    "input": {"channels": 1, "height": 3, "width": 3},
    "layers": [{"type": "upsample", "name": "up", "scale_factor": 2, "mode": "bilinear"}],
}
PIXELS = np.array([[1.0, 2, 0], [0, -9, 3], [2, 1, 1]])
SUMS = [[-4.0, -2], [-4, -2]]
NETWORK: dict[str, Any] = {
    "name": "small",
    "input": {"channels": 1, "height": 3, "width": 3},
    "layers": [
        {"type": "conv2d", "name": "conv", "out_channels": 1, "kernel_size": 2, "weight": [[[[1, 1], [1, 1]]]], "bias": [2]},
        {"type": "relu", "name": "relu"},
    ],
}


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_nothing_is_written_unasked(tmp_path: Path) -> None:
    built = sheetcnn.build(NETWORK, PIXELS)
    assert built.path is None
    assert built.values["conv"]["output"][0].tolist() == SUMS
    built.explain("conv")
    built._repr_html_()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("network", [NETWORK, parse_network(NETWORK, "n"), "file"], ids=["dict", "Network", "path"])
@pytest.mark.parametrize("image", [PIXELS, PIXELS[None], PIXELS.astype(np.float32), "file", "bytes"], ids=str)
def test_what_goes_in(network: Any, image: Any, tmp_path: Path) -> None:
    if isinstance(network, str):
        network = tmp_path / "n.json"
        network.write_text(json.dumps(NETWORK))
    if isinstance(image, str):
        np.save(tmp_path / "x.npy", PIXELS)
        image = tmp_path / "x.npy" if image == "file" else (tmp_path / "x.npy").read_bytes()
    assert sheetcnn.build(network, image).values["conv"]["output"][0].tolist() == SUMS


def test_pictures_in_memory() -> None:
    """As a path, as bytes, as a stream and as Pillow has it: the same pixels."""
    path = samples()["cat"]
    with Image.open(path) as opened:
        opened.load()
        given = [str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), opened]
        found = [sheetcnn.build("edges", one).values["input"]["channel"] for one in given]
    for pixels in found[1:]:
        np.testing.assert_array_equal(pixels, found[0])


def test_several_pictures_have_names() -> None:
    built = sheetcnn.build(NETWORK, [PIXELS, PIXELS + 1, PIXELS + 2])
    assert list(built.content.pictures) == ["picture", "picture (2)", "picture (3)"]


def test_saved_to_a_file_and_to_a_stream(tmp_path: Path) -> None:
    built = sheetcnn.build(NETWORK, PIXELS)
    stream = io.BytesIO()
    assert built.save(stream).path is None
    saved = built.save(tmp_path / "book.xlsx")
    assert saved.path == tmp_path / "book.xlsx"
    direct = io.BytesIO()
    sheetcnn.build(NETWORK, PIXELS, direct)
    for book in (stream.getvalue(), io.BytesIO(direct.getvalue()), saved.path, str(saved.path)):
        report = sheetcnn.check(book)
        assert report.ok
        assert report.cells >= 8
    assert sheetcnn.check(stream.getvalue(), network=NETWORK).ok
    other = NETWORK | {"layers": [*NETWORK["layers"][:1], {"type": "sigmoid", "name": "relu"}]}
    assert not sheetcnn.check(stream.getvalue(), network=other).ok


def test_what_is_read_is_not_replaced(tmp_path: Path) -> None:
    for name in ("n.json", "x.npy"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "n.json").write_text(json.dumps(NETWORK))
    np.save(tmp_path / "x.npy", PIXELS)
    os.link(tmp_path / "n.json", tmp_path / "n.xlsx")
    with pytest.raises(SheetcnnError, match="is what is read here"):
        sheetcnn.build(tmp_path / "n.json", tmp_path / "x.npy").save(tmp_path / "n.xlsx")


@pytest.mark.libreoffice
def test_a_stream_is_recalculated(tmp_path: Path) -> None:
    stream = io.BytesIO()
    sheetcnn.build(NETWORK, PIXELS, stream)
    assert sheetcnn.check(stream.getvalue(), engine="libreoffice").ok
    assert os.listdir(tmp_path) == []


WRONG: list[tuple[Callable[[], object], str]] = [
    (
        lambda: sheetcnn.build(3, PIXELS),
        "the network is int; give a network file, a template's name, plain data, or a model of PyTorch, Keras or onnx",
    ),
    (lambda: sheetcnn.build({"name": "n"}, PIXELS), "the network: input is missing"),
    (lambda: sheetcnn.build(NETWORK, PIXELS, size=(3, 3)), "size, scale, mean and std are for models"),
    (lambda: sheetcnn.build(NETWORK, 3), "the picture: must be a path, bytes or a stream of bytes, not int"),
    (
        lambda: sheetcnn.build(NETWORK, io.StringIO("x")),
        "the picture: must be a path, bytes or a stream of bytes, not StringIO",
    ),
    (lambda: sheetcnn.build(NETWORK, b"no picture"), "the picture: is no picture of a kind that is read"),
    (lambda: sheetcnn.build(NETWORK, PIXELS.astype(complex)), "the picture: has the type complex128; give real numbers"),
    (lambda: sheetcnn.build(NETWORK, PIXELS[:2]), "the picture: has the shape 2×3, the network reads 1×3×3"),
    (lambda: sheetcnn.build(NETWORK, PIXELS * np.nan), "the picture: holds NaN or infinity"),
    (lambda: sheetcnn.build(NETWORK, []), "no picture is given"),
    (lambda: sheetcnn.build(NETWORK, Image.new("1", (9000, 9000))), "has 9000×9000 pixels, more than 50,000,000"),
    (lambda: sheetcnn.check(b"no workbook"), "the workbook: is no .xlsx workbook"),
    (lambda: sheetcnn.check(3), "the workbook: must be a path, bytes or a stream of bytes, not int"),
    (lambda: sheetcnn.explain(NETWORK, PIXELS, "con"), r"layer 'con' is none of the network \(did you mean 'conv'\?\)"),
    (lambda: sheetcnn.explain(LINES, PIXELS, "up"), r"layer 'up' \(upsample\) is no sum over windows or over a few cells"),
    (lambda: sheetcnn.explain(NETWORK, PIXELS, "conv", 1, 3, 1), r"layer 'conv' has no cell \(1, 3, 1\); it puts out 1×2×2"),
]


@pytest.mark.parametrize(("call", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_things_are_one_line(call: Callable[[], object], message: str) -> None:
    with pytest.raises(SheetcnnError, match=message) as caught:
        call()
    assert len(str(caught.value).splitlines()) == 1


# -- explanations ------------------------------------------------------------------------------------------------------


def test_a_cell_explained() -> None:
    one = sheetcnn.explain(NETWORK, PIXELS, "conv", 1, 1, 2)
    assert one.windows.tolist() == [[[2, 0], [-9, 3]]]
    assert one.products.tolist() == [[[2, 0], [-9, 3]]]
    assert (one.sums.tolist(), one.bias, one.total, one.value, one.activation) == ([-4], 2, -2, -2, None)
    assert str(one).splitlines() == [
        "conv (conv2d), map 1, row 1, column 2",
        "window 1 of input: [2 0; -9 3]",
        "  × kernel [1 1; 1 1] = -4",
        "sum -4 + bias 2 = -2",
    ]


@pytest.mark.parametrize("name", ["cs231n", "conv-types", "pool-order", "relu-placement", "unet-tiny"])
def test_explanations_give_the_cells(name: str) -> None:
    """In every layer, at its corners and in its middle: what comes of the steps is the cell's number."""
    settings = tomllib.loads(templates()[name].read_text())["input"]
    shape = settings["channels"], settings["height"], settings["width"]
    built = sheetcnn.build(name, np.random.default_rng(2).integers(0, 255, shape))
    for node in built.network.nodes:
        maps, rows, columns = as_maps(node.shape)
        for m, i, j in ((1, 1, 1), (maps, rows, columns), (1, (rows + 1) // 2, (columns + 1) // 2)):
            one = built.explain(node.name, m, i, j)
            made = one.done[-1].so_far if one.done else one.together
            assert made == pytest.approx(one.value, abs=1e-9), (node.name, m, i, j)


def test_explanations_without_windows() -> None:
    """A joint, an activation with a weight, and softmax, by hand."""
    vector = {"type": "flatten", "name": "flat", "input": "input"}
    layers = [
        {
            "type": "add",
            "name": "twice",
            "input": ["input", "input"],
            "activation": {"type": "prelu"},
            "activation_weight": [0.5],
        },
        vector,
        {"type": "softmax", "name": "soft"},
    ]
    network = {"name": "n", "input": {"channels": 1, "height": 1, "width": 2}, "layers": layers}
    pixels = np.array([[-3.0, 0.0]])
    one = sheetcnn.explain(network, pixels, "twice")
    assert one.steps == ["sum -6", "prelu → -3"]
    assert one.windows.tolist() == [[[-3]], [[-3]]]
    assert sheetcnn.explain(network, pixels, "flat", row=2).steps == ["cell 0"]
    one = sheetcnn.explain(network, pixels, "soft")
    assert one.steps == ["cell -3", "− largest x 0", "= -3", "exp → 0.0497871", "÷ Σ exp 1.04979", "= 0.0474259"]


# -- notebooks ---------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """The tags and texts of a page, which must be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_results_show_themselves() -> None:
    built = sheetcnn.build("digits", "digit-0")
    page = Page(built._repr_html_())
    assert {"table", "img"} <= set(page.tags)
    assert {node.name for node in built.network.nodes} <= set(page.texts)
    stream = io.BytesIO()
    report = sheetcnn.check(built.save(stream) and stream.getvalue())
    assert any("every cell is as NumPy says" in text for text in Page(report._repr_html_()).texts)
    layer = next(node.name for node in built.network.nodes if node.layer.reduction(*node.in_shapes) is not None)
    assert "table" in Page(built.explain(layer)._repr_html_()).tags


def test_names_are_no_code_in_a_notebook() -> None:
    built = sheetcnn.build(NETWORK | {"name": "<script>alert(1)</script>"}, PIXELS)
    assert "script" not in Page(built._repr_html_()).tags


# -- models of others --------------------------------------------------------------------------------------------------


@pytest.mark.torch
def test_a_model_of_pytorch() -> None:
    import torch

    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Flatten(), torch.nn.Linear(72, 3)
    )
    x = np.random.default_rng(0).random((8, 8))
    built = sheetcnn.build(model, x)
    assert model.training, "the model is as it was"
    model.eval()
    want = model(torch.tensor(x[None, None]).float())[0].detach().numpy()
    np.testing.assert_allclose(list(built.values.values())[-1]["output"], want, rtol=1e-5, atol=1e-6)
    picture = sheetcnn.build(model, "cross", size=(8, 8), scale=255.0)
    assert picture.network.input.shape == (1, 8, 8)
    with pytest.raises(SheetcnnError, match="does not say how large its pictures are; give size"):
        sheetcnn.build(model, "cross")
    with pytest.raises(SheetcnnError, match="could not be exported to ONNX"):
        sheetcnn.build(model, x[:4])


KERAS = """
import keras, numpy as np, sheetcnn
keras.utils.set_random_seed(0)
layers = [keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, activation="relu"), keras.layers.Flatten(), keras.layers.Dense(3)]
model = keras.Sequential(layers)
x = np.random.default_rng(0).random((8, 8))
have = list(sheetcnn.build(model, x).values.values())[-1]["output"]
np.testing.assert_allclose(have, np.asarray(model.predict(x[None, :, :, None], verbose=0)[0]), rtol=1e-5, atol=1e-6)
"""


@pytest.mark.torch
def test_a_model_of_keras(tmp_path: Path) -> None:
    """In a process of its own, since Keras chooses what computes for it when it is imported; nothing is printed."""
    environment = os.environ | {"KERAS_BACKEND": "torch", "KERAS_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", KERAS], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-2000:]


NOTEBOOK = json.loads((Path(__file__).parents[1] / "samples" / "colab.ipynb").read_text(encoding="utf-8"))


def test_the_notebook_is_small_and_has_no_outputs() -> None:
    assert len(json.dumps(NOTEBOOK)) < 8_000
    code = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert "".join(code[0]["source"]).startswith("%pip install")


@pytest.mark.torch
def test_the_notebook_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cell by cell, each result being shown; what was learned is told of pictures that were held out."""
    names: dict[str, Any] = {}
    shown = []
    for cell in NOTEBOOK["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and not source.startswith("%pip"):
            tree = ast.parse(source)
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, "colab.ipynb", "exec"), names)
            if isinstance(last, ast.Expr):
                result = eval(compile(ast.Expression(last.value), "colab.ipynb", "eval"), names)
                shown += [result._repr_html_()] if result is not None else []
    assert float(capsys.readouterr().out.split()[2].rstrip("%")) > 90
    assert len(shown) == 3
    assert "every cell is as NumPy says" in shown[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["digits.xlsx"]


def test_a_model_of_onnx(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    sheetcnn.export(sheetcnn.build(NETWORK, PIXELS, tmp_path / "b.xlsx").path, tmp_path / "m.onnx")
    built = sheetcnn.build(onnx.load(tmp_path / "m.onnx"), PIXELS)
    assert list(built.values.values())[-1]["output"][0].tolist() == [[0, 0], [0, 0]]


def test_handouts_without_files(tmp_path: Path) -> None:
    exercise = {"title": "By hand", "tasks": [{"kind": "compute", "layer": "conv", "rows": 1, "columns": 1}]}
    made = sheetcnn.hand_out(NETWORK | {"exercise": exercise}, PIXELS, tmp_path / "class")
    assert [(grade.of, grade.points) for grade in sheetcnn.grade(tmp_path / "class", made.key)] == [(1, 0)]
    error = failing(lambda: sheetcnn.hand_out(NETWORK, PIXELS, tmp_path / "other"))
    assert str(error).startswith(
        "the network: has no [exercise]; write one, or name one with --exercise; these templates have one: "
    )


# -- errors ------------------------------------------------------------------------------------------------------------


def failing(call: Callable[[], object]) -> SheetcnnError:
    with pytest.raises(SheetcnnError) as caught:
        call()
    return caught.value


def changed(**layer: Any) -> dict[str, Any]:
    """The network with other settings of its convolution."""
    return NETWORK | {"layers": [NETWORK["layers"][0] | layer]}


@pytest.mark.parametrize(
    ("network", "file", "layer", "setting"),
    [
        (changed(out_channels=0), "the network", "conv", "out_channels"),
        (changed(strides=2), "the network", "conv", "strides"),
        (changed(type="convolution"), "the network", "conv", "type"),
        (changed(weight=[[1]]), "the network", "conv", "weight"),
        (changed(kernel_size=4), "the network", "conv", None),
        (NETWORK | {"input": {"channels": 1, "height": 0, "width": 3}}, "the network", None, "input.height"),
        (NETWORK | {"labels": ["a"]}, "the network", None, "labels"),
        ("missing.toml", "missing.toml", None, None),
    ],
)
def test_errors_say_where_in_fields(network: Any, file: str, layer: str | None, setting: str | None) -> None:
    error = failing(lambda: sheetcnn.build(network, PIXELS))
    assert (error.file, error.layer, error.setting, error.cell) == (file, layer, setting, None)


def test_errors_of_files_and_cells(tmp_path: Path) -> None:
    (tmp_path / "n.json").write_text(json.dumps(changed(padding=-1)))
    error = failing(lambda: sheetcnn.build("n.json", PIXELS))
    assert (error.file, error.layer, error.setting) == ("n.json", "conv", "padding")
    assert failing(lambda: sheetcnn.build(NETWORK, "no.png")).file == "no.png"
    assert failing(lambda: sheetcnn.build(NETWORK, PIXELS[:2])).file == "the picture"
    assert failing(lambda: sheetcnn.check("no.xlsx")).file == "no.xlsx"
    assert failing(lambda: sheetcnn.explain(NETWORK, PIXELS, "relux")).layer == "relux"
    book = sheetcnn.build(NETWORK, PIXELS, tmp_path / "book.xlsx").path
    opened = openpyxl.load_workbook(book)
    name = opened.defined_names["conv_bias_1"].attr_text.replace("$", "")
    opened["conv"][name.split("!")[1]].value = "much"
    opened.save(book)
    error = failing(lambda: sheetcnn.export(book, tmp_path / "w.npz"))
    assert (error.file, error.layer, error.cell) == (str(book), "conv", name)


def test_errors_can_be_sent_to_other_processes() -> None:
    error = failing(lambda: sheetcnn.build(changed(out_channels=0), PIXELS))
    sent = pickle.loads(pickle.dumps(error))
    assert (str(sent), sent.layer, sent.setting) == (str(error), "conv", "out_channels")


# -- where little can be started -----------------------------------------------------------------------------------------


def test_no_thread_and_no_process_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a browser: workbooks and handouts are written, checked and graded all the same, to the same bytes."""

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    def parts(book: bytes) -> dict[str, bytes]:
        with zipfile.ZipFile(io.BytesIO(book)) as archive:
            return {name: archive.read(name) for name in archive.namelist() if name != "docProps/core.xml"}

    usual, alone = io.BytesIO(), io.BytesIO()
    sheetcnn.build("cs231n", "cs231n", usual)
    monkeypatch.setattr("threading.Thread.start", refuse)
    monkeypatch.setattr("subprocess.Popen.__init__", refuse)
    monkeypatch.setattr("sheetcnn.handout.workers.ALONE", True)
    sheetcnn.build("cs231n", "cs231n", alone)
    assert parts(alone.getvalue()) == parts(usual.getvalue())
    assert sheetcnn.check(alone.getvalue()).ok
    (tmp_path / "roster.csv").write_text("name\nAnn\nBob\n")
    made = sheetcnn.hand_out("cs231n", "cs231n", tmp_path / "class", students=tmp_path / "roster.csv")
    grades = sheetcnn.grade(tmp_path / "class" / "students", made.key)
    assert [grade.student for grade in grades] == ["Ann", "Bob"]
