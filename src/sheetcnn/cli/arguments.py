"""Arguments that several commands take."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..errors import NetworkError
from ..plain import plain

DIGITS = 9  # of a side of a picture; Python refuses to read numbers of thousands

NetworkArgument = Annotated[
    str,
    typer.Argument(
        metavar="NETWORK", help="A template's name, a .toml or .json network file, or a model: .onnx, .keras, .h5."
    ),
]
SizeOption = Annotated[
    str | None,
    typer.Option(
        "--size", metavar="ROWSxCOLUMNS", help="For models: the picture's size, if they leave it free or take any."
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="LAYER", help="Draw only up to this layer; of a model also up to a node or an output."),
]
ScaleOption = Annotated[float | None, typer.Option("--scale", help="For models: divide pixels by this number, e.g. 255.")]
MeanOption = Annotated[
    str | None,
    typer.Option("--mean", metavar="N[,N...]", help="For models: then subtract this, one for all channels or each."),
]
StdOption = Annotated[
    str | None,
    typer.Option("--std", metavar="N[,N...]", help="For models: then divide by this, one for all channels or each."),
]


def input_options(size: str | None, scale: float | None, mean: str | None, std: str | None) -> dict[str, Any]:
    """The options for models as Python takes them."""
    options: dict[str, Any] = {"scale": scale, "size": None}
    if size is not None:
        sides = size.lower().replace("×", "x").split("x")
        if (
            not all(side.isascii() and side.isdigit() and len(side) <= DIGITS and int(side) for side in sides)
            or len(sides) > 2
        ):
            raise NetworkError(f"--size {plain(size, 40)}: must be ROWSxCOLUMNS, such as 28x28, or one number for both")
        options["size"] = (int(sides[0]), int(sides[-1]))
    for name, text in (("mean", mean), ("std", std)):
        try:
            options[name] = None if text is None else [float(part) for part in text.split(",")]
        except ValueError:
            raise NetworkError(f"--{name} {text}: must be numbers with commas between them, such as 0.5,0.5,0.5") from None
    return options
