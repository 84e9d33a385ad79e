"""Random networks of all layers, branches and settings: computed by us, by LibreOffice and by IronCalc, each agrees with NumPy.

The networks are the same in every run, and the few in which a new layer wins a draw are all that it changes. `make fuzz` looks at thousands of others; NETWORKS, SEED and PARTS say how many
and which. A network that fails is made as small as it can be while it still fails, but for where `CI` is set.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engines import Office, by_ironcalc, check_with
from hypothesis import HealthCheck, Phase, given, seed, settings
from networks import MOST_LAYERS, Case, cases

import sheetcnn
from sheetcnn.checking.report import Report
from sheetcnn.layers import LAYERS

NETWORKS = int(os.environ.get("NETWORKS", "120"))
SEED = int(os.environ.get("SEED", "1"))
PARTS = 4
OF_A_KIND = 60  # of so many, one more part is drawn for each kind of layer
IN_LIBREOFFICE = 4  # of so many, one goes through LibreOffice too, which takes the longest


def holds(part: int, count: int, test: Callable[[Case], None], kind: str | None = None) -> None:
    """Run a test on so many random networks, a part of all; each with a layer of one kind, if that is given."""
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]
    phases = [Phase.generate] if "CI" in os.environ else [Phase.generate, Phase.shrink]  # shrinking takes minutes
    options: dict[str, Any] = {"max_examples": -(-count // PARTS), "deadline": None, "database": None, "phases": phases}
    drawn = settings(**options, suppress_health_check=checks, print_blob=False)(given(cases(kind))(test))
    seed(SEED * PARTS + part if kind is None else f"{SEED} {kind}")(drawn)()


def wrong(report: Report) -> list[str]:
    return [f"{finding.cell}: {finding.text}" for finding in report.findings][:3]


# What random networks have found, made small.
FOUND = {
    "fully connected layers that share weights": [
        {"type": "flatten"},
        {"type": "linear", "name": "one", "out_features": 2},
        {"type": "linear", "name": "other", "input": "flatten_1", "out_features": 2, "share": "one"},
    ],
}


@pytest.mark.libreoffice
@pytest.mark.parametrize("what", FOUND)
@pytest.mark.parametrize("detail", ["compact", "steps"])
def test_what_was_found(what: str, detail: str, tmp_path: Path, office: Office) -> None:
    sizes = {"channels": 1, "height": 1, "width": 2}
    book = Case({"name": what, "input": sizes, "layers": FOUND[what]}, "ordinary", {"detail": detail}).build(tmp_path)
    assert wrong(sheetcnn.check(book)) == []
    assert wrong(check_with(by_ironcalc, book)) == []
    assert wrong(check_with(office.recalculated, book)) == []


@pytest.mark.parametrize("part", range(PARTS))
def test_random_networks(part: int, tmp_path: Path) -> None:
    def agrees(case: Case) -> None:
        book = case.build(tmp_path)
        assert wrong(sheetcnn.check(book)) == []
        assert wrong(check_with(by_ironcalc, book)) == []

    holds(part, NETWORKS, agrees)


@pytest.mark.parametrize("kind", LAYERS)
def test_random_networks_with(kind: str, tmp_path: Path) -> None:
    """Every kind of layer occurs, however many there are: its networks are drawn by its name."""
    built = []

    def agrees(case: Case) -> None:
        built.append(case)
        assert kind in [layer["type"] for layer in case.network["layers"]]
        book = case.build(tmp_path)
        assert wrong(sheetcnn.check(book)) == []
        assert wrong(check_with(by_ironcalc, book)) == []

    holds(0, NETWORKS // OF_A_KIND, agrees, kind)
    assert built


@pytest.mark.libreoffice
@pytest.mark.parametrize("part", range(PARTS))
def test_random_networks_in_libreoffice(part: int, tmp_path: Path, office: Office) -> None:
    def agrees(case: Case) -> None:
        assert wrong(check_with(office.recalculated, case.build(tmp_path))) == []

    holds(part, NETWORKS // IN_LIBREOFFICE, agrees)


def test_the_networks_are_worth_it() -> None:
    """Most networks have several layers of most kinds, and every option occurs."""
    seen: list[Case] = []

    def look(case: Case) -> None:
        seen.append(case)

    for part in range(PARTS):
        holds(part, 640, look)
    layers = [layer for case in seen for layer in case.network["layers"]]
    kinds = Counter(layer["type"] for layer in layers)
    assert len(kinds) > 0.9 * len(LAYERS)  # each kind has networks of its own above
    assert kinds["linear"] > 10
    assert np.mean([len(case.network["layers"]) for case in seen]) > MOST_LAYERS / 3
    assert any("share" in layer for layer in layers)
    seen.clear()
    holds(0, 2560, look, "conv2d")  # what is drawn comes in clumps, and not the same on every run
    scopes = {layer.get("activation_scope", "map") for case in seen for layer in case.network["layers"]}
    assert scopes == {"map", "channel", "sum"}
    assert any("kernels" in layer for layer in layers)
    assert any(isinstance(layer.get("input"), list) for layer in layers)
