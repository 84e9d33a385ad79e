"""Activations in pieces: one that is almost known is never taken for the known one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import sheetcnn
from sheetcnn.errors import NetworkError
from sheetcnn.onnx import curves, read_onnx

Pieces = list[str]  # "y = Mul x c", "y = Relu x"


def model(pieces: Pieces, count: int, double: bool = False, **constants: float) -> onnx.ModelProto:
    """A model of `count` numbers; `constants` are of single precision, also where it computes in double."""
    kind = TensorProto.DOUBLE if double else TensorProto.FLOAT
    nodes = []
    for n, piece in enumerate(pieces):
        output, _, operator, *inputs = piece.split()
        attributes = {"to": kind} if operator == "Cast" else {}
        nodes.append(helper.make_node(operator, inputs, [output], f"node{n}", **attributes))
    graph = helper.make_graph(
        nodes,
        "pieces",
        [helper.make_tensor_value_info("x", kind, (1, 1, 1, count))],
        [helper.make_tensor_value_info("y", kind, None)],
        [
            numpy_helper.from_array(np.array(number, np.float32).astype(float if double else np.float32), name)
            for name, number in constants.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


def imported(folder: Path, pieces: Pieces, **constants: float) -> list[dict[str, Any]]:
    """The layers that pieces become, without their names. Raises NetworkError."""
    onnx.save(model(pieces, 1, **constants), folder / "m.onnx")
    layers = read_onnx(folder / "m.onnx").description["layers"]
    return [{key: value for key, value in layer.items() if key not in ("name", "input")} for layer in layers]


def both(folder: Path, x: np.ndarray, pieces: Pieces, **constants: float) -> tuple[np.ndarray, np.ndarray]:
    """What the workbook makes of some numbers, and what ONNX's reference does in double precision. Raises NetworkError."""
    onnx.save(model(pieces, x.size, **constants), folder / "m.onnx")
    x = x.reshape(1, 1, -1).astype(float)
    np.save(folder / "x.npy", x)
    built = sheetcnn.build(folder / "m.onnx", folder / "x.npy", None, gallery=False)
    with np.errstate(all="ignore"):
        want: Any = ReferenceEvaluator(model(pieces, x.size, True, **constants)).run(None, {"x": x[None]})[0]
    return list(built.values.values())[-1]["output"].reshape(-1), want.reshape(-1)


# -- almost known ----------------------------------------------------------------------------------------------------------

GATE = ["g = Greater x t", "c = Cast g", "y = Mul x c"]
WHERE = ["g = Greater x t", "y = Where g x zero"]
REACHED = ["g = GreaterOrEqual x t", "y = Where g x zero"]  # threshold leaves its own number out
SHRINK = ["a = Abs x", "g = Greater a t", "y = Where g x zero"]
LEAKY = ["g = Less x t", "m = Mul x k", "y = Where g m x"]
TANH_GELU = [
    "p = Pow x three", "q = Mul p k", "r = Add x q", "s = Mul r c", "u = Tanh s", "v = Add u one", "w = Mul x v", "y = Mul w half",
]  # fmt: skip
ERF_GELU = ["d = Div x root", "e = Erf d", "a = Add e one", "m = Mul x a", "y = Mul m half"]
SOFTPLUS = ["p = Softplus x", "g = Greater x t", "y = Where g x p"]
WINDOW = ["g = Greater x low", "h = Less x high", "b = And g h", "z = Where b zero x", "y = Relu z"]
BUMP = ["r = Relu x", "a = Sub x t", "b = Mul a k", "c = Mul b b", "n = Neg c", "e = Exp n", "y = Add r e"]

THRESHOLDS = [0.03, 1e-7, 1e-6, 1e-4, 0.049, 0.5, 3.1, 29.9, 50, 1e5, 1e20]


