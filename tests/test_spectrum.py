"""Slopes of spectra: closed forms, intervals, and what must not be taken for pink noise."""

from __future__ import annotations

import numpy as np
import pytest

from dlm_snn.analysis import power_law_noise, raster_of, raster_spectrum, spectrum
from dlm_snn.analysis.estimators.population import population_rate
from dlm_snn.analysis.estimators.spectrum_noise import first_order_noise
from dlm_snn.analysis.estimators.spectrum_raster import white_floor
from dlm_snn.analysis.estimators.spectrum_samples import doubts_of_shared_course, half_over_samples
from dlm_snn.analysis.estimators.spectrum_welch import Line, frequencies, periodograms, welch
from dlm_snn.errors import DlmError
from dlm_snn.runs.raster import SpikeRaster


def rng(seed=0):
    return np.random.default_rng(seed)


def white(n, seed=0):
    return rng(seed).standard_normal(n)


def ou(n, tau, seed=0):
    from scipy.signal import lfilter

    b = np.exp(-1 / tau)
    return lfilter([1.0], [1.0, -b], white(n, seed))


def test_welch_is_scipys():
    from scipy import signal

    series = white(1003)
    frequency, density = signal.welch(series, nperseg=125, noverlap=62, window="hann")
    np.testing.assert_allclose(welch(series, 125), density[1:63], rtol=1e-10)
    np.testing.assert_allclose(frequencies(125), frequency[1:63])


