"""Parts of models and networks, and models at other sizes than their own."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from test_cli import run
from test_import import Nodes, model, node

import sheetcnn
from sheetcnn.errors import NetworkError, SheetcnnError
from sheetcnn.model.network import parse_network
from sheetcnn.model.network_file import read_network
from sheetcnn.model.weights import load_parameters
from sheetcnn.onnx import read_onnx
from sheetcnn.onnx.resizing import reshaped
from sheetcnn.templates import templates

RNG = np.random.default_rng(5)
W = RNG.normal(size=(4, 2, 3, 3)).astype(np.float32)
NODES = [
    node("Conv", "x w", "c", pads=[1, 1, 1, 1]),
    node("Relu", "c", "r"),
    node("MaxPool", "r", "p", kernel_shape=[2, 2]),
    node("NonZero", "p", "bad"),
    node("Cast", "bad", "y", to=1),
]


def drawn(path: Path, folder: Path, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    """A random picture of the size that is read, and what the workbook makes of it, which agrees with its formulas."""
    picture = read_onnx(path, **options).description["input"]
    x = np.random.default_rng(1).normal(size=[picture[key] for key in ("channels", "height", "width")])
    x = x.astype(np.float32).astype(float)
    built = sheetcnn.build(path, x, folder / "book.xlsx", gallery=False, inspector=False, **options)
    report = sheetcnn.check(built.path)
    assert report.ok, report.findings[:3]
    return x.astype(np.float32)[None], list(built.values.values())[-1]["output"]


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(SheetcnnError) as caught:
        read_onnx(path, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def saved(made: onnx.ModelProto, folder: Path) -> Path:
    onnx.save(made, folder / "m.onnx")
    return folder / "m.onnx"


# -- up to a node, an output or a layer ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("until", "nodes"), [("c", 1), ("r", 2), ("p", 3)])
def test_up_to_a_node(until: str, nodes: int, tmp_path: Path) -> None:
    x, have = drawn(saved(model(NODES, w=W), tmp_path), tmp_path, until=until)
    part = model(NODES[:nodes], outputs=until, w=W)
    np.testing.assert_allclose(have, ReferenceEvaluator(part).run(None, {"x": x})[0][0], rtol=1e-5, atol=1e-5)


def test_names_of_nodes_and_of_their_outputs(tmp_path: Path) -> None:
    nodes = [helper.make_node("Conv", ["x", "w"], ["value"], "/stem/Conv"), node("Relu", "value", "y")]
    path = saved(model(nodes, w=W), tmp_path)
    for until in ("/stem/Conv", "value"):
        found = read_onnx(path, until=until).description
        assert [layer["type"] for layer in found["layers"]] == ["conv2d"]
        assert "activation" not in found["layers"][0]
        assert found["about"] == f"Drawn up to {until}, which is not the whole model."
    assert read_onnx(path).description["layers"][0]["activation"] == "relu"


def test_all_that_a_node_makes(tmp_path: Path) -> None:
    nodes = [helper.make_node("Split", ["x", "n"], ["a", "b"], "split", axis=1), node("Add", "a b", "y")]
    path = saved(model(nodes, n=np.array([1, 1])), tmp_path)
    assert len(read_onnx(path, until="split").description["layers"]) == 2
    assert len(read_onnx(path, until="b").description["layers"]) == 1


def test_up_to_a_layer_of_the_network(tmp_path: Path) -> None:
    """By the names that `summary` shows, with the activation that a layer has taken; what does not lead to it is left out."""
    nodes = [
        node("Conv", "x net.first.weight", "c"), node("Relu", "c", "r"), node("Conv", "r net.last.weight", "d"),
        node("MaxPool", "r", "p", kernel_shape=[2, 2]), node("GlobalMaxPool", "p", "g"), node("Add", "d g", "y"),
    ]  # fmt: skip
    weights = {"net__first__weight": W, "net__last__weight": W.reshape(2, 4, 3, 3)}
    path = saved(model(nodes, shape=(1, 2, 7, 7), **weights), tmp_path)
    with pytest.raises(NetworkError, match="do not fit"):
        read_onnx(path)  # 2 channels and 4
    found = read_onnx(path, until="net_first")
    assert [(layer["name"], layer.get("activation")) for layer in found.description["layers"]] == [("net_first", "relu")]
    assert set(found.weights) == {"net_first.weight"}
    assert [layer["name"] for layer in read_onnx(path, until="net_last").description["layers"]] == ["net_first", "net_last"]
    message = refusal(path, until="net_frist")
    assert re.search(
        r"m.onnx: until 'net_frist': is no node, output or layer \(did you mean 'net_first'.*\); the layers are ", message
    )
    assert message.endswith("; the layers are net_first, p, g, net_last")


def test_up_to_a_layer_of_a_model_that_is_drawn_whole(tmp_path: Path) -> None:
    nodes = [node("Conv", "x net.one.weight", "c"), node("Relu", "c", "r"), node("Conv", "r net.two.weight", "y")]
    path = saved(model(nodes, net__one__weight=W, net__two__weight=W.reshape(2, 4, 3, 3)), tmp_path)
    part = read_onnx(path, until="net_one").description
    assert [layer["name"] for layer in part["layers"]] == ["net_one"]
    assert part["about"] == "Drawn up to net_one, which is not the whole model."
    whole = read_onnx(path, until="net_two").description
    assert [layer["name"] for layer in whole["layers"]] == ["net_one", "net_two"]
    assert "about" not in whole


def test_up_to_a_layer_of_keras_that_another_has_taken_in(tmp_path: Path) -> None:
    """Keras puts the names of layers into those of nodes."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "m/conv/Conv2D"), helper.make_node("Add", ["c", "b"], ["d"], "m/conv/BiasAdd"),
        helper.make_node("Relu", ["d"], ["r"], "m/act/Relu"), helper.make_node("MaxPool", ["r"], ["y"], "m/pool/Max", kernel_shape=[2, 2]),
    ]  # fmt: skip
    path = saved(model(nodes, w=W, b=np.ones((4, 1, 1), np.float32)), tmp_path)
    assert [layer["name"] for layer in read_onnx(path).description["layers"]] == ["conv", "pool"]
    [layer] = read_onnx(path, until="act").description["layers"]
    assert (layer["name"], layer["activation"]) == ("conv", "relu")