@pytest.mark.parametrize("threshold", [sign * t for sign in (1, -1) for t in THRESHOLDS])
@pytest.mark.parametrize("pieces", [GATE, WHERE], ids=["gate", "where"])
def test_what_is_kept_above_a_threshold(pieces: Pieces, threshold: float, tmp_path: Path) -> None:
    """It is no ReLU, however near to 0 or far out; the threshold is the model's own number, to the last bit."""
    value = 0.0 if pieces is GATE else 1.5
    constants = {"t": threshold} | ({"zero": value} if pieces is WHERE else {})
    exact = float(np.float32(threshold))
    own = {"value": value} if value else {}
    assert imported(tmp_path, pieces, **constants) == [{"type": "threshold", "threshold": exact} | own]
    beside = np.array([np.nextafter(exact, -np.inf), exact, np.nextafter(exact, np.inf)])
    have, want = both(
        tmp_path, np.concatenate([beside, beside * 1.01, beside * 0.99, -beside, [0, 0.02, -0.02, 1]]), pieces, **constants
    )
    assert (have == want).all()


@pytest.mark.parametrize("threshold", [sign * t for sign in (1, -1) for t in THRESHOLDS])
@pytest.mark.parametrize("pieces", [REACHED, SHRINK, LEAKY], ids=["reached", "shrink", "leaky"])
def test_threshold_elsewhere(pieces: Pieces, threshold: float, tmp_path: Path) -> None:
    constants = {"t": threshold, "zero": 0.0, "k": 0.01}
    used = {name: number for name, number in constants.items() if name in " ".join(pieces).split()}
    if pieces is SHRINK:
        if threshold > 0:  # which not every |x| is above
            exact = {"lambd": float(np.float32(threshold))} if threshold != 0.5 else {}
            assert imported(tmp_path, pieces, **used) == [{"type": "shrink"} | exact]
        return
    with pytest.raises(NetworkError, match=r"node\d\): .*a function of one number that is no activation of sheetcnn's"):
        imported(tmp_path, pieces, **used)


NEARLY: dict[str, tuple[Pieces, dict[str, float]]] = {
    "tanh gelu": (TANH_GELU, {"three": 3, "k": 0.04472, "c": 0.7978846, "one": 1, "half": 0.5}),
    "erf gelu": (ERF_GELU, {"root": 1.4143, "one": 1, "half": 0.5}),
    "softplus that is x from 5 on": (SOFTPLUS, {"t": 5}),
    "narrow window": (WINDOW, {"low": 0.0312, "high": 0.03120001, "zero": 0}),
    "narrow bump": (BUMP, {"t": 1.2345, "k": 1e6}),
    "bump far out": (BUMP, {"t": 12345, "k": 10}),
    "softsign": (["a = Abs x", "b = Add a k", "y = Div x b"], {"k": 1.00001}),
    "mish": (["e = Exp x", "a = Add e k", "l = Log a", "t = Tanh l", "y = Mul t x"], {"k": 1.0001}),
    "jump of relu": (["r = Relu x", "g = Greater x t", "c = Cast g", "m = Mul c k", "y = Add r m"], {"t": 2, "k": 1e-4}),
    "gate of silu": (["g = Greater x t", "s = Sigmoid x", "m = Mul x s", "y = Where g m zero"], {"t": -9, "zero": 0}),
}


@pytest.mark.parametrize("name", NEARLY)
def test_nearly_an_activation(name: str, tmp_path: Path) -> None:
    pieces, constants = NEARLY[name]
    with pytest.raises(NetworkError, match=r"node\d\): .*no activation of sheetcnn's: it is \S+ at \S+, where \w+"):
        imported(tmp_path, pieces, **constants)


def test_refusal_names_node_and_difference(tmp_path: Path) -> None:
    with pytest.raises(NetworkError) as caught:
        imported(tmp_path, REACHED, t=0.03, zero=0.0)
    assert str(caught.value).partition("m.onnx: ")[2] == (
        "has a node that sheetcnn cannot draw: Where (node1): with the nodes before it, it computes a function of one number "
        "that is no activation of sheetcnn's: it is 0.0299999993 at 0.0299999993, where threshold (threshold "
        "0.029999999329447746, value 0.0) is 0"
    )


# -- known, with settings ------------------------------------------------------------------------------------------------

