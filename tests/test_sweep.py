"""Every command × inputs of every kind that do harm or are merely unusual, under limits: a line, findings, or the result.

`SWEEP=all` tries everything, and damages files at random for `SECONDS`; `make fuzz` does that. Else a part of it is tried.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import time
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from limited import COMPUTING, Commands, Ended, state
from PIL import Image
from sweep import KINDS, NETWORK, NO_FILES, PLACES, WAYS, WRONG, damaged, encoded, furnish, places, put, replaced, with_parts

from sheetcnn.errors import ExerciseError
from sheetcnn.handout.grader import read_key

pytest.importorskip("resource", reason="this system has no limits that a process can set")
if not os.path.isdir("/proc/self/task"):
    pytest.skip("whether processes are left is only known on Linux", allow_module_level=True)

ALL = os.environ.get("SWEEP") == "all"
SEED = int(os.environ.get("SEED", 0))
SECONDS = int(os.environ.get("SECONDS", 300))
MEMORY = 700_000_000  # bytes that a command may have at most, of those that it is given


def some(cases: Iterable[Any], every: int) -> list[Any]:
    """All cases, or one of so many."""
    return list(cases) if ALL else list(cases)[SEED % every :: every]


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with Commands() as running:
        yield running


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweep")
    furnish(folder)
    return folder


class Trial:
    """Tries a command, and sees to it that nothing is changed but what it says that it writes."""

    def __init__(self, commands: Commands, folder: Path, worst: list[tuple[float, int, str]]) -> None:
        self.commands, self.folder, self.worst = commands, folder, worst

    def way(self, way: str, data: bytes | None = None, cause: str = "", name: str = "") -> Ended:
        """A way in with this data, or what is no file."""
        valid = WAYS[way].valid
        place = PLACES.get(way, "{}").replace("{}", name or f"hostile.{valid.rpartition('.')[2]}")
        path = self.folder / place
        kept = path.read_bytes() if path.is_file() else None
        path.unlink(missing_ok=True)
        if data is not None:
            path.write_bytes(data)
        else:
            put(cause, path)
        try:
            given = f"./{path.name}" if path.name.startswith("-") else path.name
            return self.run(
                [word.replace("{}", given) for word in WAYS[way].command], WAYS[way].outputs, f"{way}, {cause or name}"
            )
        finally:
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)
            if kept is not None:
                path.write_bytes(kept)

    def run(self, arguments: list[str], outputs: tuple[str, ...] = (), what: str = "", **options: Any) -> Ended:
        before = state(self.folder)
        ended = self.commands.run(arguments, self.folder, **options)
        wrong = ended.complaints()
        for output in outputs:
            path = self.folder / output
            if path.exists() and output not in before:
                if ended.code == 2:
                    wrong.append(f"{output} was written")
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        after = state(self.folder)
        wrong += [f"{name} has changed" for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
        if ended.seconds >= COMPUTING:
            wrong.append(f"took {ended.seconds:.1f} s")
        if ended.memory > MEMORY:
            wrong.append(f"took {ended.memory:,} bytes")
        assert not wrong, (what, arguments, wrong, ended.said[-1000:], ended.out[-500:])
        self.worst.append((ended.seconds, ended.memory, what or " ".join(arguments)[:80]))
        return ended


@pytest.fixture(scope="module")
def trial(commands: Commands, furnished: Path) -> Iterator[Trial]:
    worst: list[tuple[float, int, str]] = []
    yield Trial(commands, furnished, worst)
    slowest, largest = (sorted(worst, key=lambda one: -one[n])[:5] for n in (0, 1))
    lines = [f"{seconds:.1f} s, {memory // 10**6} MB: {what}" for seconds, memory, what in [*slowest, *largest]]
    if ALL:
        print(f"\n{len(worst)} commands; most of time, then of memory:", *lines, sep="\n")


# -- the helpers themselves ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_what_is_valid_is_taken(way: str, trial: Trial) -> None:
    ended = trial.way(way, (trial.folder / WAYS[way].valid).read_bytes())
    assert ended.code == 0, ended


def test_what_is_wrong_is_seen(tmp_path: Path) -> None:
    fine = Ended([], 0, b"all is well\n", b"", 0.1, 1000)
    assert fine.complaints() == []
    assert Ended([], 2, b"", b"sheetcnn: no\n", 0.1, 1000).complaints() == []
    for code, out, err, words in (
        (-24, b"", b"", "exit code -24"),
        (2, b"", b"", "0 lines"),
        (2, b"", b"sheetcnn: a\nb\n", "2 lines"),
        (0, b"", b"TIFF: a\n", "1 lines"),
        (0, b"\x1b[1m", b"", r"'\\x1b'"),
        (0, "\x9b".encode(), b"", r"'\\x9b'"),
        (0, b"\xff", b"", "UTF-8"),
        (2, b"", b"sheetcnn: a mistake of sheetcnn itself\n", "mistake"),
        (2, b"", b"sheetcnn: " + b"a" * 2000 + b"\n", "letters"),
    ):
        assert any(re.search(words, one) for one in Ended([], code, out, err, 0.1, 1000).complaints()), (code, out, err)
    before = state(tmp_path)
    (tmp_path / "a").write_text("a")
    assert state(tmp_path) != before


# -- things that are no files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", NO_FILES)
def test_what_is_no_file(cause: str, trial: Trial) -> None:
    for number, way in enumerate(WAYS):
        if not ALL and (number + NO_FILES.index(cause)) % 4:
            continue
        ended = trial.way(way, cause=cause)
        assert (
            ended.code == 2
            or way == "grade"
            or (way, cause) == ("grade zip", "folder")
            or (cause == "empty" and way in ("roster csv", "build labels"))
        ), (
            way,
            ended,
        )


def test_links_in_circles(trial: Trial) -> None:
    for way in ("grade zip", "key", "outside", "build npz"):
        assert trial.way(way, cause="loop").code == 2, way
    (trial.folder / "out.csv").symlink_to("out.csv")
    try:
        for words in (["grade", "class", "--key", "key.xlsx", "-o", "out.csv"], ["grade", "out.csv", "--key", "key.xlsx"]):
            assert trial.run(words).code == 2, words
    finally:
        (trial.folder / "out.csv").unlink()


JUNK = {
    "zeros": bytes(10_000), "bytes": bytes(range(256)) * 40, "text": b"hello\n", "lines": b"\n" * 100_000, "quotes": b'"' * 100_000,
    "commas": b"," * 100_000, "brackets": b"[" * 100_000, "bom": b"\xef\xbb\xbf", "utf-16": "name = 'a'".encode("utf-16"), "zip": b"PK\x05\x06" + bytes(18),
    "xml": b"<?xml version='1.0'?><a/>", "png": b"\x89PNG\r\n\x1a\n", "npy": b"\x93NUMPY\x01\x00\xff\xff{", "protobuf": b"\x08\x08\x3a\xff\xff\xff\xff\x0f",
    "ole": bytes.fromhex("D0CF11E0A1B11AE1") + bytes(5000), "pickle": b"\x80\x04\x95\x00", "escape": b"\x1b]0;a\x07\xc2\x9b31m", "long": b"a" * 1_000_000,
}  # fmt: skip


@pytest.mark.parametrize("what", JUNK)
def test_junk_under_every_name(what: str, trial: Trial) -> None:
    for number, way in enumerate(WAYS):
        if ALL or not (number + list(JUNK).index(what)) % 6:
            trial.way(way, JUNK[what], name="")


# -- damage ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_cut_off(way: str, trial: Trial) -> None:
    data = (trial.folder / WAYS[way].valid).read_bytes()
    for part in (0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99) if ALL else (0.6,):
        trial.way(way, data[: int(part * len(data))])


def test_damage_at_random(trial: Trial) -> None:
    """Bits, tokens, tags and pieces of valid files, in the parts of archives too."""
    rng = np.random.default_rng(SEED)
    end = time.monotonic() + SECONDS
    for number in range(10**9 if ALL else 40):
        way = list(WAYS)[number % len(WAYS)]
        trial.way(way, damaged((trial.folder / WAYS[way].valid).read_bytes(), rng))
        if time.monotonic() > end:
            break


# -- workbooks -------------------------------------------------------------------------------------------------------------

BOOKS = [way for way, one in WAYS.items() if one.valid.endswith(".xlsx")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-7", "windows-1252", "foo", "rot13", "utf-32", "ebcdic-cp-us", "big5"])
def test_encodings(encoding: str, trial: Trial) -> None:
    for way in BOOKS if ALL else BOOKS[:1]:
        data = (trial.folder / WAYS[way].valid).read_bytes()
        ended = trial.way(way, with_parts(data, lambda name, part: encoded(part, encoding) if ".xml" in name else part))
        assert encoding == "utf-16" or way == "grade" or re.search("encoding|not well-formed", ended.said), ended


def test_bombs(trial: Trial) -> None:
    for way in (*BOOKS, "grade zip", "build npz") if ALL else ("check", "grade zip"):
        stream = io.BytesIO()
        valid = (trial.folder / WAYS[way].valid).read_bytes()
        with (
            zipfile.ZipFile(io.BytesIO(valid)) as old,
            zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
        ):
            for name in old.namelist():
                data = old.read(name)
                new.writestr(name, data.replace(b"</sheetData>", b" " * 50_000_000 + b"</sheetData>") + bytes(0))
            new.writestr("more.xlsx", bytes(200_000_000))
        trial.way(way, stream.getvalue())


DEEP = b"<a>" * 200_000


@pytest.mark.parametrize(
    "filling", [DEEP, b"<c/>" * 100_000, b"<!-- -->" * 200_000, b"<a " + b"a='' " * 1 + b"b='" + b"x" * 5_000_000 + b"'/>"]
)
def test_xml(filling: bytes, trial: Trial) -> None:
    for way in BOOKS if ALL else ("check",):
        data = (trial.folder / WAYS[way].valid).read_bytes()
        trial.way(way, with_parts(data, lambda name, part: part.replace(b"<sheetData>", b"<sheetData>" + filling)))


# -- arrays and pictures -----------------------------------------------------------------------------------------------------


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def header(text: str, version: bytes = b"\x01\x00") -> bytes:
    return (
        b"\x93NUMPY"
        + version
        + len(text).to_bytes(2 if version[0] == 1 else 4, "little")
        + text.encode("latin1")
        + bytes(200)
    )


SAYS = "{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}"
ARRAYS = {
    "complex": npy(np.ones((5, 5), complex)), "objects": npy(np.array([print] * 25).reshape(5, 5), allow_pickle=True), "texts": npy(np.full((5, 5), "a")),
    "dates": npy(np.zeros((5, 5), "M8[D]")), "structured": npy(np.zeros((5, 5), [("a", "f8"), ("b", "O" if False else "i4")])), "void": npy(np.zeros((5, 5), "V8")),
    "NaN": npy(np.full((5, 5), np.nan)), "infinite": npy(np.full((5, 5), np.inf)), "large": npy(np.full((5, 5), 1e308)), "long": npy(np.ones((5, 5), np.longdouble)),
    "half": npy(np.ones((5, 5), np.float16)), "bool": npy(np.ones((5, 5), bool)), "Fortran": npy(np.asfortranarray(np.ones((5, 5)))), "big endian": npy(np.ones((5, 5), ">f8")),
    "unsigned": npy(np.full((5, 5), 2**64 - 1, np.uint64)), "scalar": npy(np.float64(1)), "empty": npy(np.zeros((0, 5))), "many axes": npy(np.ones((1,) * 32)),
    "claim": header(SAYS.format("<f8", False, (10**9, 10**9))), "negative": header(SAYS.format("<f8", False, (-5, -5))), "huge integer": header(SAYS.format("<f8", False, f"({'9' * 3000}, 5)")),
    "no shape": header("{'descr': '<f8', 'fortran_order': False}"), "code": header("__import__('os').system('touch hacked')"), "deep": header("(" * 3000), "long header": header(" " * 5_000_000, b"\x02\x00"),
    "version 3": header(SAYS.format("<f8", False, (5, 5)), b"\x03\x00"), "strange type": header(SAYS.format("<f8,<f8", False, (5, 5))), "no such type": header(SAYS.format("zz", False, (5, 5))),
    "aligned": header("{'descr': [('a', '<f8', (99999999,))], 'fortran_order': False, 'shape': (5, 5)}"), "nested type": header("{'descr': " + "[('a', " * 50 + "'<f8'" + ")]" * 50 + ", 'fortran_order': False, 'shape': (5, 5)}"),
}  # fmt: skip


def test_arrays(trial: Trial) -> None:
    for name, data in some(ARRAYS.items(), 3):
        ended = trial.way("build npy", data)
        fine = name in ("half", "bool", "Fortran", "big endian", "unsigned", "long", "large")
        assert ended.code == 0 if fine and name not in ("large", "long") else ended.code in (0, 2), (name, ended)
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("conv.weight.npy", data)
        assert trial.way("build npz", stream.getvalue()).code == 2, name  # of another shape, all of them


CSV = {
    "long line": b"1," * 400_000, "quotes": b'"1","2\n' * 5, "nul": b"1,\0,2\n" * 5, "semicolons": b"1;2;3;4;5\n" * 5, "ragged": b"1,2\n3\n", "words": b"a,b\n" * 5,
    "NaN": b"nan,nan,nan,nan,nan\n" * 5, "infinite": b"1e999,1,1,1,1\n" * 5, "comments": b"# 1,2,3,4,5\n" * 5, "complex": b"1j,1,1,1,1\n" * 5, "hex": b"0x1,1,1,1,1\n" * 5,
    "underscores": b"1_0,1,1,1,1\n" * 5, "latin-1": b"\xe9,1,1,1,1\n" * 5, "utf-16": "1,1,1,1,1\n".encode("utf-16") * 5, "digits": b"9" * 1000 + b",1,1,1,1\n" * 5, "Arabic digits": "١,1,1,1,1\n".encode() * 5,
    "Mac": b"1,2,3,4,5\r" * 5, "escape": b"\x1b[31m,1,1,1,1\n" * 5,
}  # fmt: skip


def test_tables_of_numbers(trial: Trial) -> None:
    for name, data in some(CSV.items(), 2):
        ended = trial.way("build csv", data)
        assert ended.code == (0 if name in ("Mac", "underscores", "Arabic digits", "digits") else 2) or name in (
            "underscores",
            "Arabic digits",
            "digits",
        ), (name, ended)


def picture(kind: str, image: Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def pictures() -> Iterator[tuple[str, str, bytes]]:
    colours = Image.fromarray(np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8))
    turned = Image.Exif()
    turned[0x112] = 6
    yield from (("png", mode, picture("PNG", colours.convert("L").convert(mode))) for mode in ("1", "P", "LA", "RGBA"))
    yield "png", "16 bits", picture("PNG", Image.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30)))
    yield "png", "long", picture("PNG", Image.new("L", (60_000, 1)))
    yield "png", "large", picture("PNG", Image.new("1", (20_000, 20_000)))
    yield "jpg", "CMYK", picture("JPEG", colours.convert("CMYK"))
    yield "jpg", "progressive", picture("JPEG", colours, progressive=True)
    yield "jpg", "turned", picture("JPEG", colours, exif=turned)
    yield "jpg", "profile", picture("JPEG", colours, icc_profile=b"x" * 70_000)
    yield from (
        ("tiff", name, picture("TIFF", colours, compression=name))
        for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    )
    yield "tiff", "group4", picture("TIFF", colours.convert("1"), compression="group4")
    yield from (("tiff", mode, picture("TIFF", colours.convert(mode))) for mode in ("CMYK", "LAB", "F", "YCbCr"))
    more = [colours.rotate(90 * n) for n in range(4)] * 20
    yield from (
        (kind, "moving", picture(KINDS[kind], colours, save_all=True, append_images=more))
        for kind in ("gif", "webp", "png", "tiff")
    )
    yield from (
        (kind, f"as {other}", picture(name, colours)) for kind in KINDS for other, name in KINDS.items() if kind != other
    )


def test_pictures(trial: Trial) -> None:
    """Whole ones of every kind, cut off ones, and ones with bits turned over; libraries say nothing by themselves."""
    rng = np.random.default_rng(SEED)
    for number, (kind, what, data) in enumerate(some(pictures(), 4)):
        assert trial.way(f"build {kind}", data).code == (2 if what == "large" else 0), (kind, what)
        if ALL or number % 2 == 0:
            assert trial.way(f"build {kind}", data[: len(data) // 2]).code in (0, 2)
            trial.way(f"build {kind}", damaged(data, rng))


# -- text --------------------------------------------------------------------------------------------------------------------

TOML = {
    "integers": "out_channels = 0x" + "f" * 5000, "size": "out_channels = 99999999999999999999", "NaN": "bias = [nan]", "infinite": "bias = [inf]",
    "deep": "bias = " + "[" * 100_000, "tables": "activation = " + "{a = " * 10_000, "dots": ".".join("a" * 10_000) + " = 1", "dates": "bias = 1979-05-27", "twice": "out_channels = 1",
    "name": "name = '\\u001b[31m'", "newline": 'name = "a\\nb"', "long": f'name = "{"n" * 1_000_000}"', "unknown": "\U0001f600 = 1", "kernel": "kernel_size = 16384", "stride": "stride = 0", "padding": "padding = -1",
    "weight": "weight = [[[[1]]]]", "ragged": "weight = [[1], 2]", "shape": f"weight = {json.dumps(np.ones((1, 1, 3, 4)).tolist())}", "seed": "seed = -1", "input": "input = 'nobody'", "cycle": "input = 'conv'", "share": "share = 'conv'",
}  # fmt: skip


def test_descriptions(trial: Trial) -> None:
    head = 'name = "n"\n[input]\nchannels = 1\nheight = 5\nwidth = 5\n'
    for name, line in some(TOML.items(), 2):
        ended = trial.way(
            "summary toml", f'{head}[[layers]]\ntype = "conv2d"\nout_channels = 1\nkernel_size = 3\n{line}\n'.encode()
        )
        assert ended.code == (0 if name in ("weight", "ragged", "shape", "NaN", "infinite") else 2), (name, ended)
    for extra in (
        '[[layers]]\ntype = "relu"\nname = "A"\n' * 1 + '[[layers]]\ntype = "relu"\nname = "a"\n',
        "[[layers]]\n",
        "[[layers]]\ntype = 1\n",
        "",
    ):
        assert trial.way("build toml", (head + extra).encode()).code == 2


def test_every_value_of_a_description(trial: Trial) -> None:
    """In place of each value stands any other: taken, or refused."""
    rng = np.random.default_rng(SEED)
    pairs = [(path, wrong) for path in places(NETWORK) for wrong in (*WRONG, ...) if path or wrong is not ...]
    for n in range(len(pairs)) if ALL else rng.permutation(len(pairs))[:30].tolist():
        trial.way("build json", replaced(json.dumps(NETWORK), *pairs[n]).encode())


ROSTERS = {
    "quotes": b'Name\n"Ann\nBob', "nul": b"Name\nA\0nn\n", "escape": b"Name\n\x1b[31mAnn\n", "formula": b"Name\n=1+1\n@a\n-1\n", "long": b"Name\n" + b"a" * 100_000, "twice": b"Name\nAnn\nAnn\n",
    "utf-16": "Name\nÄnne\n".encode("utf-16"), "cp1252": b"Name\n\xc4nne\n", "slashes": b"Name\n../../Ann\n/etc/passwd\nC:\\a\n", "dots": b"Name\n..\n.\n", "device": b"Name\nCON\nNUL\n", "blank": b"Name\n\n \n\t\n",
    "heading only": b"Name\n", "many columns": b"Name" + b",a" * 5000 + b"\nAnn\n", "right to left": "Name\n\u202eAnn\u202c\n".encode(), "emoji": "Name\n\U0001f600\U0001f600\n".encode(), "many rows": b"Name\n" + b"Ann\n" * 30_000,
    "one long name": b"Name\n" + "ä".encode() * 300 + b"\n", "Mac": b"Name\rAnn\rBob\r", "surrogates": b"Name\n\xed\xa0\x80\n", "tabs": b"Name\tE-mail\nAnn\ta@b\n",
}  # fmt: skip


def test_rosters(trial: Trial) -> None:
    for data in some(ROSTERS.values(), 5):
        trial.way("roster csv", data)
    for value in some(("=1+1", "\u202eAnn", "a" * 32_000, 1e300, True, "_x001B_[31m"), 3):
        book = openpyxl.Workbook()
        book.active.append(["Name"])
        book.active.append([value])
        stream = io.BytesIO()
        book.save(stream)
        trial.way("roster xlsx", stream.getvalue())


LABELS = {"escape": b"a\x1b[1m\nb\nc", "two": b"a\nb", "blank": b"a\n\nc\n", "long": b"a" * 10_000 + b"\nb\nc", "utf-16": "a\nb\nc".encode("utf-16"), "nul": b"a\0\nb\nc", "turned": "\u202ea\nb\nc".encode(),
          "Windows": b"a\r\nb\r\nc\r\n", "formulas": b"=1+1\n@a\n+b", "surrogates": b"\xed\xa0\x80\nb\nc", "many": b"a\n" * 400_000}  # fmt: skip


def test_labels(trial: Trial) -> None:
    for name, data in LABELS.items():
        assert trial.way("build labels", data).code == (0 if name in ("Windows", "formulas", "turned") else 2), name


# -- keys --------------------------------------------------------------------------------------------------------------------


def described(path: Path) -> tuple[dict[str, bytes], str, str]:
    """The parts of a key, the one with its description, and the description."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    book = openpyxl.load_workbook(path)
    sheet = book["_sheetcnn"]
    text = "".join(str(sheet.cell(row, 1).value) for row in range(2, sheet.max_row + 1))
    return parts, f"xl/worksheets/sheet{book.sheetnames.index('_sheetcnn') + 1}.xml", text


