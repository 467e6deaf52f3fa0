"""Plasticity in stock Lava, in our Process and in NumPy: weights, tags, traces and what is sent, bit for bit."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dlm_snn.learning.on_chip.matrix import PlasticMatrix
from tests.lava_plastic import GRADED, IN_BLOCKS, N_POST, N_STEPS, REFUSED, RULES, TAGS, problem

pytestmark = pytest.mark.xdist_group("lava_plastic")

pytest.importorskip("lava")
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def lava(tmp_path_factory) -> tuple[dict[str, np.ndarray], str]:
    """Ends of graphs, and what differs on drawn rules."""
    path = tmp_path_factory.mktemp("lava") / "ends.npz"
    command = [sys.executable, "-m", "tests.lava_plastic", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return dict(np.load(path)), done.stdout


def ends(found: dict[str, np.ndarray], kind: str, arithmetic: str, rule: str) -> dict[str, np.ndarray]:
    begin = f"{kind}/{arithmetic}/{rule}/"
    return {name.removeprefix(begin): values for name, values in found.items() if name.startswith(begin)}


@pytest.mark.parametrize("arithmetic", TAGS)
@pytest.mark.parametrize("rule", [*RULES, *GRADED])
def test_our_process_is_stock_lavas(lava, arithmetic, rule):
    stock, own = (ends(lava[0], kind, arithmetic, rule) for kind in ("stock", "own"))
    assert stock.keys() == own.keys() >= {"weights", "sent", "tag_1"}
    for name, values in stock.items():
        np.testing.assert_array_equal(own[name], values, err_msg=name)
    changed = stock["weights"] != problem()["weight"][::-1]
    assert changed.mean() > 0.5
    assert np.abs(stock["sent"]).max() > 100


@pytest.mark.parametrize("arithmetic", TAGS)
@pytest.mark.parametrize("rule", IN_BLOCKS)
def test_many_steps_in_a_message_are_the_same_steps(lava, arithmetic, rule):
    stock, block = (ends(lava[0], kind, arithmetic, rule) for kind in ("stock", "block"))
    for name, values in stock.items():
        np.testing.assert_array_equal(block[name], values, err_msg=name)


@pytest.mark.parametrize("arithmetic", TAGS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("compiled", [True, False])
def test_the_numpy_model_is_stock_lavas(lava, arithmetic, rule, compiled):
    stock, given = ends(lava[0], "stock", arithmetic, rule), problem()
    matrix = PlasticMatrix(given["weight"], RULES[rule], arithmetic, compiled=compiled)
    sent = [np.zeros(N_POST)]
    for t in range(N_STEPS):
        if t == N_STEPS // 2:
            matrix.values["w"][:] = given["weight"][::-1]
        sums = matrix.loops.sums(matrix.values["w"], given["pre"][:, t])
        sent.append(sums >> 1 if arithmetic == "fixed" else sums)
        zero = np.zeros(N_POST)
        factors = {"y1": zero, "y2": zero, "y3": given["factor"][:, t]}
        matrix.step(given["pre"][:, t], given["post"][:, t], factors if RULES[rule].third_factor else None)
    for name, key in (("weights", "w"), ("tag_1", "t"), ("tag_2", "d")):
        np.testing.assert_array_equal(matrix.values[key], stock[name], err_msg=name)
    np.testing.assert_array_equal(np.array(sent[:-1]).T, stock["sent"])


def test_drawn_rules_are_stock_lavas(lava):
    assert lava[1].count("differs:") == 0, lava[1]


@pytest.mark.parametrize("words", REFUSED)
def test_a_rule_is_refused_before_anything_runs(lava, words):
    assert [line for line in lava[1].splitlines() if line.startswith("refused:") and words in line]


@pytest.mark.parametrize(
    "line",
    [
        "x0*(-w) has mantissa 1",
        "x0*y0*w in floats: Unknown Factor in LearningRuleFloatApplier",
        "tau 0 in floats: True",
        "dw is kept: True",
    ],
)
def test_stock_does_get_wrong_what_is_refused(lava, line):
    assert f"stock: {line}" in lava[1]


def test_the_comparison_sees_an_error(lava):
    stock, given = ends(lava[0], "stock", "fixed", "dissipation"), problem()
    for wrong in (
        replace(RULES["dissipation"], dw="2^-2*x1*y0 - 2^-4*x0*w"),
        replace(RULES["dissipation"], rng_seed=4),
        replace(RULES["dissipation"], t_epoch=2),
    ):
        matrix = PlasticMatrix(given["weight"], wrong, "fixed")
        for t in range(N_STEPS):
            if t == N_STEPS // 2:
                matrix.values["w"][:] = given["weight"][::-1]
            matrix.step(given["pre"][:, t], given["post"][:, t])
        assert not np.array_equal(matrix.values["w"], stock["weights"])
