"""Inputs that are no files, have no end, or say two things: one line about each, at once, and in little memory."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image
from sweep import model

import sheetcnn
from sheetcnn import image, reading
from sheetcnn.errors import ExerciseError, NetworkError, PictureError, SheetcnnError, WorkbookError
from sheetcnn.formula import read_book
from sheetcnn.handout.exercise import read_exercise
from sheetcnn.handout.roster import read_roster
from sheetcnn.image import load_input
from sheetcnn.model.network_file import parse_toml, read_network, read_settings, with_labels
from sheetcnn.model.settings import InputSettings
from sheetcnn.model.weights import load_parameters
from sheetcnn.onnx import stored
from sheetcnn.opening import open_network
from sheetcnn.reading import open_archive, open_regular, read_bytes
from sheetcnn.templates import templates

resource = pytest.importorskip("resource", reason="this system has no limits of memory that a process can set")

MEMORY = 1_000_000_000  # bytes
SOON = 3.0  # seconds
LAYER = {"type": "conv2d", "name": "conv", "out_channels": 1, "kernel_size": 3}
NETWORK = {"name": "small", "input": {"channels": 1, "height": 5, "width": 5}, "layers": [LAYER]}
READS = InputSettings(channels=1, height=4, width=4)

# What an input is called, and the command that reads it; {} is the input.
WAYS: dict[str, tuple[str, ...]] = {
    "net.toml": ("summary", "{}"),
    "net.json": ("build", "{}", "cross", "-o", "out.xlsx"),
    "net": ("summary", "./{}"),
    "model.onnx": ("summary", "{}"),
    "other.onnx": ("import", "{}", "-o", "imported"),
    "labels.txt": ("build", "edges", "cat", "-o", "out.xlsx", "--labels", "{}"),
    "one.exercise.toml": ("handout", "cs231n", "cs231n", "-o", "out", "--exercise", "{}"),
    "roster.csv": ("handout", "cs231n", "cs231n", "-o", "out", "--students", "{}"),
    "roster.xlsx": ("handout", "cs231n", "cs231n", "-o", "out", "--students", "{}"),
    "p.png": ("build", "edges", "{}", "-o", "out.xlsx"),
    "p.npy": ("build", "edges", "{}", "-o", "out.xlsx"),
    "p.csv": ("build", "edges", "{}", "-o", "out.xlsx"),
    "w.npz": ("build", "weighted.json", "cross", "-o", "out.xlsx"),
    "w.bin": ("summary", "outside.onnx"),
    "book.xlsx": ("check", "{}"),
    "book2.xlsx": ("export", "{}", "-o", "out.npz"),
    "key.xlsx": ("grade", "hand_ins", "--key", "{}", "-o", "out.csv"),
}
CHILD = """
import contextlib, io, json, sys, time
from sheetcnn.cli import main
found = []
for arguments in json.load(sys.stdin):
    said, began, code = io.StringIO(), time.perf_counter(), None
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            main(arguments)
        except SystemExit as done:
            code = done.code
    found.append((code, said.getvalue(), time.perf_counter() - began))
print(json.dumps(found))
"""


def run(commands: list[list[str]], folder: Path, **environment: str) -> list[tuple[int, str, float]]:
    """Commands one after the other in a process with 1 GB: exit codes, what they say, and how long each took."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    first = ["build", "edges", "cross", "-o", "first.xlsx"]  # imports what takes its time
    second = ["summary", "good.onnx"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD],
        input=json.dumps([first, second, *commands]),
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"} | environment,
        preexec_fn=limited,
        timeout=60,
        check=False,
    )
    assert done.stderr == "", done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert [code for code, _, _ in found[:2]] == [0, 0], found[:2]
    return found[2:]


def put(cause: str, path: Path) -> None:
    """Something at a path that is no file to be read."""
    if cause == "zero":
        path.symlink_to("/dev/zero")
    elif cause == "pipe":
        os.mkfifo(path)
    elif cause == "folder":
        path.mkdir()
    elif cause == "loop":
        path.symlink_to(path.name)
    elif cause == "sparse":
        with path.open("wb") as stream:
            stream.truncate(10_000_000_000)


SAID = {
    "zero": "a device is no file|leaves the",
    "pipe": "a named pipe is no file",
    "folder": "a folder is no file",
    "loop": "(?i)symbolic link|symlink loop",
    "sparse": "larger than|is no|10,000,000,000",
    "nothing": "No such file|is no network file",
}