@pytest.mark.parametrize("nperseg", [16, 17])
def test_frequencies_leave_out_0_and_nyquist(nperseg):
    assert frequencies(nperseg).min() > 0
    assert frequencies(nperseg).max() < 0.5
    assert periodograms(white(64), nperseg, nperseg).shape == (64 // nperseg, frequencies(nperseg).size)


@pytest.mark.parametrize("slope", [0.0, -1.0, -2.0])
def test_noise_has_the_density_that_it_says(slope):
    noise = power_law_noise(slope, 4096, rng(), draws=60, floor=0.5).astype(float)
    frequency = frequencies(512)
    ratio = welch(noise, 512).mean(0) / (frequency**slope + 0.5)
    assert abs(ratio[4:].mean() - 1) < 0.02


def test_line_through_an_exact_power_law():
    frequency = frequencies(1250)
    line = Line.through(frequency, (0, 0.5))
    assert line.slope(3 * frequency**-1.3) == pytest.approx(-1.3, abs=1e-12)
    assert line.bend(frequency**-1.3) == pytest.approx(0, abs=1e-12)
    assert line.bend(1 / (1 + (frequency / 0.02) ** 2)) < -1
    assert line.members.sum(1) == pytest.approx(1)


@pytest.mark.parametrize("slope", [0.0, -1.0, -1.5, -2.0])
def test_truth_lies_in_the_interval(slope):
    found = spectrum(power_law_noise(slope, 4000, rng(1), longer=8)[0], rng=rng(2)).slope
    assert found.resolved
    low, high = found.interval
    assert low < slope < high
    assert high - low < 0.25


def test_two_units_of_time_give_one_slope_and_the_same_line():
    series = power_law_noise(-1, 2000, rng(1))[0]
    steps, seconds = (spectrum(series, dt, rng=rng(2)) for dt in (1.0, 1e-3))
    assert steps.slope.estimate == seconds.slope.estimate
    np.testing.assert_allclose(steps.frequency * 1000, seconds.frequency)
    np.testing.assert_allclose(steps.power / 1000, seconds.power)
    for found in (steps, seconds):
        line = found.line[0] + found.line[1] * np.log10(found.binned_frequency)
        assert np.abs(line - np.log10(found.binned_power)).mean() < 0.15


def test_ou_is_no_power_law_but_both_its_sides_are():
    series, fc = ou(100_000, 50), 1 / (2 * np.pi * 50)
    assert "no single power law" in " ".join(spectrum(series, 1.0, rng=rng(1), draws=24).slope.doubts)
    above = spectrum(series, 1.0, rng=rng(1), band=(5 * fc, 0.1), draws=24).slope
    below = spectrum(series, 1.0, rng=rng(1), band=(0, fc / 3), draws=24).slope
    assert above.value == pytest.approx(-1.978, abs=0.08)
    assert below.interval[0] < 0 < below.interval[1]


def first_order(a, n, seed):
    from scipy.signal import lfilter

    return lfilter([1.0], [1.0, -a], white(n, seed))


@pytest.mark.parametrize(
    ("series", "why"),
    [
        (white(2000) + 0.5 * np.sin(0.02 * np.pi * np.arange(2000)), "no single power law: at 8 Hz the density is 4.4"),
        (first_order(-0.5, 2000, 1000), "no single power law"),
        (first_order(0.98, 2000, 1000), "a power law is not told from one time constant: an AR(1) (time constant 0.07"),
        (first_order(0.8, 201, 1002), "a power law is not told from one time constant: an AR(1) (time constant 0.003"),
    ],
)
def test_a_peak_a_kink_and_a_knee_are_no_slope(series, why):
    found = spectrum(series, rng=rng(1)).slope
    assert not found.resolved
    assert why in found.doubts[0]


def test_a_lorentzian_rate_of_spikes_has_no_slope():
    rate = 0.05 * np.exp(0.5 * ou(10_000, 20, 1000) * np.sqrt(1 - np.exp(-0.1)) - 0.125)
    found = raster_spectrum((rng(7).random((10_000, 1, 50)) < rate[:, None, None]), rng=rng(1)).slope
    assert not found.resolved
    assert "power law" in found.doubts[0]


def test_first_order_noise_has_the_density_that_it_says():
    noise = first_order_noise(0.7, 0.3, 4096, rng(), draws=60, floor=0.5)
    frequency = frequencies(512)
    ratio = welch(noise, 512).mean(0) / (0.3 / (1.49 - 1.4 * np.cos(2 * np.pi * frequency)) + 0.5)
    assert abs(ratio.mean() - 1) < 0.02


def test_density_of_ou_at_0():
    """2 (1 + b) / (1 - b) for variance 1, b = exp(-1/50): 200."""
    b = np.exp(-1 / 50)
    series = ou(400_000, 50, seed=3) * np.sqrt(1 - b**2)
    found = welch(series, 5000)[:3].mean()
    assert 2 * (1 + b) / (1 - b) == pytest.approx(200.0, abs=0.1)
    assert found == pytest.approx(200, rel=0.12)


def test_sum_of_12_ou_is_pink():
    """Time constants of 3 to 3000, equal in log: 1/f between their corners."""
    taus = np.geomspace(3, 3000, 12)
    series = sum(ou(100_000, tau, i) * np.sqrt(1 - np.exp(-2 / tau)) for i, tau in enumerate(taus))
    found = spectrum(series, 1.0, rng=rng(5), band=(2e-4, 0.02), draws=24).slope
    assert found.value == pytest.approx(-0.975, abs=0.15)


T = np.arange(1000)
TRAPS = {
    "a trend": 8 * T / 1000,
    "a step in the mean": 5.0 * (T > 500),
    "a decay": 12 * np.exp(-T / 80),
    "a small step": 2.0 * (T > 400),
    "a valley": 12 * np.abs(T - 500) / 1000,
    "a slow wave": 2 * np.sin(2 * np.pi * T / 500),
}


@pytest.mark.parametrize("name", TRAPS)
@pytest.mark.parametrize("seed", [0, 1])
def test_white_noise_around_something_is_no_pink_noise(name, seed):
    found = spectrum(white(1000, seed) + TRAPS[name], rng=rng(seed + 10)).slope
    assert not found.resolved
    assert "not stationary" in found.doubts[0]


def test_the_second_half_of_a_decay_is_white():
    series = (white(2000, 3) + 12 * np.exp(-np.arange(2000) / 100))[1000:]
    found = spectrum(series, rng=rng(4)).slope
    assert found.resolved
    assert found.interval[0] < 0.05
    assert found.interval[1] > -0.05


def test_a_change_of_variance_is_told():
    found = spectrum(white(4000) * np.where(np.arange(4000) < 2000, 1, 1.6), rng=rng(1)).slope
    assert any("variance of the second half" in doubt for doubt in found.doubts)
    loud = spectrum(white(8000) * np.where((np.arange(8000) // 1000) % 2, 1, 2), rng=rng(1)).slope
    assert any("segment to segment" in doubt for doubt in loud.doubts)


@pytest.mark.parametrize(
    ("series", "why"),
    [
        (white(200), "too few steps: 200"),
        (white(60), "frequencies"),
        (np.full(1000, 3.0), "constant at 3"),
    ],
)
def test_what_has_no_slope_says_why(series, why):
    found = spectrum(series, rng=rng()).slope
    assert not found.resolved
    assert any(why in doubt for doubt in found.doubts)


@pytest.mark.parametrize(
    ("series", "band", "match"),
    [
        ([1.0, np.nan, 2.0], None, "not finite in 1 place; cut them out"),
        (np.zeros((2, 2, 2)), None, "shape"),
        ([1.0], None, "shape"),
        (white(1000), (5, 1), "band"),
    ],
)
def test_bad_series(series, band, match):
    with pytest.raises(DlmError, match=match):
        spectrum(series, rng=rng(), band=band)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"band": 5}, "band = 5 is no range"),
        ({"band": (1,)}, "band = "),
        ({"band": ("a", "b")}, "band = "),
        ({"draws": 0}, "draws = 0 is not a number of series in 10..10000"),
        ({"draws": 1.5}, "draws = 1.5"),
        ({"floor": np.nan}, "floor = nan is no density"),
        ({"floor": "a"}, "floor = 'a'"),
        ({"floor": -1}, "floor = -1"),
    ],
)
def test_bad_options(options, match):
    with pytest.raises(DlmError, match=match):
        spectrum(white(300), rng=rng(), **options)


