"""Files made to do harm: each ends in a line or in findings, within little time and memory, and never in a traceback.

Each is tried by a command in a process of its own that gets 1 GB of memory and no more.
"""

from __future__ import annotations

import io
import json
import os
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import sheetcnn
from sheetcnn.checking.contents import described
from sheetcnn.errors import SheetcnnError, WorkbookError
from sheetcnn.formula import Book, evaluate, group_formulas, read_book
from sheetcnn.formula.evaluate import Evaluator
from sheetcnn.image import load_input
from sheetcnn.model.settings import InputSettings

resource = pytest.importorskip("resource", reason="this system has no limits of memory that a process can set")

MEMORY = 1_000_000_000  # bytes
PATIENCE = 10  # seconds of computing; a process that takes more is ended
SHEET = "xl/worksheets/sheet1.xml"
CONV = {"type": "conv2d", "name": "conv", "out_channels": 2, "kernel_size": 3}
READS = InputSettings(channels=3, height=8, width=8)
NETWORK = {"name": "small", "input": {"channels": 1, "height": 5, "width": 5}, "layers": [CONV]}


def run(*arguments: str | Path, folder: Path, code: int = 2) -> str:
    """A command under the limits; what it printed, which is a single line where it must refuse."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))

    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "sheetcnn", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
        preexec_fn=limited,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, (done.returncode, done.stderr[-2000:], done.stdout[-500:])
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == (code == 2)
    assert len(done.stderr) < 1000
    return done.stderr if code == 2 else done.stdout


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "net.json").write_text(json.dumps(NETWORK))
    np.save(folder / "x.npy", np.arange(25.0).reshape(5, 5))
    return sheetcnn.build(folder / "net.json", folder / "x.npy", folder / "book.xlsx", gallery=False, inspector=False).path


Change = Callable[[bytes], bytes | Iterator[bytes]]


def changed(original: Path, folder: Path, changes: dict[str, Change], more: dict[str, bytes] | None = None) -> Path:
    """A copy of a workbook with parts changed, or added."""
    path = folder / "book.xlsx"
    with zipfile.ZipFile(original) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for name in old.namelist():
            data = changes.get(name, bytes)(old.read(name))
            with new.open(name, "w") as stream:
                for piece in [data] if isinstance(data, bytes) else data:
                    stream.write(piece)
        for name, data in (more or {}).items():
            new.writestr(name, data)
    return path


def with_rows(rows: Callable[[], Iterator[bytes]]) -> dict[str, Change]:
    """The Overview with rows of cells behind its own."""

    def change(sheet: bytes) -> Iterator[bytes]:
        head, tail = sheet.split(b"</sheetData>")
        yield head
        yield from rows()
        yield b"</sheetData>" + tail

    return {SHEET: change}


def column(texts: list[str], start: int = 500) -> Iterator[bytes]:
    """A column of formulas."""
    for row, text in enumerate(texts, start=start):
        yield f'<row r="{row}"><c r="A{row}"><f>{text}</f></c></row>'.encode()


# -- workbooks -----------------------------------------------------------------------------------------------------------


def test_the_original_is_fine(original: Path, tmp_path: Path) -> None:
    run("check", changed(original, tmp_path, {}), folder=tmp_path, code=0)


@pytest.mark.parametrize("filling", [b" ", b'<row r="9"/>', b"<c/>"])
def test_zip_bomb(filling: bytes, original: Path, tmp_path: Path) -> None:
    megabyte = filling * (1_000_000 // len(filling))
    path = changed(original, tmp_path, with_rows(lambda: iter([megabyte] * 300)))
    assert path.stat().st_size < 3_000_000
    assert "unpack to" in run("check", path, folder=tmp_path)


def test_one_sheet_many_times(original: Path, tmp_path: Path) -> None:
    def change(book: bytes) -> bytes:
        sheet = book[book.index(b"<sheet ") : book.index(b"/>", book.index(b"<sheet ")) + 2]
        return book.replace(sheet, b"".join(sheet.replace(b'"Overview"', b'"O%d"' % n) for n in range(100_000)))

    assert "twice" in run("check", changed(original, tmp_path, {"xl/workbook.xml": change}), folder=tmp_path)


@pytest.mark.parametrize("part", ["xl/workbook.xml", SHEET, "_rels/.rels", "xl/_rels/workbook.xml.rels"])
def test_entity_bomb(part: str, original: Path, tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">%s]>' % b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12)
    )

    def change(data: bytes) -> bytes:
        start = data.index(b"?>") + 2 if data.startswith(b"<?xml") else 0
        return data[:start] + bomb + data[start:]

    assert "document type" in run("check", changed(original, tmp_path, {part: change}), folder=tmp_path)


@pytest.mark.parametrize("number", [b"1e999", b"-Infinity", b"NaN"])
def test_saved_values_that_are_not_finite(number: bytes, original: Path, tmp_path: Path) -> None:
    def change(sheet: bytes) -> bytes:
        return re.sub(rb"</f><v>[^<]*</v>", b"</f><v>" + number + b"</v>", sheet, count=1)

    [part] = [n for n, name in enumerate(read_book(original).sheets, start=1) if name == "conv"]
    path = changed(original, tmp_path, {f"xl/worksheets/sheet{part}.xml": change})
    assert "is not finite" in run("check", "--json", path, folder=tmp_path)


def test_huge_dimension(original: Path, tmp_path: Path) -> None:
    change = {SHEET: lambda data: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:XFD1048576"', data)}
    run("check", changed(original, tmp_path, change), folder=tmp_path, code=0)


def test_millions_of_empty_cells(original: Path, tmp_path: Path) -> None:
    def rows() -> Iterator[bytes]:
        for row in range(1000, 3000):
            cells = (f'<c r="{name}{row}" s="{row % 7}"/>' for name in NAMES)
            yield f'<row r="{row}">{"".join(cells)}</row>'.encode()

    run("check", changed(original, tmp_path, with_rows(rows)), folder=tmp_path, code=0)


NAMES = [a + b for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"] + list("ABCDEFGHIJ")


def test_cells_far_apart(original: Path, tmp_path: Path) -> None:
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    path = changed(original, tmp_path, with_rows(lambda: iter([far])))
    assert "Overview!XFD1048576 stands far from all other cells" in run("check", path, folder=tmp_path, code=0)
    many = [f'<row r="{n * n}"><c r="J{n * n}"><v>1</v></c></row>'.encode() for n in range(30, 1000)]
    assert "scattered" in run("check", changed(original, tmp_path, with_rows(lambda: iter(many))), folder=tmp_path)


DEEP = {
    "brackets": "(" * 4000 + "1" + ")" * 4000,
    "functions": "SUM(" * 1600 + "1" + ")" * 1600,
    "functions as deep as is read": "SUM(" * 90 + "1" + ")" * 90,
    "choices": "IF(1," * 90 + "1" + ")" * 90,
    "products": "SUMPRODUCT(EXP(" * 45 + "0" + "))" * 45,
    "signs": "-" * 8000 + "1",
    "pluses": "+" * 8000 + "1",
    "percents": "1" + "%" * 8000,
    "powers": "2" + "^1" * 4000,
    "comparisons": "1" + "=1" * 4000,
    "terms": "+".join(["A1"] * 2700),
    "arguments": f"MAX({','.join(['1'] * 4000)})",
    "ranges": f"SUM({','.join(['A1:XFD1048576'] * 250)})",
    "one word": "a" * 8192,
    "one function": "a" * 8189 + "(1)",
    "functions of later versions": "_xlfn.IFS(1,_xlfn._xlws.SORT(A1:A2))",
    "other languages": "Überfunktion(数据!A1)+é" + "é" * 4000 + "!",
    "texts": '"' * 8190,
    "numbers": "9" * 8192,
    "no end": "SUM(A1:A2",
    "other books": "[1]Sheet1!A1+'C:\\[other.xlsx]Sheet'!A1",
}


@pytest.mark.parametrize("what", DEEP)
def test_formulas(what: str, original: Path, tmp_path: Path) -> None:
    """In a cell of a map, where a formula that differs is named; in many others, whose formulas are only computed."""

    def change(sheet: bytes) -> bytes:
        start = sheet.index(b"<f>") + 3
        return sheet[:start] + DEEP[what].encode() + sheet[sheet.index(b"</f>") :]

    [part] = [n for n, name in enumerate(read_book(original).sheets, start=1) if name == "conv"]
    changes: dict[str, Change] = {f"xl/worksheets/sheet{part}.xml": change}
    changes |= with_rows(lambda: column([DEEP[what]] * (20 if what == "ranges" else 200)))
    printed = run("check", changed(original, tmp_path, changes), folder=tmp_path, code=1)
    assert "no longer reads like its neighbours" in printed


def chain(length: int) -> dict[str, Change]:
    """Cells of which each waits for the one above, in one skeleton: as slow as formulas can be."""
    return with_rows(lambda: column(["1", *(f"A{n}+1" for n in range(500, 500 + length))]))


def test_long_chains(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = changed(original, tmp_path, chain(1_000))
    assert run_check(path) == []
    monkeypatch.setattr(sys.modules[Evaluator.__module__], "_PATIENCE", 100_000)
    assert run_check(path) == ["chain"]
    run("check", changed(original, tmp_path, chain(100_000)), folder=tmp_path, code=0)  # they are no cells of the network


def run_check(path: Path) -> list[str]:
    """What the evaluator found impossible, in a word."""
    book = read_book(path)
    evaluate(book, group_formulas(book))
    return sorted(
        {"chain" if "chain" in why else "circular" if "circular" in why else why for why in book.problems.values()}
    )


def test_circular_references(original: Path, tmp_path: Path) -> None:
    texts = [f"A{500 + (n * 7 + 1) % 10_000}+1" for n in range(10_000)] + ["SUM(A1:A20000)", "A10501"]
    path = changed(original, tmp_path, with_rows(lambda: column(texts)))
    assert run_check(path) == ["circular"]
    run("check", path, folder=tmp_path, code=0)


@pytest.mark.parametrize(
    "target",
    [
        "#REF!",
        "nowhere!$A$1",
        "conv!$A$0",
        "conv!$ZZZ$1",
        "conv!A:A",
        "conv!$A$1:$B$2,conv!$C$3",
        "SUM(1)",
        "",
        "conv!$XFD$1048576",
    ],
)
def test_names_that_point_nowhere(target: str, original: Path, tmp_path: Path) -> None:
    def change(book: bytes) -> bytes:
        return re.sub(rb'(name="conv_map_1"[^>]*>)[^<]*', lambda match: match[1] + target.encode(), book)

    found = run("check", changed(original, tmp_path, {"xl/workbook.xml": change}), folder=tmp_path)
    assert "conv_map_1" in found


def test_missing_parts(original: Path, tmp_path: Path) -> None:
    """Whatever part is missing: the workbook is refused, or the part is none that numbers depend on."""
    with zipfile.ZipFile(original) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    refused = {}
    for missing in parts:
        with zipfile.ZipFile(tmp_path / "book.xlsx", "w") as new:
            for name in parts.keys() - {missing}:
                new.writestr(name, parts[name])
        try:
            assert sheetcnn.check(tmp_path / "book.xlsx").ok
        except SheetcnnError as error:
            refused[missing] = str(error)
    assert not any("\n" in message for message in refused.values())
    assert {"_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET} <= refused.keys()


def test_links_and_macros(original: Path, tmp_path: Path) -> None:
    """What is never opened does no harm."""
    link = b'<Relationship Id="rId99" Type="http://x/externalLink" Target="externalLinks/externalLink1.xml"/>'
    web = b'<Relationship Id="rId98" Type="http://x/worksheet" TargetMode="External" Target="http://127.0.0.1:9/x"/>'
    up = b'<Relationship Id="rId97" Type="http://x/theme" Target="../../../../../etc/passwd"/>'
    change = {
        "xl/_rels/workbook.xml.rels": lambda data: data.replace(b"</Relationships>", link + web + up + b"</Relationships>")
    }
    more = {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" * 100, "xl/externalLinks/externalLink1.xml": b"<externalLink/>"}
    run("check", changed(original, tmp_path, change, more), folder=tmp_path, code=0)


WRONG: list[Any] = [None, True, -1, 0, 1.5, 10**30, float("nan"), "", "x", "../x", "=1+1"]
WRONG += [[], [[]], {}, {"a": 1}, [1] * 5, "a" * 40_000, {"a" * 40_000: 1}]


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a description."""
    yield path
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from places(value, (*path, key))


