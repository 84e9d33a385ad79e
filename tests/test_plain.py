"""Text from outside, on its way to a terminal, a table or a page."""

from __future__ import annotations

import json

import pytest

from sheetcnn.handout.report import escape, harmless
from sheetcnn.plain import plain, plain_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Anna Öz – 数 🙂", "Anna Öz – 数 🙂"),
        ("    Points Possible", "    Points Possible"),
        ("a\x1b[31mred\x1b[0m", "a [31mred [0m"),
        ("a\x9b31mred\x85b", "a 31mred b"),  # C1: what begins a sequence in one letter, and a line end
        ("a\r\nb\tc\x00d\x7fe", "a b c d e"),
        ("a\u2028b\u2029c", "a b c"),
        ("\u202egpj.xlsx\u2066", " gpj.xlsx "),  # turns letters around
        ("M\udcfcller.xlsx", "M?ller.xlsx"),  # a file's name in latin-1
        ("x" * 1000, "x" * 1000),
        ("x" * 5_000_000, "x" * 999 + "…"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text) == shown
    assert plain(text).encode()


def test_length() -> None:
    assert plain("abcdef", 4) == "abc…"
    assert plain("abcd", 4) == "abcd"


def test_json_keeps_what_it_does_not_show() -> None:
    data = {"a\x9b\x7f": "\udcfc\u2028\u202e ü\x1b\n"}
    text = plain_json(json.dumps(data, ensure_ascii=False, indent=2))
    assert json.loads(text) == data
    assert text == '{\n  "a\\u009b\\u007f": "\\udcfc\\u2028\\u202e ü\\u001b\\n"\n}'


def test_tables_and_pages() -> None:
    assert harmless("\udcfc\x1b\x9b=1+1") == "? '=1+1"
    assert len(harmless("x" * 5_000_000)) == 30_000
    assert escape("<b>\x1b[0m\udcfc\n") == "&lt;b&gt; [0m? "
    assert len(escape("x" * 5_000_000)) == 30_000
