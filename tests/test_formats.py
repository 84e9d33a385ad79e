"""Files of models and of weights: which kinds are read, which are exported first, and what is said of the others."""

from __future__ import annotations

import json
import os
import pickle
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from test_cli import run
from test_import import model, node

import sheetcnn
from sheetcnn.errors import NetworkError
from sheetcnn.formats import keras_file
from sheetcnn.formats.keras_file import KNOWN, refuse_objects
from sheetcnn.formats.kinds import HOW, kind_of
from sheetcnn.model import archives
from sheetcnn.model.network import parse_network
from sheetcnn.model.weights import load_parameters
from sheetcnn.onnx.naming import name_weights
from sheetcnn.opening import open_network

CONV = {"type": "conv2d", "name": "conv", "weights_prefix": "a.0", "out_channels": 1, "kernel_size": 2}
NETWORK = {"name": "n", "weights": "w.safetensors", "input": {"channels": 1, "height": 3, "width": 3}, "layers": [CONV]}

# -- .safetensors ----------------------------------------------------------------------------------------------------------

# Written by the package safetensors itself.
BY_ITSELF = (
    b'\x10\x01\0\0\0\0\0\0{"__metadata__":{"format":"pt"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},'
    b'"a.0.weight":{"dtype":"F32","shape":[1,1,2,2],"data_offsets":[8,24]},"b":{"dtype":"BF16","shape":[2],'
    b'"data_offsets":[24,28]},"a.0.bias":{"dtype":"F16","shape":[1],"data_offsets":[28,30]}} '
    b"\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\x80?\0\0\0@\0\0@@\xc0?\0\xc0\0\xbe"
)


def packed(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def arrays(folder: Path, data: bytes, **more: Any) -> tuple[dict[str, np.ndarray], list[str]]:
    (folder / "w.safetensors").write_bytes(data)
    return load_parameters(parse_network(NETWORK | more, "net.toml"), folder)


def test_what_the_package_writes(tmp_path: Path) -> None:
    found, notes = arrays(tmp_path, BY_ITSELF)
    np.testing.assert_array_equal(found["conv.weight"], [[[[0, 1], [2, 3]]]])
    np.testing.assert_array_equal(found["conv.bias"], [-1.5])
    assert notes == ["w.safetensors has arrays that no layer reads: b, n"]


TYPES = {
    "F64": np.array([1.5, -2]), "F32": np.array([1.5, -2], "<f4"), "F16": np.array([1.5, -2], "<f2"),
    "BF16": np.array([0x3FC0, 0xC000], "<u2"), "I64": np.array([3, -2]), "I32": np.array([3, -2], "<i4"),
    "I16": np.array([3, -2], "<i2"), "I8": np.array([3, -2], "i1"), "U8": np.array([3, 200], "u1"),
    "U16": np.array([3, 60000], "<u2"), "U32": np.array([3, 2**32 - 1], "<u4"), "U64": np.array([3, 2**40], "<u8"),
}  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
def test_types_of_numbers(kind: str, tmp_path: Path) -> None:
    data = TYPES[kind].tobytes()
    header = {"conv.bias": {"dtype": kind, "shape": [2], "data_offsets": [0, len(data)]}}
    layer = {"type": "conv2d", "name": "conv", "out_channels": 2, "kernel_size": 1, "init": "ones"}
    found, _ = arrays(tmp_path, packed(header, data), layers=[layer])
    want = [1.5, -2] if kind == "BF16" else TYPES[kind].astype(float)
    np.testing.assert_array_equal(found["conv.bias"], want)


def one(**changed: Any) -> dict[str, Any]:
    return {"a.0.bias": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} | changed}


