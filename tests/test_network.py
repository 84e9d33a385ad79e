"""Network files: what is accepted, and the one line that says what is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sheetcnn.arrays.kernels import KERNELS
from sheetcnn.errors import LimitError, NetworkError, SheetcnnError
from sheetcnn.model.limits import graph_of
from sheetcnn.model.network import Network, parse_network
from sheetcnn.model.network_file import read_network
from sheetcnn.model.weights import load_parameters, trained_layers
from sheetcnn.sheets.layout import lay_out

INPUT = {"channels": 3, "height": 8, "width": 8}
CONV = {"type": "conv2d", "name": "conv", "out_channels": 4, "kernel_size": 3}


def network(*layers: dict[str, Any], **top: Any) -> Network:
    return parse_network({"name": "n", "input": INPUT, "layers": list(layers)} | top, "net.toml")


def test_toml_and_json_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        'name = "n"\n[input]\nchannels = 3\nheight = 8\nwidth = 8\n'
        '[[layers]]\ntype = "conv2d"\nname = "conv"\nout_channels = 4\nkernel_size = 3\n'
    )
    (tmp_path / "a.json").write_text(json.dumps({"name": "n", "input": INPUT, "layers": [CONV]}))
    one, other = read_network(tmp_path / "a.toml"), read_network(tmp_path / "a.json")
    assert one.description() == other.description()
    assert one.nodes[0].shape == (4, 6, 6)


def test_default_names_and_inputs() -> None:
    checked = network(
        {"type": "relu"}, {"type": "relu"}, {"type": "sigmoid", "input": "input"}, {"type": "tanh", "input": "relu_1"}
    )
    assert [node.name for node in checked.nodes] == ["relu_1", "relu_2", "sigmoid_3", "tanh_4"]
    assert [node.inputs for node in checked.nodes] == [("input",), ("relu_1",), ("input",), ("relu_1",)]


@pytest.mark.parametrize(
    ("padding", "shape", "sides"),
    [
        (2, (4, 10, 10), (2, 2, 2, 2)),
        ([1, 2], (4, 8, 10), (1, 2, 1, 2)),
        ([1, 0, 2, 3], (4, 9, 9), (1, 0, 2, 3)),
        ("same", (4, 8, 8), (1, 1, 1, 1)),
        ("valid", (4, 6, 6), (0, 0, 0, 0)),
    ],
)
def test_every_form_of_padding(padding: Any, shape: tuple[int, ...], sides: tuple[int, ...]) -> None:
    node = network(CONV | {"padding": padding}).nodes[0]
    assert node.shape == shape
    assert node.layer.sides == sides  # type: ignore[attr-defined]


def test_same_padding_of_even_kernels_puts_the_odd_cell_below_and_right() -> None:
    node = network(CONV | {"padding": "same", "kernel_size": [2, 4], "dilation": [3, 1]}).nodes[0]
    assert node.layer.sides == (1, 1, 2, 2)  # type: ignore[attr-defined]
    assert node.shape == (4, 8, 8)


BAD: list[tuple[dict[str, Any], str]] = [
    (
        {"layers": [CONV | {"kernal_size": 3}]},
        "layer 1 (conv2d \"conv\"): unknown setting 'kernal_size' (did you mean 'kernel_size'?)",
    ),
    ({"layers": [{"type": "conv3x3"}]}, "type 'conv3x3' is no layer"),
    ({"layers": [{"type": "Relu"}]}, "did you mean 'relu'"),
    ({"layers": [{}]}, "type None is no layer"),
    ({"layers": []}, "layers"),
    ({"layers": [7]}, "layers.0"),
    ({"nme": "x"}, "unknown setting 'nme' (did you mean 'name'?)"),
    ({"name": ""}, "name"),
    ({"name": "a\x07b"}, "control character"),
    ({"input": INPUT | {"heigth": 3}}, "unknown setting 'input.heigth' (did you mean 'height'?)"),
    ({"input": INPUT | {"height": 0}}, "input.height"),
    ({"input": INPUT | {"height": 2.5}}, "input.height"),
    ({"input": INPUT | {"height": True}}, "input.height"),
    ({"input": {"channels": 3, "height": 8}}, "input.width is missing"),
    ({"input": INPUT | {"scale": 0}}, "input.scale"),
    ({"input": INPUT | {"scale": float("nan")}}, "input.scale"),
    ({"input": INPUT | {"std": [1, 1]}}, "std has 2 numbers for 3 channels"),
    ({"input": INPUT | {"std": [1, 0, 1]}}, "input.std"),
    ({"input": INPUT | {"fit": "crop"}}, "input.fit"),
    (
        {"layers": [CONV | {"kernel_size": 9}]},
        "kernel_size 9 is larger than its 8×8 input; use padding, or a smaller kernel",
    ),
    ({"layers": [CONV | {"kernel_size": 5, "dilation": 3}]}, "kernel_size 5 with dilation 3 is larger than its 8×8 input"),
    ({"layers": [CONV | {"kernel_size": 12, "padding": 1}]}, "8×8 input, 10×10 with its padding"),
    ({"layers": [CONV | {"kernel_size": [3, 3, 3]}]}, "kernel_size"),
    ({"layers": [CONV | {"kernel_size": "3"}]}, "kernel_size"),
    ({"layers": [CONV | {"stride": 0}]}, "stride"),
    ({"layers": [CONV | {"padding": -1}]}, "padding"),
    ({"layers": [CONV | {"padding": "full"}]}, "'full' is none of"),
    ({"layers": [CONV | {"padding": "same", "stride": 2}]}, 'padding "same" needs stride 1'),
    ({"layers": [CONV | {"groups": 2}]}, "groups (=2) must divide the 3 input channels and out_channels (=4)"),
    ({"layers": [CONV | {"activation": "rellu"}]}, "unknown activation 'rellu'"),
    ({"layers": [CONV | {"activation": {"type": "leaky_relu", "slope": 1}}]}, "activation: leaky_relu has no setting slope"),
    ({"layers": [CONV | {"name": "1st"}]}, "name '1st' must be letters"),
    ({"layers": [CONV | {"name": "a b"}]}, "name 'a b' must be letters"),
    ({"layers": [CONV | {"name": "a/b"}]}, "must be letters"),
    ({"layers": [CONV | {"name": "a" * 32}]}, "32 letters"),
    ({"layers": [CONV | {"name": "Check"}]}, "taken by a sheet"),
    ({"layers": [CONV | {"name": "History"}]}, "taken by a sheet"),
    ({"layers": [CONV | {"name": "input"}]}, "taken by a sheet"),
    ({"layers": [CONV, CONV | {"name": "CONV"}]}, "taken by an earlier layer"),
    ({"layers": [CONV | {"input": "nowhere"}]}, "input 'nowhere' is no layer; there are input"),
    ({"layers": [CONV | {"input": 3}]}, "input 3 is no layer"),
    (
        {"layers": [CONV | {"input": "b"}, CONV | {"name": "b"}]},
        "input 'b' comes later: layers read earlier ones only, a cycle has no order",
    ),
    ({"layers": [CONV | {"input": "conv"}]}, "input 'conv' comes later"),
    ({"layers": [CONV | {"input": ["input", "input"]}]}, "it reads 1 layer, but `input` names 2"),
    ({"layers": [{"type": "add"}]}, "it reads at least 2 layers, but `input` names 1"),
    ({"layers": [{"type": "subtract", "input": ["input"] * 3}]}, "it reads 2 layers, but `input` names 3"),
    ({"layers": [CONV, {"type": "add", "input": ["conv", "input"]}]}, "inputs of 4×6×6 and 3×8×8 do not fit"),
    ({"layers": [CONV, {"type": "concat", "input": ["conv", "input"]}]}, "rows and columns must be the same"),
    ({"layers": [{"type": "flatten", "name": "f"}, {"type": "add", "input": ["f", "input"]}]}, "do not fit"),
    ({"layers": [CONV | {"share": "nowhere"}]}, "share 'nowhere' is no layer; there are none"),
    ({"layers": [CONV | {"share": "b"}, CONV | {"name": "b"}]}, "share 'b' comes later"),
    (
        {"layers": [CONV, CONV | {"name": "b", "share": "conv"}]},
        "its weights are weight [4, 3, 3, 3], bias [4], this layer needs weight [4, 4, 3, 3]",
    ),
    ({"layers": [{"type": "relu", "name": "r"}, {"type": "relu", "share": "r"}]}, "a relu has no weights to share"),
    (
        {"layers": [CONV, CONV | {"name": "b", "input": "input", "share": "conv", "bias": [0] * 4}]},
        "the weights are those of 'conv'",
    ),
    (
        {"layers": [CONV | {"channel_mix": "shared", "groups": 1, "out_channels": 3, "activation_scope": "channel"}]},
        "acts cell by cell",
    ),
    ({"layers": [CONV | {"channel_mix": "mean", "groups": 3, "out_channels": 3}]}, "goes with groups 1, not 3"),
    ({"layers": [CONV | {"channel_mix": "all"}]}, "channel_mix"),
    (
        {"layers": [{"type": "conv3d", "out_channels": 1, "kernel_size": [4, 3, 3]}]},
        "kernel_size [4, 3, 3] is larger than its 3×8×8 input",
    ),
    (
        {"layers": [{"type": "conv3d", "out_channels": 1, "kernel_size": 1, "in_channels": 2}]},
        "in_channels (=2) must divide the 3 maps",
    ),
    (
        {"layers": [{"type": "conv3d", "out_channels": 3, "kernel_size": 1, "in_channels": 3, "groups": 2}]},
        "groups (=2) must divide in_channels (=3) and out_channels (=3)",
    ),
    ({"layers": [{"type": "concat_constant"}]}, "it adds nothing; give before, after or both"),
    ({"layers": [CONV], "outputs": ["cnov"]}, "outputs has 'cnov', which is no layer (did you mean 'conv'?)"),
    ({"layers": [CONV], "outputs": ["input"]}, "outputs has 'input', which is no layer"),
    ({"layers": [{"type": "conv_transpose2d", "out_channels": 1, "kernel_size": 2, "padding": 9}]}, "leaves nothing"),
    (
        {"layers": [{"type": "conv_transpose2d", "out_channels": 1, "kernel_size": 2, "output_padding": 1}]},
        "must be smaller than stride",
    ),
    ({"layers": [{"type": "group_norm", "num_groups": 2}]}, "must divide the 3 channels"),
    ({"layers": [{"type": "channel_shuffle", "groups": 2}]}, "must divide the 3 channels"),
    ({"layers": [{"type": "pixel_shuffle", "upscale_factor": 2}]}, "must divide the 3 channels"),
    ({"layers": [{"type": "prelu", "num_parameters": 2}]}, "must be 1, or the 3 channels"),
    ({"layers": [{"type": "pad", "padding": 8, "mode": "reflect"}]}, "cannot mirror a map of 8×8"),
    ({"layers": [{"type": "clip", "min_val": 2, "max_val": 1}]}, "must not be larger"),
    ({"layers": [{"type": "upsample", "scale_factor": 2, "align_corners": True}]}, "goes with mode"),
    ({"layers": [{"type": "lrn", "size": 300}]}, "Excel allows 255"),
    ({"layers": [{"type": "dropout", "p": 2}]}, "p: "),
    ({"layers": [{"type": "linear", "out_features": 2}]}, "put a `flatten` layer before it"),
    ({"layers": [{"type": "flatten"}, {"type": "max_pool2d", "kernel_size": 2}]}, "put it before `flatten`"),
    ({"layers": [{"type": "max_pool2d", "kernel_size": 2, "padding": 2}]}, "hold nothing but padding"),
    (
        {"input": INPUT | {"width": 1}, "layers": [{"type": "max_pool2d", "kernel_size": 2, "dilation": 2, "padding": 1}]},
        "hold nothing but padding",
    ),
    ({"layers": [{"type": "avg_pool2d", "kernel_size": 2, "dilation": 2}]}, "unknown setting 'dilation'"),
    ({"layers": [CONV | {"bias": "no"}]}, "bias: input should be a valid boolean, not 'no'"),
    ({"layers": [CONV | {"name": "_kernels"}]}, "taken by a sheet"),
    ({"layers": [CONV | {"name": "_Pictures"}]}, "taken by a sheet"),
    ({"layers": [CONV | {"name": "_inspector"}]}, "taken by a sheet"),
    ({"layers": [CONV | {"share": ["conv"]}]}, "share ['conv'] is no layer"),
    ({"layers": [CONV | {"init": "he"}]}, "init 'he' is unknown; there are he_normal, "),
    ({"layers": [CONV | {"init": ["zeros"]}]}, "init ['zeros'] is unknown"),
    ({"layers": [CONV | {"seed": -1}]}, "seed -1 must be a whole number from 0 on"),
    ({"layers": [CONV | {"seed": True}]}, "seed True must be a whole number"),
    (
        {"layers": [CONV | {"activation": {"type": "prelu", "num_parameters": 5}}]},
        "activation prelu: num_parameters (=5) must be 1, or the 4 channels",
    ),
    (
        {"layers": [CONV | {"activation": {"type": "clip", "min_val": 2, "max_val": 1}}]},
        "activation clip: min_val (=2.0) must not be larger",
    ),
    ({"layers": [{"type": "max_pool2d"}]}, "kernel_size is missing"),
    ({"layers": [{"type": "relu", "weight": [1]}]}, "has no weights"),
    ({"layers": [{"type": "relu", "seed": 1}]}, "has no weights"),
    ({"layers": [CONV | {"kernels": ["sobel_x"]}]}, "names 1 kernels, out_channels is 4"),
    (
        {"layers": [{"type": "conv2d", "kernels": ["sobel"]}]},
        "unknown kernel 'sobel' (did you mean 'sobel_y'?); there are identity",
    ),
    ({"layers": [{"type": "conv2d", "kernels": ["blur"], "kernel_size": 4}]}, "cannot hold one in its middle"),
    ({"labels": ["a", "b"], "layers": [CONV]}, "labels has 2 names, the last layer 'conv' puts out 4×6×6"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_networks(change: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError, match=re.escape(message)) as caught:
        network(**({"layers": [CONV]} | change))
    assert str(caught.value).startswith("net.toml")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "is not valid TOML"),
        ("x = " + "[" * 5000, "TOML"),
        ('name = "a"', "input is missing"),
        ("layers = 3", "name is missing"),
    ],
)
def test_bad_files(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(text)
    with pytest.raises(NetworkError, match=message):
        read_network(tmp_path / "net.toml")


def test_bad_json_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "net.json").write_text("[" * 100_000)
    with pytest.raises(NetworkError, match="JSON"):
        read_network(tmp_path / "net.json")
    (tmp_path / "net.json").write_text("[]")
    with pytest.raises(NetworkError, match="table of settings"):
        read_network(tmp_path / "net.json")
    (tmp_path / "net.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NetworkError, match="UTF-8"):
        read_network(tmp_path / "net.toml")
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(NetworkError, match="cannot be read"):
            read_network(path)


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "layers", "message"),
    [
        ((1, 6000, 6000), [{"type": "relu"}], "would need 67,176,000,000 bytes of memory for it"),
        (
            (1, 8, 8),
            [{"type": "conv2d", "out_channels": 16_000, "kernel_size": 3}, CONV | {"out_channels": 16_000}],
            "2,304,",
        ),
        ((1, 1, 16_384), [{"type": "relu"}], "columns; Excel allows 16,384"),
        ((3, 8, 7000), [CONV | {"kernel_size": [3, 5000]}], "columns; Excel allows 16,384"),
        (
            (16, 16_384, 1),
            [{"type": "relu"}, {"type": "conv2d", "out_channels": 64, "kernel_size": 1}],
            "rows; Excel allows 1,048,576",
        ),
    ],
)
def test_limits(shape: tuple[int, ...], layers: list[dict[str, Any]], message: str) -> None:
    settings = dict(zip(("channels", "height", "width"), shape, strict=True))
    with pytest.raises(LimitError, match=message):
        lay_out(graph_of(network(*layers, input=settings)))


# -- weights -----------------------------------------------------------------------------------------------------------


def parameters(folder: Path, *layers: dict[str, Any], **top: Any) -> dict[str, dict[str, np.ndarray]]:
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, numbers in load_parameters(network(*layers, **top), folder)[0].items():
        layer, key = name.split(".")
        found.setdefault(layer, {})[key] = numbers
    return found


def test_inline_weights_win(tmp_path: Path) -> None:
    weight = np.arange(108.0).reshape(4, 3, 3, 3)
    np.savez(tmp_path / "w.npz", **{"conv.weight": weight * 0, "conv.bias": np.ones(4)})
    found = parameters(tmp_path, CONV | {"weight": weight.tolist(), "bias": [1, 2, 3, 4]}, weights="w.npz")["conv"]
    np.testing.assert_array_equal(found["weight"], weight)
    np.testing.assert_array_equal(found["bias"], [1, 2, 3, 4])


def test_classic_kernels_on_every_channel(tmp_path: Path) -> None:
    found = parameters(tmp_path, CONV | {"kernels": ["sobel_x", "sharpen", "blur", "outline"], "kernel_size": 5})["conv"]
    for channel in range(3):
        np.testing.assert_array_equal(found["weight"][0, channel, 1:4, 1:4], [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
        np.testing.assert_array_equal(found["weight"][1, channel, 1:4, 1:4], [[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
    assert not found["weight"][:, :, 0].any()  # a 3×3 kernel in the middle of 5×5
    assert not found["weight"][:, :, :, 4].any()
    np.testing.assert_array_equal(found["bias"], 0)


def test_sums_of_classic_kernels() -> None:
    """Smoothing keeps a flat picture, edge finders make it 0."""
    sums = {name: round(float(kernel.sum()), 12) for name, kernel in KERNELS.items()}
    ones = {"identity", "blur", "gaussian", "sharpen", "emboss"}
    assert sums == {name: 1 if name in ones else 0 for name in KERNELS}


def test_npz_as_a_state_dict_has_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {"conv.weight": rng.normal(size=(4, 3, 3, 3)).astype("f4"), "conv.bias": rng.normal(size=4)}
    arrays |= {f"bn.{key}": rng.uniform(size=4) for key in ("weight", "bias", "running_mean", "running_var")}
    arrays |= {
        "bn.num_batches_tracked": np.array(3),
        "fc.weight": np.asfortranarray(rng.normal(size=(2, 144))),
        "fc.bias": np.zeros(2),
    }
    np.savez_compressed(tmp_path / "w.npz", **arrays)
    layers = [
        CONV,
        {"type": "batch_norm2d", "name": "bn"},
        {"type": "flatten"},
        {"type": "linear", "name": "fc", "out_features": 2},
    ]
    found, notes = load_parameters(network(*layers, weights="w.npz"), tmp_path)
    for name, array in arrays.items():
        if not name.endswith("num_batches_tracked"):
            np.testing.assert_array_equal(found[name], array.astype(float))
    assert notes == []


def test_init_is_seeded_and_differs_by_layer(tmp_path: Path) -> None:
    two = (CONV, CONV | {"name": "other", "input": "input"})
    one, again = parameters(tmp_path, *two), parameters(tmp_path, *two)
    np.testing.assert_array_equal(one["conv"]["weight"], again["conv"]["weight"])
    assert (one["conv"]["weight"] != one["other"]["weight"]).all()
    assert (one["conv"]["weight"] != parameters(tmp_path, CONV | {"seed": 1})["conv"]["weight"]).all()
    np.testing.assert_array_equal(one["conv"]["bias"], 0)


@pytest.mark.parametrize(
    ("init", "deviation"),
    [
        ("he_normal", (2 / 2700) ** 0.5),
        ("he_uniform", (2 / 2700) ** 0.5),
        ("xavier_normal", (2 / 3600) ** 0.5),
        ("xavier_uniform", (2 / 3600) ** 0.5),
    ],
)
def test_spread_of_initial_weights(init: str, deviation: float, tmp_path: Path) -> None:
    layer = {"type": "conv2d", "name": "c", "out_channels": 100, "kernel_size": 3, "init": init}
    weight = parameters(tmp_path, layer, input={"channels": 300, "height": 3, "width": 3})["c"]["weight"]
    assert weight.std() == pytest.approx(deviation, rel=0.01)
    assert abs(weight.mean()) < deviation / 50


def test_constant_inits(tmp_path: Path) -> None:
    assert (parameters(tmp_path, CONV | {"init": "ones"})["conv"]["weight"] == 1).all()
    assert (parameters(tmp_path, CONV | {"init": "zeros"})["conv"]["weight"] == 0).all()
    norm = parameters(tmp_path, {"type": "batch_norm2d", "name": "bn"})["bn"]
    assert [array.tolist() for array in norm.values()] == [[1, 1, 1], [0, 0, 0], [0, 0, 0], [1, 1, 1]]


def npz(folder: Path, **arrays: np.ndarray) -> dict[str, Any]:
    np.savez(folder / "w.npz", **{name.replace("_", ".", 1): array for name, array in arrays.items()})
    return {"weights": "w.npz"}


def test_bad_weights(tmp_path: Path) -> None:
    def fails(message: str, *layers: dict[str, Any], **top: Any) -> None:
        with pytest.raises(SheetcnnError, match=message) as caught:
            parameters(tmp_path, *(layers or (CONV,)), **top)
        assert "\n" not in str(caught.value)

    fails(r"weight: has the shape \[1, 1\], the layer needs \[4, 3, 3, 3\]", CONV | {"weight": [[1]]})
    fails("nested lists", CONV | {"weight": [[1], [1, 2]]})
    fails("nested lists", CONV | {"weight": ["a"]})
    fails(r"bias: holds nan at \(2,\)", CONV | {"bias": [0, float("nan"), 0, 0]})
    fails(r"has the shape \[4, 3, 3\], the layer needs \[4, 3, 3, 3\]", **npz(tmp_path, conv_weight=np.zeros((4, 3, 3))))
    fails("holds inf", **npz(tmp_path, conv_weight=np.full((4, 3, 3, 3), np.inf)))
    fails("no objects, no pickles", **npz(tmp_path, conv_weight=np.array([object()])))
    fails("save real numbers", **npz(tmp_path, conv_weight=np.zeros((4, 3, 3, 3), complex)))
    fails("cannot be read", weights="none.npz")
    fails("leaves the network file's folder", weights="../w.npz")
    (tmp_path / "text.npz").write_text("hello")
    fails("no .npz file", weights="text.npz")
    np.savez_compressed(tmp_path / "cut.npz", **{"conv.weight": np.random.default_rng(0).normal(size=(4, 3, 3, 3))})
    data = bytearray((tmp_path / "cut.npz").read_bytes())
    data[120:140] = bytes(20)
    (tmp_path / "cut.npz").write_bytes(data)
    fails("cut.npz", weights="cut.npz")


def test_an_npz_that_claims_a_huge_array_takes_no_memory(tmp_path: Path) -> None:
    import zipfile

    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999999,), }"
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as archive:
        archive.writestr("conv.weight.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(NetworkError, match="the layer needs"):
        parameters(tmp_path, CONV, weights="w.npz")


def test_arrays_that_nobody_uses_are_named(tmp_path: Path) -> None:
    weights = {"conv_weight": np.ones((4, 3, 3, 3)), "conv_bias": np.ones(4)}
    _, notes = load_parameters(network(CONV, **npz(tmp_path, convolution_weight=np.zeros(3), **weights)), tmp_path)
    assert notes == ["w.npz has arrays that no layer reads: convolution.weight"]
    many = {f"a{n}_weight": np.zeros(1) for n in range(10)}
    _, notes = load_parameters(network(CONV, **npz(tmp_path, **many, **weights)), tmp_path)
    assert notes == [
        "w.npz has arrays that no layer reads: a0.weight, a1.weight, a2.weight, a3.weight, a4.weight, a5.weight, a6.weight, "
        "a7.weight and 2 more"
    ]


NORM = {"type": "batch_norm2d", "name": "bn"}
LACKING: list[
    tuple[Any, Any, str | None, str | None]
] = [  # a layer, the file's arrays, what is refused, what is noted with `init`
    (
        CONV,
        {"conv_bias": np.zeros(4)},
        'layer 1 (conv2d "conv"): w.npz does not have conv.weight (4×3×3×3); it has conv.bias; or write  init = "he_normal"  for '
        "numbers that are made up",
        "w.npz has no weight for conv: initialised by `init` and `seed` instead",
    ),
    (
        CONV,
        {"conv_weight": np.zeros((4, 3, 3, 3))},
        "w.npz does not have conv.bias (4); write  bias = false  if it has none; or write",
        "w.npz has no bias for conv: initialised",
    ),
    (
        CONV | {"bias": [0] * 4},
        {"conv_x": np.zeros(4)},
        "w.npz does not have conv.weight (4×3×3×3); it has conv.x; or",
        "w.npz has no weight for conv",
    ),
    (
        CONV | {"bias": False},
        {"convs_weight": np.zeros(4)},
        "w.npz does not have conv.weight (4×3×3×3) (did you mean 'convs.weight'?); or",
        "w.npz has no arrays for conv: initialised",
    ),
    (
        CONV,
        {
            "features.0_weight": np.zeros((4, 3, 3, 3)),
            "features.0_bias": np.zeros(4),
            "features.1_weight": np.zeros((4, 3, 3, 3)),
        },
        'w.npz does not have conv.weight (4×3×3×3) and conv.bias (4); what fits is  weights_prefix = "features.0"; or',
        "w.npz has no arrays for conv: initialised",
    ),
    (
        NORM,
        {"bn_weight": np.ones(3), "bn_bias": np.ones(3)},
        "does not have bn.running_mean (3) and bn.running_var (3); it has bn.bias, bn.weight; or",
        "w.npz has no running_mean and running_var for bn: initialised",
    ),
    (CONV | {"weight": np.zeros((4, 3, 3, 3)).tolist()}, {"conv_x": np.zeros(4)}, None, None),
    (CONV | {"kernels": ["blur"] * 4}, {"conv_x": np.zeros(4)}, None, None),
]


@pytest.mark.parametrize(("layer", "arrays", "refused", "note"), LACKING)
def test_each_array_that_a_file_lacks(
    layer: Any, arrays: Any, refused: str | None, note: str | None, tmp_path: Path
) -> None:
    """Is an error that names it, unless the network file says `init`."""
    top = npz(tmp_path, **arrays)
    if refused is not None:
        with pytest.raises(NetworkError, match=re.escape(refused)) as caught:
            load_parameters(network(layer, **top), tmp_path)
        assert caught.value.layer == layer["name"]
    for own in ({}, {"init": "ones"}, {"seed": 3}):
        if own or refused is None:
            _, notes = load_parameters(network(layer | (own if refused else {}), **top), tmp_path)
            found = [one for one in notes if "initialised" in one]
            assert len(found) == (note is not None), notes
            assert all(one.startswith(str(note)) for one in found), notes


def test_all_layers_that_lack_theirs_are_named(tmp_path: Path) -> None:
    layers = [CONV, NORM, {"type": "relu"}, NORM | {"name": "other", "init": "ones"}]
    with pytest.raises(NetworkError, match=r"for numbers that are made up; others that lack theirs: bn$"):
        load_parameters(network(*layers, **npz(tmp_path, x_weight=np.zeros(1))), tmp_path)


def test_names_with_dots(tmp_path: Path) -> None:
    """As PyTorch's modules have them: a layer says what its arrays' names begin with."""
    rng = np.random.default_rng(0)
    arrays = {"layer1.0.conv1_weight": rng.normal(size=(4, 3, 3, 3)), "layer1.0.conv1_bias": rng.normal(size=4)}
    arrays |= {f"layer1.0.bn1_{key}": rng.uniform(size=4) for key in ("weight", "bias", "running_mean", "running_var")}
    top = npz(tmp_path, **arrays)
    layers = (CONV | {"weights_prefix": "layer1.0.conv1"}, NORM | {"weights_prefix": "layer1.0.bn1"})
    found, notes = load_parameters(network(*layers, **top), tmp_path)
    assert notes == []
    np.testing.assert_array_equal(found["conv.weight"], arrays["layer1.0.conv1_weight"])
    np.testing.assert_array_equal(found["bn.running_var"], arrays["layer1.0.bn1_running_var"])
    assert trained_layers(network(*layers, **top), tmp_path) == ("conv", "bn")


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([CONV | {"weights_prefix": 3}], "weights_prefix 3: must be what arrays' names begin with, such as features.0"),
        ([CONV | {"weights_prefix": ""}], "weights_prefix '': must be what"),
        ([{"type": "relu", "weights_prefix": "a"}], "weights_prefix is given, but the layer has no weights; leave it out"),
        (
            [CONV, NORM | {"weights_prefix": "conv"}],
            "weights_prefix 'conv': layer 'conv' has these weights; share = 'conv' uses",
        ),
        ([CONV | {"weights_prefix": "bn"}, NORM], "weights_prefix 'bn': layer 'conv' has these weights"),
        (
            [CONV, {"type": "conv2d", "out_channels": 3, "kernel_size": 3, "input": "input", "weights_prefix": "conv"}],
            "layer 'conv' has these weights",
        ),
        (
            [CONV, CONV | {"name": "b", "input": "input", "share": "conv", "weights_prefix": "c"}],
            "weights_prefix is given, but the weights are those of 'conv'; leave one of them out",
        ),
    ],
)
def test_bad_prefixes(layers: list[Any], message: str) -> None:
    with pytest.raises(NetworkError, match=re.escape(message)):
        network(*layers)


def test_prefixes_that_only_look_taken() -> None:
    """By a layer without weights, and by one that uses another's."""
    share = CONV | {"name": "b", "input": "input", "share": "conv"}
    found = network(
        {"type": "relu", "name": "a"},
        CONV,
        share,
        NORM | {"weights_prefix": "a"},
        NORM | {"name": "c", "weights_prefix": "b"},
    )
    assert [node.prefix for node in found.nodes] == ["a", "conv", "b", "a", "b"]


