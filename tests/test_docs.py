"""README names every command, option, layer, setting and template, and its pictures and links exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

import sheetcnn
from sheetcnn.arrays.kernels import KERNELS
from sheetcnn.cli import app
from sheetcnn.formula import read_book
from sheetcnn.handout.exercise import Exercise
from sheetcnn.handout.mistakes import MISTAKES
from sheetcnn.handout.tasks import TASKS
from sheetcnn.layers import LAYERS
from sheetcnn.model.network import INITS, parse_network
from sheetcnn.model.network_file import read_network
from sheetcnn.templates import samples, templates

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [info.name or info.callback.__name__ for info in app.registered_commands])  # type: ignore[union-attr]
def test_commands(command: str) -> None:
    assert f"sheetcnn {command}" in README


OPTIONS = {
    (name, *parameter.opts, *parameter.secondary_opts)
    for name, command in typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]
    for parameter in command.params
    if parameter.opts[0].startswith("-")
}
TARGETS = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("option", sorted(OPTIONS), ids=" ".join)
def test_options(option: tuple[str, ...]) -> None:
    assert any(re.search(rf"(?<!-){spelling}\b", README) for spelling in option[1:])


@pytest.mark.parametrize("target", TARGETS)
def test_targets(target: str) -> None:
    assert f"make {target}" in README or target in ("office", "clean")


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


[LAYER, *_] = (part for part in re.findall(r"```python\n(.*?)```", README, re.S) if part.startswith('"""Squares."""'))
SNIPPETS = [part for part in re.findall(r"```python\n(.*?)```", README, re.S) if part != LAYER]
WITH_TORCH = [snippet for snippet in SNIPPETS if "import torch" in snippet or "import keras" in snippet]


def runs(snippet: str, folder: Path, warnings: str) -> None:
    """Run a snippet as it stands, as a script in an otherwise empty folder."""
    (folder / "script.py").write_text(snippet, encoding="utf-8")
    command = [sys.executable, "-W", warnings, "script.py"]
    environment = os.environ | {"KERAS_BACKEND": "torch", "KERAS_HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("snippet", [snippet for snippet in SNIPPETS if snippet not in WITH_TORCH])
def test_python_snippets_run(snippet: str, tmp_path: Path) -> None:
    runs(snippet, tmp_path, "error")


@pytest.mark.torch
@pytest.mark.parametrize("snippet", WITH_TORCH, ids=["onnx from PyTorch", "npz from PyTorch", "Keras"])
def test_snippets_with_torch_run(snippet: str, tmp_path: Path) -> None:
    runs(snippet, tmp_path, "ignore")  # PyTorch warns of itself


@pytest.mark.torch
def test_weights_from_keras(tmp_path: Path) -> None:
    """The arrays that README's snippet turns give Keras's own answer."""
    network = """
name = "Keras"
weights = "keras.npz"
input = {channels = 1, height = 8, width = 8}
layers = [
    {type = "conv2d", name = "conv1", out_channels = 2, kernel_size = 3, activation = "relu"},
    {type = "flatten"},
    {type = "linear", name = "fc", out_features = 3},
]
"""
    (tmp_path / "keras.toml").write_text(network)
    more = """
built = sheetcnn.build("keras.toml", "picture.npy", "keras.xlsx")
numpy.testing.assert_allclose(built.values["fc"]["output"], answer, rtol=1e-5, atol=1e-5)
"""
    runs(WITH_TORCH[-1] + more, tmp_path, "ignore")


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


def test_the_worked_example_of_a_layer(make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    namespace: dict[str, Any] = {"__package__": "sheetcnn.layers", "__name__": "sheetcnn.layers.square"}
    exec(compile(LAYER, "square.py", "exec", dont_inherit=True), namespace)
    monkeypatch.setitem(LAYERS, "square", namespace["Square"])
    network = 'name = "n"\n[input]\nchannels = 1\nheight = 1\nwidth = 2\n[[layers]]\ntype = "{}"\nname = "it"\n{}'
    more = 'out_channels = 1\nkernel_size = 1\nweight = [[[[2]]]]\nbias = [1]\nactivation = "square"\n'
    for kind, settings, want in (("square", "", [[4, 9]]), ("conv2d", more, [[9, 49]])):
        path = make(network.format(kind, settings), [[[-2, 3]]])
        sheet, top, left, *_ = read_book(path).names["it_map_1"]
        assert read_book(path).sheets[sheet].saved[top : top + 1, left : left + 2].tolist() == want
        assert sheetcnn.check(path).ok
