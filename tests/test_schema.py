"""The JSON schema of network files, and settings that are dumped and read back."""

from __future__ import annotations

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft7Validator

import sheetcnn
from sheetcnn.cli import main
from sheetcnn.errors import NetworkError
from sheetcnn.layers import LAYERS
from sheetcnn.layers.activation import Activated
from sheetcnn.layers.base import Layer
from sheetcnn.model.network import parse_network
from sheetcnn.model.network_file import read_network
from sheetcnn.schema import network_schema
from sheetcnn.templates import templates

SCHEMA = Draft7Validator(network_schema())
NETWORK: dict[str, Any] = {"name": "n", "input": {"channels": 2, "height": 8, "width": 8}}


def network(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return copy.deepcopy(NETWORK) | {"layers": list(layers)} | more


def test_it_is_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    Draft7Validator.check_schema(SCHEMA.schema)
    with pytest.raises(SystemExit):
        main(["schema"])
    assert json.loads(capsys.readouterr().out) == SCHEMA.schema


@pytest.mark.parametrize("name", templates())
def test_templates_are_valid(name: str) -> None:
    SCHEMA.validate(tomllib.loads(templates()[name].read_text(encoding="utf-8")))


EXAMPLES = [(name, number) for name, layer in LAYERS.items() for number in range(len(layer.examples))]


@pytest.mark.parametrize(("name", "number"), EXAMPLES, ids=lambda value: str(value))
def test_layers_examples_are_valid(name: str, number: int) -> None:
    """With settings as people write them, with all of them, and with the numbers of weights."""
    example = LAYERS[name].examples[number]
    layer = LAYERS[name](**example.settings)
    weights = json.loads(json.dumps(example.parameters, default=lambda array: np.asarray(array).tolist()))
    for settings in (example.settings, layer.model_dump(mode="json")):
        SCHEMA.validate(network({"type": name, "name": "it", "input": "input"} | settings | weights))


CONV = {"type": "conv2d", "out_channels": 2, "kernel_size": 3}
FINE = [
    network({"type": "conv2d", "kernels": ["sobel_x", "blur"], "activation": "relu", "init": "zeros", "seed": 3}),
    network(
        CONV | {"padding": [1, 2], "stride": 2, "activation": {"type": "leaky_relu", "negative_slope": 0.2}, "bias": False}
    ),
    network(
        CONV | {"name": "a"}, CONV | {"share": "a", "padding": "same"}, weights="a.npz", about="", **{"$schema": "x.json"}
    ),
    network(CONV | {"activation": "prelu", "activation_weight": [0.1, 0.2], "bias": [1, 2.5]}),
    network({"type": "linear", "out_features": 2, "activation": "softmax"}, labels=["a", "b"]),
    network({"type": "identity"}, {"type": "add", "input": ["identity_1", "input"]}),
    network({"type": "relu"}, input={"channels": 2, "height": 8, "width": 8, "mean": 0.5, "std": [1, 2], "scale": 255}),
]
WRONG = {
    "no layers": network(),
    "no name": {key: value for key, value in network({"type": "relu"}).items() if key != "name"},
    "unknown key": network({"type": "relu"}, color=1),
    "unknown layer": network({"type": "conv2"}),
    "no type": network({"out_features": 2}),
    "another layer's setting": network({"type": "relu", "kernel_size": 3}),
    "setting left out": network({"type": "conv2d", "out_channels": 2}),
    "a text for a number": network(CONV | {"stride": "2"}),
    "too small": network(CONV | {"stride": 0}),
    "three numbers for two": network(CONV | {"stride": [1, 1, 1]}),
    "three sides": network(CONV | {"padding": [1, 1, 1]}),
    "unknown word": network(CONV | {"padding": "full"}),
    "unknown kernel": network({"type": "conv2d", "kernels": ["sobel"]}),
    "unknown init": network(CONV | {"init": "random"}),
    "negative seed": network(CONV | {"seed": -1}),
    "seed without weights": network({"type": "relu", "seed": 1}),
    "unknown activation": network(CONV | {"activation": "flatten"}),
    "activation's setting": network(CONV | {"activation": {"type": "relu", "slope": 1}}),
    "activation without its type": network(CONV | {"activation": {"negative_slope": 0.1}}),
    "name with a blank": network(CONV | {"name": "my layer"}),
    "long name": network(CONV | {"name": "a" * 32}),
    "weights of others": network({"type": "max_pool2d", "kernel_size": 2, "weight": [1]}),
    "weights as a text": network(CONV | {"weight": "1 2 3"}),
    "input as a number": network(CONV | {"input": 1}),
    "no channels": network({"type": "relu"}, input={"height": 8, "width": 8}),
    "std of 0": network({"type": "relu"}, input={"channels": 2, "height": 8, "width": 8, "std": 0}),
    "fit": network({"type": "relu"}, input={"channels": 2, "height": 8, "width": 8, "fit": "fill"}),
}


@pytest.mark.parametrize("number", range(len(FINE)))
def test_what_is_right_is_valid(number: int) -> None:
    SCHEMA.validate(FINE[number])


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_not(what: str) -> None:
    """Neither to the schema, nor to sheetcnn itself."""
    assert not SCHEMA.is_valid(WRONG[what])
    with pytest.raises(NetworkError):
        parse_network(WRONG[what], "file")


@pytest.mark.parametrize("name", LAYERS)
def test_schema_has_the_settings_of_a_layer(name: str) -> None:
    properties = SCHEMA.schema["$defs"][name]["properties"]
    assert {"type", "name", "input", *LAYERS[name].model_fields} <= set(properties)
    for number, example in enumerate(LAYERS[name].examples):
        layer = LAYERS[name](**example.settings)
        shapes = [np.shape(one) for one in ([example.x] if layer.inputs == (1, 1) else example.x)]
        assert set(layer.all_parameters(*shapes)) <= set(properties), number


def test_json_files_may_name_their_schema(tmp_path: Path) -> None:
    described = network({"type": "relu"}, **{"$schema": "./sheetcnn.schema.json"})
    (tmp_path / "net.json").write_text(json.dumps(described), encoding="utf-8")
    assert read_network(tmp_path / "net.json").description() == parse_network(network({"type": "relu"}), "x").description()
    np.save(tmp_path / "x.npy", np.zeros((2, 8, 8)))
    book = sheetcnn.build(tmp_path / "net.json", tmp_path / "x.npy", tmp_path / "net.xlsx").path
    assert sheetcnn.check(book, network=tmp_path / "net.json").ok
    (tmp_path / "net.toml").write_text(
        '"$schema" = "x"\nname = "n"\nlayers = [{type = "relu"}]\ninput = {channels = 1, height = 1, width = 1}',
        encoding="utf-8",
    )
    with pytest.raises(NetworkError, match=r"unknown setting '\$schema'"):
        read_network(tmp_path / "net.toml")


# -- settings that are dumped -----------------------------------------------------------------------------------------------


def dumped(layer: Layer) -> None:
    """The layer comes back from its dump as it was, whichever way it is dumped."""
    for settings in (layer.model_dump(), layer.model_dump(mode="json"), json.loads(layer.model_dump_json())):
        assert type(layer)(**settings) == layer
    assert type(layer).model_validate_json(layer.model_dump_json()) == layer


@pytest.mark.parametrize("name", LAYERS)
def test_layers_come_back_from_their_dumps(name: str) -> None:
    for example in LAYERS[name].examples:
        dumped(LAYERS[name](**example.settings))


ACTIVATIONS = {name: layer for name, layer in LAYERS.items() if layer.activates}


@pytest.mark.parametrize("name", [name for name, layer in LAYERS.items() if issubclass(layer, Activated)])
def test_activations_come_back_with_their_settings(name: str) -> None:
    settings = LAYERS[name].examples[0].settings
    for kind, activation in ACTIVATIONS.items():
        for example in activation.examples:
            layer = LAYERS[name](**settings | {"activation": {"type": kind} | example.settings})
            dumped(layer)
            assert layer.model_dump()["activation"] == {"type": kind} | activation(**example.settings).model_dump()
    slope = {"type": "leaky_relu", "negative_slope": 0.2}
    assert LAYERS[name](**settings | {"activation": slope}).model_dump(mode="json")["activation"] == slope
