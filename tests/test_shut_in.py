"""LibreOffice, and the processes that grade, are shut in: they reach nothing outside, and leave nothing behind."""

from __future__ import annotations

import hashlib
import io
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from xml.sax.saxutils import quoteattr

import numpy as np
import openpyxl
import pytest
from PIL import Image
from processes import commands, gone, processes, soon

import sheetcnn
from sheetcnn import deadline
from sheetcnn.errors import EngineError
from sheetcnn.handout.workers import on_all_cores
from sheetcnn.office import libreoffice
from sheetcnn.office.libreoffice import converted, recalculated
from sheetcnn.office.unlinked import unlink_others, unlinked, unrelated

NAMESPACES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "svg": "urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0",
    "of": "urn:oasis:names:tc:opendocument:xmlns:of:1.2",
    "xlink": "http://www.w3.org/1999/xlink",
}
SECRET = "PLANTED"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and programs that are scripts")
PROC = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc")


# -- files that reach outside ----------------------------------------------------------------------------------------------
def document(formulas: list[str], shapes: str = "", source: str = "", inner: str = "", text: str = "") -> str:
    """A spreadsheet in one XML file, as .fods has it."""
    names = " ".join(f'xmlns:{key}="{value}"' for key, value in NAMESPACES.items())
    cells = [f'table:formula={quoteattr("of:=" + one)} office:value-type="float" office:value="7"' for one in formulas]
    rows = "".join(
        f"<table:table-row><table:table-cell {cell}>{inner}</table:table-cell></table:table-row>"
        for cell in (*cells, *(['office:value-type="string"'] if text else []))
    )
    rows = rows.replace(
        "></table:table-cell></table:table-row>", f"><text:p>{text}</text:p></table:table-cell></table:table-row>"
    )
    return (
        f'<?xml version="1.0"?><office:document {names} office:version="1.2" '
        'office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:body><office:spreadsheet>'
        f'<table:table table:name="A">{source}<table:shapes>{shapes}</table:shapes>{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document>"
    )


def framed(kind: str, address: str) -> str:
    """What a document shows of another file."""
    link = f'xlink:href="{address}" xlink:type="simple" xlink:show="embed" xlink:actuate="onLoad"'
    return f'<draw:frame svg:width="1cm" svg:height="1cm"><draw:{kind} {link}/></draw:frame>'


def reaching(book: str, picture: str, table: str) -> dict[str, str]:
    """Documents that read other files, each in another way; the addresses are anybody's."""
    inner = (
        f'<table:cell-range-source table:name="A1:A1" table:last-column-spanned="1" table:last-row-spanned="1" '
        f'xlink:href="{table}" xlink:type="simple" table:filter-name="Text - txt - csv (StarCalc)" '
        'table:filter-options="44,34,76,1"/>'
    )
    return {
        "picture": document(["1+1"], framed("image", picture)),
        "object": document(["1+1"], framed("object", book)),
        "frame": document(["1+1"], framed("floating-frame", book)),
        "reference": document([f"['{book}'#$A.A1]", f"['{book}'#$A.A1]&\"\""]),
        "indirect": document([f"INDIRECT(\"'{book}'#$A.A1\")", f"INDIRECT(\"'{book}'#A!A1\";1)"]),
        "webservice": document([f'WEBSERVICE("{table}")']),
        "dde": document([f'DDE("soffice";"{book}";"A.A1")']),
        "sheet": document(["1+1"], source=f'<table:table-source xlink:href="{book}" table:table-name="A"/>'),
        "area": document(["1+1"], inner=inner),
    }


