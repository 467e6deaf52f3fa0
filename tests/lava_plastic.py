"""What stock Lava makes of learning rules, and our Process: the part of ``test_lava_plastic`` that imports Lava.

A few graphs as they are, and many drawn rules through stock's ProcessModels with ports that only hold values, which
takes milliseconds where a graph takes half a second. Run: python -m tests.lava_plastic FILE.npz
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from dlm_snn.errors import DlmError
from dlm_snn.learning.on_chip.matrix import PlasticMatrix
from dlm_snn.learning.on_chip.rule import LearningRule, Trace
from tests.rules import ALL, DISSIPATION, GATE, X1, drawn_rule, spikes

N_PRE, N_POST, N_STEPS, BLOCK = 11, 7, 60, 6
TAGS = {"float": "floating_pt", "fixed": "fixed_pt"}
RULES = {
    "dissipation": LearningRule(dw=DISSIPATION, traces=X1, rng_seed=3),
    "epochs of 4": LearningRule(dw=DISSIPATION, traces=X1, t_epoch=4, rng_seed=3),
    "traces to be read": LearningRule(dw=DISSIPATION, traces={**ALL, "x2": Trace(7, 3)}, t_epoch=2, rng_seed=3),
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
GRADED = {"graded": RULES["dissipation"]}
IN_BLOCKS = ("epochs of 4", "gate")
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


def graph(kind: str, arithmetic: str, rule: LearningRule, graded: bool = False) -> dict[str, np.ndarray]:
    """What a graph of Lava ends with: weights, tags, traces, and all that was sent; weights are set on half the way."""
    from lava_processes.plastic_dense.process import PlasticDense, stock_rule  # isort: skip  (lets Lava be imported)
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.dense.process import LearningDense
    from lava.proc.io.sink import RingBuffer as Sink
    from lava.proc.io.source import RingBuffer

    from lava_processes.segments import keep_here

    keep_here()
    given = problem()
    block = BLOCK if kind == "block" else 1

    def source(values: np.ndarray) -> Any:
        whole = values.astype(int)
        return RingBuffer(data=whole if block == 1 else whole.reshape(len(whole), -1, block).swapaxes(1, 2))

    format_ = {"weights": given["weight"], "weight_exp": -1, "num_message_bits": 8 if graded else 0}
    if kind == "stock":
        dense = LearningDense(learning_rule=stock_rule(rule), **format_)
    else:
        dense = PlasticDense(learning_rule=rule, rounding="lava", block=block, **format_)
    source(given["pre"] * (3 if graded else 1)).s_out.connect(dense.s_in)
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
    names = ("weights", "tag_1", "tag_2", *rule.kept)
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
            for name in rule.kept:
                side = matrix.pre if name[0] == "x" else matrix.post
                if not np.array_equal(side.values[name], getattr(model, name)):
                    return f"{name} in step {t + 1}: {rule}"
    return None


def what_stock_does() -> None:
    """Print what becomes, in stock Lava, of rules that are refused."""
    from lava_processes.plastic_dense.process import stock_rule  # isort: skip  (lets Lava be imported)
    from lava.magma.core.learning.learning_rule import Loihi2FLearningRule

    lost = Loihi2FLearningRule(dw="x0*(-w)", rng_seed=0)
    print("stock: x0*(-w) has mantissa", lost.dw.products[0].s_mantissa)
    try:
        stock_model(LearningRule(dw="x0*y0*w"), "float", problem()["weight"], "mixed")
    except Exception as error:
        print("stock: x0*y0*w in floats:", error)
    model = stock_model(
        LearningRule(dw=DISSIPATION, traces={"x1": Trace(16, 0)}), "float", problem()["weight"], "mixed"
    )
    model.time_step, model.s_in.value, model.s_in_bap.value = 1, np.ones(N_PRE, int), np.ones(N_POST, int)
    model.run_spk()
    model.run_lrn()
    print("stock: tau 0 in floats:", np.isnan(model.weights).all())
    print("stock: dw is kept:", stock_rule(RULES["dissipation"]).dw_str == DISSIPATION)


def in_lava(path: str) -> None:
    """Run everything; keep what the graphs end with, print what differs on drawn rules."""
    found = {}
    for key, rule in {**RULES, **GRADED}.items():
        for arithmetic in TAGS:
            for kind in ("stock", "own", *(["block"] if key in IN_BLOCKS else [])):
                for name, values in graph(kind, arithmetic, rule, key == "graded").items():
                    found[f"{kind}/{arithmetic}/{key}/{name}"] = values
    np.savez(path, **found)
    for rule, arithmetic in REFUSED.values():
        refused(rule, arithmetic)
    what_stock_does()
    for arithmetic in TAGS:
        for seed in range(DRAWN):
            if difference := drawn(seed, arithmetic):
                print("differs:", arithmetic, seed, difference)


if __name__ == "__main__":
    in_lava(sys.argv[1])