def test_what_another_layer_uses_is_not_proposed(tmp_path: Path) -> None:
    arrays = {"b_weight": np.zeros((4, 3, 3, 3)), "b_bias": np.zeros(4)}
    with pytest.raises(NetworkError, match=r"conv.bias \(4\) .did you mean .b.weight.\?\); or write"):
        load_parameters(network(CONV, CONV | {"name": "b", "input": "input"}, **npz(tmp_path, **arrays)), tmp_path)


def test_a_prefix_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(
        NetworkError, match=r'"conv"\): weights_prefix is given, but no file: add  weights = "FILE.npz"  at the top'
    ):
        load_parameters(network(CONV | {"weights_prefix": "a.0"}), tmp_path)


def test_weights_of_an_activation(tmp_path: Path) -> None:
    """`activation_weight` is the slope of a prelu that is part of another layer, in network files as in .npz files."""
    layer = CONV | {"activation": {"type": "prelu", "num_parameters": 4}}
    found = parameters(tmp_path, layer | {"activation_weight": [1, 2, 3, 4]})["conv"]
    np.testing.assert_array_equal(found["activation_weight"], [1, 2, 3, 4])
    np.savez(tmp_path / "w.npz", **{"conv.activation_weight": np.arange(4.0)})
    found = parameters(tmp_path, layer | {"init": "ones"}, weights="w.npz")["conv"]
    np.testing.assert_array_equal(found["activation_weight"], np.arange(4))
    np.testing.assert_array_equal(parameters(tmp_path, layer)["conv"]["activation_weight"], 0.25)


