"""README names every command, option, layer, setting and template, and its pictures and links exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sheetcnn.cli import app
from sheetcnn.handout.exercise import TASKS, Exercise
from sheetcnn.handout.mistakes import MISTAKES
from sheetcnn.kernels import KERNELS
from sheetcnn.layers import LAYERS
from sheetcnn.network import parse_network, read_network
from sheetcnn.templates import samples, templates
from sheetcnn.weights import INITS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [info.name or info.callback.__name__ for info in app.registered_commands])  # type: ignore[union-attr]
def test_commands(command: str) -> None:
    assert f"sheetcnn {command}" in README


@pytest.mark.parametrize(
    "word",
    [
        "--detail steps",
        "--protect",
        "--engine libreoffice",
        "--json",
        "--labels FILE",
        "--exercise FILE",
        "--students roster.csv",
        "--seed N",
        "make demo",
        "make test",
        "make bench",
    ],
)
def test_options(word: str) -> None:
    assert word in README


@pytest.mark.parametrize("name", [*templates(), *samples(), *KERNELS, *INITS])
def test_names(name: str) -> None:
    assert f"`{name}`" in README


def layer_table() -> str:
    """README's table of layers, as the classes state it."""
    lines = ["| layer | what it does | settings |", "| --- | --- | --- |"]
    for name, layer in LAYERS.items():
        settings = ", ".join(f"`{field}`" for field in layer.model_fields) or "–"
        lines.append(f"| `{name}` | {layer.about} | {settings} |")
    return "\n".join(lines)


def test_layer_table() -> None:
    assert layer_table() in README, f"README's layer table should be:\n{layer_table()}"


def test_links_and_pictures_exist() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_python_snippets_run(tmp_path: Path) -> None:
    snippets = re.findall(r"```python\n(.*?)```", README, re.S)
    assert snippets
    for snippet in snippets:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", snippet], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_toml_snippets_are_networks() -> None:
    import tomllib

    snippets = re.findall(r"```toml\n(.*?)```", README, re.S)
    assert snippets
    for snippet in snippets:
        data = tomllib.loads(snippet)
        if "tasks" in data:
            assert {task.kind for task in Exercise(data, read_network(templates()["digits"]), "README").tasks} == set(TASKS)
        else:
            parse_network(data, "README")


@pytest.mark.parametrize("name", [*TASKS, *MISTAKES])
def test_tasks(name: str) -> None:
    assert f"`{name}`" in README


def test_samples_state_their_licence() -> None:
    table = (ROOT / "samples" / "README.md").read_text(encoding="utf-8")
    for path in samples().values():
        assert re.search(rf"`{path.name}` \|.*\| (CC0|public domain|CC BY 4\.0)", table), path.name