@pytest.mark.parametrize("cause", SAID)
def test_what_is_no_file(cause: str, tmp_path: Path) -> None:
    (tmp_path / "hand_ins").mkdir()
    (tmp_path / "weighted.json").write_text(json.dumps(NETWORK | {"weights": "w.npz"}))
    onnx.save(model(), tmp_path / "good.onnx")
    onnx.save(model(location="w.bin"), tmp_path / "outside.onnx")
    before = {path.name for path in tmp_path.iterdir()} | {"first.xlsx"}
    for name in WAYS:
        put(cause, tmp_path / name)
    found = run([[word.replace("{}", name) for word in words] for name, words in WAYS.items()], tmp_path)
    for name, (code, said, seconds) in zip(WAYS, found, strict=True):
        assert code == 2, (name, code, said)
        assert re.fullmatch(r"sheetcnn: [^\n]{10,400}\n", said), (name, said)
        assert name in said
        assert re.search(SAID[cause], said), (name, said)
        assert seconds < SOON, (name, seconds)
    made = {path.name for path in tmp_path.iterdir()} - before - {*WAYS}
    assert not made


def readers(path: Path) -> dict[str, Any]:
    network = read_network(templates()["cs231n"])
    return {
        "network": lambda: read_network(path.with_name(f"{path.name}.toml")),
        "JSON": lambda: read_network(path.with_name(f"{path.name}.json")),
        "ONNX": lambda: open_network(path.with_name(f"{path.name}.onnx")),
        "labels": lambda: with_labels(network, path),
        "exercise": lambda: read_exercise(network, path, path),
        "roster": lambda: read_roster(path),
        "picture": lambda: load_input(path, READS),
        "array": lambda: load_input(path.with_name(f"{path.name}.npy"), READS),
        "numbers": lambda: load_input(path.with_name(f"{path.name}.csv"), READS),
        "workbook": lambda: read_book(path),
        "build": lambda: sheetcnn.build(str(path), "cross", path.parent / "out.xlsx"),
        "check": lambda: sheetcnn.check(path),
    }


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "n" * 5000, "\udcff"])
@pytest.mark.parametrize("way", readers(Path()))
def test_names_that_no_file_has(way: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(SheetcnnError) as caught:
        readers(tmp_path / name)[way]()
    assert "\n" not in str(caught.value)
    assert "\0" not in str(caught.value)


# -- the reading itself ----------------------------------------------------------------------------------------------------


def test_no_more_is_read_than_agreed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_bytes(path, 5, NetworkError, "give another") == b"12345"
    with pytest.raises(NetworkError, match=r"a: is larger than 4 bytes; give another$"):
        read_bytes(path, 4, NetworkError, "give another")
    with pytest.raises(PictureError, match=r"^here: is larger than 4 bytes; cut it$"):
        read_bytes(path, 4, PictureError, "give another", where="here", instead="cut it")
    with pytest.raises(PictureError, match=r"none: cannot be read \(No such file or directory\); give another$"):
        read_bytes(tmp_path / "none", 4, PictureError, "give another")
    path.write_bytes(b"")
    assert read_bytes(path, 0, NetworkError, "give another") == b""


@pytest.mark.skipif(not os.path.isfile("/proc/self/maps"), reason="no files that say that they have no bytes")
def test_files_that_do_not_say_how_large_they_are() -> None:
    path = Path("/proc/self/maps")
    assert path.stat().st_size == 0
    assert len(read_bytes(path, 10_000_000, NetworkError, "")) > 1000
    with pytest.raises(NetworkError, match="larger than 1,000 bytes"):
        read_bytes(path, 1000, NetworkError, "")


def test_what_is_put_there_meanwhile_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is asked for before it is opened, and again when it is open."""
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "b").mkdir()
    os.mkfifo(tmp_path / "b" / "a")
    asked = os.stat(tmp_path / "a")
    monkeypatch.setattr(reading.os, "stat", lambda _: asked)
    began = time.perf_counter()
    with pytest.raises(NetworkError, match="a named pipe is no file"):
        open_regular(tmp_path / "b" / "a", NetworkError, "")
    assert time.perf_counter() - began < 1


def test_nothing_stays_open(tmp_path: Path) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no list of open files")
    (tmp_path / "text.xlsx").write_text("hello")
    before = len(os.listdir("/proc/self/fd"))
    for path in (tmp_path, tmp_path / "text.xlsx", tmp_path / "none"):
        with pytest.raises(WorkbookError):
            read_book(path)
    assert len(os.listdir("/proc/self/fd")) == before


# -- zip files -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reading") / "book.xlsx"
    return sheetcnn.build("edges", "cross", path, gallery=False, inspector=False).path


def doubled(data: bytes, first: str) -> bytes:
    """A zip file with one of its parts once more."""
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(first, archive.read(first))
    return stream.getvalue()


def test_a_part_twice(original: Path, tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    book.write_bytes(doubled(original.read_bytes(), "xl/workbook.xml"))
    with pytest.raises(WorkbookError, match=r"book.xlsx: has the part 'xl/workbook.xml' 2 times; save it again from your"):
        sheetcnn.check(book)
    np.savez(tmp_path / "w.npz", **{"conv.weight": np.ones((1, 1, 3, 3)), "conv.bias": np.ones(1)})
    (tmp_path / "net.json").write_text(json.dumps(NETWORK | {"weights": "w.npz"}))
    network = read_network(tmp_path / "net.json")
    load_parameters(network, tmp_path)
    (tmp_path / "w.npz").write_bytes(doubled((tmp_path / "w.npz").read_bytes(), "conv.weight.npy"))
    with pytest.raises(NetworkError, match=r"weights 'w.npz': has the part 'conv.weight.npy' 2 times; write it with numpy"):
        load_parameters(network, tmp_path)


def test_a_list_of_parts_without_end(tmp_path: Path) -> None:
    """A zip file says itself how long its list of parts is, and zipfile believes it."""
    path = tmp_path / "book.xlsx"
    with path.open("wb") as stream:
        stream.truncate(3_000_000_000)
        stream.seek(3_000_000_000)
        stream.write(b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, 2_900_000_000, 100_000_000, 0))
    onnx.save(model(), tmp_path / "good.onnx")
    [(code, said, seconds)] = run([["check", "book.xlsx"]], tmp_path)
    assert code == 2
    assert "is no .xlsx workbook" in said
    assert seconds < SOON
    with pytest.raises(zipfile.BadZipFile, match="2,900,000,000 bytes"), open_archive(path, WorkbookError, "", again=""):
        pass


@pytest.mark.parametrize("encoding", ["foo", "rot13", "utf-7", "windows-1252", "iso-8859-1", "x" * 60])
@pytest.mark.parametrize("part", ["xl/workbook.xml", "_rels/.rels", "xl/worksheets/sheet1.xml"])
def test_encodings_of_parts(encoding: str, part: str, original: Path, tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    with zipfile.ZipFile(original) as old, zipfile.ZipFile(book, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == part:
                data = f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + re.sub(rb"^<\?.*?\?>", b"", data)
            new.writestr(name, data)
    with pytest.raises(WorkbookError) as caught:
        sheetcnn.check(book)
    assert re.search(
        rf"book.xlsx: {part} is in the encoding '{encoding[:30]}.*, and no workbook may be; save it again", str(caught.value)
    )


@pytest.mark.parametrize("encoding", ["UTF-8", "utf-8", "UTF-16", "ASCII", "US-ASCII"])
def test_encodings_that_workbooks_have(encoding: str, original: Path, tmp_path: Path) -> None:
    from sweep import encoded, with_parts

    data = with_parts(original.read_bytes(), lambda name, part: encoded(part, encoding) if "xml" in name else part)
    (tmp_path / "book.xlsx").write_bytes(data)
    assert sheetcnn.check(tmp_path / "book.xlsx").ok


# -- network files and weights ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ['{"name": "a", "name": "a"}', '{"layers": [{"type": "relu", "a": 1, "b": 2, "name": "x", "name": "y"}]}'],
)
def test_a_key_twice(text: str, tmp_path: Path) -> None:
    (tmp_path / "net.json").write_text(text)
    with pytest.raises(NetworkError, match=r"net.json: is not valid JSON: the key 'name' stands there twice; leave one"):
        read_settings(tmp_path / "net.json")


@pytest.mark.parametrize(
    "number", ["0x" + "f" * 5000, "0o" + "7" * 6000, "0b" + "1" * 20_000, "0x1_" + "0" * 16, "9" * 5000]
)
@pytest.mark.parametrize("place", ["out_channels = {}", "kernel_size = [3, {}]", "type = {}", "seed = {}", "bias = [{}]"])
def test_integers_without_end(number: str, place: str, tmp_path: Path) -> None:
    lines = ['name = "n"', "[input]", "channels = 1", "height = 8", "width = 8", "[[layers]]"]
    settings = {"type": '"conv2d"', "out_channels": "2", "kernel_size": "3"}
    key, _, value = place.partition(" = ")
    settings[key] = value.format(number)
    path = tmp_path / "net.toml"
    path.write_text("\n".join([*lines, *(f"{name} = {text}" for name, text in settings.items())]))
    with pytest.raises(NetworkError, match=r"net.toml: is not valid TOML: ") as caught:
        read_network(path)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)
    exercise = tmp_path / "e.toml"
    exercise.write_text(f'title = {number}\n[[tasks]]\nkind = "fill"\n')
    with pytest.raises(ExerciseError, match=r"e.toml: is not valid TOML: "):
        read_exercise(read_network(templates()["cs231n"]), path, exercise)


def test_a_key_twice_in_what_a_workbook_carries_along(original: Path, tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    found = 0
    with zipfile.ZipFile(original) as old, zipfile.ZipFile(book, "w") as new:
        for name in old.namelist():
            data, times = re.subn(rb'\{("|&quot;)format\1:', rb"\g<0>1,\1format\1:", old.read(name))
            found += times
            new.writestr(name, data)
    assert found
    with pytest.raises(WorkbookError, match=r"book.xlsx: .*the key 'format' stands there twice"):
        sheetcnn.check(book)


def test_labels_of_a_model_that_are_nested_without_end(tmp_path: Path) -> None:
    made = model()
    made.metadata_props.add(key="labels", value="[" * 1_000_000)
    onnx.save(made, tmp_path / "m.onnx")
    assert open_network(tmp_path / "m.onnx").network.settings.labels is None


def test_integers_that_toml_promises() -> None:
    text = f'a = 0xffff_ffff_ffff_ffff\nb = 9223372036854775807\nc = "0x{"f" * 100}"'
    assert parse_toml(text) == {"a": 2**64 - 1, "b": 2**63 - 1, "c": f"0x{'f' * 100}"}


def test_complex_weights(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **{"conv.weight": np.ones((1, 1, 3, 3), complex)})
    (tmp_path / "net.json").write_text(json.dumps(NETWORK | {"weights": "w.npz"}))
    with pytest.raises(NetworkError, match=r"conv.weight: has the type complex128; save real numbers"):
        load_parameters(read_network(tmp_path / "net.json"), tmp_path)
    np.save(tmp_path / "p.npy", np.ones((4, 4), np.complex64))
    with pytest.raises(PictureError, match=r"p.npy: has the type complex64; save real numbers"):
        load_input(tmp_path / "p.npy", READS)
    made = model()
    made.graph.initializer[0].CopyFrom(helper.make_tensor("w", TensorProto.COMPLEX64, [1, 1, 3, 3], [1 + 1j] * 9))
    onnx.save(made, tmp_path / "m.onnx")
    with pytest.raises(NetworkError, match=r"'w': holds complex numbers; export the model with real ones"):
        open_network(tmp_path / "m.onnx")


def test_files_beside_a_model_that_are_too_large_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w.bin").write_bytes(np.ones(900, np.float32).tobytes())
    made = model(location="w.bin")
    made.graph.initializer[0].dims[0] = 100
    bias = made.graph.initializer.add(name="b", data_type=TensorProto.FLOAT, dims=[100], data_location=TensorProto.EXTERNAL)
    bias.external_data.add(key="location", value="w.bin")
    bias.external_data.add(key="length", value="400")
    made.graph.node[0].input.append("b")
    made.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 100
    onnx.save(made, tmp_path / "m.onnx")
    assert open_network(tmp_path / "m.onnx").network.nodes
    monkeypatch.setattr(stored, "MAX_BYTES", 3_900)
    with pytest.raises(NetworkError, match=r"'w.bin' and others hold more than 3,900 bytes; no workbook could hold"):
        open_network(tmp_path / "m.onnx")


# -- pictures --------------------------------------------------------------------------------------------------------------


def test_only_the_kinds_that_are_promised(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("gs", "gswin32c", "gswin64c"):  # a program that must not be started
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
        (tmp_path / "bin" / name).chmod(0o755)
    onnx.save(model(), tmp_path / "good.onnx")
    kinds = ("EPS", "PPM", "ICO", "PDF", "PCX", "TGA", "ICNS", "SGI")
    for kind in kinds:
        Image.new("RGB", (64, 64)).save(tmp_path / f"{kind}.png", kind)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    commands = [["build", "edges", f"{kind}.png", "-o", "out.xlsx"] for kind in kinds]
    for kind, (code, said, _) in zip(kinds, run(commands, tmp_path, PATH=path), strict=True):
        assert code == 2
        assert f"{kind}.png: is no picture of a kind that is read; give a PNG, JPEG, GIF, BMP, TIFF or WebP" in said
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("kind", image.FORMATS)
def test_the_kinds_that_are_promised(kind: str, tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (9, 9, 9)).save(tmp_path / "p", kind)
    assert load_input(tmp_path / "p", READS).mean() == pytest.approx(9, abs=1)


def with_scans(more: int, size: int, **options: Any) -> bytes:
    """A progressive JPEG in grey, which has 6 scans, the last of them repeated."""
    stream = io.BytesIO()
    Image.effect_noise((size, size), 60).save(stream, "JPEG", progressive=True, **options)
    data = stream.getvalue()
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * more + data[-2:]


def test_a_picture_in_very_many_layers(tmp_path: Path) -> None:
    (tmp_path / "p.jpg").write_bytes(with_scans(1994, 1000, quality=5))
    began = time.perf_counter()
    with pytest.raises(PictureError, match=r"p.jpg: comes in 2,000 layers, more than 100; save it as a JPEG that is not"):
        load_input(tmp_path / "p.jpg", READS)
    assert time.perf_counter() - began < 1


def test_layers_are_counted_rightly() -> None:
    for size, options in ((40, {}), (200, {"quality": 95}), (200, {"restart_marker_rows": 1}), (64, {"exif": EXIF})):
        for more in (0, 20):
            assert image._scans(with_scans(more, size, **options)) == 6 + more
    stream = io.BytesIO()
    Image.effect_noise((200, 200), 60).save(stream, "JPEG", quality=100)
    assert image._scans(stream.getvalue()) == 1
    assert image._scans(stream.getvalue()[:-2] + b"\xff\xff\xff\xd9" + b"\xff\xda" * 1000) == 1  # behind its end
    for data in (b"", b"\xff\xd8", b"\xff\xd8\xff\xda", b"\xff\xd8\xff\xe1\x00\x00" * 100, b"\xff\xd8" + b"\xff\xda" * 9):
        assert image._scans(data) <= 9


EXIF = b"Exif\x00\x00" + b"\xff\xda\x00\x02" * 200  # its own bytes are no layers


def test_nothing_is_said_beside_the_line(tmp_path: Path) -> None:
    """Neither Pillow's warnings nor what it logs: a picture of very many pixels, one of too many samples."""
    onnx.save(model(), tmp_path / "good.onnx")
    data = io.BytesIO()
    Image.new("RGB", (4, 4)).save(data, "TIFF")
    samples = data.getvalue().replace(struct.pack("<HHLHH", 277, 3, 1, 3, 0), struct.pack("<HHLHH", 277, 3, 1, 4000, 0))
    assert samples != data.getvalue()
    (tmp_path / "samples.png").write_bytes(samples)
    Image.new("1", (10_000, 10_000)).save(tmp_path / "large.png")
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (4L, 4L), }"  # as Python 2 wrote it
    (tmp_path / "two.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(128))
    names = ("samples.png", "large.png", "two.npy")
    for name, (code, said, seconds) in zip(names, run([["build", "edges", name] for name in names], tmp_path), strict=True):
        assert code == 2
        assert said.count("\n") == 1
        assert name in said
        assert seconds < SOON
    assert load_input(tmp_path / "two.npy", READS).shape == (1, 4, 4)


def test_what_libraries_print_by_themselves(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """libtiff writes its complaints to standard error past Python; what others write there stays."""
    stream = io.BytesIO()
    Image.effect_noise((40, 40), 60).save(stream, "TIFF", compression="tiff_adobe_deflate")
    data = bytearray(stream.getvalue())
    data[40:60] = bytes(20)
    with suppress(OSError):
        Image.open(io.BytesIO(data)).load()
    assert "ZIPDecode" in capfd.readouterr().err
    (tmp_path / "p.tiff").write_bytes(data)
    open_files = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
    with pytest.raises(PictureError, match=r"p.tiff: is broken or no picture"):
        load_input(tmp_path / "p.tiff", READS)
    os.write(2, b"here")
    assert capfd.readouterr().err == "here"
    assert not open_files or len(os.listdir("/proc/self/fd")) == len(open_files)
