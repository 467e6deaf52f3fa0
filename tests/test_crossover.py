"""Transition or crossover: laws of systems that are known exactly, and what looks like a transition and is none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dlm_snn.analysis import finite_size_check
from dlm_snn.analysis.estimators import crossover_curves as curves
from dlm_snn.errors import DlmError

SIZES = np.array([64, 256, 1024])
AROUND = np.array([0.8, 0.85, 0.9, 0.94, 0.97, 1.0, 1.04, 1.1, 1.2, 1.35])
"""Temperatures around that of the mean field's transition, T = 1."""


def normalized(log_weight: np.ndarray) -> np.ndarray:
    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum()


def log_choose(n, k):
    from scipy.special import gammaln

    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def mean_field(n: int, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """m and its law in the Curie-Weiss model, E = -n m^2 / 2, for any n; T_c = 1."""
    up = np.arange(n + 1)
    m = 2 * up / n - 1
    return m, normalized(log_choose(n, up) + n * m**2 / 2 / temperature)


def chain(n: int, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """m and its law in the ring of n Ising spins: no transition at any T > 0.

    n / k C(up - 1, k - 1) C(down - 1, k - 1) states have ``up`` spins up in k blocks, at the energy 4 k - n.
    """
    up = np.arange(n + 1)
    law = np.zeros(n + 1)
    law[[0, n]] = 1.0
    inner, blocks = up[1:-1, None], np.arange(1, n // 2 + 1)
    with np.errstate(invalid="ignore"):
        logs = log_choose(inner - 1, blocks - 1) + log_choose(n - inner - 1, blocks - 1)
    logs = np.where((blocks <= inner) & (blocks <= n - inner), logs, -np.inf)
    law[1:-1] = np.exp(logs + np.log(n / blocks) - 4 * blocks / temperature).sum(1)
    return 2 * up / n - 1, law / law.sum()


def drawn(model, sizes, temperatures, replicas: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    cells = [[model(n, t) for t in temperatures] for n in sizes]
    return np.array([[rng.choice(m, replicas, p=law) for m, law in row] for row in cells])


def exact(model, n: int, temperature: float) -> tuple[float, float]:
    """ln N Var|m|, U."""
    m, law = model(n, temperature)
    second, fourth, first = (float((law * x).sum()) for x in (m**2, m**4, abs(m)))
    return math.log(n * (second - first**2)), 1 - fourth / (3 * second**2)


def exact_growth(model, sizes, temperatures) -> float:
    peaks = [max(exact(model, n, t)[0] for t in temperatures) for n in sizes]
    return float(np.polyfit(np.log(sizes), peaks, 1)[0])


def sigmoid(sizes, temperatures, replicas: int, seed: int) -> np.ndarray:
    """A smooth fall of independent units, steepest at T = 1: a crossover, whatever it looks like."""
    rng = np.random.default_rng(seed)
    share = 1 / (1 + np.exp((temperatures - 1) / 0.1))
    return np.array([rng.binomial(n, share[:, None], (len(temperatures), replicas)) / n for n in sizes])


def test_the_mean_field_law_is_that_of_the_textbook():
    """U at T_c goes to 1 - Gamma(5/4) Gamma(1/4) / (3 Gamma(3/4)^2); chi of the disordered side to 1 / (1 - 1 / T)."""
    limit = 1 - math.gamma(5 / 4) * math.gamma(1 / 4) / (3 * math.gamma(3 / 4) ** 2)
    assert limit == pytest.approx(0.27052, abs=1e-5)
    assert exact(mean_field, 100_000, 1.0)[1] == pytest.approx(limit, abs=2e-3)
    m, law = mean_field(20_000, 2.0)
    assert 20_000 * (law * m**2).sum() == pytest.approx(2, rel=1e-3)


def test_the_chain_is_that_of_all_states():
    states = np.array([[1 if i >> b & 1 else -1 for b in range(8)] for i in range(256)])
    weight = np.exp((states * np.roll(states, 1, axis=1)).sum(1) / 1.3)
    m, law = chain(8, 1.3)
    total = [weight[np.isclose(states.mean(1), value)].sum() / weight.sum() for value in m]
    assert law == pytest.approx(np.array(total))


def test_curves_hold_the_exact_ones():
    """Of 30 cells, all within four standard errors and 26 or more within two."""
    order = drawn(mean_field, SIZES, AROUND, 2000, 1)
    truth = np.array([[exact(mean_field, n, t) for t in AROUND] for n in SIZES])
    for found, right in zip(
        (curves.log_susceptibility(order, SIZES), curves.binder(order)), np.moveaxis(truth, -1, 0), strict=True
    ):
        away = abs(found.value - right) / found.error
        assert away.max() < 4
        assert (away < 2).sum() >= 26


def test_mean_field_has_a_transition_at_1():
    found = finite_size_check(drawn(mean_field, SIZES, AROUND, 4000, 2), AROUND, SIZES)
    assert found.verdict == "transition"
    assert found.growth.value == pytest.approx(exact_growth(mean_field, SIZES, AROUND), abs=0.05)
    assert found.growth.value == pytest.approx(0.5, abs=0.1)
    assert found.crossing.interval is not None
    low, high = found.crossing.interval
    assert low <= 1 <= high
    assert high - low < 0.1
    assert "N^" in str(found)


@pytest.mark.parametrize("replicas", [8, 50, 400])
def test_the_growth_is_in_its_interval_in_18_of_20_seeds(replicas):
    right = exact_growth(mean_field, SIZES, AROUND)
    within = 0
    for seed in range(20):
        growth = finite_size_check(drawn(mean_field, SIZES, AROUND, replicas, seed), AROUND, SIZES).growth
        assert growth.interval is not None
        within += growth.interval[0] <= right <= growth.interval[1]
    assert within >= 18


def test_few_replicas_do_not_resolve_it():
    """Eight seeds per cell, as many sweeps have: neither a transition nor its absence."""
    verdicts = [
        finite_size_check(drawn(mean_field, SIZES, AROUND, 8, seed), AROUND, SIZES).verdict for seed in range(10)
    ]
    assert "transition" not in verdicts
    assert verdicts.count("not resolved") >= 8


def test_a_sigmoid_is_a_crossover():
    temperatures = np.linspace(0.4, 1.6, 9)
    found = finite_size_check(sigmoid(SIZES, temperatures, 100, 3), temperatures, SIZES)
    assert found.verdict == "crossover"
    assert found.growth.interval is not None
    assert found.growth.interval[0] < 0 < found.growth.interval[1]
    assert not found.crossing.resolved
    assert "less than at a transition" in str(found)


def test_no_seed_makes_a_transition_of_a_sigmoid():
    temperatures = np.linspace(0.4, 1.6, 9)
    for seed in range(20):
        assert finite_size_check(sigmoid(SIZES, temperatures, 16, seed), temperatures, SIZES).verdict != "transition"


def test_the_chain_has_no_transition():
    """Its susceptibility grows, towards T = 0, and its Binder curves do not cross."""
    temperatures = np.array([0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0])
    sizes = np.array([32, 64, 128])
    found = finite_size_check(drawn(chain, sizes, temperatures, 2000, 4), temperatures, sizes)
    assert found.verdict == "not resolved"
    assert not found.crossing.resolved


def test_a_variance_that_no_size_averages_out_is_no_transition():
    """Replicas that differ as wholes: chi grows as N at every temperature."""
    rng = np.random.default_rng(5)
    temperatures = np.linspace(0.4, 1.6, 9)
    share = 1 / (1 + np.exp((temperatures - 1) / 0.1))
    order = (share + 0.1 * share * (1 - share) * rng.normal(size=(3, 400, 9))).transpose(0, 2, 1)
    found = finite_size_check(order, temperatures, SIZES)
    assert found.verdict == "not resolved"
    assert found.growth.value == pytest.approx(1, abs=0.1)


def test_doubts_are_named():
    temperatures = np.linspace(0.4, 1.6, 9)
    order = sigmoid(SIZES, temperatures, 100, 6)
    assert "does not change" in str(finite_size_check(order[:, [0] * 4], temperatures[:4], SIZES))
    assert "lies at an end" in str(finite_size_check(order[:, 4:], temperatures[4:], SIZES))
    assert "no replica differs" in str(finite_size_check(order[:, :, :1].repeat(8, 2), temperatures, SIZES))


def test_a_variance_of_measuring_is_no_growth_and_hides_no_crossover():
    temperatures = np.linspace(0.4, 1.6, 9)
    order = sigmoid(SIZES, temperatures, 100, 6)
    assert finite_size_check(order, temperatures, SIZES, floor=0.25 / 1000).verdict == "crossover"
    blurred = order + 0.05 * np.random.default_rng(6).normal(size=order.shape)
    found = finite_size_check(blurred, temperatures, SIZES, floor=0.05**2)
    assert found.verdict == "not resolved"
    assert "that of measuring" in str(found)


def test_a_peak_of_one_temperature_is_no_crossover():
    temperatures = np.array([0.5, 0.8, 1.0, 1.2, 1.5])
    order = sigmoid(SIZES, temperatures, 400, 7)
    found = finite_size_check(order, temperatures, SIZES)
    assert found.verdict == "not resolved"
    assert "one temperature wide" in str(found)


@pytest.mark.parametrize(
    ("shape", "temperatures", "sizes", "message"),
    [
        ((3, 4), range(4), SIZES, r"order has shape \(3, 4\); give \(size, temperature, replica\)"),
        ((3, 4, 7), range(4), SIZES, "7 replicas; a finite-size check needs at least 8"),
        ((2, 4, 8), range(4), SIZES[:2], "2 sizes; a finite-size check needs at least 3"),
        ((3, 3, 8), range(3), SIZES, "3 temperatures; a finite-size check needs at least 4"),
        ((3, 4, 8), [1, 2, 2, 3], SIZES, "temperatures are .* give finite numbers that increase"),
        ((3, 4, 8), range(4), [0, 1, 2], "sizes begin with 0; a size is positive"),
    ],
)
def test_what_is_no_sweep_is_refused(shape, temperatures, sizes, message):
    with pytest.raises(DlmError, match=message):
        finite_size_check(np.ones(shape), np.array(temperatures), np.array(sizes))


def test_values_that_are_not_finite_are_refused():
    order = sigmoid(SIZES, np.linspace(0.4, 1.6, 9), 10, 8)
    order[0, 0, 0] = np.nan
    with pytest.raises(DlmError, match="leave out replicas that diverged"):
        finite_size_check(order, np.linspace(0.4, 1.6, 9), SIZES)