CLIP = ["m = Max x low", "y = Min m high"]
KNOWN: list[tuple[Pieces, dict[str, float], dict[str, Any]]] = [
    (GATE, {"t": 0}, {"type": "relu"}),
    (WHERE, {"t": 0, "zero": 0}, {"type": "relu"}),
    (["a = Abs x", "s = Add x a", "y = Mul s half"], {"half": 0.5}, {"type": "relu"}),
    (["s = Sign x", "a = Add s one", "m = Mul x a", "y = Mul m half"], {"one": 1, "half": 0.5}, {"type": "relu"}),
    (["g = Less x zero", "n = Not g", "y = Where n x zero"], {"zero": 0}, {"type": "relu"}),
    (LEAKY, {"t": 0, "k": 0.01}, {"type": "leaky_relu"}),
    (LEAKY, {"t": 0, "k": 0.0100001}, {"type": "leaky_relu", "negative_slope": 0.0100001}),
    (CLIP, {"low": 0, "high": 6}, {"type": "relu6"}),
    (CLIP, {"low": 0, "high": 5.999}, {"type": "clip", "min_val": 0.0, "max_val": 5.999}),
    (CLIP, {"low": -1e-5, "high": 6}, {"type": "clip", "min_val": -1e-5, "max_val": 6.0}),
    (CLIP, {"low": -1e-8, "high": 1e30}, {"type": "clip", "min_val": -1e-8, "max_val": 1e30}),
    (SOFTPLUS, {"t": 20}, {"type": "softplus"}),  # as PyTorch has it
    (["b = Mul x k", "p = Softplus b", "y = Div p k"], {"k": 0.3}, {"type": "softplus", "beta": 0.3}),
    (["e = Exp x", "m = Sub e one", "k = Mul m a", "g = Greater x zero", "y = Where g x k"], {"one": 1, "a": 1.5, "zero": 0},
     {"type": "elu", "alpha": 1.5}),
]  # fmt: skip


@pytest.mark.parametrize(("pieces", "constants", "layer"), KNOWN)
def test_known(pieces: Pieces, constants: dict[str, float], layer: dict[str, Any], tmp_path: Path) -> None:
    assert imported(tmp_path, pieces, **constants) == [layer]


def test_what_is_no_activation_but_layers(tmp_path: Path) -> None:
    """x · relu(x) and x · sigmoid(1.0001 x) are products; they are no silu, no gelu, no clip."""
    x = np.array([-2, -0.5, 0, 1, 3], np.float32)
    np.testing.assert_array_equal(both(tmp_path, x, ["r = Relu x", "y = Mul x r"])[0], [0, 0, 0, 1, 9])
    for k in (1.0001, 1.702):
        have, want = both(tmp_path, x, ["m = Mul x k", "s = Sigmoid m", "y = Mul x s"], k=k)
        np.testing.assert_allclose(have, want, rtol=1e-6, atol=1e-7)


def test_whole_operators_keep_their_numbers(tmp_path: Path) -> None:
    """Attributes that are almost the known ones are not rounded to them."""
    for operator, attributes, kinds in (
        ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}, [{"type": "hard_sigmoid"}]),
        ("HardSigmoid", {"alpha": 0.1666667}, [{"type": "hard_sigmoid", "alpha": 0.1666667}]),
        ("Selu", {}, [{"type": "selu"}]),
        ("Selu", {"alpha": 1.673264}, None),
    ):
        made = model(["y = Relu x"], 1)
        made.graph.node[0].CopyFrom(helper.make_node(operator, ["x"], ["y"], "node", **attributes))
        onnx.save(made, tmp_path / "m.onnx")
        layers = read_onnx(tmp_path / "m.onnx").description["layers"]
        assert [{k: v for k, v in layer.items() if k != "name"} for layer in layers] == kinds or kinds is None
        assert kinds is not None or layers[0]["type"] == "elu"


# -- compared with the reference -----------------------------------------------------------------------------------------


def test_operator_that_is_misunderstood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were an operator followed wrongly, ONNX's reference would tell."""
    monkeypatch.setitem(curves.FUNCTIONS, "Abs", lambda x: x)
    with pytest.raises(
        NetworkError, match=r"Add \(node3\): looks like relu, but ONNX's reference makes \S+ of \S+, where relu"
    ):
        imported(tmp_path, ["a = Abs x", "b = Sub a x", "r = Relu x", "y = Add r b"])


