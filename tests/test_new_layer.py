"""A layer is one new file: everything else learns of it, and what is missing the tests ask for in words.

Tried with an activation, the documentation's worked example, and with a convolution that has weights and windows.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
KINDS = ("square", "depthwise_conv2d")


def written(kind: str) -> str:
    """The layer's file; that of squares is the worked example of the documentation."""
    if kind != "square":
        return (TESTS / "new_layers" / f"{kind}.py").read_text(encoding="utf-8")
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
    blocks = [
        block for page in pages for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    ]
    [square] = [block for block in blocks if "class Square(" in block]
    return square


@pytest.fixture(scope="module", params=KINDS)
def added(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The name of a layer, and a copy of the package with its file in it."""
    folder = tmp_path_factory.mktemp("added")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("templates", "samples"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "src" / "sheetcnn" / "layers" / f"{request.param}.py").write_text(written(request.param), encoding="utf-8")
    return request.param, folder / "src"


def with_layer(added: tuple[str, Path], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of pytest with the layer in its place."""
    kind, source = added
    environment = os.environ | {"PYTHONPATH": str(source), "NEW_LAYER": kind, "NETWORKS": "160"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-v",
        "-p",
        "no:cacheprovider",
        "-c",
        str(ROOT / "pyproject.toml"),
        *arguments,
    ]
    return subprocess.run(command, cwd=TESTS, env=environment, capture_output=True, text=True, check=False)


def test_everything_knows_it(added: tuple[str, Path]) -> None:
    done = with_layer(added, "new_layers/knows.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


def test_the_tests_know_it(added: tuple[str, Path]) -> None:
    """They try its examples, its costs, its export and random networks with it."""
    kind, _ = added
    files = ("test_layers.py", "test_costs.py", "test_export.py", "test_random.py")
    done = with_layer(added, *files, "-k", f"{kind} and not libreoffice")
    assert done.returncode == 0, done.stdout + done.stderr
    for test in ("test_example", "test_extents_of_examples", "test_random_networks_with"):
        assert re.search(rf"::{test}\[{kind}[^]]*\] PASSED", done.stdout), done.stdout
    exported = "PASSED" if kind == "depthwise_conv2d" else "SKIPPED"
    assert re.search(rf"::test_every_layer_runs_elsewhere\[{kind}-0\] {exported}", done.stdout), done.stdout


def test_what_is_missing_is_asked_for(added: tuple[str, Path]) -> None:
    """A row in the documentation's table of layers, and cases beside an implementation that is not ours."""
    kind, _ = added
    done = with_layer(added, "test_docs.py::test_made_parts[docs/layers.md]", "test_onnx.py::test_every_layer_has_cases")
    assert "2 failed" in done.stdout, done.stdout + done.stderr
    assert "run: make docs" in done.stdout
    assert f"test_onnx.py has no cases for {kind}" in done.stdout
