"""What Lava's learning engine gets wrong is refused before anything is built, in one line with the remedy.

In integers a product passes through 15 bits: where the widths of its factors, with 4 for the mantissa, make more, the
engine shifts the surplus away and does not give it back, so that one string is 2^(bits - 15) weaker than in floats.

Source of the limits: lava-nc 0.10.0, magma/core/learning/constants.py, product_series.py and learning_rule_applier.py.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

from dlm_snn.errors import DlmError, nearest
from dlm_snn.learning.on_chip.rule import POST_TRACES, PRE_TRACES, TARGETS, LearningRule, Product, text_of

Arithmetic = Literal["float", "fixed"]
ARITHMETICS = ("float", "fixed")
MANTISSA, EXPONENT = (-8, 7), (-7, 8)
"""4 bits, and what the parser lets pass; for floats too."""
EPOCH = (1, 63)
"""W_EPOCH_TIME: 6 bits for the step of a spike within an epoch, where 0 is none."""
TRACE_LIMIT = 127
"""W_TRACE: 7 bits."""
WEIGHT_LIMITS = {"mixed": (-256, 255), "excitatory": (0, 255), "inhibitory": (-255, 0)}
"""W_WEIGHTS_U: 8 bits and the sign; mixed weights become odd in the learner."""
TAG_LIMITS = {"d": (0, 255), "t": (-257, 255)}
"""As the engine clips tag_2 and tag_1."""
FRACTION = 7
"""Bits below the point in the engine's 16-bit accumulator of a 9-bit variable, rounded stochastically."""
ACCUMULATOR = 15
WORD = 31
"""Bits of a product that 32-bit integers hold."""
MANTISSA_BITS = 4
WIDTH = {**dict.fromkeys((*PRE_TRACES, *POST_TRACES), 7), "w": 9, "d": 9, "t": 9, "x0": 1, "y0": 1}
"""FACTOR_TO_WIDTH_DICT; a product's dependency is not counted."""


def bits(product: Product) -> int:
    """Width of a product in integers, mantissa included."""
    return MANTISSA_BITS + sum(WIDTH[factor.name] for factor in product.factors)


def check_rule(rule: LearningRule, arithmetic: Arithmetic) -> None:
    """Refuse what the engine cannot do, or does otherwise than the rule says.

    Args:
        rule: any.
        arithmetic: "float" (Lava's tag floating_pt) or "fixed" (fixed_pt).

    Raises:
        DlmError: naming rule, term, value and remedy.
    """
    if arithmetic not in ARITHMETICS:
        raise DlmError(f"no arithmetic '{arithmetic}'; {nearest(str(arithmetic), ARITHMETICS)}")
    if not isinstance(rule.t_epoch, int) or not EPOCH[0] <= rule.t_epoch <= EPOCH[1]:
        raise DlmError(f"t_epoch = {rule.t_epoch} is not in {EPOCH[0]}..{EPOCH[1]}, whole steps of 6 bits")
    for name, products in rule.products.items():
        for product in products:
            if reason := _wrong(product, arithmetic, rule.wide_products):
                text = getattr(rule, _target(name))
                raise DlmError(f"learning rule '{text}', product '{product}': {reason}")
    periods = sorted({p.dependency for p in rule.all_products if p.dependency[0] == "u"})
    if len(periods) > 1:
        raise DlmError(f"{' and '.join(periods)} in one learning rule; the engine keeps one k for all products")
    for name in rule.traces:
        if name not in (*PRE_TRACES, *POST_TRACES):
            raise DlmError(f"no trace '{name}'; {nearest(name, (*PRE_TRACES, *POST_TRACES))}")
    for name in rule.kept:
        _check_trace(rule, name, arithmetic)


def compensated(rule: LearningRule) -> LearningRule:
    """The integer rule that is as strong as a float one: 2^(bits - 15) times each product that is wider than 15 bits.

    Raises:
        DlmError: an exponent beyond the engine's.
    """
    texts = {}
    for name, products in rule.products.items():
        raised = tuple(replace(p, exponent=p.exponent + max(bits(p) - ACCUMULATOR, 0)) for p in products)
        texts[_target(name)] = text_of(raised)
    found = replace(rule, wide_products=True, **texts)  # type: ignore[arg-type]
    check_rule(found, "fixed")
    return found


def _target(variable: str) -> str:
    return next(target for target, name in TARGETS.items() if name == variable)


def _wrong(product: Product, arithmetic: str, wide: bool) -> str | None:
    """What is wrong with a product, and the remedy."""
    mantissa, exponent, width = product.mantissa, product.exponent, bits(product)
    if not MANTISSA[0] <= mantissa <= MANTISSA[1]:
        return f"mantissa {mantissa} is not in {MANTISSA[0]}..{MANTISSA[1]} (4 bits); use one times a power of 2"
    if not EXPONENT[0] <= exponent <= EXPONENT[1]:
        return f"exponent {exponent} is not in {EXPONENT[0]}..{EXPONENT[1]}; scale the traces or lengthen t_epoch"
    spikes = [factor.name for factor in product.factors if factor.name in ("x0", "y0")]
    if arithmetic == "float" and spikes:
        return f"a second spike, {spikes[0]}, crashes Lava's floats; use a trace in its place, or integers"
    if arithmetic == "float":
        return None
    if width > WORD:
        return f"{width} bits wrap in 32-bit integers; use fewer factors"
    if width > ACCUMULATOR and not wide:
        shift = width - ACCUMULATOR
        return (
            f"{width} bits of which integers keep 15, so it is 2^{shift} weaker than in floats; add {shift} to the "
            f"exponent ({exponent + shift}: see compensated) and say wide_products=True"
        )
    return None


def _check_trace(rule: LearningRule, name: str, arithmetic: str) -> None:
    if rule.third_factor and name in POST_TRACES:
        if name in rule.traces:
            raise DlmError(f"trace '{name}' comes through a port (third_factor=True); leave it out of traces")
        return
    trace = rule.traces.get(name)
    if trace is None:
        raise DlmError(f"the learning rule uses '{name}', and traces has none; give traces={{'{name}': Trace(...)}}")
    if not (math.isfinite(trace.tau) and trace.tau > 0):
        does = "makes weights NaN" if arithmetic == "float" else "forgets everything in a step"
        raise DlmError(f"trace '{name}': tau = {trace.tau} {does}; give tau > 0, 65535 for one that hardly decays")
    if not (math.isfinite(trace.impulse) and trace.impulse >= 0):
        raise DlmError(f"trace '{name}': impulse = {trace.impulse} is not >= 0; put the sign into the product")
    if arithmetic == "fixed" and (trace.impulse > TRACE_LIMIT or trace.impulse != int(trace.impulse)):
        # A fraction of 8 bits is compared with a random number of 7: it would be added twice as often as it says.
        raise DlmError(f"trace '{name}': impulse = {trace.impulse} is no whole number in 0..127 (7 bits); round it")
