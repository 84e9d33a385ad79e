"""Every gradient, the parameters after a step and the loss before and after it, against PyTorch in double precision.

Random networks of all layers, settings and branches: in NumPy, and in workbooks that our evaluator and LibreOffice compute anew.
`make fuzz` looks at thousands of others.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import TESTS
from engines import Office
from hypothesis import HealthCheck, Phase, given, seed, settings
from networks import PIXELS, Case, cases

import sheetcnn
from sheetcnn.arrays.array import Values
from sheetcnn.formula import read_book
from sheetcnn.layers import LAYERS
from sheetcnn.model.drawn import Drawn
from sheetcnn.model.graph import Graph
from sheetcnn.model.network import Network, parse_network
from sheetcnn.model.settings import INPUT
from sheetcnn.model.weights import load_parameters

PHASES = [Phase.generate] if "CI" in os.environ else [Phase.generate, Phase.shrink]  # shrinking takes minutes
NETWORKS = int(os.environ.get("NETWORKS", "120"))
SEED = os.environ.get("SEED", "")
OF_A_KIND, BOOKS_OF_A_KIND = 40, 30  # of so many networks, one is drawn for each kind of layer: four workbooks of each
RATE = 0.05
pytestmark = pytest.mark.torch


def loss_of(network: Network, tensors: Any, given: Values) -> Any:
    """What PyTorch makes of a network's output and of the right answer."""
    import torch

    last = network.nodes[-1]
    y = tensors[f"{last.name}.output"]
    if network.loss == "mse":
        return torch.nn.functional.mse_loss(y, torch.tensor(given["loss.target"]))
    if last.layer.final is not None and last.layer.final.exponentials:
        y = tensors[f"{last.name}.sum"]
    elif last.layer.exponentials:
        y = tensors[f"{last.inputs[0]}.output"] if last.inputs[0] != INPUT else tensors[f"{INPUT}.channel"]
    return torch.nn.functional.cross_entropy(y, torch.tensor(int(given["loss.answer"][0]) - 1))


def by_torch(graph: Graph, given: Values) -> Values:
    """The loss, every gradient, every parameter after the step, and the loss then; of `given` all but the loss's own are leaves."""
    from torch_network import run

    given, told = {name: array for name, array in given.items() if not name.startswith("loss.")}, given
    tensors = run(graph, given)
    loss = loss_of(graph.network, tensors, told)
    loss.backward()
    found, after = {"loss.now": np.array([float(loss.detach())])}, dict(given)
    drawn = {array.id for array in graph}
    for name in given:
        owner, key = name.split(".", 1)
        grad = tensors[name].grad
        if f"{owner}.grad_{key}" not in drawn:
            assert (
                grad is None or not grad.numpy().any() or key in ("scale", "mean", "std", "running_mean", "running_var")
            ), name
            continue
        found[f"{owner}.grad_{key}"] = np.zeros(given[name].shape) if grad is None else grad.numpy()
        if f"{owner}.after_{key}" in drawn:
            found[f"{owner}.after_{key}"] = after[name] = given[name] - RATE * found[f"{owner}.grad_{key}"]
    if "loss.after" in drawn:  # something has weights
        found["loss.after"] = np.array([float(loss_of(graph.network, run(graph, after), told).detach())])
    return found


def close(have: Values, want: Values) -> None:
    """All that PyTorch found, within 1e-9 of the largest number of its kind."""
    for name, numbers in want.items():
        size = max(1, np.abs(numbers).max())
        np.testing.assert_allclose(have[name], numbers, rtol=1e-9, atol=1e-9 * size, err_msg=name)


def moved(graph: Graph, given: Values) -> Values | None:
    """Other pixels and weights nearby, where nothing is tied any more; None where two inputs of a maximum always are.

    At ties and gates PyTorch has other rules: it shares gradients out, and knows no tolerance.
    """
    values = graph.run(given)
    for node in graph.network.nodes:
        if node.layer.type in ("maximum", "minimum"):
            xs = [values[array.id] for array in graph.read_by(node.name)]
            if any(np.abs(xs[n] - xs[m]).min() < 1e-6 for n in range(len(xs)) for m in range(n)):
                return None
    rng = np.random.default_rng(2)
    return {
        name: array
        if name.startswith("loss.")
        else array * (1 + 0.01 * rng.random(array.shape)) + 1e-3 * rng.random(array.shape)
        for name, array in given.items()
    }


