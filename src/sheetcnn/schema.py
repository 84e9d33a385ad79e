"""The JSON schema of network files, made of the classes that read them: editors complete and check by it."""

from __future__ import annotations

from typing import Any

from .layers import LAYERS
from .layers.base import PREFIX, Layer
from .model.network import INITS, MAX_PREFIX, NAME, NAME_LETTERS, WEIGHT_KEYS
from .model.settings import NetworkSettings

Schema = dict[str, Any]
DIALECT = "http://json-schema.org/draft-07/schema#"  # what editors for TOML and for JSON both know
NUMBERS: Schema = {"type": ["number", "array"], "items": {"$ref": "#/$defs/numbers"}}
TEXT: Schema = {"type": "string"}
COMMON: Schema = {
    "name": {"type": "string", "pattern": f"^{NAME}$", "maxLength": NAME_LETTERS, "description": "letters, digits, _"},
    "input": {
        "anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}],
        "description": "the layer, or layers, to read; default: the one before",
    },
    "live": {"type": "boolean", "default": True, "description": "false: numbers that NumPy computed, no formulas"},
}
WEIGHTS: Schema = {
    "share": {"type": "string", "description": "the layer whose weights it uses"},
    "weights_prefix": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_PREFIX,
        "description": "what its arrays' names begin with",
    },
    "init": {"enum": list(INITS), "default": INITS[0]},
    "seed": {"type": "integer", "minimum": 0, "default": 0},
    "train": {"type": "boolean", "default": True, "description": "whether a step of training changes its weights"},
}


def network_schema() -> Schema:
    """The schema of a network file."""
    schema = _plain(NetworkSettings.model_json_schema())
    definitions = schema.pop("$defs")
    layers = {name: {"$ref": f"#/$defs/{name}"} for name in LAYERS}
    schema["properties"]["layers"]["items"] = {"type": "object", "required": ["type"], "oneOf": list(layers.values())}
    schema["properties"]["$schema"] = TEXT
    definitions |= {"numbers": NUMBERS, "activation": _activation()} | {name: _layer(one) for name, one in LAYERS.items()}
    return {"$schema": DIALECT, "title": "sheetcnn network"} | schema | {"$defs": definitions}


def _layer(layer: type[Layer]) -> Schema:
    """A layer as a network file has it."""
    schema = _settings(layer)
    properties = {"type": {}} | COMMON | schema["properties"]
    keys = {key for one in layer.examples for key in one.parameters if key in WEIGHT_KEYS}
    if "activation" in layer.model_fields:
        properties["activation"] = {"$ref": "#/$defs/activation"}
        keys.add(f"{PREFIX}weight")  # of an activation that learns one
    for key in sorted(keys):
        numbers = {"$ref": "#/$defs/numbers"}
        properties[key] = {"anyOf": [properties[key], numbers]} if key in properties else numbers
    return schema | {"properties": properties | (WEIGHTS if keys else {})}


def _activation() -> Schema:
    """What `activation` may be: a name, or a table of a name and settings."""
    tables = [_settings(layer) for layer in LAYERS.values() if layer.activates]
    names = [table["properties"]["type"]["const"] for table in tables if table["required"] == ["type"]]
    return {"anyOf": [{"enum": names}, {"type": "object", "required": ["type"], "oneOf": tables}, {"type": "null"}]}


def _settings(layer: type[Layer]) -> Schema:
    """A layer's settings as its class has them, and its type."""
    schema = _plain(layer.model_json_schema())
    schema.pop("$defs", None)
    required = ["type", *schema.get("required", [])]
    properties = {"type": {"const": layer.type}} | schema["properties"]
    return schema | {"description": layer.about, "properties": properties, "required": required}


def _plain(schema: Any) -> Any:
    """Without titles that only repeat names, and with one rule for all items of an array where they have the same."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _plain(value) for key, value in schema.items() if key != "title" or isinstance(value, dict)}
    items = kept.get("prefixItems")
    if isinstance(items, list):
        del kept["prefixItems"]
        kept["items"] = items[0]
    return kept
