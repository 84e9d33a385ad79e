"""Formulas taken apart in runs, and evaluated in groups and pieces: whatever the runs, each cell reads what its own text says."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_formula import one_cell
from test_reader import parts, write

from sheetcnn.a1 import LETTERS, MAX_COLUMNS, cell_name
from sheetcnn.formula import Book, evaluate, group_formulas, read_book
from sheetcnn.formula.groups import groups_of
from sheetcnn.formula.parser import expanded, skeleton
from sheetcnn.formula.shared import moved

EVALUATE, RUNS = (import_module(f"sheetcnn.formula.{name}") for name in ("evaluate", "runs"))


def row_of_formulas(rng: np.random.Generator) -> dict[int, str]:
    """Runs of neighbours that move by steps, with breaks, gaps, fixed references and other skeletons among them."""
    cells: dict[int, str] = {}
    column = int(rng.integers(1, 5))
    while column < 60:
        start, step, other = (
            int(n) for n in (rng.choice([1, 3, 700, MAX_COLUMNS - 2]), rng.integers(-2, 4), rng.integers(0, 3))
        )
        kind = int(rng.integers(0, 7))
        for n in range(int(rng.integers(1, 14))):
            place, second = start + step * n, 30 + other * n
            if not 1 <= place < MAX_COLUMNS:
                break
            a, b, c = LETTERS[place], LETTERS[place + 1], LETTERS[second]
            text = [
                f"{a}1+1",
                f"MAX(0,$B$2+SUMPRODUCT('My sheet'!{a}4:{b}6,$J$4:$L$6))",
                f"SUM({a}1:{b}2)*{c}3",
                f'IF({c}1="{a}1",{a}$2,$A{n + 1})',
                f"Other!{a}7/{a}7",
                "3*4",
                f"ZZZ1+{a}1",
            ][kind]
            if rng.random() < 0.05:
                text += "+0"
            cells[column] = text
            column += 1
        column += int(rng.integers(0, 3)) * int(rng.random() < 0.5)
    return cells


def each_cell_reads_what_its_text_says(tmp_path: Path, texts: dict[int, dict[int, str]], names: str = "") -> None:
    """What groups say of every cell is what its text says, taken apart alone; where names stand for cells, these are looked at."""
    rows = "".join(
        f'<row r="{row}">' + "".join(f'<c r="{cell_name(row, column)}"><f>{text}</f></c>' for column, text in cells.items()) + "</row>"
        for row, cells in texts.items()
    )  # fmt: skip
    book = read_book(write(tmp_path, parts(rows, names=names)))
    found: dict[tuple[int, int], tuple[Any, ...]] = {}
    for group in groups_of(book.sheets["S"], book.definitions):
        assert len(group.rows) == len(group.columns) == len(group.tops) == len(group.lefts)
        for row, column, tops, lefts in zip(group.rows, group.columns, group.tops, group.lefts, strict=True):
            assert (int(row), int(column)) not in found
            found[int(row), int(column)] = (group.text, group.shapes, tops.tolist(), lefts.tolist())
    for row, cells in texts.items():
        for column, text in cells.items():
            whole, references = skeleton(expanded(text, "S", book.definitions))
            shapes = tuple((r.sheet or "S", r.rows, r.columns) for r in references)
            assert found.pop((row, column)) == (whole, shapes, [r.top for r in references], [r.left for r in references])
    assert not found


def test_every_cell_is_in_one_group_with_its_own_references(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    each_cell_reads_what_its_text_says(tmp_path, {row: row_of_formulas(rng) for row in range(1, 260)})


def test_rows_that_go_on_like_those_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of rows that move by steps, with breaks, gaps and other columns among them."""
    taken = []
    monkeypatch.setattr(
        RUNS, "_runs_of_row", lambda *given, apart=RUNS._runs_of_row: taken.append(given[0]) or apart(*given)
    )
    rng = np.random.default_rng(12)
    texts: dict[int, dict[int, str]] = {}
    row = 1
    while row < 600:
        cells, step = row_of_formulas(rng), int(rng.integers(0, 4))
        for n in range(int(rng.integers(1, 16))):
            now = {column: moved(text, step * n, 0) for column, text in cells.items()}
            if rng.random() < 0.1:
                column = int(rng.choice(list(now)))
                now[column] = str(rng.choice([now[column] + "+0", moved(now[column], 1, 0), moved(now[column], 0, 1)]))
            texts[row] = now
            row += 1 + int(rng.random() < 0.05)
    each_cell_reads_what_its_text_says(tmp_path, texts)
    assert len(taken) < 0.6 * len(texts)


