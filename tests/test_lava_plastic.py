"""Plasticity in stock Lava, in our Process and in NumPy: weights, tags, traces and what is sent, bit for bit.

Lava runs in a child interpreter: a few graphs as they are, and many drawn rules through stock's ProcessModels with
ports that only hold values, which takes milliseconds where a graph takes half a second.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlm_snn.errors import DlmError
from dlm_snn.learning.lava_rule import PlasticMatrix
from dlm_snn.learning.rule import LearningRule, Trace
from tests.rules import ALL, DISSIPATION, GATE, X1, drawn_rule, spikes

pytest.importorskip("lava")
ROOT = Path(__file__).parents[1]
N_PRE, N_POST, N_STEPS, BLOCK = 11, 7, 60, 6
TAGS = {"float": "floating_pt", "fixed": "fixed_pt"}
RULES = {
    "dissipation": LearningRule(dw=DISSIPATION, traces=X1, rng_seed=3),
    "epochs of 4": LearningRule(dw=DISSIPATION, traces=X1, t_epoch=4, rng_seed=3),
    "gate": LearningRule(dw=GATE, third_factor=True, wide_products=True),
    "all": LearningRule(
        dw="2^-3*x1*y0 - 3*2^-5*x0*y1 + 2^-4*u1*(3-y2)*sgn(w) - 2^-6*y0*(w-3)*x2",
        dt="2^-1*x0*y1 - 2^-3*y0*t",
        dd="2^-2*y0*x1 - 2^-4*u1*(d+1)",
        # Whenever a Var is set, stock's integers read their taus again, as whole numbers.
        traces={**ALL, "x2": Trace(7, 3)},
        t_epoch=3,
        wide_products=True,
        rng_seed=5,
    ),
}
DRAWN = 40
REFUSED: dict[str, tuple[LearningRule, Any]] = {
    "20 bits of which integers keep 15": (LearningRule(dw=GATE, third_factor=True), "fixed"),
    "crashes Lava's floats": (LearningRule(dw="x0*y0*w"), "float"),
    "traces has none": (LearningRule(dw=DISSIPATION), None),
    "exponent -9": (LearningRule(dw="2^-9*x0*w"), None),
}


def problem(seed: int = 0) -> dict[str, np.ndarray]:
    """Even weights, spikes of both sides and a third factor (neuron, step)."""
    rng = np.random.default_rng(seed)
    return {
        "weight": 2.0 * rng.integers(-50, 51, (N_POST, N_PRE)),
        "pre": spikes(rng, N_PRE, N_STEPS),
        "post": spikes(rng, N_POST, N_STEPS),
        "factor": rng.integers(0, 128, (N_POST, N_STEPS)) * (rng.random(N_STEPS) < 0.5),
    }


def graph(kind: str, arithmetic: str, rule: LearningRule) -> dict[str, np.ndarray]:
    """What a graph of Lava ends with: weights, tags, traces, and all that was sent; weights are set on half the way."""
    from lava_processes.plastic_dense.process import PlasticDense, stock_rule  # isort: skip  (lets Lava be imported)
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.dense.process import LearningDense
    from lava.proc.io.sink import RingBuffer as Sink
    from lava.proc.io.source import RingBuffer

    given = problem()
    block = BLOCK if kind == "block" else 1

    def source(values: np.ndarray) -> Any:
        whole = values.astype(int)
        return RingBuffer(data=whole if block == 1 else whole.reshape(len(whole), -1, block).swapaxes(1, 2))

    if kind == "stock":
        dense = LearningDense(weights=given["weight"], learning_rule=stock_rule(rule), weight_exp=-1)
    else:
        dense = PlasticDense(weights=given["weight"], learning_rule=rule, rounding="lava", weight_exp=-1, block=block)
    source(given["pre"]).s_out.connect(dense.s_in)
    source(given["post"]).s_out.connect(dense.s_in_bap)
    if rule.third_factor:
        source(given["factor"]).s_out.connect(dense.s_in_y3)
    length = N_STEPS // block
    sink = Sink(shape=dense.a_out.shape, buffer=length)
    dense.a_out.connect(sink.a_in)
    config = Loihi2SimCfg(select_tag=TAGS[arithmetic])
    dense.run(condition=RunSteps(num_steps=length // 2), run_cfg=config)
    dense.weights.set(given["weight"][::-1])
    dense.run(condition=RunSteps(num_steps=length - length // 2), run_cfg=config)
    names = ("weights", "tag_1", "tag_2", *rule.used)
    found = {name: getattr(dense, name).get() for name in names}
    sent = sink.data.get()
    found["sent"] = sent if block == 1 else sent.swapaxes(1, 2).reshape(N_POST, -1)
    dense.stop()
    return found


def refused(rule: LearningRule, arithmetic: Any) -> None:
    """Print why a rule is refused."""
    from lava_processes.plastic_dense.process import PlasticDense

    try:
        PlasticDense(weights=np.zeros((2, 2)), learning_rule=rule, arithmetic=arithmetic)
    except DlmError as error:
        print("refused:", error)


class Port:
    """A port that holds what is received."""

    def __init__(self) -> None:
        self.value: Any = None

    def recv(self) -> Any:
        return self.value

    def send(self, values: Any) -> None:
        """Nobody listens."""


def stock_model(rule: LearningRule, arithmetic: str, weight: np.ndarray, sign_mode: str) -> Any:
    """Stock's ProcessModel as Lava's builder leaves it."""
    from lava_processes.plastic_dense.process import stock_rule  # isort: skip  (lets Lava be imported)
    from lava.proc.dense import models
    from lava.proc.dense.process import LearningDense
    from lava.utils.weightutils import SignMode

    fixed = arithmetic == "fixed"
    mode = SignMode[sign_mode.upper()]
    process = LearningDense(weights=weight, learning_rule=stock_rule(rule), sign_mode=mode)
    kind = models.PyLearningDenseModelBitApproximate if fixed else models.PyLearningDenseModelFloat
    model = kind(process.proc_params)
    dtype, trace = (np.int32, int) if fixed else (float, float)
    model.weights = weight.astype(dtype)
    model.tag_1, model.tag_2 = np.zeros(weight.shape, trace), np.zeros(weight.shape, trace)
    model.num_message_bits, model.a_buff = np.array([0]), np.zeros(N_POST)
    for side, n, count in (("x", N_PRE, 2), ("y", N_POST, 3)):
        setattr(model, f"{side}0", np.zeros(n, bool))
        setattr(model, f"t{side}", np.zeros(n, int))
        for number in range(count):
            setattr(model, f"{side}{number + 1}", np.zeros(n, trace))
    for name in ("s_in", "s_in_bap", "a_out"):
        setattr(model, name, Port())
    return model


def drawn(seed: int, arithmetic: str) -> str | None:
    """What differs between stock and PlasticMatrix, compiled and plain, on a drawn rule; None where nothing does."""
    rule, given = drawn_rule(seed, arithmetic), problem(seed)
    sign_mode = ("mixed", "excitatory", "inhibitory")[seed % 3]
    weight = {"mixed": 1, "excitatory": 1, "inhibitory": -1}[sign_mode] * (
        given["weight"] if sign_mode == "mixed" else np.abs(given["weight"])
    )
    model = stock_model(rule, arithmetic, weight, sign_mode)
    ours = {
        compiled: PlasticMatrix(weight, rule, arithmetic, sign_mode=sign_mode, compiled=compiled)
        for compiled in (True, False)
    }
    for t in range(N_STEPS // 2):
        model.time_step = t + 1
        model.s_in.value, model.s_in_bap.value = given["pre"][:, t].astype(int), given["post"][:, t].astype(int)
        model.run_spk()
        if model.lrn_guard():
            model.run_lrn()
        found = {"w": model.weights, "d": model.tag_2, "t": model.tag_1}
        if not all(np.all(np.abs(values) < 1e100) for values in found.values()):
            return None
        for compiled, matrix in ours.items():
            matrix.step(given["pre"][:, t], given["post"][:, t])
            for name, values in found.items():
                if not np.array_equal(matrix.values[name], values):
                    return f"{name} in step {t + 1}, compiled={compiled}: {rule}"
            for name in rule.used:
                side = matrix.pre if name[0] == "x" else matrix.post
                if not np.array_equal(side.values[name], getattr(model, name)):
                    return f"{name} in step {t + 1}: {rule}"
    return None


def in_lava(path: str) -> None:
    """Run everything; keep what the graphs end with, print what differs on drawn rules."""
    found = {}
    for key, rule in RULES.items():
        for arithmetic in TAGS:
            for kind in ("stock", "own", *(["block"] if key == "epochs of 4" else [])):
                for name, values in graph(kind, arithmetic, rule).items():
                    found[f"{kind}/{arithmetic}/{key}/{name}"] = values
    np.savez(path, **found)
    for rule, arithmetic in REFUSED.values():
        refused(rule, arithmetic)
    for arithmetic in TAGS:
        for seed in range(DRAWN):
            if difference := drawn(seed, arithmetic):
                print("differs:", arithmetic, seed, difference)


@pytest.fixture(scope="module")
def lava(tmp_path_factory) -> tuple[dict[str, np.ndarray], str]:
    """Ends of graphs, and what differs on drawn rules."""
    path = tmp_path_factory.mktemp("lava") / "ends.npz"
    command = [sys.executable, "-m", "tests.test_lava_plastic", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return dict(np.load(path)), done.stdout


def ends(found: dict[str, np.ndarray], kind: str, arithmetic: str, rule: str) -> dict[str, np.ndarray]:
    begin = f"{kind}/{arithmetic}/{rule}/"
    return {name.removeprefix(begin): values for name, values in found.items() if name.startswith(begin)}


@pytest.mark.parametrize("arithmetic", TAGS)
@pytest.mark.parametrize("rule", RULES)
def test_our_process_is_stock_lavas(lava, arithmetic, rule):
    stock, own = (ends(lava[0], kind, arithmetic, rule) for kind in ("stock", "own"))
    assert stock.keys() == own.keys() >= {"weights", "sent", "tag_1"}
    for name, values in stock.items():
        np.testing.assert_array_equal(own[name], values, err_msg=name)
    changed = stock["weights"] != problem()["weight"][::-1]
    assert changed.mean() > 0.5
    assert np.abs(stock["sent"]).max() > 100


@pytest.mark.parametrize("arithmetic", TAGS)
def test_many_steps_in_a_message_are_the_same_steps(lava, arithmetic):
    stock, block = (ends(lava[0], kind, arithmetic, "epochs of 4") for kind in ("stock", "block"))
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


if __name__ == "__main__":
    in_lava(sys.argv[1])
