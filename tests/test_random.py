"""Seeded random networks of all layers, branches and settings: the workbook agrees with NumPy, whatever is combined."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sheetcnn
from sheetcnn.errors import SheetcnnError
from sheetcnn.layers import LAYERS
from sheetcnn.network import parse_network

NETWORKS = 80
IN_LIBREOFFICE = 12
MOST_CELLS = 6_000  # of one network's layers
ACTIVATIONS = [kind for kind, layer in LAYERS.items() if layer.activates]


class Dice:
    """Random settings from one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def number(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def numbers(self, count: int, low: int, high: int) -> list[int]:
        return [self.number(low, high) for _ in range(count)]

    def pick(self, options: Any) -> str:
        return str(self.rng.choice(list(options)))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)


def settings(kind: str, dice: Dice) -> dict[str, Any]:
    """Settings of one layer, most of which fit some input."""
    groups, mode = dice.number(1, 2), dice.pick(["nearest", "bilinear"])
    pooling = {"kernel_size": dice.number(1, 3), "padding": dice.number(0, 1), "ceil_mode": dice.chance(0.5)}
    pooling |= {"stride": dice.number(1, 2)} if dice.chance(0.5) else {}
    conv = {
        "out_channels": groups * dice.number(1, 3),
        "groups": groups,
        "seed": dice.number(0, 99),
        "bias": dice.chance(0.5),
    }
    return {
        "conv2d": conv
        | {
            "kernel_size": dice.numbers(2, 1, 3),
            "stride": dice.numbers(2, 1, 2),
            "padding": dice.numbers(4, 0, 2),
            "dilation": dice.number(1, 2),
            "channel_mix": dice.pick(["sum", "sum", "sum", "shared", "separate", "mean"]),
            "activation_scope": dice.pick(["map", "map", "map", "channel"]),
        },
        "conv3d": {"out_channels": dice.number(1, 2), "kernel_size": dice.numbers(3, 1, 2), "padding": dice.number(0, 1)},
        "conv_transpose2d": conv
        | {"kernel_size": dice.number(1, 3), "stride": dice.number(1, 3), "padding": dice.number(0, 1)},
        "max_pool2d": pooling | {"dilation": dice.number(1, 2)},
        "avg_pool2d": pooling | {"count_include_pad": dice.chance(0.5)},
        "adaptive_avg_pool2d": {"output_size": dice.numbers(2, 1, 5)},
        "group_norm": {"num_groups": dice.number(1, 2)},
        "lrn": {"size": dice.number(1, 5), "alpha": 0.3},
        "pad": {"padding": dice.numbers(4, 0, 2), "mode": dice.pick(["constant", "reflect", "replicate"]), "value": 0.5},
        "upsample": {
            "scale_factor": dice.number(1, 3),
            "mode": mode,
            "align_corners": mode == "bilinear" and dice.chance(0.5),
        },
        "pixel_shuffle": {"upscale_factor": dice.number(1, 2)},
        "channel_shuffle": {"groups": dice.number(1, 3)},
        "linear": {"out_features": dice.number(1, 5), "seed": dice.number(0, 9)},
    }.get(kind, {})


def random_network(seed: int) -> dict[str, Any]:
    """A network of up to six layers; what does not fit is left out."""
    dice = Dice(seed)
    shape = {"channels": int(dice.pick([1, 2, 3, 4, 18])), "height": dice.number(4, 8), "width": dice.number(4, 8)}
    network: dict[str, Any] = {"name": "random", "input": shape, "layers": [{"type": "identity", "name": "start"}]}
    if dice.chance(0.4):
        network["input"] |= {"scale": 2.0, "mean": [0.1], "std": 0.7}
    names = ["input", "start"]
    for number in range(dice.number(1, 6)):
        kind = dice.pick(LAYERS)
        layer = {"type": kind, "name": f"layer{number}"} | settings(kind, dice)
        if "activation" in LAYERS[kind].model_fields and dice.chance(0.5):
            layer["activation"] = dice.pick(ACTIVATIONS)
        if LAYERS[kind].inputs[1] > 1:
            layer["input"] = [dice.pick(names), dice.pick(names)]
        elif dice.chance(0.4):
            layer["input"] = dice.pick(names)
        twin = {key: value for key, value in layer.items() if key != "seed"} | {
            "name": f"twin{number}",
            "share": layer["name"],
        }
        pair = [layer, twin | {"input": layer.get("input", names[-1])}] if "seed" in layer and dice.chance(0.3) else [layer]
        longer = network | {"layers": [*network["layers"], *pair]}
        try:
            nodes = parse_network(longer, "random").nodes
        except SheetcnnError:
            continue
        if sum(int(np.prod(node.shape)) for node in nodes) <= MOST_CELLS:
            network = longer
            names += [each["name"] for each in pair]
    return network


def build(seed: int, folder: Path) -> Path:
    network = random_network(seed)
    shape = tuple(network["input"][key] for key in ("channels", "height", "width"))
    (folder / "net.json").write_text(json.dumps(network))
    np.save(folder / "x.npy", np.random.default_rng(seed).normal(size=shape))
    detail = ("compact", "steps")[seed % 2]
    return sheetcnn.build(folder / "net.json", folder / "x.npy", folder / "book.xlsx", detail=detail).path


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_random_network(seed: int, tmp_path: Path) -> None:
    report = sheetcnn.check(build(seed, tmp_path))
    assert report.ok, (random_network(seed), report.findings[:2])


@pytest.mark.libreoffice
@pytest.mark.parametrize("seed", range(NETWORKS, NETWORKS + IN_LIBREOFFICE))
def test_random_network_in_libreoffice(seed: int, tmp_path: Path) -> None:
    report = sheetcnn.check(build(seed, tmp_path), engine="libreoffice")
    assert report.ok, (random_network(seed), report.findings[:2])


def test_the_networks_are_worth_it() -> None:
    """All layers occur, and most networks have several."""
    networks = [random_network(seed) for seed in range(NETWORKS + IN_LIBREOFFICE)]
    kinds = {layer["type"] for network in networks for layer in network["layers"]}
    assert len(kinds) > 0.8 * len(LAYERS)
    assert np.mean([len(network["layers"]) for network in networks]) > 3
    assert any("share" in layer for network in networks for layer in network["layers"])
