"""Whether the network of a workbook is the one that somebody expects."""

from __future__ import annotations

import json
from typing import Any

from ..layers.base import Layer
from ..model.network import Network
from ..model.settings import INPUT


def unlike(network: Network, expected: Network) -> tuple[str, str] | None:
    """The first layer in which two networks are not the same, and the setting in words; None where they are the same."""
    for name, here, there in _settings_of(network, expected):
        for key in dict.fromkeys((*here, *there)):
            if here.get(key) != there.get(key):
                mine, own = (json.dumps(one.get(key), ensure_ascii=False)[:100] for one in (here, there))
                return name, f"{name}: {key} is {mine} in the workbook, {own} in {expected.source}"
    common = min(len(network.nodes), len(expected.nodes))
    for longer, place in ((network, "the workbook"), (expected, expected.source)):
        if len(longer.nodes) > common:
            return longer.nodes[common].name, f"{longer.nodes[common].name}: is in {place} only"
    return None


def _settings_of_layer(layer: Layer) -> dict[str, Any]:
    """A layer's type and settings, its activation's among them; not its classic kernels, which are numbers."""
    return {"type": layer.type} | layer.model_dump(mode="json", exclude={"kernels"})


def _settings_of(*networks: Network) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """For the input and each layer its name in the first network, and all settings in both."""
    settings = []
    for network in networks:
        each = [(INPUT, network.input.model_dump(mode="json"))]
        for node in network.nodes:
            top = {"name": node.name, "input": list(node.inputs), "share": node.share}
            each.append((node.name, top | _settings_of_layer(node.layer) | {"output": list(node.shape)}))
        settings.append(each)
    return [(name, here, there) for (name, here), (_, there) in zip(*settings, strict=False)]
