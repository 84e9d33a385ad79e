"""Text from outside, of files' names, cells and models, made fit for a terminal, a table or a page; and words near a wrong one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

LENGTH = 1000  # letters of a line; names may have megabytes

# What steers a terminal (C0 and C1, escape sequences among them), ends a line, or turns around the order of letters.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
SURROGATE = re.compile(r"[\ud800-\udfff]")  # of names of files that are not in UTF-8


def plain(text: str, length: int = LENGTH) -> str:
    """The text on one line of at most so many letters, which does nothing to what shows it and can be written as UTF-8."""
    text = SURROGATE.sub("?", CONTROL.sub(" ", text))
    return text if len(text) <= length else f"{text[: length - 1]}…"


def plain_json(text: str) -> str:
    r"""JSON in which such letters are written as \u…, so that what reads it gets them as they were."""
    return re.sub(rf"(?!\n)(?:{CONTROL.pattern[:-1]}|{SURROGATE.pattern})", lambda found: f"\\u{ord(found[0]):04x}", text)


def near(word: object, known: Iterable[str], most: int = 1) -> str:
    """ " (did you mean …?)" where known words are near; nothing where none is."""
    if not isinstance(word, str):
        return ""
    found = difflib.get_close_matches(word.lower()[:LENGTH], list(dict.fromkeys(known)), n=most)
    return f" (did you mean {' or '.join(map(repr, found))}?)" if found else ""