@pytest.mark.parametrize(
    "rows",
    [
        ["SUM(A3:B4)", "SUM(A5:B4)", "SUM(A7:B4)", "SUM(A9:B4)"],  # the ends of a reference change places
        ["A1+1", "A2+2", "A3+3", "A4+4"],
        ["one*2", "two*2", "three*2"],
        ["n_1*2", "n_2*2", "n_3*2"],  # names of cells that do not lie below each other
        ["A1*SUM(n_1)", "A2*SUM(n_2)", "A3*SUM(n_3)"],
        ["A1048574", "A1048575", "A1048576", "A1048577"],
        ["A9999998", "A9999999", "A10000000", "A10000001"],
        ["A09", "A10", "A11", "A011"],
        ["A1+B1", "A2+B3", "A3+B5", "A4+B7"],
        ["'My sheet1'!A1", "'My sheet2'!A1", "'My sheet3'!A1"],
        ["A1", "A2", "B3", "B4", "B5", "$B$6", "B7"],
        ["A5", "A4", "A3", "A2", "A1", "A0"],
        ["3", "3", "3", "3" * 5_000, "3" * 4_999 + "4", "3" * 4_999 + "5"],
        ['"A1"', '"A2"', '"A3"'],
    ],
)
def test_rows_that_only_seem_to_go_on(rows: list[str], tmp_path: Path) -> None:
    places = {"one": 1, "two": 2, "three": 3, "n_1": 1, "n_2": 2, "n_3": 9}
    names = "".join(f'<definedName name="{name}">S!$C${place}</definedName>' for name, place in places.items())
    each_cell_reads_what_its_text_says(tmp_path, {n: {3: text} for n, text in enumerate(rows, 1)}, names)


def test_what_lies_beyond_the_last_column_is_no_cell() -> None:
    for text in ("ZZZ1+1", "XFE1", "A1048577", "A0", "A1:XFE2", "ZZZ1:A2", "B2:A1048577"):
        assert skeleton(text) == (text, [])
    [reference] = skeleton("SUM(XFD1048576:A1)")[1]
    assert (reference.top, reference.left, reference.rows, reference.columns) == (1, 1, 1_048_576, 16_384)


