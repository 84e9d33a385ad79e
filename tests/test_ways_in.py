"""What is no file, or is larger than it looks, is waited for and read by nobody who looks at what a class handed in."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sheetcnn.errors import EngineError
from sheetcnn.handout import grader
from sheetcnn.handout.grader import MEMORY
from sheetcnn.handout.hand_ins import MAX_FILE, HandIn, hand_ins, identical
from sheetcnn.handout.kinds import Kind, kind_of
from sheetcnn.handout.report import _is_ours
from sheetcnn.office.libreoffice import converted
from sheetcnn.office.unlinked import unlink_others

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


@pytest.fixture(params=["pipe", "device", "endless"])
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """What a name may lead to that is no file."""
    path = tmp_path / "odd.xlsx"
    if request.param == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/tty" if request.param == "device" else "/dev/zero")
    return path


def sparse(path: Path, start: bytes = b"") -> Path:
    """A file of a terabyte that takes up next to no room."""
    with path.open("wb") as stream:
        stream.write(start)
        try:
            stream.truncate(1 << 40)
        except OSError as error:
            pytest.skip(f"no file can be that long here ({error.strerror})")
    return path


@pytest.mark.filterwarnings("error")
def test_what_is_no_file(odd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, words = kind_of(odd)
    assert kind is Kind.OTHER
    assert "is no file); ask for the workbook itself" in words
    assert words.startswith("cannot be read (a ")
    monkeypatch.setattr(Path, "is_file", lambda self: True)  # somebody puts it there the moment after it was asked
    assert not identical([HandIn(odd, "a.xlsx", 0.0), HandIn(odd, "b.xlsx", 0.0)])
    with hand_ins(odd.parent, set()) as found:
        assert [one.name for one in found] == ["odd.xlsx"]
    assert not _is_ours(odd)
    with pytest.raises(EngineError, match="is no file"):
        unlink_others(odd)
    monkeypatch.setattr("sheetcnn.office.libreoffice.find_libreoffice", lambda: "/bin/false")
    with (
        pytest.raises(EngineError, match=r"^mine: cannot be read \(a .* is no file\); give a workbook$"),
        converted([odd], 9, "mine"),
    ):
        pass


def test_what_is_no_text_beside_a_file(tmp_path: Path) -> None:
    """Blackboard's texts are read on the way."""
    os.mkfifo(tmp_path / "Task_anna_attempt_2026-01-02-03-04-05.txt")
    (tmp_path / "Task_anna_attempt_2026-01-02-03-04-05_work.xlsx").write_bytes(b"x")
    with hand_ins(tmp_path, set()) as found:
        assert len(found) == 1


@pytest.mark.parametrize("start", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_files_that_are_hardly_there(start: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        sparse(tmp_path / name, start)
    with hand_ins(tmp_path, set()) as found:
        assert [one.complaint for one in found] == [f"has {1 << 40:,} bytes; sheetcnn takes {MAX_FILE:,}"] * 2
        assert not identical(found)
    monkeypatch.setattr("sheetcnn.office.libreoffice.find_libreoffice", lambda: "/bin/false")
    with (
        pytest.raises(EngineError, match=r"^mine: is larger than 2,000,000,000 bytes"),
        converted([tmp_path / "a.xlsx"], 9, "mine"),
    ):
        pass


def test_a_part_twice(tmp_path: Path) -> None:
    """Of which LibreOffice may read the one that was not looked at."""
    path = tmp_path / "a.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.xml", "<a/>")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("content.xml", '<a x:href="file:///etc/passwd"/>')
    with pytest.raises(EngineError, match=r"has the part 'content.xml' 2 times"):
        unlink_others(path)


def test_memory_is_little() -> None:
    """For what a file asks for, beside what NumPy has taken."""
    pytest.importorskip("resource", reason="this system has no limits of memory")
    if sys.platform != "linux":
        pytest.skip("other systems know the limit, but do not keep it")
    with grader._little_memory():
        assert np.ones(MEMORY // 2, np.uint8).all()
        with pytest.raises(MemoryError):
            np.ones(2 * MEMORY, np.uint8)
    assert np.ones(2 * MEMORY, np.uint8).all()