def agrees(graph: Graph, given: Values, by: Callable[[Graph, Values], Values]) -> bool:
    """Whether NumPy's numbers are PyTorch's; where something is tied they must be nearby, or this is an AssertionError."""
    try:
        close(graph.run(given), by(graph, given))
    except AssertionError:
        other = moved(graph, given)
        if other is not None:
            close(graph.run(other), by(graph, other))
        return False
    return True


def in_numpy(case: Case) -> None:
    network = parse_network(case.network, "test")
    graph = Graph(network, Drawn(training=True, typed=network.loss == "mse"))
    shape, rng = network.nodes[-1].shape, np.random.default_rng(0)
    given = load_parameters(network, None, None)[0] | {"loss.rate": np.array([RATE])}
    given[f"{INPUT}.channel"] = PIXELS["ordinary"](np.random.default_rng(1), network.input.shape)
    if network.loss == "mse":
        given["loss.target"] = rng.normal(size=shape)
    else:
        given["loss.answer"] = np.array([float(rng.integers(1, shape[0] + 1))])
    if agrees(graph, given, by_torch):
        two_steps(case, given)


def two_steps(case: Case, given: Values) -> None:
    """Two steps of the optimizer that the network's size picks, against PyTorch's."""
    import torch

    makes: dict[str, Callable[[list[Any]], Any]] = {
        "sgd": lambda leaves: torch.optim.SGD(leaves, lr=RATE),
        "momentum": lambda leaves: torch.optim.SGD(leaves, lr=RATE, momentum=0.9),
        "adam": lambda leaves: torch.optim.Adam(leaves, lr=RATE, eps=1e-3),  # with a small eps, noise would be a step
    }
    name = list(makes)[sum(array.size for array in given.values()) % 3]
    training = {**(case.network.get("training") or {}), "optimizer": name} | ({"eps": 1e-3} if name == "adam" else {})
    network = parse_network(case.network | {"training": training}, "test")
    graph = Graph(network, Drawn(training=True, typed=network.loss == "mse", updates=2))
    numbers = {f"loss.{key}": np.array([number]) for key, number in network.training.numbers().items()}
    given = given | numbers | {"loss.rate": np.array([RATE])}
    if not graph.learning.course:
        return
    agrees(graph, given, lambda graph, given: after_two(graph, given, makes[name]))


def after_two(graph: Graph, given: Values, make: Callable[[list[Any]], Any]) -> Values:
    """The loss before, between and after two steps of PyTorch's optimizer, and the parameters then."""
    import torch
    from torch_network import run

    now = {name: array for name, array in given.items() if not name.startswith("loss.")}
    leaves = {
        id: torch.tensor(now[id], dtype=torch.double, requires_grad=True) for id in map(".".join, graph.learning.course)
    }
    optimizer, losses = make(list(leaves.values())), []
    for _ in range(3):
        tensors = run(graph, now | {id: leaf.detach().numpy() for id, leaf in leaves.items()})
        loss = loss_of(graph.network, tensors, given)
        losses.append(float(loss.detach()))
        loss.backward()
        for id, leaf in leaves.items():
            leaf.grad = torch.zeros_like(leaf) if tensors[id].grad is None else tensors[id].grad
        if len(losses) < 3:
            optimizer.step()
    want = {"loss.curve": np.array(losses)}
    want |= {arrays[-1].id: leaves[".".join(key)].detach().numpy() for key, arrays in graph.learning.course.items()}
    return want


def in_a_workbook(case: Case, office: Office, folder: Path) -> None:
    """The workbook's formulas as our evaluator and LibreOffice compute them; its target is 0 where the answer is maps."""
    network, rng = parse_network(case.network, "test"), np.random.default_rng(0)
    shape, training = network.nodes[-1].shape, {"rate": RATE}
    if len(shape) == 1:
        loss = rng.choice(["mse", "cross_entropy"])
        answer = rng.normal(size=shape).tolist() if loss == "mse" else str(rng.choice(network.answers))
        training |= {"loss": str(loss), "answers": [answer]}
    pixels = PIXELS["ordinary"](np.random.default_rng(1), network.input.shape)
    built = sheetcnn.build(case.network | {"training": training}, pixels, folder / "book.xlsx", train=True, gallery=False,
                           inspector=False, detail=case.options["detail"])  # fmt: skip
    typed = {array.id: built.content.values[array.id] for array in built.graph if array.forward is None}
    want = by_torch(built.graph, typed)
    if not agrees(built.graph, typed, by_torch):
        want = {name: built.content.values[name] for name in want}
    close(built.content.values, want)
    assert [finding.text for finding in sheetcnn.check(built.path).findings] == []
    close(office.computed(built, [array for array in built.graph if array.id in want]), want)