# By name: the pieces, which may read t (a place), u (a place beside it), k (a factor near 1), s (a slope), e (a small number).
FAMILIES: dict[str, Pieces] = {
    "gate": GATE,
    "gate by where": ["g = GreaterOrEqual x t", "y = Where g x zero"],
    "hard shrink": SHRINK,
    "soft shrink": ["n = Neg t", "l = Min n t", "h = Max n t", "c0 = Max x l", "c = Min c0 h", "y = Sub x c"],
    "soft shrink by sign": ["f = Abs t", "s0 = Sign x", "a = Abs x", "b = Sub a f", "q = Relu b", "y = Mul s0 q"],
    "leaky from t on": ["g = Less x t", "m = Mul x s", "y = Where g m x"],
    "leaky by max": ["m = Mul x s", "y = Max x m"],
    "clip": ["m = Max x e", "y = Min m t"],
    "clip below 0": ["n = Neg e", "m = Max x n", "y = Min m k"],
    "silu": ["m = Mul x k", "g = Sigmoid m", "y = Mul x g"],
    "gate of silu": ["s0 = Sigmoid x", "m = Mul x s0", "g = Greater x t", "y = Where g m zero"],
    "relu and jump": ["r = Relu x", "g = Greater x t", "c = Cast g", "m = Mul c e", "y = Add r m"],
    "relu and bump": ["r = Relu x", "a = Sub x t", "b = Div a e", "c = Mul b b", "n = Neg c", "f = Exp n", "y = Add r f"],
    "relu with a hole": ["g = Greater x t", "h = Less x u", "b = And g h", "z = Where b zero x", "y = Relu z"],
    "erf gelu": ["d = Mul x k", "d0 = Mul d inverse", "f = Erf d0", "a = Add f one", "m = Mul x a", "y = Mul m half"],
    "softplus": ["b = Mul x k", "p = Softplus b", "q = Div p k", "g = Greater b t", "y = Where g x q"],
    "hard swish": ["a = Add x three", "r = Relu a", "c = Min r six", "m = Mul x c", "n = Mul m k", "y = Div n six"],
    "softsign": ["a = Abs x", "b = Add a k", "y = Div x b"],
    "relu of abs": ["a = Abs x", "b = Mul a k", "c = Add x b", "y = Mul c half"],
}
FIXED = {"zero": 0.0, "one": 1.0, "half": 0.5, "three": 3.0, "six": 6.0, "inverse": 0.70710678}


@pytest.mark.parametrize("name", FAMILIES)
def test_refused_or_right(name: str, tmp_path: Path) -> None:
    """Seeded near misses: whatever is imported has the reference's numbers, also beside every constant."""
    rng, pieces = np.random.default_rng([*name.encode()]), FAMILIES[name]
    for _ in range(12):
        t = 10.0 ** rng.uniform(-8, 6) * rng.choice([-1, 1])
        k, u = (1 + 10.0 ** rng.uniform(-6.5, -1, 2) * rng.choice([-1, 0, 1], 2)).tolist()
        s = float(rng.choice([0.01, 0.2, 0.5, 1])) * k
        given = FIXED | {"t": t, "u": t * u, "k": k, "s": s, "e": 10.0 ** rng.uniform(-8, 0)}
        used = {name: number for name, number in given.items() if name in " ".join(pieces).split()}
        places = np.abs([*used.values()])
        sizes = [
            10.0 ** np.arange(-9, 7, 0.25),
            *(places * (1 + d) for d in (0, 1e-7, -1e-7, 1e-6, -1e-6, 1e-3, -1e-3, 0.1)),
        ]
        x = np.concatenate([way * size for way in (-1, 1) for size in sizes]).astype(np.float32)
        try:
            have, want = both(tmp_path, x, pieces, **used)
        except NetworkError:
            continue
        allowed = 1e-6 * np.abs(want) + 1e-6 * np.minimum(1, np.abs(x))
        wrong = np.isfinite(want) & (np.abs(have - want) > allowed)
        assert not wrong.any(), (used, x[wrong][:5], have[wrong][:5], want[wrong][:5])