def as_ods(text: str, path: Path) -> Path:
    """The same document, zipped."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        text = text.replace("office:document ", "office:document-content ").replace(
            "office:document>", "office:document-content>"
        )
        archive.writestr("content.xml", text)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            '<manifest:file-entry manifest:full-path="/" '
            'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
            '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>',
        )
    return path


def as_xlsx(book: str, picture: str, table: str, path: Path) -> Path:
    """A workbook of Excel's that links to a picture and another workbook."""
    opened = openpyxl.Workbook()
    opened.active["A1"] = "=[1]A!A1"
    opened.active["A2"] = f'=_xlfn.WEBSERVICE("{table}")'
    shown = io.BytesIO()
    Image.new("RGB", (2, 2)).save(shown, "png")
    opened.active.add_image(openpyxl.drawing.image.Image(shown))
    opened.save(path.with_suffix(".tmp"))
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    with zipfile.ZipFile(path.with_suffix(".tmp")) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name).decode("latin-1")
            if name == "xl/drawings/drawing1.xml":
                data = data.replace("r:embed=", "r:link=")
                assert "r:link=" in data
            if name == "xl/drawings/_rels/drawing1.xml.rels":
                data = data.replace("/>", ' TargetMode="External"/>', 1).replace("/xl/media/image1.png", picture)
                assert picture in data
            if name == "xl/workbook.xml":
                data = data.replace(
                    "</sheets>",
                    f'</sheets><externalReferences><externalReference xmlns:r="{office}" r:id="rId99"/></externalReferences>',
                )
            if name == "xl/_rels/workbook.xml.rels":
                link = f'<Relationship Id="rId99" Type="{office}/externalLink" Target="externalLinks/externalLink1.xml"/>'
                data = data.replace("</Relationships>", f"{link}</Relationships>")
            if name == "[Content_Types].xml":
                kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.externalLink+xml"
                part = f'<Override PartName="/xl/externalLinks/externalLink1.xml" ContentType="{kind}"/>'
                data = data.replace("</Types>", f"{part}</Types>")
            new.writestr(name, data.encode("latin-1"))
        new.writestr(
            "xl/externalLinks/externalLink1.xml",
            '<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            f'<externalBook xmlns:r="{office}" r:id="rId1"><sheetNames><sheetName val="A"/></sheetNames></externalBook></externalLink>',
        )
        new.writestr(
            "xl/externalLinks/_rels/externalLink1.xml.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="rId1" Type="{office}/externalLinkPath" Target="{book}" '
            'TargetMode="External"/></Relationships>',
        )
    return path


def write_all(folder: Path, name: str, book: str, picture: str, table: str) -> list[Path]:
    """Files of every kind that reach these addresses in every way."""
    books = []
    for way, text in reaching(book, picture, table).items():
        books.append(folder / f"{name} {way}.fods")
        books[-1].write_text(text, encoding="utf-8")
        books.append(as_ods(text, folder / f"{name} {way}.ods"))
    return [*books, as_xlsx(book, picture, table, folder / f"{name}.xlsx")]


def contents(books: list[Path]) -> dict[str, bytes]:
    """What LibreOffice makes of books: all parts of all results."""
    with converted(books, 120) as results:
        found = {}
        for path, result in zip(books, results, strict=True):
            with zipfile.ZipFile(result) as archive:
                found |= {f"{path.name}/{name}": archive.read(name) for name in archive.namelist()}
    return found


