"""Gradients as formulas: every cell of random networks with a backward pass agrees with NumPy, in our evaluator and in others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from engines import by_ironcalc, check_with
from hypothesis import HealthCheck, Phase, given, seed, settings
from networks import Case, cases
from test_random import wrong

import sheetcnn
from sheetcnn.layers import LAYERS
from sheetcnn.model.network import parse_network


def answer_of(case: Case) -> str | None:
    """The first answer, where the last layer puts out a vector."""
    network = parse_network(case.network, "test")
    return network.answers[0] if network.loss == "cross_entropy" else None


@pytest.mark.parametrize("kind", LAYERS)
def test_random_networks_with(kind: str, tmp_path: Path) -> None:
    def agrees(case: Case) -> None:
        if any(layer.get("activation_scope") == "channel" for layer in case.network["layers"]):
            return
        book = case.build(
            tmp_path,
            train=True,
            answer=None if case.network.get("training") else answer_of(case),
            gallery=False,
            inspector=False,
        )
        assert wrong(sheetcnn.check(book)) == []
        assert wrong(check_with(by_ironcalc, book)) == []

    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]
    phases = [Phase.generate] if "CI" in os.environ else [Phase.generate, Phase.shrink]
    options: dict[str, Any] = {
        "max_examples": int(os.environ.get("NETWORKS", "120")) // 80,
        "deadline": None,
        "database": None,
        "phases": phases,
    }
    seed(f"training {kind}{os.environ.get('SEED', '')}")(
        settings(**options, suppress_health_check=checks, print_blob=False)(given(cases(kind))(agrees))
    )()
