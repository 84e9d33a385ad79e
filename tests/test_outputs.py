"""Outputs are looked at before any work, and replace nothing that is still needed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import sheetcnn
from sheetcnn.cli import main
from sheetcnn.errors import SheetcnnError
from sheetcnn.files import Outputs, refuse_outputs
from sheetcnn.handout.writer import HandedOut

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither such rights nor such names")
Fails = Callable[..., str]


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory: pytest.TempPathFactory) -> HandedOut:
    return sheetcnn.hand_out("cs231n", "cs231n", tmp_path_factory.mktemp("handed") / "out")


@pytest.fixture
def class_(handed_out: HandedOut, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a key and what Ann has handed in, in which commands are run."""
    (tmp_path / "class").mkdir()
    shutil.copy(handed_out.key, tmp_path / "key.xlsx")
    shutil.copy(handed_out.workbooks[0], tmp_path / "class" / "Ann.xlsx")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> Fails:
    """A function that runs a command which must end with one line and exit code 2; returns the line."""

    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(list(arguments))
        told = capsys.readouterr()
        assert stopped.value.code == 2, told
        assert not told.out
        assert told.err.count("\n") == 1
        return told.err

    return run


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("key.xlsx", "key.xlsx: is what is read here, and would be replaced"),
        ("./class/../key.xlsx", "is what is read here"),
        ("class/Ann.xlsx", "class/Ann.xlsx: is no name for a table; give one such as class/Ann.csv"),
        ("class/notes.csv", "class/notes.csv: has been handed in, and would be replaced"),
        ("class/../class/notes.csv", "has been handed in"),
        ("class", "class: is a folder; give the table a name"),
        ("none/grades.csv", "there is no folder none"),
        (f"{'ü' * 126}.csv", "cannot be a file's name, which has at most 255 bytes"),
        ("taken.csv", "taken-reports: cannot be written (Not a directory: taken-reports)"),
    ],
)
def test_grade_replaces_nothing_that_is_needed(output: str, words: str, class_: Path, fails: Fails) -> None:
    (class_ / "class" / "notes.csv").write_text("what Ann has noted\n")
    (class_ / "taken-reports").write_text("a file")
    before = everything(class_)
    assert words in fails("grade", "class", "--key", "key.xlsx", "-o", output)
    assert everything(class_) == before


@posix
@pytest.mark.parametrize("device", ["/dev/null", "/dev/full"])
def test_devices_stay(device: str, class_: Path, fails: Fails) -> None:
    if not Path(device).exists():
        pytest.skip("this system has no such device")
    line = fails("grade", "class", "--key", "key.xlsx", "-o", device)
    assert line.startswith(f"sheetcnn: {device}: cannot be written (it is a device or the like, and no file)")
    assert not Path(device).is_file()
    (class_ / "null.xlsx").symlink_to(device)  # by another name
    assert "null.xlsx: cannot be written (it is a device" in fails("build", "cs231n", "cs231n", "-o", "null.xlsx")
    (class_ / "null.npz").symlink_to(device)
    assert "null.npz: cannot be written (it is a device" in fails("export", "class/Ann.xlsx", "-o", "null.npz")