@pytest.fixture
def server() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a server, and what it is asked for."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    caller, _ = listener.accept()
                    with caller, suppress(OSError):
                        caller.settimeout(2)
                        asked.append(b"somebody")
                        asked[-1] = caller.recv(1000).split(b"\r\n")[0]
                        caller.sendall(b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", asked
        listener.shutdown(socket.SHUT_RDWR)


def calling(folder: Path, address: str) -> list[Path]:
    """Files that call a server."""
    at = f"http://{address}"
    books = write_all(folder, "http", f"{at}/book.ods", f"{at}/picture.png", f"{at}/table.csv")
    for scheme in ("ftp", "vnd.sun.star.webdav", "https"):
        books.append(folder / f"{scheme}.fods")
        books[-1].write_text(document(["1+1"], framed("image", f"{scheme}://{address}/picture.png")), encoding="utf-8")
    return books


def planted(folder: Path) -> tuple[str, str, str]:
    """The addresses of a workbook, a picture and a table that nobody is to read."""
    (folder / "planted.fods").write_text(document([], text=SECRET), encoding="utf-8")
    Image.new("RGB", (3, 3), (1, 2, 3)).save(folder / "planted.png")
    (folder / "planted.csv").write_text(f"{SECRET}\n", encoding="utf-8")
    book, picture, table = ((folder / f"planted.{suffix}").as_uri() for suffix in ("fods", "png", "csv"))
    return book, picture, table


def leaks(found: dict[str, bytes]) -> list[str]:
    """The parts that hold what was planted."""
    return [name for name, data in found.items() if SECRET.encode() in data or "/media/" in name]


@pytest.mark.libreoffice
@pytest.mark.parametrize("closed", ["network", "settings", "links"])
def test_no_server_is_called(
    closed: str, tmp_path: Path, server: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of what stands in the way suffices: not every system can cut LibreOffice off, and not every file can be changed."""
    if closed == "network":
        code = "import sys; from sheetcnn.office.guard import leave_the_network; sys.exit(not leave_the_network())"
        if sys.platform != "linux" or subprocess.run([sys.executable, "-c", code], check=False).returncode:
            pytest.skip("this system cuts nobody off from the network")
    monkeypatch.setattr(libreoffice, "APART", closed == "network")
    if closed != "settings":
        monkeypatch.setattr(libreoffice, "_SETTINGS", libreoffice._SETTINGS[:2])
    if closed != "links":
        monkeypatch.setattr(libreoffice, "unlink_others", lambda path: None)
    monkeypatch.setenv("http_proxy", f"http://{server[0]}")
    monkeypatch.setenv("ALL_PROXY", f"http://{server[0]}")
    books = calling(tmp_path, server[0])
    found = contents(books)
    assert {f"{path.name}/xl/workbook.xml" for path in books} <= {*found}
    assert server[1] == []


@pytest.mark.libreoffice
@pytest.mark.parametrize("closed", ["settings", "links"])
def test_no_other_file_is_read(closed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings alone would close all but one way; files of which no links can be taken have no other."""
    if closed == "settings":
        monkeypatch.setattr(libreoffice, "unlink_others", lambda path: None)
    else:
        monkeypatch.setattr(libreoffice, "_SETTINGS", libreoffice._SETTINGS[:2])
    books = write_all(tmp_path, "file", *planted(tmp_path))
    found = contents(books)
    assert {f"{path.name}/xl/workbook.xml" for path in books} <= {*found}
    assert {*leaks(found)} <= ({"file picture.ods/xl/media/image1.png"} if closed == "settings" else set())


@pytest.mark.libreoffice
def test_the_traps_snap(tmp_path: Path, server: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    """With settings as before, servers are called and other files read."""
    monkeypatch.setattr(libreoffice, "APART", False)
    monkeypatch.setattr(libreoffice, "_SETTINGS", libreoffice._SETTINGS[:2])
    monkeypatch.setattr(libreoffice, "unlink_others", lambda path: None)
    contents(calling(tmp_path, server[0]))
    assert {b"GET /picture.png HTTP/1.1", b"GET /book.ods HTTP/1.1", b"OPTIONS /picture.png HTTP/1.1"} <= {*server[1]}
    assert "file picture.fods/xl/media/image1.png" in leaks(contents(write_all(tmp_path, "file", *planted(tmp_path))))


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[Path]], list[Path]]:
    """A function that has LibreOffice save files as .xls, of which no links can be taken: nothing is changed in these."""

    def saved(books: list[Path]) -> list[Path]:
        folder = tmp_path_factory.mktemp("old")
        libreoffice.write_profile(folder / "profile")
        command = [
            str(libreoffice.find_libreoffice()),
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--headless",
        ]
        command += ["--convert-to", "xls:MS Excel 97", "--outdir", str(folder), *map(str, books)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        results = [folder / f"{book.stem}.xls" for book in books]
        assert all(result.exists() for result in results)
        return results

    return saved


def reaching_old(folder: Path, address: str) -> list[Path]:
    """Documents whose links .xls can hold: to a server and to another file."""
    book, _, _ = planted(folder)
    texts = {
        "http": document([f"['http://{address}/book.xls'#$A.A1]", f"['http://{address}/book.ods'#$A.B2]*2"]),
        "file": document([f"['{book}'#$A.A1]", f"['{book}'#$A.A1]&\"\""]),
    }
    for name, text in texts.items():
        (folder / f"{name}.fods").write_text(text, encoding="utf-8")
    return [folder / f"{name}.fods" for name in texts] + [
        as_xlsx(f"http://{address}/book.xlsx", f"http://{address}/p.png", f"http://{address}/t.csv", folder / "xlsx.xlsx")
    ]


@pytest.mark.libreoffice
@pytest.mark.parametrize("closed", ["network", "settings", "nothing"])
def test_old_workbooks_reach_nothing(
    closed: str, old: Callable[[list[Path]], list[Path]], tmp_path: Path, server: tuple[str, list[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    books = old(reaching_old(tmp_path, server[0]))
    assert not server[1]
    assert b"planted.fods" in books[1].read_bytes()
    assert server[0].split(":")[1].encode() in books[2].read_bytes()
    monkeypatch.setattr(libreoffice, "APART", closed == "network")
    if closed != "settings":
        monkeypatch.setattr(libreoffice, "_SETTINGS", libreoffice._SETTINGS[:2])
    found = contents(books)
    assert {f"{path.name}/xl/workbook.xml" for path in books} <= {*found}
    assert not leaks(found)
    assert (b"GET /p.png HTTP/1.1" in server[1]) == (closed == "nothing")  # the trap snaps
    assert closed == "nothing" or not server[1]


@pytest.mark.parametrize(
    ("address", "stays"),
    [
        ("#A.A1", True),
        ("Pictures/1000.png", True),
        ("./Object 1", True),
        ("file:///etc/passwd", False),
        ("//server/share/a.png", False),
        ("/etc/passwd", False),
        ("../a.png", False),
        ("&#102;ile:///etc/passwd", False),
        ("\\\\server\\a.png", False),
    ],
)
def test_links_that_stay(address: str, stays: bool) -> None:
    for quote in "\"'":
        text = f"<a x:href = {quote}{address}{quote} b='c'/>".encode()
        assert unlinked(text) == (text if stays else b"<a x:href=\"\" b='c'/>")


@pytest.mark.parametrize(
    "data",
    [
        "<a/>".encode("utf-16"),
        "<a/>".encode("utf-16-le"),
        "<a/>".encode("utf-32-be"),
        b'<?xml version="1.0" encoding="UTF-7"?><a/>',
        b'<!DOCTYPE a [<!ENTITY b "c">]><a/>',
        b'<!DOCTYPE a [<!ATTLIST a x:href CDATA "file:///etc/passwd">]><a/>',
    ],
)
def test_where_links_cannot_be_seen(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.fods").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "a.ods", "w") as archive:
        archive.writestr("content.xml", data)
    for path in (tmp_path / "a.fods", tmp_path / "a.ods"):
        with pytest.raises(EngineError, match="no spreadsheet program writes"):
            unlink_others(path)


def test_what_workbooks_show_from_elsewhere(tmp_path: Path) -> None:
    """Pictures and objects do not stay; links to click on, other workbooks' cells, and what lies in the file do."""
    start = '<?xml version="1.0"?><Relationships xmlns="x">'
    for kind, more, stays in (
        ("image", ' TargetMode="External"', False),
        ("image", " TargetMode = 'Ext&#101;rnal'", False),
        ("&#105;mage", ' TargetMode="External"', False),
        ("oleObject", ' TargetMode="External"', False),
        ("hyperlink", ' TargetMode="External"', True),
        ("externalLinkPath", ' TargetMode="External"', True),
        ("image", ' TargetMode="Internal"', True),
        ("image", "", True),
    ):
        text = f'{start}<Relationship Id=">" Type="http://x/{kind}" Target = "file:///a>b.png"{more}/></Relationships>'
        expected = text if stays else text.replace(' = "file:///a>b.png"', '=""')
        assert unrelated(text.encode()).decode() == expected


def test_what_is_no_open_document_stays(book: Path, tmp_path: Path) -> None:
    before = book.read_bytes()
    unlink_others(book)
    assert book.read_bytes() == before
    (tmp_path / "a.ods").write_bytes(b"PK\x03\x04")
    with pytest.raises(EngineError, match="could not open it"):
        unlink_others(tmp_path / "a.ods")


# -- ends --------------------------------------------------------------------------------------------------------------------
# A program that never ends, with a child that neither does and is told the same; it leaves a file where temporary ones go.
HANGING = f"""#!/bin/sh
: >"$TMPDIR/lu1.tmp"
{shlex.quote(sys.executable)} -c "import time; time.sleep(600)" child "$@" &
{shlex.quote(sys.executable)} -c "import time; time.sleep(600)" parent "$@"
"""


@pytest.fixture
def hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A LibreOffice that hangs."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "soffice").write_text(HANGING, encoding="utf-8")
    (tmp_path / "bin" / "soffice").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A small workbook."""
    text = 'name = "small"\n[input]\nchannels = 1\nheight = 3\nwidth = 3\n[[layers]]\ntype = "relu"\n'
    (tmp_path / "net.toml").write_text(text, encoding="utf-8")
    np.save(tmp_path / "net.npy", np.ones((1, 3, 3)))
    return sheetcnn.build(tmp_path / "net.toml", tmp_path / "net.npy", tmp_path / "book.xlsx").path


def started(command: str, book: Path, folder: Path) -> subprocess.Popen[bytes]:
    """A `check` or a `grade` that asks LibreOffice."""
    arguments = ["check", str(book), "--engine", "libreoffice"]
    if command == "grade":
        made = sheetcnn.hand_out("cs231n", "cs231n", folder / "class")
        (folder / "in").mkdir()
        (folder / "in" / "Anna.fods").write_text(document(["1+1"]), encoding="utf-8")
        arguments = ["grade", str(folder / "in"), "--key", str(made.key)]
    return subprocess.Popen(
        [sys.executable, "-m", "sheetcnn", *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


@POSIX
@PROC
@pytest.mark.parametrize("end", ["SIGKILL", "SIGTERM", "SIGINT"])
@pytest.mark.parametrize("command", ["check", "grade"])
def test_nobody_outlives_who_started_them(
    command: str, end: str, book: Path, tmp_path: Path, private: Path, hanging: None
) -> None:
    with started(command, book, tmp_path) as process:
        assert soon(lambda: " child " in commands(private), 60)
        process.send_signal(getattr(signal, end))
        process.wait(30)
    assert soon(lambda: gone(private)), commands(private)
    # What `grade` unpacks stays where it is killed.
    assert soon(lambda: not [*private.rglob("profile")])
    assert command == "grade" or not [*private.iterdir()]


@POSIX
@PROC
def test_time_is_kept_and_the_whole_group_goes(book: Path, private: Path, hanging: None) -> None:
    with pytest.raises(EngineError, match=r"did not finish within 1\.5 seconds"), recalculated(book, 1.5):
        pass
    assert soon(lambda: gone(private)), commands(private)
    assert not [*private.iterdir()]


@POSIX
@PROC
def test_less_time_than_the_file_has(book: Path, tmp_path: Path, private: Path, hanging: None) -> None:
    """So that who grades it says why, and is not stopped."""
    made = sheetcnn.hand_out("cs231n", "cs231n", tmp_path / "class")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Anna.fods").write_text(document(["1+1"]), encoding="utf-8")
    [one] = sheetcnn.grade(tmp_path / "in", made.key, timeout=10)
    assert one.remarks == ["not graded: hand it in as .xlsx; LibreOffice did not finish within 9 seconds"]
    assert soon(lambda: gone(private)), commands(private)
    assert not [*private.iterdir()]


@POSIX
@PROC
def test_a_guard_that_is_killed(book: Path, private: Path, hanging: None) -> None:
    """Is no reason to wait, and none for LibreOffice to live on."""

    def kill() -> None:
        assert soon(lambda: " child " in commands(private))
        for pid in processes(private):
            if b"guard.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)

    killer = Thread(target=kill)
    killer.start()
    with pytest.raises(EngineError, match="it broke off"), recalculated(book, 60):
        pass
    killer.join()
    assert soon(lambda: gone(private)), commands(private)
    assert not [*private.iterdir()]


@pytest.mark.libreoffice
def test_nothing_is_left_behind(book: Path, private: Path) -> None:
    assert sheetcnn.check(book, engine="libreoffice").ok
    assert not [*private.iterdir()]


@PROC
@pytest.mark.libreoffice
def test_the_real_one_is_killed_whole(book: Path, tmp_path: Path, private: Path) -> None:
    """With its pipe, which does not lie where it is told that temporary files do."""
    pipe: list[Path] = []

    def running() -> bool:
        for word in commands(private).split():
            if word.startswith("-env:UserInstallation="):
                name = "".join(f"{byte:x}" for byte in hashlib.md5(word.split("=")[1].encode("utf-16-le")).digest())
                pipe[:] = [Path(f"/tmp/OSL_PIPE_{os.geteuid()}_SingleOfficeIPC_{name}")]
        return bool(pipe) and pipe[0].exists()

    with started("check", book, tmp_path) as process:
        end = time.monotonic() + 60
        while not running() and time.monotonic() < end:
            pass
        process.kill()
        process.wait()
    assert pipe
    assert soon(lambda: gone(private)), commands(private)
    assert soon(lambda: not [*private.iterdir()])
    assert soon(lambda: not pipe[0].exists())


WORK = """
from sheetcnn.handout.workers import on_all_cores
from test_shut_in import busy
list(on_all_cores(busy, (), [({!r},)], {}))
"""


def busy() -> Callable[[str], None]:
    """A job that lets no other thread of Python's work, and does not end."""
    import re

    def do(mark: str) -> None:
        Path(mark).touch()
        re.match("(a+)+$", "a" * 60 + "b")

    return do


@POSIX
@PROC
@pytest.mark.parametrize(("end", "timeout"), [("SIGKILL", 600), ("SIGTERM", 600), ("SIGSTOP", 1)])
def test_processes_that_grade_end_by_themselves(end: str, timeout: float, tmp_path: Path, private: Path) -> None:
    """When who started them dies, and when their time is over and nobody is there to say so."""

    def workers() -> list[int]:
        found = []
        for pid in processes(private):
            with suppress(OSError):
                state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                if b"import serve" in Path(f"/proc/{pid}/cmdline").read_bytes() and state[0] == "R":
                    found.append(pid)
        return found

    if end != "SIGSTOP" and sys.platform != "linux":
        pytest.skip("only Linux kills a process that lets nobody listen")
    with subprocess.Popen(
        [sys.executable, "-c", WORK.format(str(tmp_path / "mark"), timeout)], cwd=Path(__file__).parent
    ) as process:
        assert soon((tmp_path / "mark").exists, 30)
        time.sleep(0.3)
        assert workers()
        process.send_signal(getattr(signal, end))
        try:
            assert soon(lambda: not workers(), 20)
        finally:
            process.kill()
    assert soon(lambda: gone(private))
    assert not [*private.iterdir()]


def test_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    assert deadline.time_left() == float("inf")
    monkeypatch.setattr(deadline, "_end", deadline._end)
    deadline.set_time_left(60)
    assert 59 < deadline.time_left() <= 60
    [(_, left)] = on_all_cores(telling, (), [()], 60)
    assert 50 < left <= 60


def telling() -> Callable[[], float]:
    """A job that says how much time it has."""
    return deadline.time_left