def test_every_value_of_a_key(trial: Trial, tmp_path: Path) -> None:
    """From Python too, a damaged key of any kind is a line, and one that is read can be used."""
    parts, part, text = described(trial.folder / "key.xlsx")
    rng = np.random.default_rng(SEED)
    pairs = [(path, wrong) for path in places(json.loads(text)) for wrong in (*WRONG, ...) if path or wrong is not ...]
    refused = 0
    for n in range(len(pairs)) if ALL else rng.permutation(len(pairs))[:150].tolist():
        path, wrong = pairs[n]
        changed = replaced(text, path, wrong).replace("&", "&amp;").replace("<", "&lt;")
        row = '<row r="1"><c r="A1" t="inlineStr"><is><t>sheetcnn</t></is></c></row>'
        row += f'<row r="2"><c r="A2" t="inlineStr"><is><t>{changed}</t></is></c></row>'
        xml = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{row}</sheetData></worksheet>'
        with zipfile.ZipFile(tmp_path / "key.xlsx", "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, xml if name == part else data)
        message = ""
        try:
            handout, _ = read_key(tmp_path / "key.xlsx")
        except ExerciseError as error:
            message = str(error)
        refused += bool(message)
        assert message.isprintable(), (path, wrong, message)
        assert len(message) < 1000
        assert not message or "key" in message, message
        if not message:
            for number in (0, 1):
                handout.variant(number).shown()
            assert handout.exercise.points >= 0
    assert refused > 50


@pytest.mark.parametrize("name", ["book.xlsx", "work.xlsx", "roster.xlsx", "net.toml", "p.png", "class", "nothing"])
def test_what_is_no_key(name: str, trial: Trial) -> None:
    ended = trial.run(["grade", "class", "--key", name, "-o", "out.csv"])
    assert re.search(r"is no key; give the key.xlsx that|this is no key: give the key.xlsx", ended.said), ended
    with pytest.raises(ExerciseError):
        read_key(trial.folder / name)


# -- names, options, outputs ---------------------------------------------------------------------------------------------------

NAMES = [
    "a\nb",
    "a\x1b[31mb",
    "\udcff\udcfe",
    "a" * 250,
    "-a",
    "--help",
    "a b",
    "ä",
    "\u202ea",
    "'",
    '"',
    "$(touch hacked)",
    "%s%n",
    "a;b",
    "*",
    "~",
    "\u2028",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_files(name: str, trial: Trial) -> None:
    ways = list(WAYS) if ALL else ["build toml", "check", "build png", "grade", "import onnx"]
    for number, way in enumerate(ways):
        if way in ("build npz", "outside") or (not ALL and (number + NAMES.index(name)) % 5):
            continue
        suffix = f".{WAYS[way].valid.rpartition('.')[2]}"
        trial.way(way, (trial.folder / WAYS[way].valid).read_bytes(), name=f"{name[: 250 - len(suffix)]}{suffix}")


NUMBERS = [
    "",
    "0",
    "-1",
    "nan",
    "inf",
    "1e9",
    "1e999",
    "9" * 5000,
    "1,2,3",
    "0x10",
    "١",
    "1;2",
    "\x1b[31m",
    "a" * 5000,
    "1_0",
    " 1",
    "--",
]


def test_options(trial: Trial) -> None:
    sizes = ["5x5", "0x0", "-1x5", "5×5", "999999999x999999999", "99999x99999", "5x5x5", "x", "5.0x5", "1e9"]
    for option, values in {"--size": [*NUMBERS, *sizes], "--scale": NUMBERS, "--mean": NUMBERS, "--std": NUMBERS}.items():
        for value in some(values, 4):
            trial.run(["summary", "model.onnx", f"{option}={value}"])
    for words in (
        ["--detail", "x"],
        ["--labels", ""],
        ["--nothing"],
        ["-o", ""],
        ["-o", "."],
        ["-o", "/"],
        ["-o", "a\0b"],
        ["-o", "a" * 300 + ".xlsx"],
        ["-o", "out.xls"],
    ):
        assert trial.run(["build", "net.toml", "x.npy", *words]).code == 2
    for value in some(NUMBERS, 6):
        trial.run(["handout", "whole.toml", "x.npy", "-o", "out", f"--seed={value}"], ("out",))
    for words in (
        ["new", ""],
        ["new", "nobody"],
        ["new", "edges", "net.toml"],
        ["new", "edges", "/dev/null"],
        ["new", "../edges"],
        ["check", "book.xlsx", "--engine", "x"],
        ["x"],
        ["check"],
        ["export", "book.xlsx"],
    ):
        assert trial.run(words).code == 2, words
    assert trial.run(["new", "edges", "out"], ("out",)).code == 0


PLACES_TO_WRITE = [
    "x.npy",
    "net.toml",
    "book.xlsx",
    "key.xlsx",
    "w.npz",
    "class",
    "class/Ann.xlsx",
    ".",
    "/dev/null",
    "/dev/full",
    "nobody/out",
    "/proc/self/mem",
    "/nobody/out",
]


def test_outputs(trial: Trial) -> None:
    """Onto inputs, devices, folders: refused before any work, and nothing is changed."""
    never = {"/dev/null", "/dev/full", "/proc/self/mem"}
    files = never | {"class", ".", "nobody/out", "/nobody/out"}
    refused = {
        "build": files | {"x.npy", "net.toml", "w.npz"}, "export": files | {"book.xlsx"}, "import": never | {"net.toml"}, "handout": never | {"net.toml"},
        "grade": never | {"key.xlsx", "class/Ann.xlsx", "class"},
    }  # fmt: skip
    assert set().union(*refused.values()) <= set(PLACES_TO_WRITE)
    for place in PLACES_TO_WRITE:
        for words in (
            ["build", "net.toml", "x.npy", "-o"],
            ["export", "book.xlsx", "-o"],
            ["export", "book.xlsx", "--picture"],
            ["import", "model.onnx", "-o"],
            ["handout", "whole.toml", "x.npy", "-o"],
            ["grade", "class", "--key", "key.xlsx", "-o"],
        ):
            if place not in refused[words[0]]:
                continue
            assert trial.run([*words, place]).code == 2, (words, place)


def test_nobody_listens(trial: Trial) -> None:
    for closed in (("out",), ("err",), ("out", "err")):
        for way in WAYS if ALL else ("build toml", "check json", "import onnx"):
            words = [word.replace("{}", WAYS[way].valid) for word in WAYS[way].command]
            before = state(trial.folder)
            ended = trial.commands.run(words, trial.folder, closed=closed)
            assert ended.code in ((0, 1, 2) if "out" not in closed else (2,)), (way, closed, ended)
            assert not ended.left
            assert b"Traceback" not in ended.err
            assert "err" in closed or ended.err.count(b"\n") <= 1
            for name in WAYS[way].outputs:
                path = trial.folder / name
                if path.exists():
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            assert state(trial.folder) == before


# -- what students hand in ---------------------------------------------------------------------------------------------------


def test_parts_twice_in_what_was_handed_in(trial: Trial) -> None:
    """Two files of one name in an archive are two files; a workbook with a part twice is refused."""
    work = (trial.folder / "work.xlsx").read_bytes()
    stream, twice = io.BytesIO(), io.BytesIO(work)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(twice, "a") as archive:
            archive.writestr("xl/workbook.xml", archive.read("xl/workbook.xml"))
        with zipfile.ZipFile(stream, "w") as archive:
            for data in (work, b"no workbook", twice.getvalue()):
                archive.writestr("Ann Lee.xlsx", data)
    ended = trial.way("grade zip", stream.getvalue())
    text = ended.out.decode()
    assert ended.code == 0
    assert "Ann Lee.xlsx [2]" in text
    assert "has the part 'xl/workbook.xml' 2 times" in text