def on_random_networks(kind: str, count: int, test: Callable[[Case], None]) -> None:
    """Run a test on so many networks with a layer of this kind; where activations act otherwise there is no backward pass."""

    def look(case: Case) -> None:
        if all(layer.get("activation_scope") != "channel" for layer in case.network["layers"]):
            test(case)

    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]
    options: dict[str, Any] = {"max_examples": count, "deadline": None, "database": None, "phases": PHASES}
    drawn = settings(**options, suppress_health_check=checks, print_blob=False)(given(cases(kind))(look))
    seed(f"gradients {kind}{SEED}")(drawn)()


@pytest.mark.parametrize("kind", LAYERS)
def test_random_networks(kind: str) -> None:
    on_random_networks(kind, NETWORKS // OF_A_KIND, in_numpy)


@pytest.mark.libreoffice
@pytest.mark.parametrize("kind", LAYERS)
def test_random_networks_in_a_workbook(kind: str, office: Office, tmp_path: Path) -> None:
    on_random_networks(kind, NETWORKS // BOOKS_OF_A_KIND, lambda case: in_a_workbook(case, office, tmp_path))


KELPNET = json.loads((TESTS / "kelpnet.json").read_text(encoding="utf-8"))  # figures of KelpNet's spreadsheet, by its pools


@pytest.mark.libreoffice
@pytest.mark.parametrize("pool", KELPNET)
def test_numbers_that_kelpnet_published(pool: str, tmp_path: Path, office: Office) -> None:
    """Output and gradients of KelpNet's spreadsheet, which computes them in cells of its own: github.com/harujoh/KelpNet."""
    given = KELPNET[pool]
    # One channel in the first layer, whose axis KelpNet leaves out.
    arrays = {name: np.expand_dims(given[name], 1).tolist() if name == "c1_weight" else given[name] for name in given}

    def layer(kind: str, name: str, **sizes: Any) -> dict[str, Any]:
        return {"type": kind, "name": name, **sizes, "weight": arrays[f"{name}_weight"], "bias": arrays[f"{name}_bias"]}

    network = {
        "name": "KelpNet",
        "input": {"channels": 1, "height": 12, "width": 12},
        "training": {"loss": "mse", "rate": given["rate"], "answers": [given["target"]]},
        "layers": [
            layer("conv2d", "c1", out_channels=2, kernel_size=3, activation="relu"),
            {"type": pool, "name": "pool1", "kernel_size": 2},
            layer("conv2d", "c2", out_channels=2, kernel_size=2, activation="relu"),
            {"type": pool, "name": "pool2", "kernel_size": 2},
            {"type": "flatten"},
            layer("linear", "l4", out_features=2, activation="relu"),
            layer("linear", "l5", out_features=2),
        ],
    }
    built = sheetcnn.build(network, np.array([given["input"]]), tmp_path / "book.xlsx", train=True, gallery=False,
                           inspector=False)  # fmt: skip
    want = {"l5.output": np.array(given["output"])}
    for name, numbers in given["gradients"].items():
        layer_name, key = name.split("_")
        want[f"{layer_name}.grad_{key}"] = np.reshape(numbers, built.content.values[f"{layer_name}.{key}"].shape)
    assert len(want) == 6
    assert sheetcnn.check(built.path).findings == []
    computed = office.computed(built, [array for array in built.graph if array.id in want])
    for name, numbers in want.items():
        np.testing.assert_allclose(built.content.values[name], numbers, rtol=1e-9, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(computed[name], numbers, rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.libreoffice
def test_wide_layers(tmp_path: Path, office: Office) -> None:
    """Over 16 filters and channels, where one SUMPRODUCT spans what otherwise has a term each."""
    wide = {"type": "conv2d", "out_channels": 20, "kernel_size": 3, "padding": 1}
    layers = [
        wide | {"name": "first", "activation": "relu", "seed": 1},
        wide | {"name": "second", "stride": 2, "activation": "tanh", "seed": 2},
        wide | {"name": "third", "kernel_size": 1, "padding": 0, "out_channels": 17, "seed": 3},
        {"type": "global_avg_pool2d"},
        {"type": "flatten"},
    ]
    network = {"name": "wide", "input": {"channels": 17, "height": 4, "width": 5}, "layers": layers}
    in_a_workbook(Case(network, "ordinary", {"detail": "compact"}), office, tmp_path)
    book = read_book(tmp_path / "book.xlsx")
    sheet, row, column, *_ = book.names["first_grad_sum_1"]
    text = book.sheets[sheet].formula(row, column)
    assert text is not None
    assert text.count("SUMPRODUCT") == 1  # though twenty filters pass something back
