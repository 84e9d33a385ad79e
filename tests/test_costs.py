"""What layers cost and see: published counts, and receptive fields against NaN, which goes wherever a pixel has a say."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sheetcnn.arrays.receptive_field import ReceptiveField, touched
from sheetcnn.layers import LAYERS
from sheetcnn.layers.base import Example
from sheetcnn.model.costs import MAX_TRACED, costs
from sheetcnn.model.graph import Graph
from sheetcnn.model.network import Network, parse_network
from sheetcnn.model.network_file import read_network
from sheetcnn.model.weights import load_parameters
from sheetcnn.templates import templates


def network(size: tuple[int, int, int], *layers: dict[str, Any]) -> Network:
    settings = dict(zip(("channels", "height", "width"), size, strict=True))
    return parse_network({"name": "n", "input": settings, "layers": list(layers)}, "net.toml")


def conv(size: int | list[int] = 3, **settings: Any) -> dict[str, Any]:
    return {"type": "conv2d", "out_channels": 2, "kernel_size": size, **settings}


def test_costs_of_lenet5() -> None:
    """LeNet-5 with all channels joined: 61,706 parameters, 416,520 multiplications (widely published)."""
    pool = {"type": "max_pool2d", "kernel_size": 2}
    dense = [{"type": "linear", "out_features": count} for count in (120, 84, 10)]
    layers = [
        conv(5, padding=2) | {"out_channels": 6},
        pool,
        conv(5) | {"out_channels": 16},
        pool,
        {"type": "flatten"},
        *dense,
    ]
    found = costs(network((1, 28, 28), *layers))
    assert [cost.parameters for cost in found.values()] == [156, 0, 2416, 0, 0, 48_120, 10_164, 850]
    assert sum(cost.parameters for cost in found.values()) == 61_706
    assert sum(cost.multiplications for cost in found.values()) == 416_520
    fields = [cost.receptive_field for cost in found.values()]
    assert fields == [(5, 5), (6, 6), (14, 14), (16, 16), (16, 16), (28, 28), (28, 28), (28, 28)]


def test_receptive_field_of_dilated_convolutions() -> None:
    """Three 3×3 convolutions with dilation 1, 2, 4 see 15×15 (Yu and Koltun 2016, figure 1)."""
    found = costs(network((3, 32, 32), *(conv(dilation=d, padding=d) for d in (1, 2, 4))))
    assert [cost.receptive_field for cost in found.values()] == [(3, 3), (7, 7), (15, 15)]


@pytest.mark.parametrize(
    ("layers", "fields"),
    [
        # Enlarged cells stand for fewer pixels than they are: a 3×3 window of a map of twice the size sees 2×2 of it.
        ([{"type": "upsample", "scale_factor": 2}, conv()], [(1, 1), (2, 2)]),
        ([{"type": "max_pool2d", "kernel_size": 2}, {"type": "upsample", "scale_factor": 2}, conv()], [(2, 2), (2, 2), (4, 4)]),
        ([{"type": "conv_transpose2d", "out_channels": 1, "kernel_size": 3, "stride": 2}, conv()], [(2, 2), (3, 3)]),
        ([conv(), {"type": "flatten"}, {"type": "relu"}, {"type": "softmax"}], [(3, 3), (3, 3), (3, 3), (8, 6)]),
        ([{"type": "flatten"}, {"type": "unflatten", "size": [1, 8, 6]}, conv()], [(1, 1), (1, 1), (3, 3)]),
        ([{"type": "flatten"}, {"type": "unflatten", "size": [2, 4, 6]}, conv()], [(1, 1), (5, 1), (7, 3)]),
        ([{"type": "global_avg_pool2d"}, {"type": "multiply", "input": ["input", "global_avg_pool2d_1"]}], [(8, 6), (8, 6)]),
        ([{"type": "instance_norm2d"}], [(8, 6)]),
        ([conv(1, padding=1, stride=20)], [(0, 0)]),  # its only window lies in the padding
        ([{"type": "flatten"}, conv() | {"input": "input"}, {"type": "flatten"},
          {"type": "concat", "input": ["flatten_1", "flatten_3"]}], [(1, 1), (3, 3), (3, 3), (3, 3)]),
        ([conv(3, padding=1, activation="softmax")], [(3, 3)]),
        ([{"type": "flatten"}, {"type": "add", "input": ["flatten_1", "flatten_1"], "activation": "softmax"}], [(1, 1), (8, 6)]),
    ],
)  # fmt: skip
def test_receptive_fields(layers: list[dict[str, Any]], fields: list[tuple[int, int]]) -> None:
    """Worked by hand, on a picture of 8×6."""
    assert [cost.receptive_field for cost in costs(network((1, 8, 6), *layers)).values()] == fields


def spans(
    run: Callable[[np.ndarray], dict[str, np.ndarray]], pixels: np.ndarray, axis: int, mark: float = np.nan
) -> dict[str, tuple[Any, Any]]:
    """By output, for each of its cells the first and last row (axis 0) or column (1) of the input whose mark reaches it."""
    found: dict[str, tuple[Any, Any]] = {}
    clean = run(pixels)
    for place in range(pixels.shape[1 + axis]):
        spoiled = np.moveaxis(pixels.copy(), 1 + axis, 0)
        spoiled[place] = mark
        for name, output in run(np.moveaxis(spoiled, 0, 1 + axis)).items():
            first, last = found.setdefault(name, (np.full(output.shape, 1000), np.full(output.shape, -1)))
            reached = ~(output == clean[name])  # NaN is equal to nothing
            first[reached] = np.minimum(first[reached], place)
            last[reached] = place
    return found


@pytest.mark.parametrize("name", templates())
def test_receptive_fields_of_templates(name: str) -> None:
    made = read_network(templates()[name])
    parameters, _ = load_parameters(made, templates()[name].parent)
    graph = Graph(made)
    pixels = np.random.default_rng(0).uniform(1, 200, made.input.shape)

    def run(spoiled: np.ndarray) -> dict[str, np.ndarray]:
        values = graph.run(parameters | {"input.channel": spoiled})
        return {node.name: values[graph.output(node.name).id] for node in made.nodes}

    claimed = {name: cost.receptive_field for name, cost in costs(made).items()}
    for axis in (0, 1):
        for layer, (first, last) in spans(run, pixels, axis).items():
            assert claimed[layer][axis] == max(0, (last - first).max() + 1), layer


EXAMPLES = [
    pytest.param(kind, given, id=f"{kind}-{n}")
    for kind, layer in LAYERS.items()
    for n, given in enumerate(layer.examples)
    if layer.inputs == (1, 1) and np.ndim(given.x) == 3
]


TIMES_0 = ("upsample", "conv_transpose2d")  # whose forward() multiplies by 0 where nothing is read: NaN would get through


@pytest.mark.parametrize(("kind", "given"), EXAMPLES)
def test_extents_of_examples(kind: str, given: Example) -> None:
    """For every row and column of the output, where it has maps: no more of the input than it depends on, and no less."""
    layer = LAYERS[kind](**given.settings)
    shape = np.shape(given.x)
    x = np.random.default_rng(0).uniform(1, 2, shape)
    rng = np.random.default_rng(1)
    parameters = {key: rng.uniform(1, 2, size) for key, size in layer.all_parameters(shape).items()}

    def run(spoiled: np.ndarray) -> dict[str, np.ndarray]:
        return {"y": layer.activated(spoiled, **parameters)}

    for axis in (0, 1):
        places = np.arange(shape[1 + axis])
        extent = layer.receptive_field(axis, (shape,), [ReceptiveField(places, places)])
        with np.errstate(all="ignore"):
            first, last = spans(run, x, axis, 1e6 if kind in TIMES_0 else np.nan)["y"]
        if first.ndim == 3:
            first, last = first.min(axis=(0, 2 - axis)), last.max(axis=(0, 2 - axis))
        none = last < 0
        np.testing.assert_array_equal(extent.last < extent.first, none)
        np.testing.assert_array_equal(extent.first[~none], first[~none])
        np.testing.assert_array_equal(extent.last[~none], last[~none])


@pytest.mark.parametrize(
    ("cells", "dilation", "apart"), [*itertools.product((1, 2, 3, 5), (1, 2, 3, 4, 6), (1, 2, 3, 4, 6))]
)
def test_touched_rows(cells: int, dilation: int, apart: int) -> None:
    """Every window, cell by cell."""
    starts = np.arange(-25, 25)
    for size in (1, 2, 4):
        firsts, lasts = touched(starts, cells, dilation, size, apart)
        for start, first, last in zip(starts.tolist(), firsts.tolist(), lasts.tolist(), strict=True):
            places = [start + n * dilation for n in range(cells)]
            rows = [place // apart for place in places if place % apart == 0 and 0 <= place < size * apart]
            assert (first, last) == (rows[0], rows[-1]) if rows else first > last


def test_huge_networks_are_not_traced() -> None:
    """Their costs are known nevertheless, at once and in little memory."""
    tall = {"type": "upsample", "scale_factor": [16_384, 1]}
    found = costs(network((1, 61, 1), conv([2, 1]), tall, conv([2, 1]), {"type": "identity"}))
    fields = [cost.receptive_field for cost in found.values()]
    assert 60 * 16_384 < MAX_TRACED < 2 * 60 * 16_384
    assert fields == [(2, 1), (2, 1), None, None]
    assert [cost.sees for cost in found.values()] == ["2×1", "2×1", "", ""]
    assert [cost.parameters for cost in found.values()] == [6, 0, 10, 0]
