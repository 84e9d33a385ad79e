"""What models write shorter or otherwise: branches, functions, fused operators; constants in a stack; volumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from test_export import close, ran
from test_import import CONV, Nodes, agrees, kinds, model, node, read, refused

import sheetcnn
from sheetcnn.onnx import Imported

RNG = np.random.default_rng(11)
CUBE = RNG.normal(size=(2, 1, 2, 3, 2)).astype(np.float32)


# -- branches ----------------------------------------------------------------------------------------------------------------


def branch(nodes: Nodes, output: str, *weights: onnx.TensorProto) -> onnx.GraphProto:
    return helper.make_graph(nodes, "branch", [], [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)], weights)


def if_(condition: str, output: str) -> onnx.NodeProto:
    """Half of r with its sign turned, or its tanh; r is from outside."""
    halves = numpy_helper.from_array(np.array(0.5, np.float32), "half")
    yes = branch([node("Mul", "r half", "m"), node("Neg", "m", "b1")], "b1", halves)
    return helper.make_node(
        "If", [condition], [output], "choose", then_branch=yes, else_branch=branch([node("Tanh", "r", "b2")], "b2")
    )


@pytest.mark.parametrize("rows", [5, 4])
def test_branch_whose_condition_is_known(rows: int, tmp_path: Path) -> None:
    nodes = [
        node("Shape", "x", "s"), node("Gather", "s two", "n", axis=0), node("Equal", "n five", "c"),
        node("Relu", "x", "r"), if_("c", "i"), node("MaxPool", "i", "y", kernel_shape=[2, 2]),
    ]  # fmt: skip
    made = agrees(model(nodes, (1, 2, rows, 5), two=np.array(2), five=np.array(5)), tmp_path)
    assert kinds(made) == (
        ["relu", "batch_norm2d", "batch_norm2d", "max_pool2d"] if rows == 5 else ["relu", "tanh", "max_pool2d"]
    )


def test_branch_in_a_branch(tmp_path: Path) -> None:
    outer = helper.make_node(
        "If", ["t"], ["i"], "i", then_branch=branch([if_("f", "z")], "z"), else_branch=branch([node("Neg", "r", "z2")], "z2")
    )
    nodes = [node("Relu", "x", "r"), outer, node("MaxPool", "i", "y", kernel_shape=[2, 2])]
    made = agrees(model(nodes, t=np.array(True), f=np.array(False)), tmp_path)
    assert kinds(made) == ["relu", "tanh", "max_pool2d"]


def test_branch_that_depends_on_the_picture(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "r"), node("ReduceMax", "x", "m", keepdims=0), node("Greater", "m zero", "c"), if_("c", "y")]
    assert "If (choose): no layer does this" in refused(model(nodes, zero=np.float32(0)), tmp_path)


# -- functions ---------------------------------------------------------------------------------------------------------------

DOMAIN = "mine"


def function(name: str, nodes: Nodes, inputs: str = "a", output: str = "z") -> onnx.FunctionProto:
    imports = [helper.make_opsetid("", 20), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_function(DOMAIN, name, inputs.split(), [output], nodes, imports)


def call(name: str, inputs: str, output: str) -> onnx.NodeProto:
    return helper.make_node(name, inputs.split(), [output], output, domain=DOMAIN)


def with_functions(nodes: Nodes, *functions: onnx.FunctionProto, **weights: Any) -> onnx.ModelProto:
    made = model(nodes, **weights)
    made.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    made.functions.extend(functions)
    return made


def test_functions_of_the_model(tmp_path: Path) -> None:
    swish = function("Swish", [node("Sigmoid", "a", "s"), node("Mul", "a s", "z")])
    block = function("Block", [node("Conv", "a w", "c"), call("Swish", "c", "z")], "a w")
    made = agrees(with_functions([call("Block", "x w", "y")], swish, block, w=CONV), tmp_path)
    assert [(layer["type"], layer["activation"]) for layer in made.description["layers"]] == [("conv2d", "silu")]


def test_functions_that_would_be_too_many_nodes(tmp_path: Path) -> None:
    """Each calls the one before it twice: a few hundred bytes that would be 2^40 nodes."""
    first = function("F0", [node("Relu", "a", "z")])
    others = [function(f"F{n}", [call(f"F{n - 1}", "a", "b"), call(f"F{n - 1}", "b", "z")]) for n in range(1, 41)]
    message = refused(with_functions([call("F40", "x", "y")], first, *others), tmp_path)
    assert message == "has 1,099,511,627,776 nodes; sheetcnn draws at most 5,000"
    chain = [function(f"F{n}", [call(f"F{n - 1}", "a", "z")]) for n in range(1, 5000)]
    assert "nested too deeply" in refused(with_functions([call("F4999", "x", "y")], first, *chain), tmp_path)


def test_function_that_calls_itself(tmp_path: Path) -> None:
    f, g = function("F", [call("G", "a", "z")]), function("G", [call("F", "a", "z")])
    assert (
        refused(with_functions([call("F", "x", "y")], f, g), tmp_path)
        == "its function 'F' calls itself; the model is damaged"
    )


# -- fused -------------------------------------------------------------------------------------------------------------------


def fused(operator: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
    given = [name if name != "-" else "" for name in inputs.split()]
    return helper.make_node(operator, given, [output], output, domain="com.microsoft", **attributes)


BIAS = np.array([1, -1, 0.5, 2], np.float32)
FUSED: dict[str, tuple[onnx.NodeProto, Nodes]] = {
    "relu": (fused("FusedConv", "x w b", "y", activation="Relu", strides=[2, 2]), [node("Conv", "x w b", "c", strides=[2, 2]), node("Relu", "c", "y")]),
    "leaky": (
        fused("FusedConv", "x w b", "y", activation="LeakyRelu", activation_params=[0.25]),
        [node("Conv", "x w b", "c"), node("LeakyRelu", "c", "y", alpha=0.25)],
    ),
    "clip": (
        fused("FusedConv", "x w", "y", activation="Clip", activation_params=[-0.5, 1.5]),
        [node("Conv", "x w", "c"), node("Clip", "c low high", "y")],
    ),
    "hard sigmoid": (
        fused("FusedConv", "x w", "y", activation="HardSigmoid", activation_params=[0.25, 0.75]),
        [node("Conv", "x w", "c"), node("HardSigmoid", "c", "y", alpha=0.25, beta=0.75)],
    ),
    "sum": (
        fused("FusedConv", "x w - z", "y", activation="Relu", pads=[1, 1, 1, 1]),
        [node("Conv", "x w", "c", pads=[1, 1, 1, 1]), node("Add", "c z", "s"), node("Relu", "s", "y")],
    ),
    "nothing": (fused("FusedConv", "x w b", "y"), [node("Conv", "x w b", "y")]),
    "gelu": (fused("Gelu", "x", "y"), [node("Gelu", "x", "y")]),
    "bias gelu": (fused("BiasGelu", "x fives", "y"), [node("Add", "x fives", "a"), node("Gelu", "a", "y")]),
    "fast gelu": (fused("FastGelu", "x", "y"), [node("Gelu", "x", "y", approximate="tanh")]),
    "quick gelu": (
        fused("QuickGelu", "x", "y", alpha=1.5),
        [node("Mul", "x alpha", "a"), node("Sigmoid", "a", "s"), node("Mul", "x s", "y")],
    ),
    "gemm": (
        fused("FusedGemm", "f m", "y", activation="LeakyRelu", activation_alpha=0.5, transB=1),
        [node("Gemm", "f m", "g", transB=1), node("LeakyRelu", "g", "y", alpha=0.5)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FUSED)
def test_what_onnx_runtime_fuses(name: str, tmp_path: Path) -> None:
    one, parts = FUSED[name]
    before = [node("Conv", "x w", "z", pads=[1, 1, 1, 1]), node("Flatten", "x", "f")]
    weights = {
        "w": CONV,
        "b": BIAS,
        "low": np.float32(-0.5),
        "high": np.float32(1.5),
        "m": RNG.normal(size=(3, 50)).astype(np.float32),
    }
    weights |= {"alpha": np.float32(1.5), "fives": np.arange(5, dtype=np.float32)}
    apart = agrees(model([*before, *parts], **weights), tmp_path)
    fused_ = model([*before, one], **weights)
    fused_.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    together = read(fused_, tmp_path)
    assert unnamed(together) == unnamed(apart)
    assert [array.tolist() for array in together.weights.values()] == [array.tolist() for array in apart.weights.values()]


def unnamed(made: Imported) -> list[dict[str, Any]]:
    """The layers, numbered instead of named."""
    numbers = {layer["name"]: n for n, layer in enumerate(made.description["layers"])}

    def numbered(value: Any) -> Any:
        return (
            [numbered(one) for one in value]
            if isinstance(value, list)
            else numbers.get(value, value)
            if isinstance(value, str)
            else value
        )

    return [
        {key: numbered(value) if key in ("name", "input") else value for key, value in layer.items()}
        for layer in made.description["layers"]
    ]


def test_fused_with_what_nobody_knows(tmp_path: Path) -> None:
    made = model([fused("FusedConv", "x w", "y", activation="Wavy")], w=CONV)
    made.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    assert "com.microsoft.FusedConv (y): no layer does this" in refused(made, tmp_path)


# -- constants in a stack ------------------------------------------------------------------------------------------------------

PLACES = np.linspace(-1, 1, 25, dtype=np.float32).reshape(1, 1, 5, 5)
STACKS: dict[str, tuple[Nodes, list[str]]] = {
    "after": ([node("Concat", "x p", "y", axis=1)], ["concat_constant"]),
    "before and after": ([node("Concat", "p x p", "y", axis=1)], ["concat_constant"]),
    "between": ([node("Relu", "x", "r"), node("Concat", "x p r p", "y", axis=1)], ["relu", "concat_constant", "concat"]),
    "rows": ([node("Concat", "x q", "y", axis=2)], ["rearrange", "concat_constant", "rearrange"]),
    "vector": ([node("Flatten", "x", "f"), node("Concat", "t f", "y", axis=1)], ["flatten", "concat_constant"]),
    "channels of zeros": ([node("Pad", "x k", "y")], ["concat_constant"]),
}  # fmt: skip


@pytest.mark.parametrize("name", STACKS)
def test_constants_beside_maps(name: str, tmp_path: Path) -> None:
    nodes, layers = STACKS[name]
    given = {"p": PLACES, "q": np.arange(10, dtype=np.float32).reshape(1, 2, 1, 5), "t": np.array([[7, 8]], np.float32)}
    assert kinds(agrees(model(nodes, k=np.array([0, 1, 0, 0, 0, 2, 0, 0]), **given), tmp_path)) == layers


# -- volumes -------------------------------------------------------------------------------------------------------------------

VOLUMES: dict[str, tuple[Nodes, list[str]]] = {
    "largest": ([node("MaxPool", "x", "y", kernel_shape=[2, 2, 2])], ["max_pool2d", "flatten", "unflatten", "max_pool2d"]),
    "of rows and columns": ([node("MaxPool", "x", "y", kernel_shape=[1, 2, 2], strides=[1, 2, 2])], ["max_pool2d"]),
    "mean": (
        [node("AveragePool", "x", "y", kernel_shape=[2, 3, 2], strides=[2, 1, 1], pads=[1, 0, 1, 0, 0, 0])],
        ["avg_pool2d", "flatten", "unflatten", "avg_pool2d"],
    ),
    "groups": ([node("Conv", "x cube", "y", group=2)], ["conv3d"]),
    "more padding behind": ([node("Conv", "x cube", "y", group=2, pads=[0, 1, 0, 1, 0, 1])], ["conv3d"]),
}  # fmt: skip


@pytest.mark.parametrize("name", VOLUMES)
def test_volumes(name: str, tmp_path: Path) -> None:
    nodes, layers = VOLUMES[name]
    assert kinds(agrees(model(nodes, (1, 2, 3, 4, 5), cube=CUBE), tmp_path)) == layers


def test_mean_of_cells_that_lie_apart(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"kernel_shape": [2, 2], "dilations": [2, 2]}
    made = read(model([node("AveragePool", "x", "y", **settings)], (1, 1, 4, 4)), tmp_path)
    (layer,) = made.description["layers"]
    assert (layer["type"], layer["dilation"]) == ("conv2d", 2)
    assert made.weights[f"{layer['name']}.weight"].tolist() == [[[[0.25] * 2] * 2]]
    for more in ({"pads": [1, 1, 1, 1]}, {"ceil_mode": 1, "strides": [2, 2], "pads": [0, 0, 1, 1], "count_include_pad": 1}):
        assert "a mean of cells that lie apart" in refused(
            model([node("AveragePool", "x", "y", **settings, **more)]), tmp_path
        )


# -- cells and activations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_resize_of_one_dimension(mode: str, tmp_path: Path) -> None:
    nodes = [node("Conv", "x w", "c"), node("Resize", "c - s", "y", mode=mode)]
    made = agrees(model(nodes, (1, 2, 7), w=CONV[:, :, 0], s=np.array([1, 1, 2], np.float32)), tmp_path)
    assert kinds(made) == ["conv2d", "upsample"]


def test_places_named_by_constants(tmp_path: Path) -> None:
    """As PyTorch's newer exporter writes x[:, [1, 0, 1]], and a constant that is repeated."""
    nodes = [
        node("Transpose", "x", "t", perm=[1, 0, 2, 3]), node("GatherND", "t k", "g"), node("Transpose", "g", "p", perm=[1, 0, 2, 3]),
        node("Tile", "two r", "s"), node("Mul", "p s", "y"),
    ]  # fmt: skip
    weights = {"k": np.array([[1], [0], [1]]), "two": np.array([[[[2]]]], np.float32), "r": np.array([1, 3, 1, 1])}
    assert kinds(agrees(model(nodes, **weights), tmp_path)) == ["rearrange", "batch_norm2d"]


