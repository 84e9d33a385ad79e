"""What tests share: small networks and pictures, and LibreOffice where it is installed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import sheetcnn
from sheetcnn.office.libreoffice import find_libreoffice

if TYPE_CHECKING:
    from engines import Office

TESTS = Path(__file__).parent
ROOT = TESTS.parent
SLOW = set((TESTS / "slow.txt").read_text(encoding="utf-8").split())  # tests, or files of them, that `make quick` leaves out

Make = Callable[..., Path]

# A shell's background jobs ignore Ctrl-C, and so would the commands that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def uno_python() -> str | None:
    """A Python that can drive LibreOffice, or None."""
    for python in (sys.executable, "/usr/bin/python3"):
        if (
            Path(python).exists()
            and subprocess.run([python, "-c", "import uno"], capture_output=True, check=False).returncode == 0
        ):
            return python
    return None


@cache
def missing_office() -> str | None:
    """Why LibreOffice cannot be used; None where it can."""
    if find_libreoffice() is None:
        return "LibreOffice is not installed (soffice)"
    return None if uno_python() else "python3-uno is not installed"


def missing_torch() -> str | None:
    """Why PyTorch cannot be used; None where it can."""
    lacking = [name for name in ("torch", "onnxscript", "keras") if find_spec(name) is None]
    return f"{' and '.join(lacking)} not installed (pip install -e '.[dev]')" if lacking else None


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow; skip what needs LibreOffice or PyTorch where it is missing, with the reason; under CI it must be there."""
    for item in items:
        if {item.path.name, f"{item.path.name}::{getattr(item, 'originalname', '')}"} & SLOW:
            item.add_marker(pytest.mark.slow)
    for marker, missing in (("libreoffice", missing_office), ("torch", missing_torch)):
        needing = [item for item in items if item.get_closest_marker(marker)]
        reason = missing() if needing else None
        if reason is None:
            continue
        if os.environ.get("CI"):
            pytest.exit(f"CI is set, and {reason}", returncode=1)
        for item in needing:
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests recorded as their summary; a worker of xdist cannot print."""
    for report in terminalreporter.stats.get("passed", []):
        for key, text in report.user_properties:
            if key == "summary":
                terminalreporter.section(report.nodeid)
                terminalreporter.write_line(text)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A function that writes a network and its input, and builds the workbook."""

    def build(network: str, pixels: Any, name: str = "net", **options: Any) -> Path:
        (tmp_path / f"{name}.toml").write_text(network, encoding="utf-8")
        np.save(tmp_path / f"{name}.npy", np.asarray(pixels, dtype=float))
        return sheetcnn.build(tmp_path / f"{name}.toml", tmp_path / f"{name}.npy", tmp_path / f"{name}.xlsx", **options).path

    return build


@pytest.fixture(scope="session")
def office() -> Iterator[Office]:
    """A LibreOffice that all tests share, started when the first one asks."""
    from engines import Office

    office = Office()
    yield office
    office.close()


@pytest.fixture
def office_if_there(request: pytest.FixtureRequest) -> Office | None:
    """The same, or None: for tests that have other programs compute the same as well."""
    return None if missing_office() else request.getfixturevalue("office")


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files of this test's own."""
    folder = tmp_path / "private"
    folder.mkdir()
    for name in ("TMPDIR", "TMP", "TEMP"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder
