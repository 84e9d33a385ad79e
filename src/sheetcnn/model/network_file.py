"""Network files in TOML and JSON, and files of labels."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import NetworkError, located
from ..reading import read_text
from .network import Network, check_labels, parse_network
from .settings import MAX_LABEL, plain_text

MAX_FILE_BYTES = {".json": 16_000_000, "": 8_000_000}  # by kind of file: reading TOML takes its time
MAX_DOTS = 50  # in a key of TOML, whose reader takes its square
MAX_BITS = 64  # of an integer in TOML
MAX_LABELS_BYTES = 1_000_000


def read_network(path: Path) -> Network:
    """Read a .toml or .json network file.

    Raises NetworkError with one line that names the file, the layer and the setting.
    """
    with located(file=path):
        return parse_network(read_settings(path), str(path))


def read_settings(path: Path) -> Any:
    """What a .toml or .json file says, not yet checked. Raises NetworkError where it cannot be read."""
    kind = path.suffix.lower()
    most = MAX_FILE_BYTES.get(kind, MAX_FILE_BYTES[""])
    give, instead = "give a network file or a template's name", "put the weights into an .npz file"
    text = read_text(path, most, NetworkError, give, else_="a network file is TOML or JSON", instead=instead)
    try:
        return _without_schema(parse_json(text)) if kind == ".json" else parse_toml(text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise NetworkError(f"{path}: is not valid {path.suffix.lstrip('.').upper() or 'TOML'}: {reason}") from None


def parse_json(text: str) -> Any:
    """What a text in JSON says; a key twice, of which programs read this one or that, is a ValueError."""
    return json.loads(text, object_pairs_hook=_once_each)


def _without_schema(data: Any) -> Any:
    """Without the place of the schema, which JSON files name for editors; TOML files do so in a comment."""
    return {key: value for key, value in data.items() if key != "$schema"} if isinstance(data, dict) else data


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {key!r:.60} stands there twice; leave one of them out")
    return table


def parse_toml(text: str) -> dict[str, Any]:
    """What a text in TOML says, which is a ValueError where the parser or others could not cope.

    Over keys of very many parts the parser would sit for hours; integers of any length in the base 16 would be read, but
    could not be written into a message.
    """
    if any(_dots(line) > MAX_DOTS for line in text.splitlines()):
        raise ValueError(f"a key has more than {MAX_DOTS} dots")
    data = tomllib.loads(text)
    if re.search(r"0(?:x[\da-fA-F_]{16}|o[0-7_]{21}|b[01_]{63})", text):
        _refuse_long(data)
    return data


def _refuse_long(data: Any) -> None:
    """Raise ValueError where there is an integer of more bits than TOML promises."""
    waiting = [data]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            waiting += one.values() if isinstance(one, dict) else one
        elif isinstance(one, int) and one.bit_length() > MAX_BITS:
            raise ValueError(f"a number has {one.bit_length():,} bits, more than {MAX_BITS}; write a smaller one")


def _dots(line: str) -> int:
    """How many dots a line of TOML has in its key; numbers of an array have commas between them."""
    key = line.partition("=")[0]
    return 0 if "," in key else key.count(".")


def with_labels(network: Network, path: Path) -> Network:
    """The network with the labels of a text file, one a line.

    Raises NetworkError with one line that names the file, the line and the rule.
    """
    give, save = "give a text file with one label a line", "save it as UTF-8, one label a line"
    text = read_text(path, MAX_LABELS_BYTES, NetworkError, give, else_=save)
    labels = tuple(text.replace("\r\n", "\n").rstrip("\n").split("\n"))
    for number, label in enumerate(labels, start=1):
        if not label.strip():
            raise NetworkError(f"{path}: line {number} is empty; give one label a line")
        if len(label) > MAX_LABEL:
            raise NetworkError(f"{path}: line {number} has {len(label):,} letters; a label has at most {MAX_LABEL}")
        try:
            plain_text(label)
        except ValueError as error:
            raise NetworkError(f"{path}: line {number}: {error}") from None
    check_labels(labels, network.nodes[-1], str(path))
    return replace(network, settings=network.settings.model_copy(update={"labels": labels}))


# -- writing ---------------------------------------------------------------------------------------------------------------
def network_toml(description: dict[str, Any]) -> str:
    """A network file as people write it: what is said of all of it, a table for the input, one for each layer."""
    tables = [f"[{key}]\n{_lines(description[key])}" for key in ("input", "training") if key in description]
    tables += [f"[[layers]]\n{_lines(layer)}" for layer in description["layers"]]
    top = {key: value for key, value in description.items() if key not in ("input", "training", "layers")}
    return "\n".join([_lines(top), *tables])


def _lines(table: dict[str, Any]) -> str:
    return "".join(f"{key} = {_literal(value)}\n" for key, value in table.items())


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
