"""Every gradient, the parameters after a step and the loss before and after it, against PyTorch in double precision."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from networks import PIXELS, cases

from sheetcnn.layers import LAYERS
from sheetcnn.model.drawn import Drawn
from sheetcnn.model.graph import Graph
from sheetcnn.model.network import parse_network
from sheetcnn.model.settings import INPUT
from sheetcnn.model.weights import load_parameters

PHASES = [Phase.generate] if "CI" in os.environ else [Phase.generate, Phase.shrink]  # shrinking takes minutes
pytestmark = pytest.mark.torch


def agrees(network: dict[str, Any], pixels: np.ndarray, rate: float = 0.05) -> None:
    import torch
    from torch_network import run

    net = parse_network(network, "test")
    graph = Graph(net, Drawn(training=True, typed=net.loss == "mse"))
    parameters, _ = load_parameters(net, None, None)
    given = parameters | {f"{INPUT}.channel": pixels}
    more = {"loss.rate": np.array([rate])}
    rng = np.random.default_rng(0)
    shape = net.nodes[-1].shape
    if net.loss == "mse":
        more["loss.target"] = rng.normal(size=shape)
    else:
        more["loss.answer"] = np.array([float(rng.integers(1, shape[0] + 1))])
    values = graph.run(given | more)

    def loss_of(tensors: Any) -> Any:
        y = tensors[f"{net.nodes[-1].name}.output"]
        if net.loss == "mse":
            return torch.nn.functional.mse_loss(y, torch.tensor(more["loss.target"]))
        last = net.nodes[-1]
        if last.layer.final is not None and last.layer.final.exponentials:
            y = tensors[f"{last.name}.sum"]
        elif last.layer.exponentials:
            y = tensors[f"{last.inputs[0]}.output"] if last.inputs[0] != INPUT else tensors[f"{INPUT}.channel"]
        return torch.nn.functional.cross_entropy(y, torch.tensor(int(more["loss.answer"][0]) - 1))

    tensors = run(graph, given)
    loss = loss_of(tensors)
    loss.backward()
    assert values["loss.now"][0] == pytest.approx(float(loss.detach()), rel=1e-9, abs=1e-9)
    after = dict(given)
    for name in given:
        owner, key = name.split(".", 1)
        found = f"{owner}.grad_{key}"
        if found in values:
            want = tensors[name].grad.numpy() if tensors[name].grad is not None else np.zeros(given[name].shape)
            size = np.abs(want).max(initial=1e-30)
            np.testing.assert_allclose(values[found], want, rtol=1e-9, atol=1e-9 * max(1, size), err_msg=found)
            if f"{owner}.after_{key}" in values:
                after[name] = given[name] - rate * want
                np.testing.assert_allclose(values[f"{owner}.after_{key}"], after[name], rtol=1e-9, atol=1e-9 * max(1, size))
        elif tensors[name].grad is not None and key not in ("scale", "mean", "std", "running_mean", "running_var"):
            assert not tensors[name].grad.numpy().any(), name
    if "loss.after" not in values:  # nothing has weights
        assert not any(".grad_weight" in name for name in values)
        return
    assert values["loss.after"][0] == pytest.approx(float(loss_of(run(graph, after)).detach()), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("kind", LAYERS)
def test_random_networks(kind: str) -> None:
    def look(case: Any) -> None:
        net = parse_network(case.network, "test")
        if any(getattr(node.layer, "activation_scope", "map") != "map" for node in net.nodes):
            return
        pixels = PIXELS["ordinary"](np.random.default_rng(1), net.input.shape)
        agrees(case.network, pixels)

    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]
    options: dict[str, Any] = {
        "max_examples": int(os.environ.get("NETWORKS", "120")) // 40,
        "deadline": None,
        "database": None,
        "phases": PHASES,
    }
    seed(f"gradients {kind}")(
        settings(**options, suppress_health_check=checks, print_blob=False)(given(cases(kind))(look))
    )()