def test_a_floor_above_the_density_and_values_beyond_their_squares():
    assert "not above the floor of 1e+09" in spectrum(white(300), rng=rng(), floor=1e9).slope.doubts[0]
    with pytest.raises(DlmError, match="its squares leave the range of numbers; divide"):
        spectrum(white(300) * 1e160, rng=rng())
    with pytest.raises(DlmError, match="its squares leave the range of numbers; multiply"):
        spectrum(white(300) * 1e-170, rng=rng())


def test_samples_of_several_scales_have_a_wider_interval():
    even, scaled = (
        spectrum(rng(1005).standard_normal((20, 400)) * scale, rng=rng(1), draws=24).slope
        for scale in (1.0, np.exp(1.5 * rng(3).standard_normal((20, 1))))
    )
    assert even.resolved
    assert scaled.resolved
    assert np.ptp(scaled.interval) > 1.6 * np.ptp(even.interval)


def test_the_jackknife_over_samples_sees_what_noise_of_one_color_does_not():
    """Half of the samples have a slope of -1, half of them none: Gaussian noise of one slope scatters less."""
    frequency = frequencies(50)
    line = Line.through(frequency, (0, 0.5))
    mixed = welch(np.concatenate([power_law_noise(s, 400, rng(1), draws=10) for s in (0.0, -1.0)]), 50)
    assert half_over_samples(mixed, line.slope) > 1.5 * half_over_samples(
        welch(rng(1).standard_normal((20, 400)), 50), line.slope
    )
    assert half_over_samples(mixed[:7], line.slope) == 0
    slopes = np.array([line.slope(np.delete(mixed, i, 0).mean(0)) for i in range(20)])
    assert half_over_samples(mixed, line.slope) == pytest.approx(
        2.093 * 19 / np.sqrt(20) * slopes.std(ddof=1), rel=1e-3
    )


def test_samples_that_share_a_course_are_fewer_than_they_seem():
    alone, shared = rng(1001).standard_normal((20, 300)), rng(5).standard_normal((1, 300))
    assert not doubts_of_shared_course(alone)
    assert not doubts_of_shared_course(alone[:1])
    found = spectrum(0.7 * alone + 0.7 * shared, rng=rng(1), draws=24).slope
    assert any("not independent: their mean course has" in doubt for doubt in found.doubts)


