"""What is tried on every command: things that are no files, files damaged in every way, and values that nobody expects."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import openpyxl
from onnx import TensorProto, helper
from PIL import Image

import sheetcnn

LAYER = {"type": "conv2d", "name": "conv", "out_channels": 1, "kernel_size": 3}
NETWORK = {"name": "small", "input": {"channels": 1, "height": 5, "width": 5}, "layers": [LAYER, {"type": "relu"}]}
KINDS = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "bmp": "BMP", "tiff": "TIFF", "webp": "WEBP"}


@dataclass(frozen=True)
class Way:
    """A way in: the valid file of its kind, the command that reads it as {}, and what that may write."""

    valid: str
    command: tuple[str, ...]
    outputs: tuple[str, ...] = ()


_BUILD, _OUT = ("-o", "out.xlsx"), ("out.xlsx",)
WAYS: dict[str, Way] = {
    "summary toml": Way("net.toml", ("summary", "{}")),
    "summary json": Way("net.json", ("summary", "{}")),
    "summary onnx": Way("model.onnx", ("summary", "{}")),
    "build toml": Way("net.toml", ("build", "{}", "x.npy", *_BUILD), _OUT),
    "build json": Way("net.json", ("build", "{}", "x.npy", *_BUILD, "--detail", "steps"), _OUT),
    "build onnx": Way("model.onnx", ("build", "{}", "x.npy", *_BUILD), _OUT),
    "build npy": Way("x.npy", ("build", "net.toml", "{}", *_BUILD), _OUT),
    "build csv": Way("x.csv", ("build", "net.toml", "{}", *_BUILD), _OUT),
    "build npz": Way("w.npz", ("build", "weighted.json", "x.npy", *_BUILD), _OUT),
    "build labels": Way("labels.txt", ("build", "vector.json", "x.npy", *_BUILD, "--labels", "{}"), _OUT),
    "import onnx": Way("model.onnx", ("import", "{}", "-o", "imported"), ("imported",)),
    "outside": Way("w.bin", ("import", "outside.onnx", "-o", "imported"), ("imported",)),
    "check": Way("book.xlsx", ("check", "{}")),
    "check json": Way("book.xlsx", ("check", "{}", "--json")),
    "check network": Way("net.toml", ("check", "book.xlsx", "--network", "{}")),
    "export npz": Way("book.xlsx", ("export", "{}", "-o", "out.npz"), ("out.npz",)),
    "export onnx": Way("book.xlsx", ("export", "{}", "-o", "out.onnx"), ("out.onnx",)),
    "export png": Way("book.xlsx", ("export", "{}", "--picture", "out.png"), ("out.png",)),
    "exercise": Way("exercise.toml", ("handout", "net.toml", "x.npy", "-o", "out", "--exercise", "{}"), ("out",)),
    "roster csv": Way("roster.csv", ("handout", "cs231n", "cs231n", "-o", "out", "--students", "{}"), ("out",)),
    "roster xlsx": Way("roster.xlsx", ("handout", "cs231n", "cs231n", "-o", "out", "--students", "{}"), ("out",)),
    "handout toml": Way("whole.toml", ("handout", "{}", "x.npy", "-o", "out"), ("out",)),
    "key": Way("key.xlsx", ("grade", "none", "--key", "{}", "-o", "out.csv"), ("out.csv", "out-reports")),
    "grade": Way("work.xlsx", ("grade", "class", "--key", "key.xlsx", "-o", "out.csv"), ("out.csv", "out-reports")),
    "grade zip": Way("class.zip", ("grade", "{}", "--key", "key.xlsx", "-o", "out.csv"), ("out.csv", "out-reports")),
} | {f"build {kind}": Way(f"p.{kind}", ("build", "edges", "{}", *_BUILD), _OUT) for kind in KINDS}  # fmt: skip
PLACES = {"build npz": "w.npz", "outside": "w.bin", "grade": "class/{}"}  # where the input must be, if that is told


def model(**outside: str) -> onnx.ModelProto:
    """A convolution in ONNX; its weight stands in a file beside it where that is named."""
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1, 1, 3, 3], np.ones(9).tolist())
    if outside:
        weight.ClearField("float_data")
        weight.data_location = TensorProto.EXTERNAL
        for key, value in outside.items():
            weight.external_data.add(key=key, value=value)
    x, y = (
        helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in {"x": [1, 1, 5, 5], "y": [1, 1, 3, 3]}.items()
    )
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"], pads=[0, 0, 0, 0]), helper.make_node("Relu", ["c"], ["y"])]
    graph = helper.make_graph(nodes, "g", [x], [y], [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def furnish(folder: Path) -> None:
    """Put valid files of every kind into a folder."""
    toml = 'name = "small"\n[input]\nchannels = 1\nheight = 5\nwidth = 5\n[[layers]]\ntype = "conv2d"\nname = "conv"\nout_channels = 1\n'
    toml += 'kernel_size = 3\nweight = [[[[1, 2, 0], [0, -1.5, 0], [0, 0, 0x1]]]]\n[[layers]]\ntype = "relu"\n'
    tasks = 'title = "By hand"\nvary = ["kernels"]\n[[tasks]]\nkind = "compute"\nlayer = "conv"\nmap = 1\nrows = 1\ncolumns = [1, 2]\npoints = 3\n'
    (folder / "net.toml").write_text(toml)
    (folder / "exercise.toml").write_text(tasks)
    (folder / "whole.toml").write_text(f"{toml}[exercise]\n{tasks.replace('[[tasks]]', '[[exercise.tasks]]')}")
    (folder / "net.json").write_text(json.dumps(NETWORK))
    (folder / "weighted.json").write_text(json.dumps(NETWORK | {"weights": "w.npz"}))
    dense = [{"type": "flatten"}, {"type": "linear", "out_features": 3}, {"type": "softmax"}]
    (folder / "vector.json").write_text(json.dumps(NETWORK | {"layers": dense}))
    np.savez(folder / "w.npz", **{"conv.weight": np.arange(9.0).reshape(1, 1, 3, 3), "conv.bias": np.ones(1)})
    np.savez_compressed(folder / "packed.npz", **{"conv.weight": np.ones((1, 1, 3, 3), np.float32)})
    np.save(folder / "x.npy", np.arange(25.0).reshape(5, 5))
    np.savetxt(folder / "x.csv", np.arange(25.0).reshape(5, 5), delimiter=",")
    (folder / "labels.txt").write_text("one\ntwo\nthree\n")
    onnx.save(model(), folder / "model.onnx")
    onnx.save(model(location="w.bin"), folder / "outside.onnx")
    (folder / "w.bin").write_bytes(np.ones(9, np.float32).tobytes())
    (folder / "roster.csv").write_text("Name,E-mail\nAnn Lee,ann@x.org\nBob Ray,bob@x.org\n")
    table = openpyxl.Workbook()
    for row in (["Name", "E-mail"], ["Ann Lee", "ann@x.org"], ["Bob Ray", "bob@x.org"]):
        table.active.append(row)
    table.save(folder / "roster.xlsx")
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8))
    for kind, name in KINDS.items():
        picture.save(folder / f"p.{kind}", name)
    sheetcnn.build(folder / "net.toml", folder / "x.npy", folder / "book.xlsx")
    made = sheetcnn.hand_out(folder / "whole.toml", folder / "x.npy", folder / "handed", students=folder / "roster.csv")
    shutil.move(made.key, folder / "key.xlsx")
    shutil.copy(made.workbooks[0], folder / "work.xlsx")
    shutil.rmtree(folder / "handed")
    with zipfile.ZipFile(folder / "class.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "work.xlsx", "Ann Lee_1_assignsubmission_file/work.xlsx")
        archive.writestr("Bob Ray_2_assignsubmission_file/notes.txt", "none")
    (folder / "class").mkdir()
    (folder / "none").mkdir()


# -- what is no file ----------------------------------------------------------------------------------------------------


def put(cause: str, path: Path) -> None:
    """Something at a path that is no file to be read."""
    if cause in ("zero", "full", "tty"):
        path.symlink_to(f"/dev/{cause}")
    elif cause == "pipe":
        os.mkfifo(path)
    elif cause == "folder":
        path.mkdir()
    elif cause == "loop":
        path.symlink_to(path.name)
    elif cause == "dangling":
        path.symlink_to("nowhere")
    elif cause == "sparse":
        with path.open("wb") as stream:
            stream.truncate(10_000_000_000)
    elif cause == "memory":
        path.symlink_to("/proc/self/mem")
    elif cause == "empty":
        path.write_bytes(b"")


NO_FILES = ("zero", "full", "tty", "pipe", "folder", "loop", "dangling", "sparse", "memory", "empty", "nothing")

# -- damage --------------------------------------------------------------------------------------------------------------

NASTY = [b"", b"-1", b"0", b"1e999", b"NaN", b"9" * 30, b"0x" + b"f" * 5000, b"a" * 10_000, b"=1+1", b"\x1b[31m", b"\xc2\x9b", b"\xff\xfe",
         b"\xed\xa0\x80", b"[" * 3000, b"{" * 3000, b"true", b"null", b"1.5", b"{}", b"[]", b"'", b'"', b"\r\n", b"\n", b"\0", b"%s", b"../..",
         b"&#0;", b"&#27;", b"&amp;", b"<", b"]]>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>&b;", b"A1:XFD1048576", b"#REF!", b"1048576", b"16384",
         b"2147483648", b"4294967296", b"18446744073709551616", b"1e308", b"-0.0", b"\xe2\x80\xae", b"\xe2\x80\xa8", b"_xlfn.LET(a,1,a)",
         b"{=A1:B2}", b"INDIRECT(\"A1\")", b"1899-12-31", b"1_000", b"inf", b"\\u0007", b"\\ud800", b"SUM(A:A)", b";", b",", b"\t"]  # fmt: skip
_TOKEN = re.compile(rb"[\w.+-]+")
_TAG = re.compile(rb"<[^<>]*>")


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """The data with a few things done to it at random, in the parts of an archive too."""
    if data[:4] == b"PK\x03\x04" and rng.random() < 0.85:
        return _rezipped(data, rng)
    for _ in range(int(rng.integers(1, 4))):
        data = _once(data, rng)
    return data


def _rezipped(data: bytes, rng: np.random.Generator) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        weights = np.array([4.0 if re.search(r"sheet|workbook|rels$|npy$|xlsx$|strings", name) else 1.0 for name in names])
        chosen = set(rng.choice(names, int(rng.integers(1, 3)), p=weights / weights.sum()))
        for name in names:
            part, kind = old.read(name), rng.random()
            if name in chosen and kind < 0.06:
                continue
            if name in chosen and kind < 0.12:
                part = old.read(str(rng.choice(names)))
            elif name in chosen:
                part = damaged(part, rng)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                new.writestr(name, part)
                if name in chosen and rng.random() < 0.04:
                    new.writestr(name, part)
    return stream.getvalue()


def _once(data: bytes, rng: np.random.Generator) -> bytes:
    kind, at = rng.random(), int(rng.integers(len(data) + 1))
    if kind < 0.12:  # bits
        changed = bytearray(data)
        for place in rng.integers(0, max(1, len(data)), int(rng.integers(1, 9))).tolist():
            if changed:
                changed[place] ^= 1 << int(rng.integers(8))
        return bytes(changed)
    if kind < 0.2:
        return data[:at]
    if kind < 0.28:  # a piece once more, or less
        end = min(len(data), at + int(rng.integers(1, 400)))
        return data[:end] + data[at:] if rng.random() < 0.5 else data[:at] + data[end:]
    nasty = NASTY[int(rng.integers(len(NASTY)))]
    if kind < 0.4:
        return data[:at] + nasty + data[at:]
    found = list(_TAG.finditer(data) if kind < 0.5 else _TOKEN.finditer(data))
    if not found:
        return data[:at] + nasty + data[at + 4 :]
    one = found[int(rng.integers(len(found)))]
    if kind < 0.6:  # another token of the same file
        other = found[int(rng.integers(len(found)))]
        nasty = other.group()
    return data[: one.start()] + nasty + data[one.end() :]


def encoded(data: bytes, encoding: str) -> bytes:
    """A part in XML that says it is in an encoding, and is where Python knows it."""
    text = re.sub(r"^<\?.*?\?>", "", data.decode("utf-8-sig"))
    text = f'<?xml version="1.0" encoding="{encoding}"?>{text}'
    try:
        return text.encode(encoding, "xmlcharrefreplace")
    except (LookupError, ValueError, TypeError):
        return text.encode()


def with_parts(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """An archive with its parts changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return stream.getvalue()


# -- descriptions in JSON ------------------------------------------------------------------------------------------------

WRONG: list[Any] = [
    None,
    True,
    -1,
    0,
    1.5,
    10**30,
    2**63,
    float("nan"),
    float("inf"),
    "",
    "x",
    "../x",
    "=1+1",
    "\x1b[1m",
    "\ud800",
]
WRONG += [[], [[]], {}, {"a": 1}, [1] * 5, "a" * 40_000, {"a" * 40_000: 1}, [[1, 2], [3]], {"": None}]


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in plain data."""
    yield path
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from places(value, (*path, key))


def replaced(text: str, path: tuple[Any, ...], wrong: Any) -> str:
    """JSON with one value replaced; an Ellipsis takes it away."""
    data = json.loads(text)
    if not path:
        return json.dumps(wrong)
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    if wrong is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = wrong
    return json.dumps(data)
