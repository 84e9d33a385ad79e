"""The right answer that a picture's name tells."""

from __future__ import annotations

import re
from collections.abc import Sequence


def label_number(name: str, labels: Sequence[str]) -> int:
    """The number of the label in a picture's name, counted from 1, as whole words: `digit-3` is a 3; 0 where there is none.

    The words at the end of the name count first; elsewhere in it only one label may stand, or one longer than others (`digit-9-hard`).
    """
    words = _words(re.sub(r" \(\d+\)$", "", name))  # the number of one of several pictures of the same name
    if not words:
        return 0
    known = {tuple(_words(label)): n for n, label in reversed([*enumerate(labels, start=1)]) if _words(label)}
    ends = [known[tuple(words[n:])] for n in range(len(words)) if tuple(words[n:]) in known]
    if ends:
        return ends[0]  # the longest
    parts = [tuple(words[i : j + 1]) for i in range(len(words)) for j in range(i, len(words))]
    longest = max((len(part) for part in parts if part in known), default=0)
    found = {known[part] for part in parts if part in known and len(part) == longest}
    return found.pop() if len(found) == 1 else 0


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s_-]+", text.casefold()) if word]
