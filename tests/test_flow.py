"""Diagrams of networks, on the Overview and in the gallery: each arrow comes from the layers that its layer reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

import sheetcnn
from sheetcnn.model.drawn import Drawn
from sheetcnn.model.graph import Graph
from sheetcnn.model.loss import LOSS
from sheetcnn.model.network import Network, parse_network
from sheetcnn.model.settings import INPUT
from sheetcnn.opening import open_network
from sheetcnn.sheets.flow import Flow, Places, Wiring, flow_of, in_bands
from sheetcnn.sheets.gallery.place import gallery_page
from sheetcnn.sheets.overview.diagram import FULL, NAMES_ONLY, Diagram, diagrams_of
from sheetcnn.templates import LESSONS, templates
from sheetcnn.xlsx import palette


def network_of(name: str) -> Network:
    return open_network(name, size=None, scale=None, mean=None, std=None, shape=None).network


def diagram_of(network: Network) -> Diagram | None:
    """The Overview's diagram, which begins in its row 5."""
    return next(iter(diagrams_of(Graph(network), 5, 2, 122)), None)


def made(*layers: tuple[str, list[str]]) -> Network:
    """A network of layers that add what they read."""
    data = [{"type": "add" if len(inputs) > 1 else "relu", "name": name, "input": inputs} for name, inputs in layers]
    return parse_network({"name": "n", "input": {"channels": 1, "height": 3, "width": 3}, "layers": data}, "n")


def seen(flow: Flow, places: Places, lines: Wiring) -> dict[str, set[str]]:
    """From which layers lines lead to the arrow of each, as an eye follows them from there: to the left, up and down.

    On an arrow's own row all that comes in is followed. A line that runs on to both sides in a shade of its own only crosses.
    From then on a line is followed in its shade, or straight on up or down.
    """
    ends = {
        (places.lines[places.band(column), lane], places.sides[name][1] + 1): name
        for name, (column, lane) in flow.place.items()
    }
    lane_at = {row: at for at, row in places.lines.items()}
    onward = {row: column - places.head for (row, column), name in lines.heads.items() if not name}

    def shade(cells: dict[tuple[int, int], str], *at: int) -> int | None:
        return flow.shades[cells[at]] % len(palette.LINES) if at in cells else None  # type: ignore[index]

    def steps(row: int, column: int, follows: int | None, way: int) -> Iterator[tuple[int, int, int | None, int]]:
        left, right = shade(lines.top, row, column - 1), shade(lines.top, row, column)
        up, down = shade(lines.left, row - 1, column), shade(lines.left, row, column)
        crosses = up is not None and up == down and up not in (left, right)
        if left is not None and follows in (None, left):
            yield row, column - 1, follows, 0
        for own, to in ((up, -1), (down, 1)):
            if own is not None and (way == to or (not (crosses and follows != own) and follows in (None, own))):
                yield row + to, column, own, to
        if column == places.start and row in lane_at and lane_at[row][0] > 0:
            before = places.lines[lane_at[row][0] - 1, lane_at[row][1]]
            yield before, onward[before], follows, 0

    found: dict[str, set[str]] = {}
    for (row, column), name in lines.heads.items():
        waiting, known = [(row, column - places.head, None, 0)] if name else [], set()
        while waiting:
            at = waiting.pop()
            if at not in known:
                known.add(at)
                waiting += steps(*at)
        found.setdefault(name, set()).update(ends[at[:2]] for at in known if at[:2] in ends)
    found.pop("", None)
    return found


def wanted(network: Network) -> dict[str, set[str]]:
    return {node.name: set(node.inputs) for node in network.nodes}


@pytest.mark.parametrize("template", templates())
def test_arrows_join_the_right_layers(template: str) -> None:
    network = network_of(template)
    diagram = diagram_of(network)
    assert diagram is not None
    assert seen(diagram.flow, diagram.places, diagram.lines) == wanted(network)
    page = gallery_page(Graph(network), 20_000)
    assert seen(flow_of(network), page.places, page.lines) == wanted(network)


