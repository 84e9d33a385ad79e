"""How many parts an ONNX model has, counted before they become objects: millions of empty ones are a small file.

A message is a row of fields, each with a tag and, where it is a message itself or bytes, its length:
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

MODEL_GRAPH, GRAPH_NODE, MODEL_FUNCTIONS, FUNCTION_NODE = 7, 1, 25, 7  # the numbers of fields, from onnx.proto
MOST = 500_000  # fields of the model, of its graph (or functions) and of the nodes in it together


def too_many_parts(data: bytes) -> bool:
    """Whether a model has more parts than any network that fits a workbook; damaged ones are left to who reads them."""
    try:
        message = memoryview(data)
        paths = (MODEL_GRAPH, GRAPH_NODE), (MODEL_FUNCTIONS, FUNCTION_NODE)
        return any(_count(message, path) > MOST for path in paths)
    except (IndexError, ValueError):
        return False


def _count(message: memoryview, inside: tuple[int, ...], room: int = MOST) -> int:
    """The fields of a message, and those of the messages in its field `inside[0]`; once there are too many it stops."""
    count = at = 0
    while at < len(message) and count <= room:
        tag, at = varint(message, at)
        count += 1
        kind = tag & 7
        if kind == 0:
            _, at = varint(message, at)
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        elif kind == 2:
            length, at = varint(message, at)
            if inside and tag >> 3 == inside[0]:
                count += _count(message[at : at + length], inside[1:], room - count)
            at += length
        else:
            raise ValueError("no kind of field that ONNX has")
    return count


def varint(message: memoryview, at: int) -> tuple[int, int]:
    """A whole number, seven bits a byte, and where it ends."""
    value = shift = 0
    while shift < 70:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("a number without an end")