def test_wrong_types_in_the_description(original: Path) -> None:
    """Any value in place of any other: refused in one line, or as good as the one that stood there."""
    book = read_book(original)
    text = "".join(book.sheets["_sheetcnn"].texts[place] for place in sorted(book.sheets["_sheetcnn"].texts)[1:])
    tried, refused = 0, []
    for path in places(json.loads(text)):
        for wrong in WRONG:
            data = json.loads(text)
            if not path:
                data = wrong
            else:
                inner = data
                for key in path[:-1]:
                    inner = inner[key]
                inner[path[-1]] = wrong
            tried += 1
            try:
                described(_described(book, json.dumps(data)))
            except WorkbookError as error:
                refused.append(str(error))
    assert len(refused) > 0.8 * tried
    assert not [message for message in refused if "\n" in message or len(message) > 600]


def _described(book: Book, text: str) -> Book:
    book.sheets["_sheetcnn"].texts = {(1, 1): "sheetcnn", (2, 1): text}
    return book


# -- pictures and arrays -------------------------------------------------------------------------------------------------


def png(width: int, height: int, bits: int, colour: int, *extra: bytes) -> bytes:
    """A PNG of nothing, packed as tightly as can be."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    line = bytes(1 + width * bits * {0: 1, 2: 3, 4: 2, 6: 4}[colour] // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("bits", "colour"), [(8, 0), (8, 6), (16, 0), (16, 6)])
@pytest.mark.parametrize("size", [7_000, 9_000])
def test_pictures_that_unpack_to_much(size: int, bits: int, colour: int, tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(png(size, size, bits, colour))
    code = 0 if size**2 <= 50_000_000 else 2
    printed = run("build", "rgb-filters", "bomb.png", folder=tmp_path, code=code)
    assert code == 0 or "81,000,000" in printed.replace("9000×9000 pixels", "81,000,000")


def saved(picture: Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, **options)
    return stream.getvalue()


def test_odd_pictures(tmp_path: Path) -> None:
    """Long and thin, animated, in every mode: a picture is a picture."""
    frames = [Image.new("P", (40, 30), n) for n in range(3)]
    pictures = {
        "thin.png": saved(Image.new("L", (60_000, 1)), format="PNG"),
        "tall.png": saved(Image.new("RGB", (1, 60_000)), format="PNG"),
        "moving.gif": saved(frames[0], format="GIF", save_all=True, append_images=frames[1:] * 500),
        "moving.webp": saved(
            Image.new("RGB", (40, 30)), format="WEBP", save_all=True, append_images=[Image.new("RGB", (40, 30), 9)]
        ),
        "float.tiff": saved(Image.fromarray(np.full((4, 4), np.nan, np.float32)), format="TIFF"),
        "lab.tiff": saved(Image.new("LAB", (4, 4)), format="TIFF"),
    }
    for name, data in pictures.items():
        (tmp_path / name).write_bytes(data)
        assert load_input(tmp_path / name, READS).shape == (3, 8, 8)


def test_truncated_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8))
    for kind in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"):
        data = saved(picture, format=kind)
        for part in (0.0, 0.01, 0.3, 0.9):
            (tmp_path / "cut").write_bytes(data[: int(part * len(data))])
            with pytest.raises(SheetcnnError) as caught:
                load_input(tmp_path / "cut", READS)
            assert "\n" not in str(caught.value)


ARRAYS: dict[str, Callable[[Path], object]] = {
    "pickle.npy": lambda path: np.save(path, np.array([print]), allow_pickle=True),
    "archive.npy": lambda path: path.write_bytes(archive(np.zeros(4))),
    "header.npy": lambda path: path.write_bytes(b"\x93NUMPY\x03\x00" + struct.pack("<I", 4_000_000_000) + b" " * 1000),
    "long_header.npy": lambda path: path.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", 50_000_000) + b"(" * 50_000_000),
    "deep_header.npy": lambda path: path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", 9_000) + b"[" * 9_000),
    "claim.npy": lambda path: path.write_bytes(np.lib.format.magic(1, 0) + b"v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 999999), }".ljust(120)),
    "huge.csv": lambda path: path.write_text("1," * 30_000_000),
    "wide.csv": lambda path: path.write_text("9" * 50_000_000),
    "binary.csv": lambda path: path.write_bytes(bytes(range(256)) * 10),
}  # fmt: skip


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name: str, tmp_path: Path) -> None:
    ARRAYS[name](tmp_path / name)
    found = run("build", "cs231n", name, folder=tmp_path)
    assert name in found
    assert ("larger than" in found) == (name in ("huge.csv", "wide.csv"))


# -- network files -------------------------------------------------------------------------------------------------------


def toml(layers: str, top: str = "") -> str:
    return f'name = "n"\n{top}\n[input]\nchannels = 1\nheight = 8\nwidth = 8\n{layers}'


LAYER = '[[layers]]\ntype = "conv2d"\nout_channels = 2\nkernel_size = 3\n'
FILES: dict[str, tuple[Callable[[], str], str]] = {
    "megabytes.toml": (lambda: toml(LAYER) + "# comment\n" * 1_000_000, "larger than"),
    "numbers.toml": (lambda: toml(LAYER + "bias = [" + "1.5, " * 1_500_000 + "]"), "shape"),
    "numbers.json": (lambda: json.dumps(NETWORK | {"layers": [CONV | {"bias": [1.5] * 2_000_000}]}), "shape"),
    "lists.json": (lambda: '{"name": [' + "[]," * 5_000_000 + "[]]}", "name"),
    "deep.json": (lambda: "[" * 1_000_000 + "]" * 1_000_000, "deeply"),
    "deep_objects.json": (lambda: '{"a":' * 500_000 + "1" + "}" * 500_000, "deeply"),
    "deep_weight.json": (lambda: json.dumps(NETWORK)[:-2] + ', "x": ' + "[" * 800 + "]" * 800 + "}]}", "x"),
    "deep.toml": (lambda: toml(LAYER + "bias = " + "[" * 100_000 + "]" * 100_000), "deeply"),
    "tables.toml": (lambda: toml(LAYER + "{".join(["activation = "] + ["a = "] * 100_000)), "deeply"),
    "dots.toml": (lambda: toml(LAYER + ".".join(["a"] * 200_000) + " = 1"), "dots"),
    "headers.toml": (lambda: toml(f"[{'.'.join(['a'] * 200_000)}]"), "dots"),
    "control.toml": (lambda: toml(LAYER).replace('"n"', '"a\\u0007b"'), "control character"),
    "long_name.toml": (lambda: toml(LAYER).replace('"n"', f'"{"n" * 3_000_000}"'), "name"),
    "keys.toml": (lambda: toml(LAYER + "\n".join(f"k{n} = 1" for n in range(200_000))), "unknown setting"),
    "layers.json": (lambda: json.dumps(NETWORK | {"layers": [{"type": "relu"}] * 300_000}), "layers"),
    "slash.toml": (lambda: toml(LAYER + 'name = "../../x"'), "letters"),
    "formula.toml": (lambda: toml(LAYER + 'name = "=1+1"'), "letters"),
    "elsewhere.toml": (lambda: toml(LAYER, 'weights = "../../../etc/passwd"'), "leaves the network file's folder"),
    "device.toml": (lambda: toml(LAYER, 'weights = "/dev/zero"'), "leaves the network file's folder"),
    "channels.toml": (lambda: toml(LAYER.replace("= 2", "= 16384\npadding = 1") * 900), "cells"),
    "beyond.toml": (lambda: toml(LAYER.replace("= 2", "= 999999999999999999999")), "out_channels"),
    "pads.toml": (lambda: toml('[[layers]]\ntype = "pad"\npadding = 16384\n' * 5), "cells"),
    "growth.toml": (lambda: toml('[[layers]]\ntype = "upsample"\nscale_factor = 16384\n' * 900), "output would be"),
    "doubling.json": (lambda: json.dumps(NETWORK | {"layers": [{"type": "identity", "name": "a0"}] + [{"type": "concat", "name": f"a{n}", "input": [f"a{n - 1}"] * 100} for n in range(1, 900)]}), "output would be"),
    "wide.toml": (lambda: toml('[[layers]]\ntype = "flatten"\n[[layers]]\ntype = "linear"\nout_features = 16384\n' + '[[layers]]\ntype = "linear"\nout_features = 16384\n' * 2), "cells"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_network_files(name: str, tmp_path: Path) -> None:
    make, words = FILES[name]
    (tmp_path / name).write_text(make(), encoding="utf-8")
    found = run("build", name, "cross", folder=tmp_path)
    assert name in found
    assert words in found, found
    assert [path.name for path in tmp_path.iterdir()] == [name]


WEIGHTS: dict[str, Callable[[], bytes]] = {
    "pickles": lambda: archive(np.array([print] * 2)),
    "text": lambda: archive(np.array(["a", "b"])),
    "claims": lambda: zipped(np.lib.format.magic(1, 0) + b"v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1, 3, 3), }".ljust(118)),
    "long header": lambda: zipped(b"\x93NUMPY\x02\x00" + struct.pack("<I", 900_000_000) + b" " * 900_000),
    "a bomb": lambda: zipped(np.lib.format.magic(1, 0) + b"v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (9, 9999999), }".ljust(118) + bytes(200_000_000)),
    "no header": lambda: zipped(b""),
    "no zip": lambda: b"PK\x03\x04" + bytes(1000),
}  # fmt: skip


def archive(weight: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **{"conv.weight": weight})
    return stream.getvalue()


def zipped(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("conv.weight.npy", data)
    return stream.getvalue()


@pytest.mark.parametrize("what", WEIGHTS)
def test_weights(what: str, tmp_path: Path) -> None:
    (tmp_path / "net.json").write_text(json.dumps(NETWORK | {"weights": "w.npz"}))
    (tmp_path / "w.npz").write_bytes(WEIGHTS[what]())
    np.save(tmp_path / "x.npy", np.zeros((5, 5)))
    assert "w.npz" in run("build", "net.json", "x.npy", folder=tmp_path)
    assert not (tmp_path / "net.xlsx").exists()