def test_controls_and_second_method():
    found = spectrum(power_law_noise(-1.5, 4000, rng(1))[0], rng=rng(2))
    noise = found.slope.controls[0]
    assert noise.name == "white noise"
    assert noise.interval[0] < 0 < noise.interval[1]
    trained = [control for control in found.slope.controls if control.name.startswith("trained ReLU network")]
    assert len(trained) == 3
    assert all(control.interval[0] <= control.value <= control.interval[1] for control in trained)
    pytest.importorskip("specparam")
    assert found.second.value == pytest.approx(-1.505, abs=0.15)


def modulated(rate, neurons, seed=3, n=40_000):
    m = power_law_noise(-1.5, n, rng(seed), longer=4)[0]
    p = np.clip(rate * (1 + 0.5 * (m - m.mean()) / m.std()), 0, 1)
    return SpikeRaster.from_dense((rng(seed + 1).random((n, neurons)) < p[:, None])[None])


def test_rate_and_floor_of_a_raster():
    spikes = rng().random((2, 300, 5)) < 0.2
    raster = SpikeRaster.from_dense(spikes)
    np.testing.assert_allclose(population_rate(raster), spikes.mean(2))
    r = spikes.mean((0, 1))
    assert white_floor(raster) == pytest.approx(2e-3 * np.sum(r * (1 - r)) / 25)


def test_one_coin_has_the_floor_of_2r_1_minus_r():
    """r = .02: .0392 per cycle per step."""
    raster = SpikeRaster.from_dense((rng().random((1, 100_000, 1)) < 0.02), dt=1.0)
    measured = welch(population_rate(raster), 12500).mean()
    assert white_floor(raster) == pytest.approx(0.0392, rel=0.05)
    assert measured == pytest.approx(white_floor(raster), rel=0.02)


def test_sparse_spikes_hide_the_color_of_their_rate():
    """A single train at 2 %: the slope over all frequencies goes to 0, and ours says that it is hidden."""
    found = raster_spectrum(modulated(0.02, 1), rng=rng(5)).slope
    full = found.controls[-1]
    assert abs(full.value) < 0.4
    assert not found.resolved


def test_a_population_shows_the_slope_of_its_rate():
    found = raster_spectrum(modulated(0.05, 100), rng=rng(5))
    assert found.slope.controls[-1].value > -1.3
    assert found.slope.interval[0] < -1.5 < found.slope.interval[1]
    assert found.floor > 0


def test_raster_without_spikes_and_with_constant_rate():
    empty = SpikeRaster.from_dense(np.zeros((1, 300, 4), dtype=bool))
    with pytest.raises(DlmError, match="no spectrum"):
        raster_spectrum(empty, rng=rng())
    constant = raster_spectrum(SpikeRaster.from_dense(np.ones((1, 300, 4), dtype=bool)), rng=rng())
    assert "constant" in constant.slope.doubts[0]
    assert len(raster_of(empty)) == 0


def test_few_steps_are_to_blame_and_not_white_noise():
    short = raster_spectrum(np.random.default_rng(0).random((307, 1, 20)) < 0.02, rng=np.random.default_rng(0))
    assert short.slope.doubts[0].startswith("too few steps: 307 per sample show nothing below 26.3 Hz")
    longer = raster_spectrum(np.random.default_rng(0).random((600, 1, 20)) < 0.02, rng=np.random.default_rng(0))
    assert longer.slope.doubts[0].startswith("the spikes' own white noise hides")


@pytest.mark.filterwarnings("error")
def test_a_periodic_series_has_densities_of_0_and_no_slope():
    periodic = np.tile([0.0, 0.0, 4.0, 0.0], 1024)
    found = spectrum(periodic, rng=np.random.default_rng(1))
    assert not found.slope.resolved
    assert np.isfinite(found.slope.estimate)
    raster = SpikeRaster.from_dense((np.arange(4096) % 8 < 2)[None, :, None] & np.ones((1, 1, 5), bool))
    assert not raster_spectrum(raster, rng=np.random.default_rng(1)).slope.resolved