def test_lanes_of_a_block_with_a_shortcut() -> None:
    """By hand: the shortcut runs in a lane of its own below the layers that it goes around."""
    flow = flow_of(network_of("resnet-block"))
    assert flow.place == {
        "input": (0, 0), "stem": (1, 0), "conv1": (2, 0), "bn1": (3, 0), "conv2": (4, 0), "bn2": (5, 0), "sum_with_input": (6, 0),
    }  # fmt: skip
    assert flow.passing == {(column, 1): "stem" for column in (2, 3, 4, 5)}


def test_lanes_of_branches() -> None:
    """By hand: four branches in four lanes, the shortest one's line in its lane until all are joined."""
    flow = flow_of(network_of("inception-block"))
    assert [flow.place[name] for name in ("b1_1x1", "b2_thin", "b3_thin", "b4_pool")] == [(2, lane) for lane in range(4)]
    assert [flow.place[name] for name in ("b2_3x3", "b3_5x5", "b4_1x1")] == [(3, lane) for lane in (1, 2, 3)]
    assert flow.place["stacked"] == (4, 0)
    assert flow.passing == {(3, 0): "b1_1x1"}


def test_lines_that_swap_do_not_run_into_each_other() -> None:
    """`left` goes on below and `right` comes in above: were that one lane at one place, `top` would seem to read `left`."""
    network = made(
        ("left", ["input"]), ("right", ["input"]), ("more", ["input"]), ("top", ["right"]), ("low", ["left", "more"])
    )
    diagram = diagram_of(network)
    assert diagram is not None
    assert seen(diagram.flow, diagram.places, diagram.lines) == wanted(network)


@pytest.mark.parametrize("seed", range(40))
def test_arrows_of_random_networks(seed: int) -> None:
    """Every layer is reached from what it reads, and from nothing else, as long as there are shades enough.

    No two layers read the same two: all four lines would meet, which is true, but no eye would follow each.
    """
    random = np.random.default_rng(seed)
    names = [INPUT]
    pairs: list[list[str]] = []
    layers: list[tuple[str, list[str]]] = []
    for n in range(int(random.integers(4, 40))):
        recent = names[-int(random.integers(1, 6)) :]
        inputs = sorted({str(random.choice(recent)) for _ in range(int(random.integers(1, 3)))})
        inputs = inputs[:1] if inputs in pairs else inputs
        pairs += [inputs] if len(inputs) == 2 else []
        layers.append((f"layer_{n}", inputs))
        names.append(f"layer_{n}")
    network = made(*layers)
    diagram = diagram_of(network)
    assert diagram is not None
    found = seen(diagram.flow, diagram.places, diagram.lines)
    for name, inputs in wanted(network).items():
        assert inputs <= found[name], name
    if max(diagram.flow.shades.values()) < len(palette.LINES):
        assert found == wanted(network)


def test_long_networks_go_on_in_the_next_line() -> None:
    chain = [("a0", ["input"]), *((f"a{n}", [f"a{n - 1}"]) for n in range(1, 66))]
    network = made(*chain)
    diagram = diagram_of(network)
    assert diagram is not None
    assert len(diagram.places.bands) > 1
    assert seen(diagram.flow, diagram.places, diagram.lines) == wanted(network)
    assert max(right for _, right in diagram.places.extents) <= 123
    assert max(column for _, column in diagram.lines.top) <= 123
    assert diagram.form == NAMES_ONLY
    assert diagram_of(made(*chain[:5])).form == FULL  # type: ignore[union-attr]
    assert diagram_of(made(*[(f"b{n}", ["input"]) for n in range(151)])) is None


def test_lines_of_layers_break_where_few_lines_run() -> None:
    """By hand: six columns of 10, room for 45; behind the fourth and the fifth there are two lines, behind the sixth one."""
    network = made(("a", ["input"]), ("b", ["a"]), ("c", ["b"]), ("d", ["c"]), ("e", ["d", "b"]), ("f", ["e"]))
    flow = flow_of(network)
    assert [len(gap) for gap in flow.gaps] == [1, 1, 2, 2, 2, 1, 0]
    assert in_bands(flow, [10] * 7, 45) == [range(4), range(4, 7)]
    assert in_bands(flow, [10] * 7, 60) == [range(6), range(6, 7)]