def test_other_inputs_are_of_no_account(tmp_path: Path) -> None:
    made = model([node("Conv", "x w", "c"), node("Add", "c other", "y")], w=W)
    made.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, [1]))
    path = saved(made, tmp_path)
    assert "has 2 inputs (x, other)" in refusal(path)
    assert len(read_onnx(path, until="c").description["layers"]) == 1


def test_what_is_cut_off_still_tells_how_the_picture_lies(tmp_path: Path) -> None:
    """Channels come last, which only the Transpose says."""
    nodes = [node("Relu", "x", "r"), node("Transpose", "r", "t", perm=[0, 3, 1, 2]), node("Conv", "t w", "y")]
    path = saved(model(nodes, shape=(1, 5, 6, 2), w=W), tmp_path)
    assert read_onnx(path, until="r").description["input"] == {"channels": 2, "height": 5, "width": 6}


def test_up_to_what_is_no_layer(tmp_path: Path) -> None:
    path = saved(model([node("Add", "k k", "s"), node("Add", "x s", "y")], k=np.float32(1)), tmp_path)
    assert "m.onnx: has 0 inputs (none)" in refusal(path, until="s")


# -- what a refusal proposes -----------------------------------------------------------------------------------------------

BRANCHES = [
    node("Conv", "x w", "a"), node("Conv", "x w", "b"), node("Relu", "b", "b2"), node("Sigmoid", "b2", "b3"),
    node("Add", "a b3", "sum"), node("NonZero", "sum", "y"),
]  # fmt: skip
REFUSED: dict[str, tuple[Nodes, str]] = {
    "a chain": (NODES, "p"),
    "a join": (BRANCHES, "sum"),
    "one branch": ([*BRANCHES[:4], node("Einsum", "b3", "e", equation="ncij->ncji"), node("Add", "a e", "y")], "b3"),
    "a piece": ([*NODES[:2], node("Exp", "r", "e"), node("Mul", "e r", "y")], "r"),
    "settings": ([*NODES[:2], node("MaxPool", "r", "y", kernel_shape=[9, 9])], "r"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_says_up_to_where(name: str, tmp_path: Path) -> None:
    nodes, end = REFUSED[name]
    path = saved(model(nodes, w=W), tmp_path)
    message = refusal(path)
    found = re.search(r"; what comes before can be drawn, (\d+) of (\d+) nodes: add  --until (\S+)$", message)
    assert found, message
    assert found[3] == end
    assert int(found[2]) == len(nodes)
    assert len(read_onnx(path, until=end).description["layers"]) >= 1
    assert run("summary", str(path), "--until", end, folder=tmp_path).returncode == 0


def test_names_that_a_shell_would_take_apart(tmp_path: Path) -> None:
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"], "my conv; rm"), node("NonZero", "c", "y")]
    path = saved(model(nodes, w=W), tmp_path)
    command = refusal(path).partition("add  ")[2]
    assert shlex.split(command) == ["--until", "my conv; rm"]
    assert read_onnx(path, until="my conv; rm")


@pytest.mark.parametrize("name", ["", "--version", "a\nb", "n" * 300, "c2"])
def test_names_that_nobody_could_type(name: str, tmp_path: Path) -> None:
    """The node's output is named instead; `c2` would be two nodes."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name if name == "c2" else "c"), helper.make_node("Sigmoid", ["c"], ["s"], name),
        node("NonZero", "s", "y"),
    ]  # fmt: skip
    assert refusal(saved(model(nodes, w=W), tmp_path)).endswith("--until s")


def test_where_nothing_can_be_drawn_nothing_is_proposed(tmp_path: Path) -> None:
    assert "--until" not in refusal(saved(model([node("NonZero", "x", "y")]), tmp_path))
    nodes = [node("Transpose", "x", "t", perm=[0, 1, 3, 2]), node("NonZero", "t", "y")]
    assert "--until" not in refusal(saved(model(nodes), tmp_path)), "moved cells alone are nothing to look at"


def test_a_long_list_leaves_room_for_the_proposal(tmp_path: Path) -> None:
    many = [node("Fancy", "r", f"{'f' * 40}{n}") for n in range(100)]
    nodes = [*NODES[:2], *many, node("Concat", " ".join(one.output[0] for one in many), "y", axis=1)]
    message = refusal(saved(model(nodes, w=W), tmp_path))
    assert len(message) == 1000
    assert message.endswith("…; what comes before can be drawn, 2 of 103 nodes: add  --until r")


# -- network files ---------------------------------------------------------------------------------------------------------

NETWORK: dict[str, Any] = {
    "name": "branches",
    "about": "Two ways.",
    "labels": ["a", "b"],
    "input": {"channels": 1, "height": 6, "width": 6},
    "layers": [
        {"type": "conv2d", "name": "one", "out_channels": 2, "kernel_size": 3},
        {"type": "conv2d", "name": "aside", "input": "input", "out_channels": 3, "kernel_size": 3},
        {"type": "relu", "input": "one"},
        {"type": "conv2d", "name": "two", "out_channels": 2, "kernel_size": 3},
        {"type": "conv2d", "name": "again", "share": "two", "input": "relu_3"},
        {"type": "global_avg_pool2d", "input": "again"},
        {"type": "flatten", "name": "end"},
    ],
}
NETWORK["layers"][4] |= {"out_channels": 2, "kernel_size": 3}


def test_up_to_a_layer_of_a_network_file(tmp_path: Path) -> None:
    """The same random numbers as in the whole, and nothing that does not lead there; shared weights need their owner."""
    x = np.random.default_rng(0).normal(size=(1, 6, 6))
    whole = sheetcnn.build(NETWORK, x)
    part = sheetcnn.build(NETWORK, x, tmp_path / "part.xlsx", until="again")
    assert [node.name for node in part.network.nodes] == ["one", "relu_3", "two", "again"]
    for name in ("one", "relu_3", "two", "again"):
        np.testing.assert_array_equal(part.values[name]["output"], whole.values[name]["output"])
    assert part.network.settings.about == "Two ways. Drawn up to again, which is not the whole network."
    assert part.network.settings.labels is None
    assert sheetcnn.check(part.path).ok
    assert sheetcnn.build(NETWORK, x, until="end").network.settings.labels == ("a", "b")
    with pytest.raises(
        NetworkError, match=r"^the network: until 'tow': is no layer \(did you mean 'two'\?\); there are one, aside"
    ):
        sheetcnn.build(NETWORK, x, until="tow")


def test_of_a_part_no_array_is_missed(tmp_path: Path) -> None:
    path = templates()["digits"]
    network = read_network(path)
    part = network.until(network.nodes[1].name)
    parameters, notes = load_parameters(part, path.parent)
    assert notes == []
    assert parameters.keys() < load_parameters(network, path.parent)[0].keys()
    assert parse_network(part.description(), "part").nodes[-1].name == network.nodes[1].name
    assert network.until(network.nodes[-1].name) is network


def test_on_the_command_line(tmp_path: Path) -> None:
    done = run("build", "digits", "digit-3", "-o", str(tmp_path / "d.xlsx"), "--until", "conv2", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "note:" not in done.stdout
    assert run("check", str(tmp_path / "d.xlsx"), folder=tmp_path).returncode == 0
    path = saved(model(NODES, w=W), tmp_path)
    assert run("import", str(path), "-o", str(tmp_path / "new"), "--until", "p", folder=tmp_path).returncode == 0
    assert [one.name for one in read_network(tmp_path / "new" / "m.toml").nodes] == ["c", "p"]
    done = run("summary", "edges", "--until", "edgse", folder=tmp_path)
    assert done.returncode == 2
    assert "until 'edgse': is no layer (did you mean 'edges'?); there are edges" in done.stderr


# -- other sizes -----------------------------------------------------------------------------------------------------------

POOLED = [
    node("Conv", "x w", "c"), node("Relu", "c", "r"), node("GlobalAveragePool", "r", "g"), node("Flatten", "g", "f"),
    node("Gemm", "f v", "y", transB=1),
]  # fmt: skip
V = RNG.normal(size=(3, 4)).astype(np.float32)


@pytest.mark.parametrize("size", [(5, 5), (7, 4), (12, 9)])
def test_another_size(size: tuple[int, int], tmp_path: Path) -> None:
    made = model(POOLED, w=W, v=V)
    x, have = drawn(saved(made, tmp_path), tmp_path, size=size)
    assert x.shape[2:] == size
    np.testing.assert_allclose(have, ReferenceEvaluator(made).run(None, {"x": x})[0][0], rtol=1e-5, atol=1e-5)


def test_another_size_with_channels_last(tmp_path: Path) -> None:
    """Of one channel that a constant Reshape turns, as tf2onnx does, and which another puts back."""
    first = W[:, :1]
    nodes = [
        node("Reshape", "x shape", "t"), node("Conv", "t w", "c", pads=[1, 1, 1, 1]), node("Conv", "c u", "d"),
        node("Reshape", "d back", "y"),
    ]  # fmt: skip
    made = model(nodes, shape=(1, 5, 6, 1), w=first, u=W[:1, :1].repeat(4, 1), shape_=0, back=np.array([-1, 3, 4, 1]))
    del made.graph.initializer[2]
    made.graph.initializer.append(onnx.numpy_helper.from_array(np.array([-1, 1, 5, 6]), "shape"))
    path = saved(made, tmp_path)
    x, have = drawn(path, tmp_path, size=(8, 7))
    other = onnx.load(path)
    for tensor, shape in zip(other.graph.initializer[2:], ([-1, 6, 5, 1], [-1, 1, 8, 7]), strict=True):
        tensor.CopyFrom(onnx.numpy_helper.from_array(np.array(shape), tensor.name))
    want = ReferenceEvaluator(other).run(None, {"x": x.transpose(0, 2, 3, 1)})[0]
    np.testing.assert_allclose(have.reshape(-1), want.reshape(-1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("nodes", "weights", "reason"),
    [
        (
            [node("Conv", "x w", "c"), node("Flatten", "c", "f"), node("Gemm", "f v", "y", transB=1)],
            {"w": W, "v": np.ones((3, 36), np.float32)},
            "is made for 2×5×5, not 2×8×8: Gemm (y): its weight is 3×36, not 3×144; leave --size out; "
            "what comes before can be drawn, 2 of 3 nodes: add  --until f",
        ),
        (
            [node("Relu", "x", "r"), node("Reshape", "r s", "y")],
            {"s": np.array([1, 1, 2, 5, 5])},
            None,
        ),
        (
            [node("Relu", "x", "r"), node("Reshape", "r s", "y")],
            {"s": np.array([1, 2, 25, 1])},
            None,
        ),
        (
            [node("GlobalMaxPool", "x", "r"), node("Concat", "r r", "z", axis=3), node("Reshape", "x s", "t"), node("Relu", "t", "y")],
            {"s": np.array([1, 10, 5])},
            None,
        ),
        (
            [node("Relu", "x", "r"), node("Reshape", "r s", "y")],
            {"s": np.array([1, 5, 10])},
            "is made for 2×5×5, not 2×8×8: Reshape (y): 1×2×8×8 cannot be shaped as 1×5×10; leave --size out; "
            "what comes before can be drawn, 1 of 2 nodes: add  --until r",
        ),
        (
            [node("Add", "x k", "y")],
            {"k": np.ones((2, 5, 5), np.float32)},
            "is made for 2×5×5, not 2×8×8: Add (y): 1×2×8×8 and 2×5×5 do not fit; leave --size out",
        ),
    ],
)  # fmt: skip
def test_where_a_size_is_fixed(nodes: Nodes, weights: dict[str, Any], reason: str | None, tmp_path: Path) -> None:
    path = saved(model(nodes, **weights), tmp_path)
    read_onnx(path)
    if reason is None:
        assert read_onnx(path, size=(8, 8)).description["input"]["height"] == 8
    else:
        assert refusal(path, size=(8, 8)) == f"{path}: {reason}"


def test_parts_of_a_picture_are_no_pictures(tmp_path: Path) -> None:
    """A Reshape to so many numbers for each picture makes four of one that is twice as large."""
    nodes = [node("MaxPool", "x", "p", kernel_shape=[5, 5], strides=[5, 5]), node("Reshape", "p s", "y")]
    path = saved(model(nodes, s=np.array([-1, 2])), tmp_path)
    read_onnx(path)
    assert refusal(path, size=(10, 10)) == (
        f"{path}: is made for 2×5×5: of 2×10×10 it makes several answers, 4×2 instead of 1×2; leave --size out"
    )


def test_what_cannot_be_drawn_at_any_size_is_said_as_always(tmp_path: Path) -> None:
    message = refusal(saved(model(NODES, w=W), tmp_path), size=(9, 9))
    assert "m.onnx: has a node that sheetcnn cannot draw: NonZero (bad): no layer does this; what comes before" in message
    assert "--size" not in message


def test_sizes_of_rows_and_of_vectors(tmp_path: Path) -> None:
    row = saved(model([node("Conv", "x w", "y")], shape=(1, 2, 9), w=W[:, :, 0]), tmp_path)
    assert read_onnx(row, size=(1, 20)).description["input"] == {"channels": 2, "height": 1, "width": 20}
    assert "m.onnx: reads one row; give its length with --size 1xN to build or import" in refusal(row, size=(3, 20))
    vector = saved(model([node("Gemm", "x v", "y", transB=1)], shape=(1, 12), v=np.ones((2, 12), np.float32)), tmp_path)
    assert read_onnx(vector, size=(3, 4)).description["input"] == {"channels": 1, "height": 3, "width": 4}
    assert "size 5x5 is given, the model reads 1×1×12; leave it out" in refusal(vector, size=(5, 5))


@pytest.mark.parametrize(
    ("given", "made", "now", "want"),
    [
        ((1, 8, 8, 1), (1, 1, 8, 8), (1, 5, 6, 1), (1, 1, 5, 6)),  # axes of one go where they went
        ((1, 4, 2, 4, 3), (1, 8, 4, 3), (1, 6, 2, 5, 3), (1, 12, 5, 3)),  # neighbours are put together
        ((1, 8, 4, 4), (1, 2, 4, 4, 4), (1, 8, 5, 6), (1, 2, 4, 5, 6)),  # what keeps its size is divided
        ((1, 8, 4, 4), (1, 128), (1, 8, 5, 4), (1, 160)),
        ((1, 8, 16), (1, 8, 4, 4), (1, 8, 15), None),  # what has another cannot be
        ((1, 512, 1, 1), (1, 512), (1, 512, 2, 2), None),  # cells appear where there was one
        ((6, 4), (4, 6), (6, 5), None),
        ((6, 4), (4, 6), (6, 4), (4, 6)),
        ((2, 3), (6,), (2, 3, 1), None),
        ((0, 3), (3, 0), (0, 3), None),
    ],
)  # fmt: skip
def test_reshaping_another_size(given: Any, made: Any, now: Any, want: Any) -> None:
    assert reshaped(given, made, now) == want
