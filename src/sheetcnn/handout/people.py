"""Who handed in a file: what its path says, in the ways in which school systems, programs and people name files."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

from .hand_ins import BLACKBOARD, HandIn
from .student import Student

# Moodle: "Anna Schmidt_101_assignsubmission_file_/handout.xlsx", or all of it in the file's name; with a group before it.
_MOODLE = re.compile(r"(?P<who>.+?)_(?P<id>\d+)_assignsubmission_[a-z]+(_(?P<rest>.*))?\Z", re.S)
# Canvas: "schmidtanna_LATE_501_9001_handout-1.xlsx": name, user, upload; without names "anon_x1Y2z" for both of the first.
_CANVAS = re.compile(
    r"(?P<who>[^_]*?)(?:(?:^|_)LATE)?_?(?P<id>(?<![^_])\d+|(?<![^_])anon_[^_]+)_(?P<upload>\d{3,})_(?P<rest>.+)\Z",
    re.I | re.S,
)
# Brightspace: "12345-67890 - Anna Schmidt - Jan 31, 2026 1011 AM/handout.xlsx".
_BRIGHTSPACE = re.compile(r"(?P<id>\d+-\d+) ?- ?(?P<who>.+?) ?- [^-]*\d{4}.*", re.S)
_NAMELESS = re.compile(r"(participant|teilnehmer|particip|partecipante|deelnemer|anon)\S*( \d+)?\Z", re.I)
_IDENTIFIER = re.compile(
    r"(?:participant|teilnehmer|particip|partecipante|deelnemer)\D*(\d+)\Z", re.I
)  # in Moodle's worksheet
_GROUP = re.compile(r"\A(default group|group|gruppe|groupe|grupo|gruppo|groep|team)\b[^-]*-(?=.)", re.I | re.S)
_COPY = re.compile(
    r"\A(?:copy of|kopie von|copie de|copia de|kopia)\s+|\s*\((\d{1,3})\)\Z|(?<=.)-(\d{1,2})\Z|[\s_-]+(?:copy|kopie|copie|copia)(?:\s*(\d+))?\Z",
    re.I,
)
_ATTEMPT = re.compile(r"(?<![^\W_])(?:attempt|version|versuch|v)[\s_-]?(\d{1,4})(?![^\W_])", re.I)
_TECHNICAL = re.compile(r"(attempt|version|versuch|assignment|submi\w+|hand-?in\w*|abgabe\w*)\b.*", re.I)
_HANDOUT = re.compile(r"(?<![^\W_])handout(?![^\W_])", re.I)
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae"})


@dataclass(frozen=True)
class Claim:
    """What a path says about who handed in."""

    person: str  # as people would say it; the same for all files of a person
    key: str  # the same for all files of a person, and different for two people
    students: frozenset[int] = frozenset()  # who in the roster it may be, counted from 1
    by_system: bool = False  # whether a school's system says so, by a name
    rest: frozenset[int] = frozenset()  # whom the student's own name for the file tells of, where the system's does not


@dataclass(frozen=True)
class _Told:
    """What a school's system says in one part of a path."""

    names: tuple[str, ...]  # the likeliest first
    id: str = ""  # the system's own for the student
    rest: str = ""  # the student's own name for the file