def test_a_table_of_ours_is_replaced_wherever_it_is(class_: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with pytest.raises(SystemExit) as stopped:
            main(["grade", "class", "--key", "key.xlsx", "-o", "class/grades.csv"])
        assert stopped.value.code == 0, capsys.readouterr()
    assert (class_ / "class" / "grades.csv").read_text(encoding="utf-8-sig").startswith("student,e-mail,number,file,")
    assert [path.name for path in (class_ / "class" / "grades-reports").iterdir()] == ["Ann.html"]


def test_a_second_handout_needs_a_word(class_: Path, fails: Fails) -> None:
    sheetcnn.hand_out("cs231n", "cs231n", "out", seed=1)
    before = everything(class_)
    line = fails("handout", "cs231n", "cs231n", "-o", "out")
    assert line.startswith(f"sheetcnn: {Path('out/key.xlsx')}: exists already")
    assert line.endswith("give another folder, or --overwrite\n")
    (class_ / "out" / "key.xlsx").rename("moved.xlsx")  # even without the key: students' work may be in the workbook
    assert "handout.xlsx: exists already" in fails("handout", "cs231n", "cs231n", "-o", "out")
    Path("moved.xlsx").rename(class_ / "out" / "key.xlsx")
    assert everything(class_) == before
    with pytest.raises(SystemExit) as stopped:
        main(["handout", "cs231n", "cs231n", "-o", "out", "--overwrite"])
    assert stopped.value.code == 0
    after = everything(class_)
    assert after.keys() == before.keys()
    assert after[str(Path("out/key.xlsx"))] != before[str(Path("out/key.xlsx"))]


def test_a_handout_that_fails_changes_nothing(class_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sheetcnn.hand_out("cs231n", "cs231n", "out")
    before = everything(class_)

    def full(*_: object) -> None:
        raise SheetcnnError("no space left")

    monkeypatch.setattr("sheetcnn.handout.writer._write_all", full)
    with pytest.raises(SheetcnnError, match="no space left"):
        sheetcnn.hand_out("cs231n", "cs231n", "out", seed=1, overwrite=True)
    assert everything(class_) == before
    assert sorted(path.name for path in (class_ / "out").iterdir()) == ["handout.xlsx", "key.xlsx"]


@posix
def test_rights_are_kept(class_: Path) -> None:
    made = sheetcnn.hand_out("cs231n", "cs231n", "out")
    made.key.chmod(0o600)
    made.workbooks[0].chmod(0o640)
    sheetcnn.hand_out("cs231n", "cs231n", "out", overwrite=True)
    assert made.key.stat().st_mode & 0o777 == 0o600
    assert made.workbooks[0].stat().st_mode & 0o777 == 0o640


def test_outputs_are_put_in_their_places_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"old")

    def breaks_off() -> None:
        with Outputs() as outputs:
            outputs.write_bytes(tmp_path / "a", b"new")
            assert (tmp_path / "a").read_bytes() == b"old"
            outputs.write(tmp_path / "b", lambda stream: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        breaks_off()
    assert everything(tmp_path) == {"a": b"old", "b": b"old"}
    with Outputs() as outputs:
        outputs.write_bytes(tmp_path / "a", b"new")
        outputs.write_bytes(tmp_path / "b", b"new")
    assert everything(tmp_path) == {"a": b"new", "b": b"new"}


def test_inputs_are_no_outputs(tmp_path: Path) -> None:
    labels = tmp_path / "labels.xlsx"
    labels.write_text("one\n")
    with pytest.raises(SheetcnnError, match=r"labels.xlsx: is what is read here"):
        sheetcnn.build("digits", "digit-3", labels, labels=labels)
    assert labels.read_text() == "one\n"
    weights = tmp_path / "weights.xlsx"
    np.savez(tmp_path / "w.npz", x=np.zeros(1))
    (tmp_path / "w.npz").rename(weights)
    (tmp_path / "net.toml").write_text(
        'name = "n"\nweights = "weights.xlsx"\n[input]\nchannels = 1\nheight = 2\nwidth = 2\n[[layers]]\ntype = "relu"\n'
    )
    os.link(weights, tmp_path / "linked.xlsx")  # the same file by another name
    with pytest.raises(SheetcnnError, match=r"linked.xlsx: is what is read here"):
        sheetcnn.build(tmp_path / "net.toml", "digit-3", tmp_path / "linked.xlsx")


@posix
def test_write_protected(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("nothing is write-protected for an administrator")
    (tmp_path / "read-only.xlsx").write_bytes(b"precious")
    (tmp_path / "read-only.xlsx").chmod(0o400)
    (tmp_path / "closed").mkdir(0o500)
    with pytest.raises(SheetcnnError, match="it is write-protected"):
        sheetcnn.build("cs231n", "cs231n", tmp_path / "read-only.xlsx")
    with pytest.raises(SheetcnnError, match="Permission denied"):
        sheetcnn.build("cs231n", "cs231n", tmp_path / "closed" / "x.xlsx")
    with pytest.raises(SheetcnnError, match="Permission denied"):
        sheetcnn.hand_out("cs231n", "cs231n", tmp_path / "closed" / "class")


def test_folders_that_are_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    refuse_outputs([tmp_path / "a" / "b" / "c"], makes_folders=True)
    for folder, words in (
        (tmp_path / "file", "Not a directory"),
        (tmp_path / "file" / "deeper", "Not a directory"),
        (tmp_path / ("n" * 256), "at most 255 bytes"),
    ):
        with pytest.raises(SheetcnnError, match=words):
            sheetcnn.hand_out("cs231n", "cs231n", folder)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@posix
def test_names_that_are_not_in_utf_8(class_: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Once they lost the grades of a whole class, when all was done; and no name steers a terminal."""
    try:
        Path(os.fsdecode(b"class/M\xfcller.xlsx")).write_bytes((class_ / "class" / "Ann.xlsx").read_bytes())
    except OSError:
        pytest.skip("this file system has names in UTF-8 only")
    (class_ / "class" / "red\x1b[31m\x9b\u202e.xlsx").write_bytes(b"no workbook")
    with pytest.raises(SystemExit) as stopped:
        main(["grade", "class", "--key", "key.xlsx"])
    told = capsys.readouterr()
    assert stopped.value.code == 0, told
    assert "M?ller.xlsx" in told.out
    assert "red [31m .xlsx" in told.out
    table = (class_ / "grades.csv").read_text(encoding="utf-8-sig")
    assert "M?ller.xlsx" in table
    assert not {"\x1b", "\x9b", "\u202e"} & set(told.out + told.err + table)
    pages = [path.read_text(encoding="utf-8") for path in sorted((class_ / "grades-reports").iterdir())]
    assert len(pages) == 3
    assert not {"\x1b", "\x9b", "\u202e"} & set("".join(pages))


@posix
def test_long_names_of_pages(class_: Path) -> None:
    name = "数" * 80  # 240 bytes, which a page's ending would make too many with a number
    for folder in ("a", "b"):
        (class_ / "class" / folder).mkdir()
        (class_ / "class" / folder / f"{name}.xlsx").write_bytes(b"no workbook")
    with pytest.raises(SystemExit) as stopped:
        main(["grade", "class", "--key", "key.xlsx"])
    assert stopped.value.code == 0
    assert len(list((class_ / "grades-reports").iterdir())) == 3