def test_layers_whose_grids_would_have_one_name() -> None:
    """A mean of instance_norm2d "bn_running" is called as the running mean of batch_norm2d "bn"."""
    norm = {"type": "batch_norm2d", "name": "bn"}
    clash = network(norm, {"type": "instance_norm2d", "name": "BN_running"})
    with pytest.raises(NetworkError, match="layers 'bn' and 'BN_running' would both have grids named BN_running_mean_1"):
        graph_of(clash)
    graph_of(network(norm, {"type": "relu", "name": "bn_running"}))


@pytest.mark.parametrize(
    ("side", "more", "advice"),
    [
        (448, [], "an input of 252×252 would fit"),
        (
            448,
            [{"type": "global_avg_pool2d"}, {"type": "flatten"}, {"type": "linear", "out_features": 2}],
            "an input of 252×252 would fit",
        ),
        (
            448,
            [{"type": "max_pool2d", "kernel_size": 112}, {"type": "flatten"}, {"type": "linear", "out_features": 2}],
            "an input of 252×252 would fit, with weights of the fully connected layers made for it",
        ),
        (1, [{"type": "conv2d", "out_channels": 16_384, "kernel_size": 1}] * 3, "use fewer channels"),
    ],
)
def test_what_would_fit(side: int, more: list[dict[str, Any]], advice: str) -> None:
    """The limit's message says which input would fit; 481 maps of 252 × 252 are 57 GB of formulas, of 280 × 280 70."""
    layers = [{"type": "conv2d", "out_channels": count, "kernel_size": 1} for count in ((32, 448) if side > 1 else (1,))]
    settings = {"channels": 1, "height": side, "width": side}
    network = parse_network({"name": "n", "input": settings, "layers": [*layers, *more]}, "n.toml")
    with pytest.raises(LimitError, match=r"^n\.toml: .* would (have|need) [\d,]+ .*, [\d,]+ of them in ") as caught:
        graph_of(network)
    assert re.split(r"(?:\(--live\)|writes 400,000,000); ", str(caught.value))[-1] == advice