ACTIVATIONS: dict[str, tuple[Nodes, str | dict[str, Any]]] = {
    "log_sigmoid": ([node("Sigmoid", "x", "s"), node("Log", "s", "y")], {"type": "log_sigmoid"}),
    "Shrink": ([node("Shrink", "x", "y", lambd=0.3, bias=0.1)], {"type": "shrink", "lambd": 0.3, "shift": 0.1}),
    "hard shrink": (
        [node("Greater", "x l", "g"), node("Less", "x n", "h"), node("Cast", "g", "a", to=9), node("Or", "a h", "o"), node("Where", "o x zero", "y")],
        {"type": "shrink", "lambd": 0.25},
    ),
    "soft shrink": (
        [node("Abs", "x", "a"), node("Greater", "a l", "g"), node("Sign", "x", "s"), node("Mul", "s l", "m"), node("Sub", "x m", "d"),
         node("Mul", "x zero", "z"), node("Where", "g d z", "y")],
        {"type": "shrink", "lambd": 0.25, "shift": 0.25},
    ),
    "Celu": ([node("Celu", "x", "y", alpha=1.0)], {"type": "elu"}),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name: str, tmp_path: Path) -> None:
    nodes, layer = ACTIVATIONS[name]
    made = agrees(model(nodes, l=np.float32(0.25), n=np.float32(-0.25), zero=np.float32(0)), tmp_path)
    assert [{key: value for key, value in one.items() if key != "name"} for one in made.description["layers"]] == [layer]


