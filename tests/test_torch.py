"""The PyTorch code that every layer's sheet shows, run by PyTorch, makes the layer's numbers."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest
from test_onnx import CASES, drawn, kind_of

from sheetcnn.layers import LAYERS
from sheetcnn.layers.activation import Activated
from sheetcnn.layers.base import Layer

pytestmark = pytest.mark.torch

Given = tuple[str, list[np.ndarray], dict[str, Any], dict[str, Any]]  # type, inputs, settings, parameters
GIVEN: list[Any] = []
for kind, layer in LAYERS.items():
    for n, one in enumerate(layer.examples):
        xs = [np.array(x, float) for x in (one.x if layer.inputs[1] > 1 else [one.x])]
        GIVEN.append(pytest.param((kind, xs, one.settings, one.parameters), id=f"{kind}-{n}"))
for name in CASES:
    for n in range(3):
        case = drawn(name, n)
        GIVEN.append(pytest.param((kind_of(name), case.xs, case.settings, case.parameters), id=f"{name}-random{n}"))
for kind, more in (("conv2d", {"out_channels": 2}), ("max_pool2d", {}), ("avg_pool2d", {})):
    for n, padding in enumerate(("same", "valid", 1, [1, 0], [1, 0, 0, 0], [0, 1, 1, 0], [1, 1, 0, 1])):
        for size in (2, 3):
            settings = {"kernel_size": size, "padding": padding, "stride": 1} | more
            numbers = {"weight": np.random.default_rng(n).normal(size=(2, 2, size, size)), "bias": [1, -2]} if more else {}
            x = np.random.default_rng(n).normal(-2, 1, (2, 5, 4))  # so low that padding with 0 would show
            GIVEN.append(pytest.param((kind, [x], settings, numbers), id=f"{kind}-{size}-padding{n}"))
# What PyTorch does not have, by layer: no code is shown.
WITHOUT = {"conv2d", "conv3d", "shrink", "conv_transpose2d", "hard_sigmoid", "max_pool2d", "avg_pool2d", "upsample"}


def module_of(code: str, parameters: dict[str, Any]) -> Any:
    """The module that the code makes, with the layer's numbers."""
    import torch

    module = eval(code, {"torch": torch}).double().eval()
    numbers = {key: torch.tensor(np.array(value, float)) for key, value in parameters.items()}
    module.load_state_dict(module.state_dict() | numbers)
    return module


def ran(code: str, given: Layer, xs: list[np.ndarray], parameters: dict[str, Any]) -> np.ndarray:
    """What PyTorch makes of the inputs."""
    import torch

    tensors = [torch.tensor(x)[None] for x in xs]
    if given.type == "concat_constant":  # the layer's own numbers, in the order in which they stand in the code
        weight = torch.tensor(np.array(parameters["weight"], float))[None]
        before = given.before  # type: ignore[attr-defined]
        own = iter([part for part in (weight[:, :before], weight[:, before:]) if part.shape[1]])
        names = re.sub(r"torch\.nn\.Parameter\(torch\.zeros\([^)]*\)\)", "next(own)", code)
        y = eval(names, {"x": tensors[0], "torch": torch, "own": own})
    elif code.startswith("x"):  # an expression, with modules in between
        y = tensors[0]
        for part in code.split(", then "):
            if "torch.nn.Parameter" in part:  # the layer's own numbers
                part = f"{part.split('torch')[0]}torch.tensor({np.array(parameters['weight'], float).tolist()}, dtype=torch.float64)"
            y = eval(part, {"x": y, "torch": torch}) if part.startswith("x") else module_of(part, parameters)(y)
    elif given.inputs[1] > 1:
        code = code.replace("(a, b, …)", "tensors") if len(xs) > 2 else code
        names = dict(zip("abcdefgh", tensors, strict=False))
        y = eval(code, {"torch": torch, "tensors": tensors} | names)
    else:
        first, _, then = code.rpartition(", then ")
        x = eval(first)(tensors[0]) if first else tensors[0]
        if given.type == "conv3d":
            x = x.reshape(1, given.in_channels, -1, *x.shape[2:])  # type: ignore[attr-defined]
        y = module_of(then, parameters)(x)
        if given.type == "conv3d":
            y = y.reshape(1, -1, *y.shape[3:])
    if isinstance(given, Activated) and given.activation is not None:
        y = module_of(given.activation.torch(tuple(y.shape[1:])), {})(y)
    return y[0].detach().numpy()


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")  # PyTorch says that it may take a copy
@pytest.mark.parametrize("given", GIVEN)
def test_shown_code(given: Given) -> None:
    import torch

    kind, xs, settings, parameters = given
    layer = LAYERS[kind](**settings)
    code = layer.torch(*(x.shape for x in xs))
    if not code:
        assert kind in WITHOUT
        return
    with torch.no_grad():
        want = ran(code, layer, xs, parameters)
    numbers = {key: layer.from_file(key, np.array(value, float)) for key, value in parameters.items()}
    have = layer.activated(*xs, **numbers)
    assert have.shape == want.shape
    np.testing.assert_allclose(have, want, rtol=1e-9, atol=1e-9)


CLASSES = {
    "conv2d": "Conv2d",
    "conv3d": "Conv3d",
    "conv_transpose2d": "ConvTranspose2d",
    "max_pool2d": "MaxPool2d",
    "avg_pool2d": "AvgPool2d",
    "batch_norm2d": "BatchNorm2d",
    "instance_norm2d": "InstanceNorm2d",
    "group_norm": "GroupNorm",
    "lrn": "LocalResponseNorm",
    "leaky_relu": "LeakyReLU",
    "prelu": "PReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "softplus": "Softplus",
    "linear": "Linear",
    "dropout": "Dropout",
    "upsample": "Upsample",
}


@pytest.mark.parametrize("kind", CLASSES)
def test_defaults(kind: str) -> None:
    """Settings that are left out are PyTorch's own."""
    import torch

    theirs = inspect.signature(getattr(torch.nn, CLASSES[kind])).parameters
    compared = 0
    for name, field in LAYERS[kind].model_fields.items():
        if name not in theirs or field.is_required() or theirs[name].default is inspect.Parameter.empty:
            continue
        given = {"kernel_size": 3, "num_groups": 2, "num_channels": 4, "size": 5, "scale_factor": 2}
        given |= {"out_channels": 1, "out_features": 1}
        needed = {key: value for key, value in given.items() if key in LAYERS[kind].model_fields}
        if name in needed:
            continue
        mine, default = getattr(LAYERS[kind](**needed), name), theirs[name].default
        if default is None:  # the stride of a pool is its window; upsample aligns no corners
            default = {"stride": given["kernel_size"], "align_corners": False}.get(name)
        mine = mine[0] if isinstance(mine, tuple) and len(set(mine)) == 1 else mine
        assert mine == default, name
        compared += 1
    assert compared
