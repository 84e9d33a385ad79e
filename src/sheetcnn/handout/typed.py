"""What students type: numbers as they are written in any country, and words that name cells."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..formula.parser import Reference, references_in


def cells_named(words: str, sheets: Iterable[str]) -> tuple[list[str], list[Reference]]:
    """Which of these sheets (in small letters) words or a formula name, and which cells and ranges: `cell B25 on sheet right`."""
    text, found = unicodedata.normalize("NFKC", words).replace("$", ""), []
    for sheet in sorted(sheets, key=len, reverse=True):  # taken out of the text, since fc1 would be a cell, too
        text, count = re.subn(rf"(?<!\w)'?{re.escape(sheet)}'?(?:[!.:](?=\w)|(?!\w))", " ", text, flags=re.I)
        found += [sheet] * (count > 0)
    text = re.sub(r"[.;](?=\s|$)", " ", text)  # the end of a sentence
    return found, [reference for _, reference in references_in(text.upper())]


_SPELT = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.I | re.A)
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}([.,' ])\d{3}(?:\1\d{3})*", re.A)


def number_in(value: Any, *, whole: bool = False) -> float | None:
    """The number that a text spells in any country's way, None for what is no text or spells none.

    Where `whole` numbers are asked for, 1,234 is more than a thousand.
    """
    if not isinstance(value, str):
        return None
    text = unicodedata.normalize("NFKC", value).translate(_SIGNS).strip(" '\"\u200b\ufeff")
    if _GROUPED.fullmatch(text) and (whole or text.count(".") > 1 or text.count(",") > 1 or " " in text or "'" in text):
        return float(re.sub(r"[.,' ]", "", text))
    text = text.replace(" ", "")
    if "," in text and "." in text:  # the last of them is the decimal sign
        point = max(text.rindex(","), text.rindex("."))
        text = re.sub(r"[.,]", "", text[:point]) + "." + text[point + 1 :]
    text = text.replace(",", ".")
    return float(text) if _SPELT.fullmatch(text) and np.isfinite(float(text)) else None


_SIGNS = str.maketrans({"−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "’": "'"})
