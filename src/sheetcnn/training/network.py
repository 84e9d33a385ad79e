"""A network in PyTorch, in double precision, made of the same description as the one that is drawn."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..arrays.array import Values
from ..errors import NetworkError, located
from ..layers.base import PREFIX
from ..model.loss import scores
from ..model.network import Network
from ..model.settings import INPUT
from .layers import known, output

MOST_DECIMALS = 15

Tensors = dict[str, Tensor]


def tensors(numbers: Values) -> Tensors:
    """Arrays as PyTorch has them, each a copy."""
    return {name: torch.tensor(array, dtype=torch.double) for name, array in numbers.items()}


def refuse_unknown(network: Network) -> None:
    """Raise NetworkError where a layer cannot be trained, naming it."""
    for node in network.nodes:
        with located(file=network.source, layer=node.name):
            if getattr(node.layer, "activation_scope", "map") == "channel":
                raise NetworkError(
                    f'{network.source}: {node.title}: activation_scope "channel" cannot be trained; train it with "map"'
                )
            if not known(node.layer):
                raise NetworkError(f"{network.source}: {node.title}: {node.layer.type} is not known to training/layers.py")


def run(network: Network, parameters: Tensors, pictures: Tensor, training: bool = False) -> Tensors:
    """What every layer puts out for a batch of pictures N×C×H×W, as "conv1.output", and before its activation, as "conv1.sum".

    Parameters are called as `load_parameters` calls them. While `training`, layers act as PyTorch's do then.
    """
    x = pictures
    for key in ("scale", "mean", "std"):
        if (by := parameters.get(f"{INPUT}.{key}")) is not None:
            x = x - by.reshape(-1, 1, 1) if key == "mean" else x / by.reshape(-1, 1, 1)
    found = {f"{INPUT}.output": x}
    for node in network.nodes:
        owner, layer = network.owner(node.name), node.layer
        own = {key: parameters[f"{owner}.{key}"] for key in layer.all_parameters(*node.in_shapes)}
        active = training and network.by_name[owner].train
        y = output(layer, [found[f"{name}.output"] for name in node.inputs], own, active)
        found[f"{node.name}.sum"] = y
        if layer.final is not None:
            ends = {key.removeprefix(PREFIX): one for key, one in own.items() if key.startswith(PREFIX)}
            y = output(layer.final, [y], ends, active)
        found[f"{node.name}.output"] = y
    return found


def loss_of(network: Network, found: Tensors, classes: Tensor) -> Tensor:
    """The mean loss of a batch, as the Loss sheet has it of one picture: that of the network file."""
    if network.loss == "cross_entropy":
        return functional.cross_entropy(found[".".join(scores(network))], classes)
    y = found[f"{network.nodes[-1].name}.output"]
    return functional.mse_loss(y, functional.one_hot(classes, y.shape[1]).to(y.dtype))


def measured(network: Network, weights: Values, pictures: Tensor, classes: Tensor, batch: int = 256) -> tuple[float, int]:
    """The mean loss of a network with these weights on pictures, and how many of them it is right on."""
    parameters, loss, right = tensors(weights), 0.0, 0
    with torch.no_grad():
        for first in range(0, len(pictures), batch):
            x, y = pictures[first : first + batch], classes[first : first + batch]
            found = run(network, parameters, x)
            loss += float(loss_of(network, found, y)) * len(x)
            right += int((found[f"{network.nodes[-1].name}.output"].argmax(1) == y).sum())
    return loss / len(pictures), right


def rounded(array: np.ndarray) -> np.ndarray:
    """An array with four digits of its largest number, so that cells stay readable and files small."""
    largest = float(np.abs(array).max(initial=0.0))
    if not largest or not np.isfinite(largest):
        return array.copy()
    return np.round(array, min(MOST_DECIMALS, 3 - int(np.floor(np.log10(largest))))) + 0.0
