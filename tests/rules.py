"""Learning rules and spikes that tests share, fixed and drawn."""

from __future__ import annotations

import numpy as np

from dlm_snn.learning.on_chip.limits import WORD, bits
from dlm_snn.learning.on_chip.rule import POST_TRACES, PRE_TRACES, Factor, LearningRule, Product, Trace, text_of

DISSIPATION = "2^-2*x1*y0 - 2^-5*x0*w"
GATE = "-2^-7*x0*y3*w"
X1 = {"x1": Trace(16, 20)}
ALL = {"x1": Trace(16, 20), "x2": Trace(7, 3.5), "y1": Trace(20, 10), "y2": Trace(9, 5), "y3": Trace(3, 40)}


def spikes(rng: np.random.Generator, n: int, n_steps: int, rate: float = 0.15) -> np.ndarray:
    """(neuron, step); the first steps are silent."""
    found = rng.random((n, n_steps)) < rate
    found[:, :3] = False
    return found


def drawn_product(rng: np.random.Generator, arithmetic: str, u: str) -> Product:
    """Any product that the engine computes rightly; narrow enough for 32 bits."""
    while True:
        variables = [*PRE_TRACES, *POST_TRACES, "w", "d", "t", *(["x0", "y0"] if arithmetic == "fixed" else [])]
        factors = []
        for name in rng.choice(variables, rng.integers(0, 4)):
            constant = int(rng.integers(-9, 10)) if name not in ("x0", "y0") and rng.random() < 0.3 else 0
            factors.append(Factor(str(name), constant, bool(name in ("w", "d", "t") and rng.random() < 0.3)))
        mantissa = int(rng.choice([-8, -5, -3, -1, 1, 2, 3, 7]))
        dependency = str(rng.choice(["x0", "y0", u]))
        found = Product(mantissa, int(rng.integers(-7, -2)), dependency, tuple(factors))
        if bits(found) <= WORD:
            return found


def affine_rule(seed: int) -> LearningRule:
    """dw = a product of traces, a product of traces and w, or both: what floats are compiled for."""
    rng = np.random.default_rng(seed)
    products = []
    for own in rng.permutation([False, True])[: rng.integers(1, 3)]:
        sides = [PRE_TRACES, POST_TRACES][:: rng.choice([-1, 1])][: rng.integers(1, 3)]
        names = [str(name) for side in sides for name in rng.choice(side, rng.integers(0, 3))]
        factors = [Factor(name, int(rng.integers(0, 3))) for name in names]
        factors += [Factor("w", int(rng.integers(-9, 10)))] if own else []
        scale = int(rng.choice([-5, -1, 1, 3])), int(rng.integers(-7, -4))
        products.append(Product(*scale, str(rng.choice(["x0", "y0", "u1"])), tuple(factors)))
    return LearningRule(dw=text_of(tuple(products)), traces=ALL)


def drawn_rule(seed: int, arithmetic: str) -> LearningRule:
    """One to three sums of one to three products; in floats half of them affine."""
    if arithmetic == "float" and seed % 4 < 2:
        return affine_rule(seed)
    rng = np.random.default_rng(seed)
    u = f"u{rng.integers(0, 3)}"
    targets = ["dw", *(str(name) for name in ("dd", "dt") if rng.random() < 0.3)]
    texts = {
        name: text_of(tuple(drawn_product(rng, arithmetic, u) for _ in range(rng.integers(1, 4)))) for name in targets
    }
    t_epoch = int(rng.choice([1, 1, 2, 5]))
    return LearningRule(**texts, traces=ALL, t_epoch=t_epoch, wide_products=True, rng_seed=seed)