FOUR = bytes(4)
DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is no .safetensors file; save it again"),
    "text": (b"hello, this is a text and no list of arrays", "is no .safetensors file"),
    "a length beyond the file": (packed(one(), FOUR, length=10**9), "is no .safetensors file"),
    "a length beyond all": (packed(one(), FOUR, length=2**64 - 1), "is no .safetensors file"),
    "a length that cuts": (packed(one(), FOUR, length=20), "is no .safetensors file"),
    "no table": (packed([1]), "is no .safetensors file"),
    "no UTF-8": (packed(b'{"\xff": 1}'), "is no .safetensors file"),
    "nested": (packed(DEEP), "w.safetensors"),
    "a name twice": (packed(b'{"a": 1, "a": 1}'), "the key 'a' stands there twice"),
    "no array": (packed({"a.0.bias": 3}), "has the type None"),
    "a type of nobody": (packed(one(dtype="F33"), FOUR), "'a.0.bias' has the type 'F33', which no .safetensors file has"),
    "a type that is a list": (packed(one(dtype=[]), FOUR), "has the type []"),
    "a shape of text": (packed(one(shape=["1"]), FOUR), "'a.0.bias' has no shape or no place"),
    "a shape below 0": (packed(one(shape=[-1]), FOUR), "has no shape"),
    "a shape of True": (packed(one(shape=[True]), FOUR), "has no shape"),
    "a shape too large": (packed(one(shape=[2**62] * 60), FOUR), "'a.0.bias' takes 4 bytes, which [4611686018427387904, "),
    "too few bytes": (packed(one(shape=[2]), FOUR), "'a.0.bias' takes 4 bytes, which [2] of F32 does not need"),
    "one place": (packed(one(data_offsets=[0]), FOUR), "no place"),
    "a place before": (packed(one(data_offsets=[-4, 0]), FOUR), "no place"),
    "turned around": (packed(one(data_offsets=[4, 0]), FOUR), "takes -4 bytes"),
    "beyond the end": (packed(one(data_offsets=[4, 8]), FOUR), "begins at 4, where the numbers before it end at 0"),
    "a file cut off": (packed(one(), FOUR[:3]), "its arrays take 4 bytes, and it has 3"),
    "more at the end": (packed(one(), FOUR + b"more"), "its arrays take 4 bytes, and it has 8"),
    "over each other": (packed(one() | {"b": one()["a.0.bias"]}, FOUR), "'b' begins at 0, where the numbers before it end at 4"),
    "a hole": (
        packed(one() | {"b": one(data_offsets=[8, 12])["a.0.bias"]}, bytes(12)), "'b' begins at 8, where the numbers before it end at 4",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_lists_of_arrays(name: str, tmp_path: Path) -> None:
    data, message = HOSTILE[name]
    with pytest.raises(NetworkError) as caught:
        arrays(tmp_path, data)
    assert str(caught.value).startswith("net.toml: weights 'w.safetensors': ")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_list_of_arrays_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_HEADER", 50)
    with pytest.raises(NetworkError, match=r"is no .safetensors file"):
        arrays(tmp_path, packed(one(), FOUR))


def test_arrays_of_another_kind_or_shape(tmp_path: Path) -> None:
    header = one(dtype="F8_E4M3", data_offsets=[0, 1])
    with pytest.raises(NetworkError, match=r"w.safetensors: a.0.bias: has the type F8_E4M3; save it as F32"):
        arrays(tmp_path, packed(header, b"1"), layers=[CONV | {"init": "ones"}])
    header = one(shape=[2, 1], data_offsets=[0, 8])
    with pytest.raises(NetworkError, match=r"a.0.bias: has the shape \[2, 1\], the layer needs \[1\]"):
        arrays(tmp_path, packed(header, bytes(8)), layers=[CONV | {"init": "ones"}])
    with pytest.raises(NetworkError, match=r"a.0.bias: holds nan at \(1,\)"):
        arrays(tmp_path, packed(one(), np.array([np.nan], "<f4").tobytes()), layers=[CONV | {"init": "ones"}])
    with pytest.raises(
        NetworkError, match=r"does not have a.0.weight \(1×1×2×2\) and a.0.bias \(1\) \(did you mean .c.weight.\?\); or"
    ):
        arrays(tmp_path, packed({"c.weight": one()["a.0.bias"]}, FOUR))


def test_what_an_edited_workbook_gives_fits_the_same_network_file(tmp_path: Path) -> None:
    """Under the names with dots that the state dict has."""
    (tmp_path / "w.safetensors").write_bytes(BY_ITSELF)
    (tmp_path / "net.json").write_text(json.dumps(NETWORK))
    built = sheetcnn.build(tmp_path / "net.json", np.ones((3, 3)), tmp_path / "b.xlsx", gallery=False, inspector=False)
    np.testing.assert_array_equal(built.values["conv"]["output"], np.full((1, 2, 2), 4.5))
    assert sheetcnn.check(built.path).ok
    [path] = sheetcnn.export(built.path, tmp_path / "back.npz")
    with np.load(path) as back:
        assert {name: array.shape for name, array in back.items()} == {"a.0.weight": (1, 1, 2, 2), "a.0.bias": (1,)}
    (tmp_path / "net.json").write_text(json.dumps(NETWORK | {"weights": "back.npz"}))
    again = sheetcnn.build(tmp_path / "net.json", np.ones((3, 3)))
    assert again.notes == ()
    np.testing.assert_array_equal(again.values["conv"]["output"], built.values["conv"]["output"])


# -- kinds of files --------------------------------------------------------------------------------------------------------


class Evil:
    """Makes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.path),))


def zipped(**parts: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)

    return write


def raw(data: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(data) and None


PICKLED = "holds pickled Python objects, which can do anything when they are loaded, so sheetcnn never loads them; in Python"
KINDS: dict[str, tuple[str, Callable[[Path], None], str]] = {  # a name, its content, what is said
    "state dict": ("m.pt", zipped(m__data_dot_pkl=b"x", m__data__0=b"x"), f"{PICKLED}, with a whole model: "),
    "state dict under another name": ("m.onnx", zipped(m__data_dot_pkl=b"x"), f"{PICKLED}, with a whole model: "),
    "state dict without a suffix": ("model", zipped(m__data_dot_pkl=b"x"), f"{PICKLED}, with a whole model: "),
    "old state dict": ("m.pth", raw(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j"), f"{PICKLED}, with a whole model: "),
    "script": ("m.pt", zipped(m__data_dot_pkl=b"x", m__constants_dot_pkl=b"x"), f"{PICKLED}:  torch.onnx.export(torch.jit"),
    "program": ("m.pt2", zipped(m__archive_format=b"pt2"), f"{PICKLED}:  torch.onnx.export(torch.export"),
    "pickle": ("m.bin", raw(pickle.dumps([1])), f"{PICKLED}: load it there"),
    "lite": ("m.tflite", raw(b"\x1c\0\0\0TFL3\0\0"), "is a model of TensorFlow Lite; export it to ONNX:  pip install tf2onnx"),
    "lite under another name": ("m.bin", raw(b"\x1c\0\0\0TFL3\0\0"), "is a model of TensorFlow Lite"),
    "weights": ("m.safetensors", raw(BY_ITSELF), "holds weights only, not the layers that they are for; write a network file"),
    "weights under another name": ("m.bin", raw(BY_ITSELF), "holds weights only"),
    "arrays": ("m.npz", zipped(a_dot_npy=b"x"), "beside it that says  weights = 'm.npz'"),
    "weights of Keras": ("m.weights.h5", raw(b"\x89HDF\r\n\x1a\n"), "model.load_weights("),
    "no Keras": ("m.keras", raw(b"nothing"), "is no model that Keras has saved, or is damaged"),
    "no HDF5": ("m.h5", raw(b""), "is no model that Keras has saved"),
    "another zip": ("m.keras", zipped(a=b""), "is no model that Keras has saved"),
    "a damaged zip": ("m.pt", raw(b"PK\x03\x04"), PICKLED),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("command", ["summary", "import"])
def test_kinds_that_are_not_read(name: str, command: str, tmp_path: Path) -> None:
    called, write, said = KINDS[name]
    write(tmp_path / called)
    read = open_network if command == "summary" else sheetcnn.import_onnx
    with pytest.raises(NetworkError) as caught:
        read(tmp_path / called)
    assert str(caught.value).startswith(f"{tmp_path / called}: ")
    assert said in str(caught.value)
    assert "…" not in str(caught.value)


def test_no_pickle_is_loaded(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    evil = Evil(tmp_path / "done")
    torch.save(evil, tmp_path / "zip.pt")
    torch.save(evil, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(evil))
    np.savez(tmp_path / "w.npz", **{"a.0.weight": np.array([evil], object)})
    for name in ("zip.pt", "old.pt", "plain.pkl"):
        with pytest.raises(NetworkError, match="pickled Python objects"):
            open_network(tmp_path / name)
        with pytest.raises(NetworkError, match=r"pickled Python objects|is no .npz file"):
            load_parameters(parse_network(NETWORK | {"weights": name}, "net.toml"), tmp_path)
    with pytest.raises(NetworkError, match="no objects, no pickles"):
        load_parameters(parse_network(NETWORK | {"weights": "w.npz"}, "net.toml"), tmp_path)
    assert not (tmp_path / "done").exists()


@pytest.mark.torch
def test_the_lines_that_are_proposed_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is run as it stands, and what it writes is read."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    monkeypatch.chdir(tmp_path)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU()).eval()
    picture = torch.zeros(1, 1, 5, 5)
    torch.save(net, "whole.pt")
    torch.save(net.state_dict(), "state.pt")
    quietly(lambda: torch.jit.trace(net, picture).save("script.pt"))
    torch.export.save(torch.export.export(net, (picture,)), "program.pt2")
    known = {"torch": torch, "numpy": np, "CHANNELS": 1, "ROWS": 5, "COLUMNS": 5}
    for name in ("whole.pt", "script.pt", "program.pt2"):
        with pytest.raises(NetworkError) as caught:
            kind_of(Path(name))
        found = re.search(r"  (torch\.onnx\.export\(.*?\))(?:  and |$)", str(caught.value))
        assert found, caught.value
        quietly(lambda line=found[1]: eval(line, known))
        assert [one.layer.type for one in open_network(Path(name).with_suffix(".onnx")).network.nodes] == ["conv2d"]
    with pytest.raises(NetworkError) as caught:
        kind_of(Path("state.pt"))
    eval(str(caught.value).rpartition("  ")[2], known)
    layer = {"type": "conv2d", "weights_prefix": "0", "out_channels": 2, "kernel_size": 3, "activation": "relu"}
    top = NETWORK | {"weights": "state.npz", "layers": [layer], "input": {"channels": 1, "height": 5, "width": 5}}
    assert load_parameters(parse_network(top, "net.toml"), tmp_path)[1] == []
    with pytest.raises(NetworkError) as caught:
        load_parameters(parse_network(top | {"weights": "state.pt"}, "net.toml"), tmp_path)
    assert "numpy.savez('state.npz', **{k: v.float()" in str(caught.value)
    built = sheetcnn.build(torch.export.load("program.pt2"), np.ones((5, 5)))
    have = list(built.values.values())[-1]["output"]
    np.testing.assert_allclose(have, net(picture + 1)[0].detach(), rtol=1e-5, atol=1e-6)


def quietly(do: Callable[[], object]) -> None:
    import contextlib
    import io
    import logging
    import warnings

    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            do()
    finally:
        logging.disable(logging.NOTSET)


def test_files_that_are_read_as_they_were(tmp_path: Path) -> None:
    onnx.save(model([node("Relu", "x", "y")]), tmp_path / "m.onnx")
    assert kind_of(tmp_path / "m.onnx") == "onnx"
    for name in ("net", "net.txt"):
        (tmp_path / name).write_text('name = "n"\n')
        assert kind_of(tmp_path / name) == "network"
    assert {kind for kind in HOW if "{" not in HOW[kind]} == {"pickle"}, "all others say how, with names"
    done = run("import", str(tmp_path / "net.txt"), folder=tmp_path)
    assert "net.txt: is no model in ONNX or of Keras; `sheetcnn build` takes network files as they are" in done.stderr


# -- Keras -----------------------------------------------------------------------------------------------------------------

MAKE = """
import sys, numpy
import keras
from keras import layers as on

class Mine(on.Layer):
    def call(self, x):
        return x + 1

def save(name, *middle):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([
        keras.Input((8, 8, 1)), on.Conv2D(2, 3, activation="relu", name="conv1", kernel_regularizer="l2"), *middle,
        on.BatchNormalization(), on.Flatten(), on.Dense(3, activation="softmax", name="fc"),
    ])
    model.layers[-3].set_weights([numpy.array(n) for n in ([1., 2], [.5, 0], [.1, .2], [2., 1])])
    model.compile(loss="mse")
    for suffix in (".keras", ".h5"):
        model.save(name + suffix)
    return model

model = save("plain", on.ReLU(max_value=6.0), on.Dropout(0.5))
model.save_weights("only.weights.h5")
x = numpy.random.default_rng(0).random((1, 8, 8, 1)).astype("f4")
numpy.save("x.npy", x[0].transpose(2, 0, 1).astype(float))
numpy.save("y.npy", numpy.asarray(model.predict(x, verbose=0)[0]))
given = keras.Input((None, None, 3))
free = keras.Model(given, on.Dense(2)(on.GlobalMaxPooling2D()(on.Conv2D(4, 3, name="conv")(given))))
free.save("free.keras")
x = numpy.random.default_rng(0).random((1, 7, 5, 3)).astype("f4")
numpy.save("free.x.npy", x[0].transpose(2, 0, 1).astype(float))
numpy.save("free.y.npy", numpy.asarray(free.predict(x, verbose=0)[0]))
two = [keras.Input((8, 8, 1)), keras.Input((8, 8, 1))]
keras.Model(two, on.Add()(two)).save("two.keras")
save("lambda", on.Lambda(lambda x: __import__("os").makedirs("done", exist_ok=True) or x))
save("mine", Mine())
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that Keras saved."""
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    folder = tmp_path_factory.mktemp("keras")
    environment = os.environ | {"KERAS_BACKEND": "torch"}
    subprocess.run([sys.executable, "-c", MAKE], cwd=folder, env=environment, check=True, capture_output=True, timeout=300)
    if (folder / "done").exists():  # Keras runs the lambda where it makes the model
        (folder / "done").rmdir()
    return folder


@pytest.mark.torch
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_files_of_keras(suffix: str, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    built = sheetcnn.build(saved / f"plain{suffix}", saved / "x.npy", tmp_path / "book.xlsx")
    np.testing.assert_allclose(list(built.values.values())[-1]["output"], np.load(saved / "y.npy"), rtol=1e-5, atol=1e-6)
    assert sheetcnn.check(built.path).ok
    assert built.network.settings.name == "plain"
    assert [name for name in built.network.by_name if name in ("conv1", "fc")] == ["conv1", "fc"]
    assert [*sheetcnn.build(saved / f"plain{suffix}", saved / "x.npy", until="conv1").network.by_name] == ["conv1"]


@pytest.mark.torch
def test_files_of_keras_that_leave_the_size_free(saved: Path) -> None:
    """And one that has two inputs."""
    with pytest.raises(
        NetworkError, match=r"free.keras: leaves the size of its input free; give it with --size ROWSxCOLUMNS"
    ):
        open_network(saved / "free.keras")
    built = sheetcnn.build(saved / "free.keras", saved / "free.x.npy", size=(7, 5))
    np.testing.assert_allclose(
        list(built.values.values())[-1]["output"], np.load(saved / "free.y.npy"), rtol=1e-5, atol=1e-6
    )
    with pytest.raises(NetworkError, match=r"two.keras: has 2 inputs; sheetcnn feeds one picture to one input$"):
        open_network(saved / "two.keras")


def test_weights_are_named_by_their_numbers(tmp_path: Path) -> None:
    """Where nothing else has these: neither another weight of the model, nor another of the layers."""
    one, two, three = (np.arange(6, dtype=np.float32).reshape(2, 3) + n for n in range(3))
    nodes = [node("MatMul", "x a", "m"), node("Add", "m b", "n"), node("Add", "n c", "o"), node("Add", "o d", "y")]
    made = model(nodes, shape=(3, 2), a=one, b=two[:1], c=three[:1], d=three[:1])
    onnx.save(made, tmp_path / "m.onnx")
    names = {"fc.weight": one.T.astype(float), "p.bias": two[0], "q.bias": two[0], "r.bias": three[0], "s.bias": one[0]}
    name_weights(tmp_path / "m.onnx", names)
    graph = onnx.load(tmp_path / "m.onnx").graph
    assert [tensor.name for tensor in graph.initializer] == ["fc.weight", "b", "c", "d"]
    assert [list(one.input) for one in graph.node] == [["x", "fc.weight"], ["m", "b"], ["n", "c"], ["o", "d"]]


@pytest.mark.torch
def test_import_of_a_file_of_keras(saved: Path, tmp_path: Path) -> None:
    done = run("import", str(saved / "plain.keras"), "-o", str(tmp_path / "new"), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    built = sheetcnn.build(tmp_path / "new" / "plain.toml", saved / "x.npy")
    np.testing.assert_allclose(list(built.values.values())[-1]["output"], np.load(saved / "y.npy"), rtol=1e-5, atol=1e-6)


@pytest.mark.torch
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_files_of_keras_that_hold_code(suffix: str, saved: Path) -> None:
    for name, what in (("lambda", "Lambda|__lambda__"), ("mine", "Custom>Mine|Mine")):
        with pytest.raises(NetworkError, match=rf"{name}{suffix}: has '({what})', which is code that sheetcnn does not run"):
            open_network(saved / f"{name}{suffix}")
    assert not (saved / "done").exists()
    assert not Path("done").exists()


@pytest.mark.torch
def test_other_files_of_keras(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "only.h5").write_bytes((saved / "only.weights.h5").read_bytes())
    for path in (saved / "only.weights.h5", tmp_path / "only.h5"):
        with pytest.raises(
            NetworkError, match="holds weights only, not the layers that they are for; in Python, with your model"
        ):
            open_network(path)
    for suffix in (".keras", ".h5"):
        (tmp_path / f"cut{suffix}").write_bytes((saved / f"plain{suffix}").read_bytes()[:3000])
        with pytest.raises(NetworkError, match=rf"cut{suffix}: is no model that Keras has saved, or is damaged"):
            open_network(tmp_path / f"cut{suffix}")


@pytest.mark.torch
def test_numbers_that_stand_in_another_file(saved: Path, tmp_path: Path) -> None:
    """A file must not make others readable: neither by a link, nor as the place of its numbers."""
    h5py = pytest.importorskip("h5py")
    (tmp_path / "secret").write_bytes(bytes(range(72)))
    for how in ("link", "place"):
        path = tmp_path / f"{how}.h5"
        path.write_bytes((saved / "plain.h5").read_bytes())
        with h5py.File(path, "r+") as file:
            if how == "link":
                file["model_weights/more"] = h5py.ExternalLink(str(saved / "plain.h5"), "/")
            else:
                file["model_weights"].create_dataset("more", (18,), "f4", external=[(str(tmp_path / "secret"), 0, 72)])
        with pytest.raises(NetworkError, match=rf"{how}.h5: '.*more' stands in another file; save it again"):
            open_network(path)
    whole = tmp_path / "whole.keras"
    with zipfile.ZipFile(saved / "plain.keras") as old, zipfile.ZipFile(whole, "w") as new:
        for name in old.namelist():
            new.writestr(name, (tmp_path / "link.h5").read_bytes() if name.endswith(".h5") else old.read(name))
    with pytest.raises(NetworkError, match=r"whole.keras: 'more' stands in another file; save it again"):
        open_network(whole)


GOOD = {"module": "keras.layers", "class_name": "Conv2D", "config": {"activation": "relu"}, "registered_name": None}
BAD: list[tuple[dict[str, Any], str]] = [
    (GOOD | {"class_name": "Lambda"}, "Lambda"),
    (GOOD | {"class_name": "TFSMLayer"}, "TFSMLayer"),
    (GOOD | {"class_name": "TorchModuleWrapper"}, "TorchModuleWrapper"),
    (GOOD | {"module": "os", "class_name": "Dense"}, "Dense"),
    (GOOD | {"module": "kerasx.layers"}, "Conv2D"),
    (GOOD | {"module": 3}, "Conv2D"),
    (GOOD | {"registered_name": "Mine>Conv2D"}, "Mine>Conv2D"),
    (GOOD | {"class_name": ["Conv2D"]}, "['Conv2D']"),
    ({"module": "builtins", "class_name": "function", "config": "get_file", "registered_name": "function"}, "function"),
    ({"module": "keras.utils", "class_name": "get_file", "config": {}}, "get_file"),
    ({"class_name": "__lambda__", "config": {"value": "…"}}, "__lambda__"),
    ({"module": "keras.saving", "class_name": "load_model"}, "load_model"),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_what_a_description_must_not_name(number: int) -> None:
    given, what = BAD[number]
    refuse_objects({"class_name": "Sequential", "config": {"layers": [GOOD]}}, Path("m.keras"))
    for hidden in (given, {"class_name": "Sequential", "config": {"layers": [GOOD | {"config": {"activation": given}}]}}):
        with pytest.raises(NetworkError) as caught:
            refuse_objects(hidden, Path("m.keras"))
        assert str(caught.value).startswith(f"m.keras: has {what!r}, which is code") or f"has {what}" in str(caught.value)


def test_a_file_of_keras_where_keras_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zipped(config_dot_json=b"{}", metadata_dot_json=b"{}")(tmp_path / "m.keras")
    monkeypatch.setattr(keras_file, "find_spec", lambda name: None)
    with pytest.raises(
        NetworkError, match=r"m.keras: is a model of Keras, which is not installed here: install keras with"
    ) as caught:
        open_network(tmp_path / "m.keras")
    assert str(caught.value).endswith(".export('m.onnx', format='onnx')")
    monkeypatch.setattr(keras_file, "find_spec", lambda name: name == "keras" or None)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    with pytest.raises(NetworkError, match="Keras needs tensorflow and tf2onnx, or torch and onnxscript"):
        open_network(tmp_path / "m.keras")


def test_time_and_last_words_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zipped(config_dot_json=b"{}", metadata_dot_json=b"{}")(tmp_path / "m.keras")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setattr(keras_file, "find_spec", lambda name: True)
    monkeypatch.setattr(keras_file, "CODE", "raise SystemExit('no memory')")
    with pytest.raises(NetworkError, match=r"m.keras: Keras did not export it \(no memory\); export it yourself"):
        open_network(tmp_path / "m.keras")
    monkeypatch.setattr(keras_file, "CODE", "import time; time.sleep(60)")
    monkeypatch.setattr(keras_file, "SECONDS", 0.3)
    with pytest.raises(NetworkError, match=r"m.keras: Keras has not exported it within 0 seconds; export it yourself"):
        open_network(tmp_path / "m.keras")


@pytest.mark.torch
def test_all_that_may_be_named_is_there() -> None:
    """Of Keras: a name that it does not have would be a mistake of ours."""
    code = "import keras, sys, json; print(json.dumps([n for n in sys.argv[1:] if not (hasattr(keras.layers, n) or hasattr(keras, n))]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *sorted(KNOWN)],
        env=os.environ | {"KERAS_BACKEND": "torch"},
        capture_output=True,
        check=True,
    )
    old = {
        "ThresholdedReLU",
        "Policy",
        "FloatDTypePolicy",
        "RandomHeight",
        "RandomWidth",
        "Functional",
    }  # of Keras 2, or inside
    assert set(json.loads(done.stdout.decode().splitlines()[-1])) <= old
