"""What comes along: templates, pictures, layers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from .app import command
from .show import print_json, say, table, width, wrapped


@command()
def templates(
    pictures: Annotated[bool, typer.Option("--pictures", help="List the sample pictures instead.")] = False,
    learning: Annotated[bool, typer.Option("--learning", help="List the lessons on how a network learns instead.")] = False,
) -> None:
    """List the networks that come along, with the question that each answers."""
    from ..templates import LESSONS, exercises, samples

    if pictures:
        _say_wrapped(", ".join(samples()))
        return
    listed = {name: one for name, one in LESSONS.items() if one.train == learning}
    table("", ["template", "picture", "question"], [[name, one.picture, one.question] for name, one in listed.items()])
    build = "sheetcnn build learn-edge cat --train" if learning else "sheetcnn build edges cat; more: --learning"
    _say_wrapped(f"exercises: {', '.join(name for name in exercises() if name in listed)}; build: {build}")


@command()
def new(
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help="The name of a template.")],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Where to; default: a folder of that name.")
    ] = None,
) -> None:
    """Copy a template's files into a folder, to be edited."""
    from ..templates import copy_template

    paths = copy_template(template, folder or Path(template))
    for path in paths:
        say(f"wrote {path}")
    network = next(path for path in paths if path.name == f"{template}.toml")
    say(
        f"edit it, then build it with a picture of yours or of `sheetcnn templates --pictures`:  sheetcnn build {network} PICTURE"
    )


@command()
def layers() -> None:
    """List the layers, with their settings and defaults."""
    from ..layers import LAYERS

    rows = [[name, layer.about, ", ".join(_settings(layer))] for name, layer in LAYERS.items()]
    table("Layers", ["type", "what it does", "settings"], rows)
    _say_wrapped(
        "every layer also takes name and input; layers with weights take share, weight, bias, weights_prefix, init and seed"
    )


def _say_wrapped(text: str) -> None:
    say("\n".join(wrapped(text, width(), hanging=4)), lines=True)


def _settings(layer: Any) -> Iterator[str]:
    for name, field in layer.model_fields.items():
        default = None if field.default_factory else field.default
        if field.is_required():
            yield name
        elif default is None:
            yield f"{name}=…"
        else:
            yield f"{name}={json.dumps(default)}"


@command()
def schema() -> None:
    """Print the JSON schema of network files, by which editors complete and check them."""
    from ..schema import network_schema

    print_json(network_schema())