@pytest.mark.parametrize("template", ["resnet-block", "inception-block", "unet-tiny", "squeeze-excite"])
def test_boxes_are_links_with_lines_between_them(template: str, tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(sheetcnn.build(template, LESSONS[template].picture, tmp_path / "n.xlsx").path)["Overview"]
    network = network_of(template)
    diagram = diagram_of(network)
    assert diagram is not None
    for name, (left, _) in diagram.places.sides.items():
        column, lane = diagram.flow.place[name]
        line = diagram.places.lines[diagram.places.band(column), lane]
        cells = [sheet.cell(row, left) for row in (line - 2, line - 1, line + 1)]
        title = "Input" if name == INPUT else name
        assert [cell.value for cell in cells] == [
            title,
            "picture" if name == INPUT else network.by_name[name].layer.type,
            "×".join(map(str, network.shapes[name])),
        ]
        assert {cell.hyperlink.location for cell in cells} <= {f"{title}!A1", f"'{title}'!A1"}
    drawn = {(cell.row, cell.column) for row in sheet.iter_rows(min_row=5, max_row=diagram.bottom) for cell in row
             if cell.border.top is not None and cell.border.top.style and cell.value is None and not cell.fill.fill_type}  # fmt: skip
    assert drawn >= diagram.lines.top.keys()
    assert {sheet.cell(row, column - 1).value for row, column in diagram.lines.heads} <= {None}
    assert {sheet.cell(row - 1, column - 1).value for row, column in diagram.lines.heads} == {"▸"}


def test_the_table_begins_on_the_first_screen(tmp_path: Path) -> None:
    """Of every template: its first rows are seen on a screen of 1366×700."""
    for template, lesson in LESSONS.items():
        sheet = openpyxl.load_workbook(
            sheetcnn.build(template, lesson.picture, tmp_path / "n.xlsx", gallery=False, inspector=False).path
        )["Overview"]
        [head] = [cell.row for row in sheet.iter_rows() for cell in row if cell.value == "multiplications"]
        heights = [sheet.row_dimensions[row].height or 15 for row in range(1, head + 2)]
        assert sum(heights) * 4 / 3 <= 517, (template, sum(heights) * 4 / 3)


def test_sizes_are_named(tmp_path: Path) -> None:
    sheet: Any = openpyxl.load_workbook(sheetcnn.build("edges", "cat", tmp_path / "n.xlsx").path)["Overview"]
    texts = {cell.value for row in sheet.iter_rows() for cell in row}
    assert "4 filters · 3 channels · 3·3 kernel + 4 biases = 112" in texts


def test_the_way_back_stands_below() -> None:
    """A box for each sheet of gradients below its layer's, and arrows that lead from the loss to the pixels."""
    network = network_of("digits")
    forward, back = diagrams_of(Graph(network, Drawn(training=True)), 5, 2, 122)
    assert set(forward.flow.place) - set(back.flow.place) == {"softmax"}  # it passes the loss's gradient on as it is
    assert all(forward.places.sides[name] == sides for name, sides in back.places.sides.items() if name != LOSS)
    assert back.drawing.sheets["input"] == "Input_back"
    assert min(back.heights) == max(forward.heights) + 1
    heads = {name: column for (_, column), name in back.lines.heads.items()}
    assert heads == {name: right + 2 for name, (_, right) in back.places.sides.items() if name != LOSS}
    several = diagrams_of(Graph(network_of("inception-block"), Drawn(training=True)), 5, 2, 122)[1]
    assert len(several.lines.heads) == 10  # of nine layers and the pixels, however many read them


def test_long_ways_back_go_on_in_the_next_line() -> None:
    chain = made(("a0", ["input"]), *((f"a{n}", [f"a{n - 1}"]) for n in range(1, 30)))
    back = diagrams_of(Graph(chain, Drawn(training=True)), 5, 2, 122)[1]
    assert len(back.places.bands) > 1
    assert list(back.lines.heads.values()).count("") == len(back.places.bands) - 1