def test_celu_of_another_slope(tmp_path: Path) -> None:
    assert kinds(
        agrees(model([node("Relu", "x", "r"), node("Sub", "x r", "n"), node("Celu", "n", "y", alpha=0.5)]), tmp_path)
    )[-2:] == ["batch_norm2d", "batch_norm2d"]


def test_one_slope_written_for_each_channel(tmp_path: Path) -> None:
    """The channels of what it reads may have moved."""
    nodes = [node("Transpose", "x", "t", perm=[0, 2, 1, 3]), node("PRelu", "t k", "y")]
    assert kinds(agrees(model(nodes, (1, 2, 3, 4), k=np.full((3, 1, 1), 0.25, np.float32)), tmp_path))[0] == "prelu"


# -- out again -------------------------------------------------------------------------------------------------------------------


def test_exported_models_have_all_outputs(tmp_path: Path) -> None:
    """Inner ones too, in the model's order."""
    nodes = [
        node("Conv", "x w", "c"),
        node("Relu", "c", "r"),
        node("MaxPool", "r", "p", kernel_shape=[2, 2]),
        node("Tanh", "r", "t"),
    ]
    given = model(nodes, outputs="p c t", w=CONV)
    onnx.save(given, tmp_path / "model.onnx")
    x = RNG.normal(size=(1, 2, 5, 5)).astype(np.float32)
    np.save(tmp_path / "x.npy", x[0].astype(float))
    built = sheetcnn.build(tmp_path / "model.onnx", tmp_path / "x.npy", tmp_path / "book.xlsx")
    assert built.network.outputs == ("p", "c", "t")
    sheetcnn.export(built.path, tmp_path / "again.onnx")
    outputs = ran(tmp_path / "again.onnx", x[0])
    for have, want, name in zip(outputs, ReferenceEvaluator(given).run(None, {"x": x}), built.network.outputs, strict=True):
        close(have, np.asarray(want)[0].astype(float))
        close(have, built.values[name]["output"])
    again = sheetcnn.build(tmp_path / "again.onnx", tmp_path / "x.npy", tmp_path / "again.xlsx")
    assert again.network.outputs == built.network.outputs
    imported = sheetcnn.import_onnx(tmp_path / "model.onnx", tmp_path / "out")
    assert imported.network.outputs == built.network.outputs
