"""The grammar of learning rules, and what is refused before anything is built."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm_snn.errors import DlmError
from dlm_snn.learning.on_chip.limits import bits, check_rule, compensated
from dlm_snn.learning.on_chip.rule import Factor, LearningRule, Product, Trace, parse, text_of
from tests.rules import ALL, DISSIPATION, GATE, X1, drawn_product

VARIABLES = ("x1", "x2", "y1", "y2", "y3", "w", "d", "t")
factors = st.builds(Factor, st.sampled_from(VARIABLES), st.integers(-300, 300)) | st.builds(
    Factor, st.sampled_from("wdt"), st.integers(-9, 9), st.just(True)
)
products = st.builds(
    Product,
    st.integers(-8, 7),
    st.integers(-7, 8),
    st.sampled_from(["x0", "y0", "u0", "u3"]),
    st.lists(factors, max_size=4).map(tuple),
)


@given(st.lists(products, min_size=1, max_size=5).map(tuple))
def test_a_sum_survives_its_text(found):
    assert parse(text_of(found)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (DISSIPATION, (Product(1, -2, "y0", (Factor("x1"),)), Product(-1, -5, "x0", (Factor("w"),)))),
        ("(3) * 2 ^ -2*x0*y1", (Product(3, -2, "x0", (Factor("y1"),)),)),
        ("3*2^-2*x0*(4-w)", (Product(-3, -2, "x0", (Factor("w", -4),)),)),
        ("16*x0", (Product(4, 2, "x0"),)),
        ("-x0*sgn(3+t)", (Product(-1, 0, "x0", (Factor("t", 3, sign=True),)),)),
        ("(-2^3)*u2*x1*(y1+2^4)", (Product(-1, 3, "u2", (Factor("x1"), Factor("y1", 16))),)),
        ("x0*y0*w", (Product(1, 0, "x0", (Factor("y0"), Factor("w"))),)),
    ],
)
def test_lavas_grammar_is_read(text, found):
    assert parse(text) == found


NO_SUM = {
    "0.01*x0*w": "the nearest that the engine has is 1*2^-7",
    "0.3*x0*w": "5*2^-4",
    "x1*w": "has no dependency",
    "x0*(w+t)": "not of the form",
    "x0*(-w)": "Lava loses this sign",
    "x0*2*-3": "factor is missing",
    "x0*": "factor is missing",
    "": "no sum of products",
    "x0*((w))": "no sum of products",
    "x0*(x0+1)": "not of the form",
    "x0*(w+1+2)": "(w+1+2)",
    "x0*(w+2^-3)": "(w+2^-3)",
    "x0*sgn(x1)": "sgn takes w, d or t",
    "x0*sgn(2-w)": "sgn takes w, d or t",
    "12^3*x0": "12^3",
    "x0*x9": "x9",
    "x0*u1": "second dependency",
}


@pytest.mark.parametrize(("text", "words"), NO_SUM.items())
def test_what_is_no_sum_of_products_is_refused(text, words):
    with pytest.raises(DlmError) as refused:
        LearningRule(dw=text)
    assert words in str(refused.value)
    assert f"'{text}'" in str(refused.value)
    assert "\n" not in str(refused.value)


OVERSIZED = {
    "x0*(w+2^99999999999)": "'99999999999' lies beyond 31 bits",
    "x0*(w+2^40000000)": "makes a product beyond 31 bits",
    "x0*(w+99999999999)": "'99999999999' lies beyond 31 bits",
    "2^99999999*x0": "makes a product beyond 31 bits",
    "2^-99999999*x0": "makes a product beyond 31 bits",
    "2^31*2^31*x0": "makes a product beyond 31 bits",
    "65536*65536*x0": "makes a product beyond 31 bits",
    "x0*" + "9" * 9900: "lies beyond 31 bits",
    "x0" + "*2" * 4900: "makes a product beyond 31 bits",
    "x0*" * 20_000 + "x0": "of 60002 characters",
    "(" * 9999: "no sum of products",
    "*" * 9999: "stands where a factor is missing",
    "^+" * 4999: "is none of x0",
    "x0*(w+\u00b2)": "holds '\u00b2'",
    "\uff11*x0": "holds '\uff11'",
    "x0*w\n*w": "holds '\\n'",
    "x0*1e999": "is no whole number",
    "3*x0*nan": "is no whole number",
    "": "no sum of products",
}


@pytest.mark.parametrize(("text", "words"), OVERSIZED.items(), ids=lambda text: repr(text[:20]))
def test_a_rule_is_bounded_before_anything_is_computed(text, words):
    with pytest.raises(DlmError) as refused:
        LearningRule(dw=text)
    assert words in str(refused.value)
    assert len(str(refused.value)) < 400
    assert "\n" not in str(refused.value)


def test_a_rule_is_a_text():
    with pytest.raises(DlmError, match="learning rule 3 is no text"):
        LearningRule(dw=3)  # type: ignore[arg-type]


def rule(dw: str = DISSIPATION, **options) -> LearningRule:
    return LearningRule(dw=dw, **{"traces": ALL, **options})


REFUSED = [
    (rule("2^-8*x0*w"), "both", "'2^-8*x0*w': exponent -8 is not in -7..8"),
    (rule("2^9*x0*w"), "both", "exponent 9"),
    (rule("9*x0*w"), "both", "mantissa 9 is not in -8..7"),
    (rule("15*x0*w"), "both", "mantissa 15"),
    (rule("x0*y0*w"), "float", "'x0*y0*w': a second spike, y0, crashes Lava's floats"),
    (rule(GATE, traces={}, third_factor=True), "fixed", "20 bits of which integers keep 15, so it is 2^5 weaker"),
    (rule("x0*x1*x2*y1*w", wide_products=True), "fixed", "34 bits wrap in 32-bit integers"),
    (rule(t_epoch=0), "both", "t_epoch = 0 is not in 1..63"),
    (rule(t_epoch=64), "both", "t_epoch = 64"),
    (rule(t_epoch=1.5), "both", "t_epoch = 1.5"),
    (rule("u1*x1 + u2*x1"), "both", "u1 and u2 in one learning rule"),
    (rule(traces={}), "both", "uses 'x1', and traces has none"),
    (rule(traces={"x1": Trace(16, 0)}), "float", "tau = 0 makes weights NaN"),
    (rule(traces={"x1": Trace(16, 0)}), "fixed", "tau = 0 forgets everything in a step"),
    (rule(traces={"x1": Trace(16, -1)}), "both", "tau = -1"),
    (rule(traces={"x1": Trace(-1, 20)}), "both", "impulse = -1 is not >= 0"),
    (rule(traces={"x1": Trace(128, 20)}), "fixed", "impulse = 128 is no whole number in 0..127"),
    (rule(traces={"x1": Trace(0.5, 20)}), "fixed", "impulse = 0.5"),
    (rule(traces={**X1, "x3": Trace(1, 1)}), "both", "no trace 'x3'"),
    (rule(GATE, third_factor=True, wide_products=True), "both", "'y1' comes through a port"),
]


@pytest.mark.parametrize(("found", "where", "words"), REFUSED)
def test_what_the_engine_gets_wrong_is_refused(found, where, words):
    for arithmetic in ("float", "fixed"):
        if where in (arithmetic, "both"):
            with pytest.raises(DlmError) as refused:
                check_rule(found, arithmetic)
            assert words in str(refused.value)
            assert "\n" not in str(refused.value)


def test_what_it_gets_right_passes():
    for arithmetic in ("float", "fixed"):
        check_rule(rule(traces=X1), arithmetic)
        check_rule(rule("7*2^8*x0 - 8*2^8*y0", t_epoch=63), arithmetic)
    check_rule(rule("x0*y0*w"), "fixed")
    check_rule(rule("x0*x1*x2*y1*w"), "float")
    check_rule(rule(traces={"x1": Trace(0.5, 20)}), "float")
    with pytest.raises(DlmError, match="did you mean 'fixed'"):
        check_rule(rule(), "fixd")  # type: ignore[arg-type]
    with pytest.raises(DlmError, match="changes nothing"):
        LearningRule()


def test_the_width_of_products():
    assert [bits(p) for p in parse("x0*w + y0*x1 - x0*y3*w + x0 + x0*y0*sgn(d)")] == [13, 11, 20, 4, 14]


def test_a_wide_product_is_compensated():
    gate = rule(f"{GATE} + 2^-2*x1*y0", traces=X1, third_factor=True)
    found = compensated(gate)
    assert found.dw == "-2^-2*x0*y3*w + 2^-2*y0*x1"
    assert found.wide_products
    with pytest.raises(DlmError, match="exponent 9"):
        compensated(rule("2^4*x0*y3*w", traces={}, third_factor=True))


def test_drawn_products_are_products():
    rng = np.random.default_rng(0)
    found = tuple(drawn_product(rng, "fixed", "u1") for _ in range(200))
    assert parse(text_of(found)) == found
    assert {p.dependency for p in found} == {"x0", "y0", "u1"}
