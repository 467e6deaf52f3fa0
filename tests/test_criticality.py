"""Branching ratios, avalanches and the verdict: closed forms, subsampling, and what must not be called critical."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest

from dlm_snn.analysis import (
    Finding,
    avalanche_exponents,
    avalanches_of,
    branching_ratio,
    criticality,
    raster_criticality,
)
from dlm_snn.analysis.estimators._tail_compiled import distance
from dlm_snn.analysis.estimators.avalanches_tail import draw, exponent, log_sum, tail_of
from dlm_snn.analysis.estimators.branching_fit import block_sums, decay, regression
from dlm_snn.analysis.estimators.criticality_common import earlier
from dlm_snn.analysis.estimators.criticality_verdict import _verdict
from dlm_snn.errors import DlmError
from dlm_snn.runs.raster import SpikeRaster


def rng(seed=0):
    return np.random.default_rng(seed)


def driven(m, n, seed, mean=20.0):
    """<A> = 20: A_(t+1) is Poisson with mean m A_t + h."""
    draw, h = rng(seed), mean * (1 - m)
    activity = np.zeros(n)
    now = mean
    for t in range(n):
        now = draw.poisson(m * now + h)
        activity[t] = now
    return activity


def cascades(m, count, cap, seed):
    """Sizes and durations of a Galton-Watson process with Poisson offspring; those beyond the cap last 0."""
    draw = rng(seed)
    size, duration = np.ones(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    alive, now, t = np.arange(count), np.ones(count, dtype=np.int64), 0
    while alive.size:
        t += 1
        now = draw.poisson(m * now)
        size[alive] += now
        duration[alive[now == 0]] = t
        kept = (now > 0) & (size[alive] <= cap)
        alive, now = alive[kept], now[kept]
    return size, duration


def test_regression_is_polyfits_and_blocks_add_up():
    values = rng().poisson(5, (2, 400)).astype(float)
    lags = np.array([1, 3, 10])
    parts, whole = (block_sums(values, lags, length) for length in (50, 400))
    np.testing.assert_allclose(parts.sum(0), whole.sum(0))
    for lag, r in zip(lags, regression(parts.sum(0)), strict=True):
        x, y = values[:, :-lag].ravel(), values[:, lag:].ravel()
        assert r == pytest.approx(np.polyfit(x, y, 1)[0])


@pytest.mark.parametrize(("m", "b"), [(0.5, 1.0), (0.9, 0.2), (0.98, 0.5)])
def test_an_exact_decay_is_found(m, b):
    lags = np.arange(1, 200)
    found = decay(lags, b * m**lags)
    assert float(found.m) == pytest.approx(m, abs=1e-4)
    assert float(found.b) == pytest.approx(b, rel=0.01)


@pytest.mark.parametrize(("m", "seed"), [(0.5, 1), (0.9, 2), (0.98, 3)])
def test_branching_ratio_of_all_and_of_a_twentieth(m, seed):
    activity = driven(m, 40_000, seed)
    seen = rng(seed).binomial(activity.astype(int), 0.05)
    whole, part = branching_ratio(activity, rng=rng(5)), branching_ratio(seen, rng=rng(6))
    assert whole.ratio.interval[0] < m < whole.ratio.interval[1]
    assert whole.naive.interval[0] < m < whole.naive.interval[1]
    assert part.ratio.interval[0] < m < part.ratio.interval[1]
    assert part.naive.estimate < 0.65 * m


@pytest.mark.long
def test_mrestimators_branching_ratio_lies_in_our_interval():
    mre = pytest.importorskip("mrestimator")
    activity = driven(0.95, 20_000, 4)
    ours = branching_ratio(activity, rng=rng(1)).ratio
    theirs = mre.fit(mre.coefficients(activity[None], steps=(1, 100), method="ts"), fitfunc=mre.f_exponential)
    assert ours.interval[0] < theirs.mre < ours.interval[1]
    assert ours.estimate == pytest.approx(theirs.mre, abs=0.01)


@pytest.mark.parametrize(
    ("activity", "why"),
    [
        (np.full(1000, 3), "constant at 3"),
        (rng().poisson(3, 30), "too few steps: 30"),
        (rng().poisson(3, 20_000), "no correlation"),
        (driven(0.98, 600, 1), "r_k does not decay within 16 steps"),
        (rng().poisson(np.where(np.arange(4000) < 2000, 3, 12)), "not stationary"),
    ],
)
def test_no_branching_ratio_and_why(activity, why):
    found = branching_ratio(activity, rng=rng()).ratio
    assert not found.resolved
    assert any(why in doubt for doubt in found.doubts)


def test_samples_of_different_rates_are_no_long_memory():
    activity = rng().poisson(np.linspace(2, 30, 20)[:, None], (20, 500))
    found = branching_ratio(activity, rng=rng()).ratio
    assert any("differs from sample to sample" in doubt for doubt in found.doubts)


@pytest.mark.parametrize(("period", "why"), [(50, "like a wave"), (400, "like a wave")])
def test_a_rate_that_is_a_sine_has_no_branching_ratio(period, why):
    rate = 0.6 * (1 + np.sin(2 * np.pi * np.arange(12_000) / period))
    found = branching_ratio(rng(1).poisson(rate), rng=rng(1)).ratio
    assert not found.resolved
    assert any(why in doubt for doubt in found.doubts)


def test_activity_that_alternates_has_no_m():
    """r_k = -.6, .36 ..., or -.6 and nothing after it: a fit with b < 0 and m at the end of the grid."""
    draw = np.random.default_rng(1)
    noise = draw.poisson(20, 20_001)
    found = branching_ratio(200 + noise[1:] - noise[:-1], rng=draw).ratio
    assert not found.resolved
    assert any("more activity is followed by less" in doubt for doubt in found.doubts)


def test_two_time_constants_are_no_exponential():
    """r_k = .5 (.3^k + .95^k) of the sum of two autoregressions."""
    from scipy.signal import lfilter

    parts = [lfilter([np.sqrt(1 - m**2)], [1, -m], rng(i).standard_normal(30_000)) for i, m in enumerate((0.3, 0.95))]
    found = branching_ratio(sum(parts), rng=rng(1)).ratio
    assert found.doubts[0].startswith("r_k is no exponential: it misses ")


def test_avalanches_by_hand():
    found = avalanches_of([0, 2, 1, 0, 0, 5, 0, 1, 1, 1, 0, 3])
    assert (found.size.tolist(), found.duration.tolist(), found.cut) == ([3, 5, 3], [2, 1, 3], 1)
    assert found.silent == pytest.approx(5 / 12)
    two = avalanches_of([[1, 0, 2, 0], [0, 4, 4, 0]])
    assert (two.size.tolist(), two.duration.tolist(), two.cut) == ([2, 8], [1, 2], 1)
    above = avalanches_of([0, 2, 5, 2, 0, 3, 0], threshold=2)
    assert (above.size.tolist(), above.duration.tolist()) == ([3, 1], [1, 1])
    assert avalanches_of([0, 0, 1, 1, 0, 0, 9], width=2).size.tolist() == [2]


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (([0, 0.5],), "no whole numbers"),
        (([0, -1],), "no whole numbers"),
        (([0, 1], 0), "width = 0"),
        (([0, 1], 3), "width = 3"),
        (([0, 1], 1, -1), "threshold = -1"),
    ],
)
def test_bad_avalanches(given, match):
    with pytest.raises(DlmError, match=match):
        avalanches_of(*given)


def test_sizes_of_a_subcritical_process_are_borels():
    """P(n) = e^(-m n) (m n)^(n-1) / n!, mean 1 / (1 - m): .4066, .1488, .0817 and 10 for m = .9."""
    size, _ = cascades(0.9, 40_000, np.inf, 1)
    for n, told in ((1, 0.4066), (2, 0.1488), (3, 0.0817)):
        exact = np.exp(-0.9 * n) * (0.9 * n) ** (n - 1) / factorial(n)
        assert exact == pytest.approx(told, abs=1e-4)
        assert np.mean(size == n) == pytest.approx(exact, abs=4 * np.sqrt(exact / size.size))
    assert size.mean() == pytest.approx(10, abs=4 * size.std() / np.sqrt(size.size))


def test_a_subcritical_process_has_no_power_law():
    size, duration = cascades(0.9, 20_000, np.inf, 2)
    for values in (size, duration):
        assert any("no power law" in doubt for doubt in tail_of(values).doubts)


def test_critical_exponents_and_the_cap():
    """tau = 3/2 between 10 and 5000; without an upper end the cap makes it steeper."""
    size, _ = cascades(1.0, 20_000, 10_000, 3)
    capped = tail_of(size, xmin=10, xmax=5000)
    assert capped.interval[0] < 1.5 < capped.interval[1]
    assert not capped.doubts
    assert tail_of(size[size <= 10_000], xmin=10, compare=False).alpha > 1.54
    _, duration = cascades(1.0, 20_000, 10**7, 4)
    assert tail_of(duration[duration > 0], xmin=20, xmax=500, compare=False).alpha == pytest.approx(2, abs=0.12)


def test_zeta_and_its_sum():
    from scipy.special import zeta

    values = rng(3).zipf(2.5, 5000)
    found = tail_of(values, xmin=1)
    assert found.interval[0] < 2.5 < found.interval[1]
    assert found.ratios["exponential"][0] > 0
    assert np.exp(log_sum(1.5, 3, 1e6)) == pytest.approx(zeta(1.5, 3) - zeta(1.5, 1_000_001))
    assert np.exp(log_sum(2.2, 4, 900)) == pytest.approx(np.sum(np.arange(4.0, 901) ** -2.2))
    assert log_sum(2.5, 2, np.inf) == pytest.approx(np.log(zeta(2.5, 2)))


def test_powerlaws_exponent_is_ours():
    import powerlaw

    values = rng(4).zipf(2.2, 2000)
    theirs = powerlaw.Fit(values, discrete=True, xmin=2, verbose=False).power_law
    assert tail_of(values, xmin=2, compare=False).alpha == pytest.approx(theirs.alpha, abs=1e-3)


def test_ratios_are_powerlaws():
    import powerlaw

    values = rng(1000).zipf(2.2, 2000)
    values = values[values < 1000]
    theirs = powerlaw.Fit(values, discrete=True, xmin=3, xmax=1000, verbose=False)
    ours = tail_of(values, xmin=3, xmax=1000).ratios
    ratio, p = theirs.distribution_compare("power_law", "exponential")
    assert ours["exponential"] == pytest.approx((ratio, p), rel=0.02)
    # Theirs stops early where the best lognormal distribution is nearly a power law.
    assert ours["lognormal"][0] == pytest.approx(theirs.distribution_compare("power_law", "lognormal")[0], abs=0.3)


def apart(sizes):
    """Avalanches of one step with silent steps between."""
    activity = np.zeros(3 * len(sizes) + 1)
    activity[1::3] = np.maximum(np.round(sizes), 1)
    return avalanches_of(activity)


def test_sizes_above_10_000_are_compared_too():
    """Exponential ones of mean 30,000 end far above; ratios do not change with the unit."""
    found = avalanche_exponents(apart(rng(1000).exponential(30_000, 700)), rng=rng(1000))
    assert any("exponential fits better" in doubt for doubt in found.size.doubts)
    sizes = np.round(rng(1000).exponential(3000, 2000)).astype(int)
    small, large = (tail_of(k * sizes, xmin=k * 3000).ratios["exponential"] for k in (1, 100))
    assert large == pytest.approx(small, rel=0.02)


def test_numbers_drawn_from_a_power_law_follow_it():
    for alpha, xmin, xmax in ((1.5, 1, np.inf), (2.5, 3, np.inf), (1.5, 2, 5000), (1.0, 5, 20_000), (0.7, 5, 20_000)):
        drawn = draw(20_000, alpha, xmin, xmax, rng(1000))
        assert xmin <= drawn.min() <= drawn.max() <= xmax
        unique, counts = np.unique(drawn, return_counts=True)
        assert distance(unique, counts, alpha, float(xmax)) * np.sqrt(drawn.size) < 1.63
        low, high = exponent(drawn, xmin, xmax)[1]
        assert low - 0.01 < alpha < high + 0.01


@pytest.mark.parametrize("parts", [{0.5: 0.8, 0.1: 0.16, 0.01: 0.04}, {0.5: 0.9, 0.05: 0.1}])
def test_a_mixture_of_exponentials_is_no_power_law(parts):
    """Over two or three decades it looks like one, and neither an exponential nor a lognormal fits better."""
    draws = rng(1001)
    mixed = draws.geometric(draws.choice(list(parts), 3000, p=list(parts.values())))
    found = avalanche_exponents(apart(mixed), rng=rng(1)).size
    assert not found.resolved
    assert any(doubt.startswith("poor fit") for doubt in found.doubts)
    true = avalanche_exponents(apart(draws.zipf(2.5, 3000)), rng=rng(1)).size
    assert true.resolved
    assert true.controls[-1].value >= 0.1


def separated(m, n, seed):
    """Avalanches with a silent step between."""
    draw, activity, now = rng(seed), np.zeros(n, dtype=np.int64), 0
    for t in range(1, n):
        now = draw.poisson(m * now) if now else int(activity[t - 1] == 0)
        activity[t] = now
    return activity


def test_what_is_critical_and_what_is_not():
    assert criticality(separated(1.0, 100_000, 1014), rng=rng(1)).verdict.startswith("critical: m = ")
    below = criticality(separated(0.9, 30_000, 1), rng=rng(1))
    assert below.verdict.startswith("subcritical")
    assert not below.exponents.crackling.resolved
    busy = criticality(driven(0.9, 5_000, 1) + 1, rng=rng(1))
    assert busy.verdict.startswith("subcritical")
    assert "no silent bin" in busy.exponents.size.doubts[0]
    assert criticality(rng().poisson(0.5, 20_000), rng=rng(1)).verdict.startswith("not resolved: no correlation")
    for constant in (np.zeros(500), np.ones(500)):
        assert "constant" in criticality(constant, rng=rng(1)).verdict


def row(name, value, interval=None, doubts=()):
    return Finding(name, value, interval, doubts=doubts)


def exponents(size=(), duration=(), crackling=0.1, ends=(-0.1, 0.3)):
    class Stub:
        pass

    found = Stub()
    found.size, found.duration = row("tau", 1.5, (1.4, 1.6), size), row("alpha", 2.0, (1.9, 2.1), duration)
    found.crackling = row("crackling", crackling, ends)
    return found


def test_every_part_must_agree():
    m = row("m", 0.995, (0.99, 1.0))
    assert _verdict(m, exponents()).startswith("critical")
    assert _verdict(row("m", 0.9, (0.88, 0.92)), exponents()).startswith("subcritical")
    assert _verdict(row("m", 0.99, None, ("not stationary: a step",)), exponents()).startswith("not resolved: not stat")
    assert _verdict(m, exponents(size=("no power law: lognormal",))).startswith("not critical")
    assert _verdict(m, exponents(duration=("too few: 5 values",))).startswith("not resolved")
    assert "off by" in _verdict(m, exponents(crackling=0.8, ends=(0.6, 1.0)))


def test_exponents_of_too_few_avalanches():
    found = avalanche_exponents(avalanches_of([0, 1, 0, 2, 3, 0, 1, 0]), rng=rng())
    assert "too few" in found.size.doubts[0]
    none = avalanche_exponents(avalanches_of([1, 1, 2, 1]), rng=rng())
    assert "no silent bin" in none.size.doubts[0]
    assert not any(one.resolved for one in none.findings)


def test_raster_and_a_fifth_of_it():
    activity = np.minimum(driven(0.9, 4000, 5, mean=10.0).astype(int), 100)
    chosen = rng(7).random((4000, 100)).argsort(1).argsort(1) < activity[:, None]
    raster = SpikeRaster.from_dense(chosen[None])
    found = raster_criticality(raster, rng=rng(2))
    names = [control.name for control in found.branching.ratio.controls]
    assert names[3:] == ["a random 20% of the neurons: m", "a random 20% of the neurons: r_1"]
    assert "common input" not in found.verdict
    assert found.branching.ratio.controls[4].value < 0.7 * found.branching.naive.estimate
    with pytest.raises(DlmError, match="no avalanches"):
        raster_criticality(SpikeRaster.from_dense(np.zeros((1, 30, 4), dtype=bool)), rng=rng())


def pulses(trials, seed=1, neurons=12):
    """Independent spikes of .008 per step, four times as many between steps 500 and 800 of every trial of 1,500."""
    rate = np.full(1500, 0.008)
    rate[500:800] *= 4
    return rng(seed).random((trials, 1500, neurons)) < rate[None, :, None]


def test_a_common_pulse_is_no_memory_of_the_network():
    told = raster_criticality(SpikeRaster.from_dense(pulses(30)), rng=rng())
    assert told.verdict.startswith("not resolved: a drive that all samples share")
    one = raster_criticality(SpikeRaster.from_dense(pulses(40).reshape(1, -1, 12)), rng=rng())
    assert "like a wave" in one.verdict


def common_rate(seed, n=30_000):
    """Independent spikes, .5 per step, whose log-normal rate forgets over 150 steps."""
    from scipy.signal import lfilter

    b = np.exp(-1 / 150)
    return 0.5 * np.exp(lfilter([np.sqrt(1 - b**2)], [1, -b], rng(seed).standard_normal(n)) - 0.5)


def test_independent_spikes_with_a_slow_rate_are_not_critical():
    verdict = criticality(rng(5).poisson(common_rate(1000)), rng=rng(1)).verdict
    assert verdict.startswith(
        "not resolved: common input to independent neurons would give the same m and r_1; else crit"
    )
    spikes = rng(5).random((1, 30_000, 20)) < common_rate(1000)[None, :, None] / 20
    assert raster_criticality(spikes.swapaxes(0, 1), rng=rng(1)).verdict.startswith("not resolved: common input")


def test_the_step_before_the_last_tells_a_hidden_rate_from_a_process_seen_whole():
    whole = driven(0.95, 5_000, 3)
    assert earlier(whole[None])[0] < 0 < earlier(whole[None])[1]
    assert earlier(rng(1).binomial(whole.astype(int), 0.2)[None].astype(float))[0] > 0
    assert earlier(rng(5).poisson(common_rate(1001, 5_000))[None].astype(float))[0] > 0
    assert earlier(np.ones((1, 50))) == (-np.inf, np.inf)


@pytest.mark.parametrize("cap", [np.nan, 0, "a"])
def test_a_cap_is_a_size(cap):
    with pytest.raises(DlmError, match="cap = "):
        criticality(rng().poisson(0.5, 500), rng=rng(), cap=cap)
    with pytest.raises(DlmError, match="cap = "):
        avalanche_exponents(avalanches_of(rng().poisson(0.5, 500)), rng=rng(), cap=cap)


def test_trials_of_a_branching_process_keep_their_ratio():
    found = branching_ratio(driven(0.95, 30_000, 5).reshape(15, 2000), rng=rng()).ratio
    assert found.interval[0] < 0.95 < found.interval[1]
    assert found.resolved
    assert found.controls[1].value == pytest.approx(found.value, abs=0.01)
    same = branching_ratio(np.tile(driven(0.9, 2000, 5), (12, 1)), rng=rng()).ratio
    assert "all samples are the same" in same.doubts


def test_controls_that_say_nothing_are_left_out():
    found = raster_criticality(SpikeRaster.from_dense(pulses(40).reshape(1, -1, 12)[:, :9000]), rng=rng())
    for control in found.branching.ratio.controls:
        assert control.interval is None or control.interval[1] - control.interval[0] <= 0.5


def test_figures_say_what_is_resolved():
    from dlm_snn.analysis.plots.avalanche_plot import draw_avalanches, draw_branching

    found = criticality(rng(1).poisson(np.repeat(rng(2).random(4000) < 0.5, 2) * 0.6), rng=rng(1))
    axes = draw_avalanches(found.avalanches, found.exponents)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "size, exponent not resolved",
        "duration, exponent not resolved",
    ]
    assert "m" in draw_branching(found.branching).get_legend().get_texts()[1].get_text()
    never = criticality(np.ones(500), rng=rng(1))
    assert draw_avalanches(never.avalanches, never.exponents).texts[0].get_text() == "no avalanches"
    assert draw_branching(never.branching).get_legend() is None
