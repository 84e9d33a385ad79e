"""Which layer reads which, as a diagram: a column and a lane for every layer, and where the lines between them run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, count, pairwise, product

from openpyxl.styles import Border, Side
from openpyxl.worksheet.worksheet import Worksheet

from ..model.network import Network
from ..model.settings import INPUT
from ..xlsx import palette
from ..xlsx.labels import dress, merged, put

Line = tuple[str, int, int]  # in the gap behind a column: whose output it carries, its lane at the left and at the right
Cell = tuple[int, int]  # row and column of a sheet


@dataclass
class Flow:
    """The layers of a network in columns, each right of all that it reads; lines that pass a column have lanes as well."""

    columns: list[list[str]]
    place: dict[str, tuple[int, int]]  # column and lane of each layer, counted from 0
    passing: dict[tuple[int, int], str]  # column and lane of a line that passes by, and whose output it carries
    gaps: list[dict[Line, set[str]]]  # behind each column its lines, and the readers that they lead to at once
    tracks: list[dict[Line, int]] = field(init=False)  # where in its gap a line changes its lane, if it does
    shades: dict[str, int] = field(init=False)  # lines of layers that cross, or meet otherwise than in one arrow, differ

    def __post_init__(self) -> None:
        self.tracks = [_tracks(gap) for gap in self.gaps]
        apart: dict[str, set[str]] = defaultdict(set)
        for gap in self.gaps:
            for (one, lines), (other, more) in combinations(_groups(gap).items(), 2):
                if one[1] != other[1] and _meet(lines, more):
                    for source, unlike in product({line[0] for line in lines}, {line[0] for line in more}):
                        apart[source].add(unlike)
                        apart[unlike].add(source)
        self.shades = {}
        for name in self.place:
            taken = {self.shades.get(other) for other in apart[name] - {name}}
            self.shades[name] = next(shade for shade in count() if shade not in taken)

    def followed_by(self, name: str) -> Flow:
        """The same with a column more, to which no line leads."""
        place = self.place | {name: (len(self.columns), 0)}
        return Flow([*self.columns, [name]], place, self.passing, [*self.gaps, {}])

    def track_count(self, gap: int) -> int:
        """How many tracks there are in a gap."""
        return max(self.tracks[gap].values(), default=-1) + 1

    def lanes(self, columns: range) -> list[int]:
        """The lanes that some columns use."""
        used = {lane for column, lane in (*self.place.values(), *self.passing) if column in columns}
        crossing = {lane for gap in {*columns, columns.start - 1} if gap >= 0 for line in self.gaps[gap]
                    for lane in (line[1:] if gap in columns else line[2:])}  # fmt: skip
        return sorted(used | crossing)


def flow_of(network: Network) -> Flow:
    """The diagram of a network."""
    return flow_among({node.name: node.inputs for node in network.nodes})


def flow_among(reads: Mapping[str, Sequence[str]]) -> Flow:
    """The diagram of what reads what: what reads a layer goes on in its lane, branches and shortcuts have lanes of their own.

    Nothing comes into a lane where something else leaves it: both lines would look like one.
    """
    place = {INPUT: (0, 0)}
    taken: dict[tuple[int, int], tuple[str, bool]] = {(0, 0): (INPUT, True)}  # by what, and whether that is a layer

    def free(source: str, lane: int, columns: range) -> bool:
        """Whether what a layer puts out may pass these columns in a lane."""
        return all(taken.get((column, lane), (source, False)) == (source, False) for column in columns)

    def alone(column: int, lane: int, known: set[str]) -> bool:
        """Whether nothing stands there but these."""
        return (column, lane) not in taken or taken[column, lane][0] in known

    edges: list[tuple[str, str, int]] = []
    for reader, sources in reads.items():
        inputs = list(dict.fromkeys(sources))
        column = 1 + max(place[name][0] for name in inputs)
        straight = sorted(
            lane
            for name in inputs
            for start, lane in [place[name]]
            if alone(column, lane, set()) and alone(column + 1, lane, set()) and free(name, lane, range(start + 1, column))
        )
        around = [(column - 1, {*inputs}), (column, set()), (column + 1, set())]
        own = straight[0] if straight else next(lane for lane in count() if all(alone(at, lane, to) for at, to in around))
        place[reader] = (column, own)
        taken[column, own] = (reader, True)
        for name in inputs:
            start, lane = place[name]
            between = range(start + 1, column)
            ways = (
                way
                for way in (own, lane, *range(len(taken) + 1))
                if free(name, way, between) and alone(start, way, {name}) and alone(column, way, {name, reader})
            )
            way = next(ways) if between else own
            taken |= dict.fromkeys(((at, way) for at in between), (name, False))
            edges.append((name, reader, way))
    columns: list[list[str]] = [[] for _ in range(1 + max(at for at, _ in place.values()))]
    for name, (column, _) in place.items():
        columns[column].append(name)
    gaps: list[dict[Line, set[str]]] = [defaultdict(set) for _ in columns]
    for name, reader, way in edges:
        (start, lane), (end, last) = place[name], place[reader]
        lanes = [lane, *[way] * (end - start - 1), last]
        for gap, (before, after) in enumerate(pairwise(lanes), start=start):
            gaps[gap][name, before, after] |= {reader} if gap == end - 1 else set()
    return Flow(columns, place, {at: name for at, (name, layer) in taken.items() if not layer}, gaps)


Group = tuple[str, str, bool]  # "from" a layer or "to" one, and whether its lines come up


def _groups(gap: dict[Line, set[str]]) -> dict[Group, list[Line]]:
    """The lines of a gap that may be drawn as one: those of one layer, or those that lead to one reader alone, from one side."""
    of: dict[str, list[Line]] = defaultdict(list)
    for line in gap:
        of[line[0]].append(line)
    groups: dict[Group, list[Line]] = defaultdict(list)
    for source, lines in of.items():
        (_, before, after), readers = lines[0], gap[lines[0]]
        if len(lines) == len(readers) == 1:
            groups["to", next(iter(readers)), before > after].append(lines[0])
        else:
            for (
                line
            ) in lines:  # where another layer's line runs straight on, a branch must end, or it would seem to cross it
                met = any(other[1] == other[2] == line[2] != line[1] for other in gap if other[0] != source)
                groups["from", f"{source} {line[2]}" if met else source, False].append(line)
    return groups


def _tracks(gap: dict[Line, set[str]]) -> dict[Line, int]:
    """Where the lines of a gap change their lanes.

    A line that leaves a lane must do so before another comes into it, else both would look like one.
    """
    groups = _groups(gap)
    turning = {key: [line for line in lines if line[1] != line[2]] for key, lines in groups.items()}
    waiting = {key: lines for key, lines in turning.items() if lines}
    after = {
        key: {other for other in waiting if other != key and {b for _, b, _ in waiting[other]} & {a for _, _, a in lines}}
        for key, lines in waiting.items()
    }
    found: dict[Group, int] = {}
    while waiting:
        key = min(waiting, key=lambda key: (len(after[key] & waiting.keys()), key))
        lines = waiting.pop(key)
        track = 1 + max((found[other] for other in after[key] & found.keys()), default=-1)
        while any(at == track and _meet(turning[other], lines) for other, at in found.items()):
            track += 1
        found[key] = track
    return {line: track for key, track in found.items() for line in turning[key]}


def _meet(some: list[Line], others: list[Line]) -> bool:
    """Whether lines on one track would touch."""
    (low, high), (bottom, top) = (
        (min(lane for line in lines for lane in line[1:]), max(lane for line in lines for lane in line[1:]))
        for lines in (some, others)
    )
    return low <= top and bottom <= high


def in_bands(flow: Flow, widths: list[int], room: int) -> list[range]:
    """The columns of a diagram in lines of text, as it were: each as wide as there is room, broken where few lines run.

    `widths` are those of the columns with the gap behind each.
    """
    bands, start = [], 0
    while start < len(widths):
        end, width = start, 0
        while end < len(widths) and (width + widths[end] <= room or end == start):
            width += widths[end]
            end += 1
        if end < len(widths):
            latest = range(end, max(start, end - max(1, (end - start) // 3)), -1)
            end = min(latest, key=lambda at: len(flow.gaps[at - 1]))
        bands.append(range(start, end))
        start = end
    return bands


@dataclass
class Places:
    """Where a diagram lies on a sheet: rows and columns of cells."""

    bands: list[range]
    start: int  # the column of the sheet where bands begin
    extents: list[tuple[int, int]]  # the first and last column of each column of the diagram
    sides: dict[str, tuple[int, int]]  # and of each layer
    lines: dict[tuple[int, int], int]  # by band and lane the row at whose upper edge lines run
    head: int = 1  # how many columns an arrow's head is wide
    step: int = 1  # and how many columns tracks are apart

    def band(self, column: int) -> int:
        """The band of a column."""
        return next(n for n, columns in enumerate(self.bands) if column in columns)


@dataclass
class Wiring:
    """Lines as the edges of cells, and where arrows end."""

    shades: dict[str, int]  # of lines, by whose they are
    top: dict[Cell, str] = field(default_factory=dict)  # cells with a line at their upper edge, and whose it is
    left: dict[Cell, str] = field(default_factory=dict)
    heads: dict[Cell, str] = field(default_factory=dict)  # the first cell right of a head, below the line: whose it is

    def across(self, whose: str, row: int, first: int, last: int) -> None:
        """A line at the upper edge of a row from one column to another."""
        self.top = {(row, column): whose for column in range(first, last + 1)} | self.top

    def down(self, whose: str, column: int, one: int, other: int) -> None:
        """A line at the left edge of a column between the upper edges of two rows."""
        self.left = {(row, column): whose for row in range(min(one, other), max(one, other))} | self.left


def wiring(flow: Flow, places: Places, back: bool = False) -> Wiring:
    """The lines of a diagram in its places; the arrows lead to what reads, or `back` to what is read."""
    found = Wiring(flow.shades)
    for (column, lane), name in flow.passing.items():
        row = places.lines[places.band(column), lane]
        found.across(name, row, *places.extents[column])
    for column, line in ((column, line) for column, lines in enumerate(flow.gaps) for line in lines):
        name, before, after = line
        band, following = places.band(column), places.band(column + 1)
        begin = places.extents[column][1] + 1
        end = (
            begin + places.step * (1 + flow.track_count(column)) - 1
            if band != following
            else places.extents[column + 1][0] - 1
        )
        out, in_ = places.lines[band, before], places.lines[band, after]
        if flow.place[name][0] == column:
            found.across(name, out, places.sides[name][1] + 1, begin - 1)
        turn = begin + places.step * (1 + flow.tracks[column].get(line, 0))
        if before == after:
            found.across(name, out, begin, end)
        else:
            found.across(name, out, begin, turn - 1)
            found.down(name, turn, out, in_)
            found.across(name, in_, turn, end)
        entering = places.lines[following, after]
        if band != following:  # goes on at the left, in its lane
            found.heads[in_, end + 1 + places.head] = ""
            found.across(name, entering, places.start, places.extents[column + 1][0] - 1)
        for reader in flow.gaps[column][line]:
            left = places.sides[reader][0]
            found.across(name, entering, places.extents[column + 1][0], left - 1)
            found.heads[entering, left] = reader
    if back:
        wrapped = {(places.lines[places.band(c + 1), line[2]], places.start + places.head)
                   for c, lines in enumerate(flow.gaps) for line in lines if places.band(c) != places.band(c + 1)}  # fmt: skip
        sources = {line[0] for lines in flow.gaps for line in lines}
        found.heads = dict.fromkeys(wrapped, "")
        for name in sources:
            column, lane = flow.place[name]
            found.heads[places.lines[places.band(column), lane], places.sides[name][1] + 1 + places.head] = name
    for row, column in found.heads:
        for at in range(column - places.head, column):
            found.top.pop((row, at), None)
    return found


def draw(sheet: Worksheet, lines: Wiring, head: int, half: int, back: bool = False) -> None:
    """Lines as borders of cells, and arrows' heads, each so many columns wide and twice so many rows high."""
    sign, style = ("◂", "head_back") if back else ("▸", "head_of_arrow")
    sides = [Side("thin", color=shade) for shade in palette.LINES]
    for cell in lines.top | lines.left:
        left, top = (
            sides[lines.shades[cells[cell]] % len(sides)] if cell in cells else None for cells in (lines.left, lines.top)
        )
        dress(sheet, *cell, border=Border(left=left, top=top))
    for row, column in lines.heads:
        put(sheet, row - half, column - head, sign, style)
        merged(sheet, row - half, column - head, 2 * half, head)