@pytest.mark.parametrize("sheet", ["", "Input!", "'My sheet'!", "Übung!", "数据!", "A0+", "XFE1+", '"B7"&amp;'])
def test_neighbours_are_taken_apart_once(sheet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes large workbooks quick: of alike formulas in a row only the first two are looked at closely, wherever they begin."""
    seen: list[str] = []
    monkeypatch.setattr(RUNS, "skeleton", lambda text: (seen.append(text), skeleton(text))[1])
    cells = "".join(
        f"<c><f>SUM({sheet}{LETTERS[n]}5:{LETTERS[n + 2]}7)*$A$9+{LETTERS[2 * n]}8-{LETTERS[MAX_COLUMNS - 3 * n]}1*{LETTERS[n]}$4</f></c>"
        for n in range(1, 200)
    )
    rows = f'<row r="1"><c><f>1+1</f></c><c r="C1"><f>2+2</f></c><c r="G1"><f>3</f></c>{cells}</row>'
    groups = groups_of(read_book(write(tmp_path, parts(rows))).sheets["S"])
    assert max(len(group.rows) for group in groups) == 199
    assert len(seen) == 3 + 1 + 2  # the cell before the run looks at its neighbour, too


MAP_TOP, MAP_LEFT = 12, 40  # of the map that windows slide over, which is the last thing on its sheet


def convolution(rows: int, columns: int, kernels_first: bool) -> tuple[dict[str, Any], np.ndarray]:
    """A map of random numbers, two kernels with zeros in them and numbers around them, and formulas that slide beyond the map's end."""
    rng = np.random.default_rng(2)
    x = rng.integers(-9, 10, (rows, columns)).astype(float)
    kernels = rng.integers(1, 4, (2, 3, 3)).astype(float)
    kernels[0, 0, 1] = kernels[1, 1, 2] = 0
    cells: dict[str, Any] = {cell_name(i, j): 100 * i + j for i in range(1, 10) for j in range(3, 12)}
    cells |= {cell_name(MAP_TOP + i, MAP_LEFT + j): x[i, j] for i, j in np.ndindex(rows, columns)}
    padded = np.pad(x, ((0, 2), (0, 2)))
    want = np.zeros((2, rows, columns))
    for k, i, j in np.ndindex(2, rows, columns):
        kernel = f"$F${2 + 3 * k}:$H${4 + 3 * k}"
        window = f"{cell_name(MAP_TOP + i, MAP_LEFT + j)}:{cell_name(MAP_TOP + i + 2, MAP_LEFT + j + 2)}"
        pair = (kernel, window) if kernels_first else (window, kernel)
        cells[cell_name(MAP_TOP + i, 1 + k * (columns + 4) + j)] = f"=SUMPRODUCT({pair[0]},{pair[1]})"
        want[k, i, j] = float((padded[i : i + 3, j : j + 3] * kernels[k]).sum())
    for k, a, b in np.ndindex(2, 3, 3):
        cells[cell_name(2 + 3 * k + a, 6 + b)] = kernels[k, a, b]
    return cells, want


def maps(book: Book, rows: int, columns: int) -> list[list[list[Any]]]:
    """What the formulas of `convolution` give."""
    [sheet] = book.sheets.values()
    return [
        [[sheet.value(MAP_TOP + i, 1 + k * (columns + 4) + j) for j in range(columns)] for i in range(rows)] for k in (0, 1)
    ]


@pytest.mark.parametrize("kernels_first", [False, True])
@pytest.mark.parametrize("gather", [1, 7, 50, 4_000_000])
def test_windows_and_kernels(kernels_first: bool, gather: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shared kernels are multiplied at once, in pieces of any size."""
    monkeypatch.setattr(EVALUATE, "_GATHER", gather)
    cells, want = convolution(6, 8, kernels_first)
    assert np.array_equal(np.array(maps(one_cell(tmp_path, cells), 6, 8)), want)


def test_windows_and_kernels_that_differ_for_each_cell(tmp_path: Path) -> None:
    """Then nothing is shared."""
    cells: dict[str, Any] = {cell_name(1, n): n for n in range(1, 9)} | {cell_name(2, n): n * n for n in range(1, 9)}
    cells |= {
        cell_name(4, n): f"=SUMPRODUCT({cell_name(1, n)}:{cell_name(1, n + 1)},{cell_name(2, n)}:{cell_name(2, n + 1)})"
        for n in range(1, 9)
    }
    [sheet] = one_cell(tmp_path, cells).sheets.values()
    assert [sheet.value(4, n) for n in range(1, 9)] == [n**3 + (n + 1) ** 3 if n < 8 else n**3 for n in range(1, 9)]


def test_booleans_and_errors_among_shared_kernels(tmp_path: Path) -> None:
    """A boolean in a window counts as 0 beside a kernel that is shared; an error is passed on to the windows that hold it."""
    cells, _ = convolution(6, 8, False)
    spoilt = {cell_name(MAP_TOP + 2, MAP_LEFT + 2): True, cell_name(MAP_TOP + 4, MAP_LEFT + 6): "=1/0"}
    have = maps(one_cell(tmp_path, cells | spoilt), 6, 8)
    without = maps(one_cell(tmp_path, cells | dict.fromkeys(spoilt, 0)), 6, 8)
    for k, i, j in np.ndindex(2, 6, 8):
        inside = 2 <= i <= 4 and 4 <= j <= 6
        assert have[k][i][j] == ("#DIV/0!" if inside else without[k][i][j])


def test_functions_of_many_cells_at_once(tmp_path: Path) -> None:
    """Formulas of one skeleton whose ranges move, stay, or are all the same: each cell has its own answer."""
    rng = np.random.default_rng(6)
    numbers = rng.permutation(np.arange(1, 46)).reshape(5, 9)
    cells: dict[str, Any] = {cell_name(i + 1, j + 1): int(numbers[i, j]) for i, j in np.ndindex(5, 9)}
    cells |= {cell_name(6, j + 1): f"text {j}" for j in range(9)}
    wanted: dict[int, list[Any]] = {}

    def put(row: int, formula: Any, want: Any) -> None:
        cells.update({cell_name(row, j + 1): f"={formula(LETTERS[j + 1])}" for j in range(9)})
        wanted[row] = [want(numbers[:, j].tolist(), j) for j in range(9)]

    put(10, lambda c: f"INDEX({c}1:{c}5,2)", lambda x, j: x[1])
    put(11, lambda c: f"INDEX($A$1:$I$5,3,{c}1-{c}1+2)", lambda x, j: int(numbers[2, 1]))
    put(12, lambda c: f"INDEX({c}5:{c}6,2)", lambda x, j: f"text {j}")
    put(13, lambda c: f"INDEX($A$6:$I$6,1,{c}20)", lambda x, j: f"text {8 - j}")
    put(14, lambda c: f"MATCH({c}4,{c}1:{c}5,0)", lambda x, j: 4)
    put(15, lambda c: f"MATCH({c}6,$A$6:$I$6,0)", lambda x, j: j + 1)
    put(16, lambda c: f"LARGE({c}1:{c}5,2)", lambda x, j: sorted(x)[-2])
    put(17, lambda c: f"LARGE($A$1:$I$5,{c}20)", lambda x, j: 46 - (9 - j))
    put(18, lambda c: f'REPT("ab",{c}20)', lambda x, j: "ab" * (9 - j))
    put(19, lambda c: f'IF({c}1>{c}2,{c}6,"less")', lambda x, j: f"text {j}" if x[0] > x[1] else "less")
    put(21, lambda c: f"CHOOSE({c}22,{c}1,{c}2,{c}6)", lambda x, j: (x[0], x[1], f"text {j}")[j % 3])
    put(23, lambda c: f"ISNUMBER({c}5)", lambda x, j: True)
    put(
        24,
        lambda c: f"SUM({c}1:{c}5,$A$1)/AVERAGE({c}1:{c}2)",
        lambda x, j: (sum(x) + int(numbers[0, 0])) / ((x[0] + x[1]) / 2),
    )
    put(25, lambda c: f"{c}6={c}12", lambda x, j: True)
    put(26, lambda c: f"SUMPRODUCT(({c}1:{c}5>20)*{c}1:{c}5)", lambda x, j: sum(n for n in x if n > 20))
    cells |= {cell_name(20, j + 1): 9 - j for j in range(9)} | {cell_name(22, j + 1): j % 3 + 1 for j in range(9)}
    [sheet] = one_cell(tmp_path, cells).sheets.values()
    for row, want in wanted.items():
        have = [sheet.value(row, j + 1) for j in range(9)]
        assert have == pytest.approx(want) if isinstance(want[0], float) else have == want


def pascal(size: int, down: int = 1, along: int = 1) -> dict[str, Any]:
    """Each cell the sum of its neighbours in two directions, so that no skeleton can be computed as a whole."""

    def at(i: int, j: int) -> str:
        return cell_name(i if down > 0 else size + 1 - i, j if along > 0 else size + 1 - j)

    cells: dict[str, Any] = {at(1, n): 1 for n in range(1, size + 1)} | {at(n, 1): 1 for n in range(1, size + 1)}
    for i in range(2, size + 1):
        cells |= {at(i, j): f"={at(i - 1, j)}+{at(i, j - 1)}" for j in range(2, size + 1)}
    return cells


def test_runs_up_to_the_last_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that reach the first or the last column are no shorter for it."""
    seen: list[str] = []
    monkeypatch.setattr(RUNS, "skeleton", lambda text: (seen.append(text), skeleton(text))[1])
    down = "".join(f"<c><f>{LETTERS[50 - n]}1</f></c>" for n in range(50))
    up = "".join(f"<c><f>{LETTERS[MAX_COLUMNS - 49 + n]}1</f></c>" for n in range(50))
    beyond = "".join(f"<c><f>{LETTERS[50 - min(n, 49)]}1</f></c>" for n in range(60))
    sheet = read_book(write(tmp_path, parts(f"<row>{down}</row><row>{up}</row><row>{beyond}</row>"))).sheets["S"]
    [group] = groups_of(sheet)
    assert group.lefts[:100, 0].tolist() == [*range(50, 0, -1), *range(MAX_COLUMNS - 49, MAX_COLUMNS + 1)]
    assert group.lefts[100:, 0].tolist() == [*range(50, 0, -1), *[1] * 10]
    assert len(seen) <= 2 + 2 + 12


@pytest.mark.parametrize(("down", "along"), [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_cells_of_one_skeleton_that_wait_for_each_other(down: int, along: int, tmp_path: Path) -> None:
    [sheet] = one_cell(tmp_path, pascal(9, down, along)).sheets.values()
    have = [[sheet.value(i + 1, j + 1) for j in range(9)[::along]] for i in range(9)[::down]]
    assert have == [[comb(i + j, i) for j in range(9)] for i in range(9)]


def test_ranges_that_reach_beyond_what_waits(tmp_path: Path) -> None:
    """Each row sums the row before, and blank cells to its right and far below."""
    cells: dict[str, Any] = {"A1": 1, "B1": 1, "Z99": 0}
    cells |= {f"A{n}": f"=SUM(A{n - 1}:Z{n - 1})" for n in range(2, 12)} | {
        f"B{n}": f"=SUM(A{n - 1}:Z{n - 1})" for n in range(2, 12)
    }
    cells |= {"D20": "=SUM(A11:Z300)", "D19": "=SUM(D20:AB400)"}
    [sheet] = one_cell(tmp_path, cells).sheets.values()
    assert [sheet.value(n, 2) for n in range(1, 12)] == [2 ** (n - 1) for n in range(1, 12)]
    assert not isinstance(sheet.value(20, 4), float)  # it reads itself
    cells["D20"] = "=SUM(A11:C300)"
    [sheet] = one_cell(tmp_path, cells).sheets.values()
    assert [sheet.value(20, 4), sheet.value(19, 4)] == [2**11, 2**11]


def test_chains_that_are_too_long_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps that look at many cells in vain are counted: it is the patience that ends, not the cells."""
    monkeypatch.setattr(EVALUATE, "_PATIENCE", 300)
    book = one_cell(tmp_path, pascal(12) | {"N1": "=2*3", "N2": "=L12+1"})
    [name] = book.sheets
    reason = book.problems[name, 12, 12]
    assert reason.startswith("is part of, or waits for, a chain of more than 2 cells that wait for each other: ")
    assert reason.endswith(f" and {len(book.problems) - 5} more")
    assert reason.count("!") == 5  # that many are named
    assert {(name, 12, 12), (name, 2, 14)} <= set(book.problems)
    assert (name, 2, 2) not in book.problems
    assert book.sheets[name].value(1, 14) == 6
    assert book.sheets[name].value(2, 14) == "#VALUE!"


def test_progress_counts_every_cell_once(tmp_path: Path) -> None:
    one_cell(tmp_path, pascal(6) | {"H1": "=1/0", "H2": "=RAND()", "H3": "=A1:A3+1", "H4": "=A9", "H5": "=1/0+1"})
    book: Book = read_book(tmp_path / "one.xlsx")
    seen: list[tuple[int, int]] = []
    evaluate(book, group_formulas(book), lambda done, total: seen.append((done, total)))
    assert all(before < after for (before, _), (after, _) in pairwise(seen))
    assert seen[-1] == (29, 30)  # what cannot be evaluated is not counted
    assert book.sheets["Sheet"].errors_or_booleans == 3
    assert book.sheets["Sheet"].value(4, 8) == 0


def test_texts_and_booleans_of_formulas(tmp_path: Path) -> None:
    """Formulas that give texts, booleans, errors and blanks among cells of one skeleton."""
    cells: dict[str, Any] = {"A1": "x", "A2": 2, "A4": True, "A5": "=1/0", "A6": "y"}
    cells |= {f"B{n}": f"=A{n}" for n in range(1, 7)} | {f"C{n}": f"=IF(A{n}=B{n},B{n},0)" for n in range(1, 7)}
    [sheet] = one_cell(tmp_path, cells).sheets.values()
    assert [sheet.value(n, 2) for n in range(1, 7)] == ["x", 2, 0, True, "#DIV/0!", "y"]
    assert [sheet.value(n, 3) for n in range(1, 7)] == ["x", 2, 0, True, "#DIV/0!", "y"]
    assert sheet.number[1, 2] == 0  # what is no number is stored as 0, which SUMPRODUCT relies on
