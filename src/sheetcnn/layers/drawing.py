"""All arrays of a layer in a network: its parameters, its steps, and last its output, the activation included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..arrays.array import Array, Shape, mirror, same, same_cell
from .base import Layer, Part

SUM = ("sum {k} (pre-activation)", "sum {k}", "sum")  # the labels of pre-activations


def arrays_of(
    layer: Layer,
    owner: str,
    inputs: tuple[Array, ...],
    detail: str,
    mirrored: bool = False,
    lent: Mapping[str, Array] | None = None,
    given: Mapping[str, Array] | None = None,
) -> list[Array]:
    """Every array that a layer draws, in the order in which they are computed; the output's key is "output".

    Where what it reads is `mirrored` on its sheet, its formulas read the mirrors. Parameters that are `lent` by another layer
    are formulas that point at that one's; those that are `given` stand elsewhere and are read there.
    """
    parts = layer.parts(*(x.shape for x in inputs))
    shape = parts[-1].shape
    maps = len(shape) == 3
    parameters = {
        key: _parameter(layer, owner, key, size, maps)
        for key, size in layer.all_parameters(*(x.shape for x in inputs)).items()
    }
    if lent is not None:
        parameters = {key: _pointing(own, lent[key]) for key, own in parameters.items()}
    mirrors = _mirrors(layer, owner, inputs) if mirrored else ()
    found = [*mirrors, *parameters.values()]
    if given is not None:
        parameters, found = dict(given), [*mirrors]

    def output(part: Part, read: tuple[Array, ...]) -> Array:
        """What a part puts out; its steps are taken in on the way."""
        given = {key: parameters[part.prefix + key] for key in part.layer.parameters(*part.shapes)}
        steps: dict[str, Array] = {}
        for step in part.layer.steps(*part.shapes, detail=detail):
            axes = max(1, len(step.shape) - 2) if maps else 0
            steps[step.key] = replace(step, owner=owner, inputs=read, parameters=given, steps=dict(steps), grid_axes=axes)
        found.extend(steps.values())
        label = "map" if maps else "out"
        return Array("output", shape, part.layer.forward, part.layer.formula, owner=owner, label=label, role="output",
                     grid_axes=int(maps), inputs=read, parameters=given, steps=steps)  # fmt: skip

    own = output(parts[0], mirrors or inputs)
    if layer.draws_sum(detail):
        found.append(replace(own, key="sum", label="sum", role="step", labels=SUM))
        if layer.final is None:
            own = replace(own, forward=same, formula=same_cell, inputs=(found[-1],), parameters={}, steps={})
        else:
            own = output(parts[1], (found[-1],))
    elif layer.final is not None:
        own = _activated(own, layer, layer.final)
    return [*found, own]


def _mirrors(layer: Layer, owner: str, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
    """A mirror of each array that a layer reads, with the padding that it wants; their grids are numbered through."""
    shapes = tuple(x.shape for x in inputs)
    margin = layer.margin(*shapes) if all(len(shape) == 3 for shape in shapes) else (0, 0, 0, 0)
    found, number = [], 1
    for n, x in enumerate(inputs, start=1):
        found.append(mirror(owner, x, n, number, margin))
        number += x.shape[0] if x.grid_axes else 1
    return tuple(found)


def _parameter(layer: Layer, owner: str, key: str, shape: Shape, maps: bool) -> Array:
    if len(shape) > 2:
        label = layer.maps_label
        if not maps:  # the lines of an output's weights, those of the next below them
            return Array(key, shape, owner=owner, label=label, role="parameter", grid_axes=1, one_name=True)
        said = key if label == "kernel" else label  # above maps, which no channel is laid on
        return Array(key, shape, owner=owner, label=label, role="parameter", grid_axes=len(shape) - 2,
                     spacing=layer.kernel_spacing(), labels=(f"{said} {{k}}", "{k}") if len(shape) == 3 else ())  # fmt: skip
    return Array(key, shape, owner=owner, role="parameter", grid_axes=int(maps))


def _pointing(own: Array, lent: Array) -> Array:
    """A parameter whose cells are formulas that point at another layer's."""
    return replace(own, role="shared", inputs=(lent,), forward=same, formula=same_cell)


def _activated(total: Array, layer: Layer, activation: Layer) -> Array:
    """The output where the activation stands around the sum in one formula."""

    def forward(*xs: np.ndarray, **parameters: np.ndarray) -> np.ndarray:
        return activation.forward(layer.forward(*xs, **parameters))

    return replace(total, forward=forward, around=activation.cell)
