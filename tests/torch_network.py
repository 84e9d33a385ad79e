"""A network run by PyTorch on one picture, so that it computes the gradients: as `sheetcnn train` runs it on many."""

from __future__ import annotations

import numpy as np
import torch

from sheetcnn.model.graph import Graph
from sheetcnn.model.settings import INPUT
from sheetcnn.training.network import run as run_batch

Tensors = dict[str, torch.Tensor]


def run(graph: Graph, given: dict[str, np.ndarray]) -> Tensors:
    """The parameters, the pixels and every layer's output (and sum) by the ids of their arrays; those that are given are leaves."""
    values = {name: torch.tensor(array, dtype=torch.double, requires_grad=True) for name, array in given.items()}
    found = run_batch(graph.network, values, values[f"{INPUT}.channel"][None])
    return values | {name: batch[0] for name, batch in found.items()}