class People:
    """The roster, to look names up in."""

    def __init__(self, students: Sequence[Student]) -> None:
        self._exact: dict[str, set[int]] = defaultdict(set)
        self._joined: dict[str, set[int]] = defaultdict(set)
        self._lacking: dict[str, set[int]] = defaultdict(set)  # names without letters that some systems drop
        self._ids: dict[str, int] = {}  # systems' own, from rosters that have them
        self._having: dict[str, set[int]] = defaultdict(set)
        self._by_word: dict[str, list[tuple[frozenset[str], int]]] = defaultdict(list)
        for n, student in enumerate(students, start=1):
            email = student.email.casefold()
            for text in (PurePosixPath(student.file).stem, email, email.partition("@")[0], student.number):
                if text.strip():
                    self._exact[_folded(text)].add(n)
            for heading, cell in student.columns:
                if (match := _IDENTIFIER.match(cell.strip())) or (heading.strip().casefold() == "id" and cell.strip()):
                    self._ids[match[1] if match else cell.strip()] = n
            whole = list(_forms(student.name))
            for words in (*whole, *_without_letters(student.name)):
                for joined in _turned(words):
                    (self._joined if words in whole else self._lacking)[joined].add(n)
                self._by_word[max(words, key=len)].append((frozenset(words), n))
                for word in words:
                    self._having[word].add(n)

    def named(self, text: str) -> frozenset[int]:
        """Whom a text names that is a name and nothing else, but perhaps a group before it."""
        whole = _mended(text).strip()
        if found := self._exact.get(_folded(whole)):
            return frozenset(found)
        tails = [whole.split("-", n)[-1] for n in range(whole.count("-") + 1)]
        forms = [words for part in tails for words in _forms(part)]
        for names in (self._joined, self._lacking):
            for words in forms:
                if found := names.get("".join(words)) or names.get("".join(sorted(words))):
                    return frozenset(found)
        return self.within(whole) or self._shortened(whole)

    def within(self, text: str) -> frozenset[int]:
        """Whom a text names among other words: by all words of a name of two or more, by e-mail address or number."""
        text = _mended(text)
        longest: dict[int, set[int]] = defaultdict(set)
        for words in _forms(text):
            for word in set(words):
                for name, n in self._by_word.get(word, ()):
                    if len(name) > 1 and name <= set(words):
                        longest[len(name)].add(n)
        if longest:
            return frozenset(longest[max(longest)])
        for piece in re.split(r"[\s_()\[\],;]+", _folded(text)):
            if len(piece) > (4 if piece.isdecimal() else 2) and (found := self._exact.get(piece)):
                return frozenset(found)
        return frozenset()

    def _shortened(self, text: str) -> frozenset[int]:
        """Whom a name tells of that lacks some of the roster's words, as of second names."""
        for words in _forms(text):
            if len(words) > 1 and (names := set.intersection(*(self._having.get(word, set()) for word in words))):
                return frozenset(names)
        return frozenset()

    def claims(self, found: Sequence[HandIn]) -> list[Claim]:
        """What each file's path says. With no roster, folders and files name the students themselves."""
        plain = _plain_names(found)
        told = [list(_told(one)) for one in found]
        several = defaultdict(set)  # people whom a system calls the same
        for said in told:
            for first in said[:1]:
                several[first.names[0]].add(first.id)
        claims = []
        for one, said, (person, key) in zip(found, told, plain, strict=True):
            if said:
                first = said[0]
                person = first.names[0]
                if len(several[person]) > 1:
                    person = f"{person} {first.id}".rstrip()
                key = f"{first.names[0]}\0{first.id}"
            claims.append(self._claim(one, said, _mended(person), _folded(key)))
        return claims

    def _claim(self, one: HandIn, told: list[_Told], person: str, key: str) -> Claim:
        known = next((self._ids[said.id] for said in told if said.id in self._ids), 0)
        for said in told:
            for name in said.names:
                if students := self.named(name):
                    return Claim(person, key, frozenset({known}) if known in students else students, True)
        if told:
            # A system's number may be that of another assignment, and the student's own name for a file may be anything.
            rests = [PurePosixPath(said.rest).stem for said in told[::-1]]
            rest = next((students for text in rests if (students := self._in_name(text))), frozenset())
            nameless = all(_NAMELESS.match(said.names[0]) or said.names[0].isdecimal() for said in told)
            return Claim(person, key, frozenset(), not nameless, frozenset({known}) if known else rest)
        *folders, name = one.name.split("/")
        own = [*folders, PurePosixPath(name).stem]
        # Outer folders first: those inside may be the student's own.
        return Claim(person, key, next((found for part in own if (found := self._in_name(part))), frozenset()))

    def _in_name(self, text: str) -> frozenset[int]:
        text = re.sub(r"\.zip\Z", "", text, flags=re.I)
        if found := self._exact.get(_folded(text)):
            return frozenset(found)
        stem, _ = without_copy_marks(text)
        bare = _HANDOUT.sub(" ", stem).strip(" _-.")
        return self.named(bare) if bare else frozenset()


def attempt_order(one: HandIn) -> tuple[Any, ...]:
    """What puts the attempts of a student in order: what names tell of it, or else when the files were last changed."""
    parts = one.name.split("/")
    attempts = [int(number) for part in parts for number in _ATTEMPT.findall(part)]
    uploads = [int(match["upload"]) for part in parts if (match := _CANVAS.match(part))]
    time = next((match["time"] for part in parts if (match := BLACKBOARD.match(part))), "")
    copies = without_copy_marks(PurePosixPath(parts[-1]).stem)[1]
    natural = [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"(\d+)", one.name)]
    return time, max(attempts, default=0), max(uploads, default=0), copies, one.changed, natural


def without_copy_marks(stem: str) -> tuple[str, int]:
    """A file's name without what browsers, systems and programs add to that of a further copy, and which copy it is."""
    copy = 0
    while match := _COPY.search(stem):
        rest = stem[: match.start()] + stem[match.end() :]
        if not rest.strip():
            break
        stem, copy = rest, max(copy, *(int(number) for number in match.groups() if number), 1)
    return stem, copy


def _told(one: HandIn) -> Iterator[_Told]:
    """What school systems say in a path, from the outermost folder on."""
    for part in one.name.split("/"):
        if match := _MOODLE.match(part):
            who = _GROUP.sub("", match["who"])
            nameless = _NAMELESS.match(who) and not who[-1].isdecimal()
            yield _Told((f"{who} {match['id']}" if nameless else who,), match["id"], match["rest"] or "")
        elif match := BLACKBOARD.match(part):
            # Usernames and the assignment's name may both hold underscores.
            pieces = match["all"].rsplit("_attempt_", 1)[0].split("_")
            names = ["_".join(pieces[n:]) for n in range(len(pieces) - 1, 0, -1)] or pieces
            yield _Told((one.by, *names) if one.by else tuple(names), "", match["rest"] or "")
        elif match := _CANVAS.match(part):
            yield _Told((match["who"], match["id"]) if match["who"] else (match["id"],), match["id"], match["rest"])
        elif match := _BRIGHTSPACE.match(part):
            yield _Told((match["who"],), match["id"])


def _plain_names(found: Sequence[HandIn]) -> list[tuple[str, str]]:
    """For each file a person and a key, as far as folders and files that people named themselves tell.

    A file that is called as it was handed out, or as another in another folder, is named by its folder.
    """
    stems, parents = [], defaultdict(set)
    for one in found:
        *folders, name = one.name.split("/")
        stem, _ = without_copy_marks(PurePosixPath(name).stem)
        stems.append((folders, _HANDOUT.sub(" ", stem).strip(" _-."), stem))
        parents[_folded(stem)].add("/".join(folders))
    above = defaultdict(set)
    for folders, _, _ in stems:
        for outer, inner in pairwise(["", *folders]):
            above[inner].add(outer)
    unnamed = [not bare or len(parents[_folded(stem)]) > 1 for _, bare, stem in stems]
    places = {"/".join(folders) for (folders, _, _), plain in zip(stems, unnamed, strict=True) if plain}
    names = []
    for one, (folders, bare, stem), plain in zip(found, stems, unnamed, strict=True):
        whole = PurePosixPath(one.name).stem
        if not plain:
            names.append((bare if _HANDOUT.search(stem) else stem, f"{'/'.join(folders)}\0{_folded(bare)}"))
        elif folders and (len(places) > 1 or len(unnamed) == 1):
            # Folders of one name under several others, such as "Version 1", name nobody.
            own = [n for n, part in enumerate(folders) if len(above[part]) == 1 and not _TECHNICAL.match(part)]
            last = own[-1] if own else 0
            names.append((re.sub(r"\.zip\Z", "", folders[last], flags=re.I), "/".join(folders[: last + 1])))
        else:  # several files of one name in one folder were numbered by a browser: nothing tells whose they are
            names.append((whole, one.name))
    return names


# -- names in their normal forms ----------------------------------------------------------------------------------------
def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold().strip()


def _forms(name: str) -> Iterator[list[str]]:
    """The words of a name without accents, and with letters written as two where Germans do that."""
    folded = _folded(name)
    first, second = _words(folded.translate(_LETTERS)), _words(folded.translate(_GERMAN))
    yield from ([first] if first == second else [first, second]) if first else []


def _without_letters(name: str) -> Iterator[list[str]]:
    """The words of a name without what is not ASCII, as Canvas leaves it: before or after ß becomes ss in small letters."""
    for text in dict.fromkeys((_folded(name), unicodedata.normalize("NFC", name))):
        words = _words("".join(letter for letter in text if letter.isascii()).casefold())
        if len("".join(words)) > 2:
            yield words


def _words(text: str) -> list[str]:
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return re.findall(r"[^\W_]+", plain)


def _turned(words: list[str]) -> Iterator[str]:
    """A name's words as one, whichever comes first; also the first and the last alone, and all in order of the alphabet."""
    for n in range(len(words)):
        yield "".join(words[n:] + words[:n])
    yield "".join(sorted(words))
    if len(words) > 2:
        yield words[-1] + words[0]
        yield words[0] + words[-1]


def _mended(text: str) -> str:
    """A text whose letters were taken for those of another code page, as programs that unpack archives do."""
    text = re.sub(r"#U([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    for code in ("cp437", "cp850", "cp1252"):
        with suppress(UnicodeError):
            text = text.encode(code).decode("utf-8")
            break
    return unicodedata.normalize("NFC", text)
