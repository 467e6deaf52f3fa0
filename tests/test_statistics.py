"""Statistics of rasters: closed forms, laws, what is too little, and the command line."""

from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.analysis import fano_over_trials, isi, population_summary, psth, spike_table
from dlm_snn.analysis.statistics.confidence import count_interval, mean_interval
from dlm_snn.analysis.statistics.population import by_chance
from dlm_snn.cli import main


def drawn(seed: int, extent: tuple[int, int, int], p: float, dt: float = 1e-3) -> dlm.SpikeRaster:
    return dlm.SpikeRaster.from_dense(np.random.default_rng(seed).random(extent) < p, dt)


def plain(raster: dlm.SpikeRaster, window: int) -> dict[str, np.ndarray]:
    """The same figures, neuron after neuron and sample after sample, as their definitions say."""
    dense = raster.dense()
    rows = []
    for k in range(raster.n_neurons):
        lengths = [np.diff(np.flatnonzero(sample)) for sample in dense[:, :, k]]
        x = np.concatenate([one[:-1] for one in lengths]).astype(float)
        y = np.concatenate([one[1:] for one in lengths])
        every = np.concatenate(lengths)
        windows = raster.n_steps // window
        counts = dense[:, : windows * window, k].reshape(-1, window).sum(axis=1)
        first = [np.flatnonzero(sample)[0] for sample in dense[:, :, k] if sample.any()]
        rows.append(
            {
                "isi_ms": every.mean() * raster.dt * 1e3,
                "cv": every.std() / every.mean(),
                "cv2": np.mean(2 * abs(x - y) / (x + y)),
                "lv": np.mean(3 * ((x - y) / (x + y)) ** 2),
                "fano": counts.var() / counts.mean(),
                "latency_ms": np.mean(first) * raster.dt * 1e3,
            }
        )
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize(("samples", "window"), [(1, 7), (5, 7), (5, 60), (3, 1)])
def test_the_table_is_that_of_the_definitions(samples, window):
    raster = drawn(samples, (samples, 300, 8), 0.2, dt=2e-3)
    table = spike_table(raster, window=window * 2e-3)
    for name, values in plain(raster, window).items():
        np.testing.assert_allclose(getattr(table, name), values, rtol=1e-12, err_msg=name)
    assert table.spikes.tolist() == raster.counts().sum(axis=0).tolist()
    np.testing.assert_allclose(table.rate, table.spikes / (samples * 300 * 2e-3))
    assert table.windows == samples * (300 // window)


def test_blocks_change_nothing(monkeypatch):
    raster = drawn(1, (4, 200, 5), 0.3)
    whole = spike_table(raster, 0.03).columns()
    monkeypatch.setattr("dlm_snn.analysis.statistics.first_order.BLOCK", 7)
    parts = spike_table(raster, 0.03).columns()
    assert all(np.array_equal(whole[name], parts[name], equal_nan=True) for name in whole)


def test_a_regular_train_far_from_zero_has_no_variation_at_all():
    """The mean square less the squared mean would leave rounding here."""
    step = np.arange(0, 4 * 10**9, 99_999_937, dtype=np.uint32)
    raster = dlm.SpikeRaster(np.zeros_like(step), step, np.zeros_like(step), 1, 4 * 10**9, 1, 1e-6)
    table = spike_table(raster)
    assert (table.cv[0], table.cv2[0], table.lv[0]) == (0, 0, 0)
    assert table.isi_ms[0] == pytest.approx(99_999.937)


def test_squares_beyond_64_bits_are_refused():
    none = np.zeros(0, dtype=np.uint32)
    raster = dlm.SpikeRaster(none, none, none, 2000, 4 * 10**8, 3)
    with pytest.raises(dlm.DlmError, match="pass 64 bits; take fewer"):
        spike_table(raster)


def test_too_few_spikes_are_nan_with_their_count():
    step = np.array([3, 1, 5, 2, 4, 9], dtype=np.uint32)
    neuron = np.array([1, 2, 2, 3, 3, 3], dtype=np.uint32)
    table = spike_table(dlm.SpikeRaster(np.zeros(6, np.uint32), step, neuron, 1, 10, 4))
    assert table.spikes.tolist() == [0, 1, 2, 3]
    assert table.intervals.tolist() == [0, 0, 1, 2]
    assert table.pairs.tolist() == [0, 0, 0, 1]
    assert np.isnan(table.isi_ms).tolist() == [True, True, False, False]
    assert np.isnan(table.cv).tolist() == [True, True, True, False]
    assert np.isnan(table.lv).tolist() == [True, True, True, False]
    assert np.isnan(table.fano).all()
    assert table.latency_ms[1:].tolist() == [3, 1, 2]
    assert np.isnan(table.latency_ms[0])


def test_intervals_do_not_cross_samples():
    dense = np.zeros((3, 10, 1), dtype=bool)
    dense[0, [2, 8], 0] = dense[1, 1, 0] = dense[2, [0, 5, 9], 0] = True
    raster = dlm.SpikeRaster.from_dense(dense)
    assert isi(raster).of(0).tolist() == [6, 5, 4]
    assert spike_table(raster).isi_ms[0] == 5
    edges, counts = isi(raster).histogram(2e-3)
    assert edges.tolist() == [0, 2, 4, 6, 8]
    assert counts.tolist() == [0, 0, 2, 1]
    assert isi(raster).histogram(2e-3, longest=5e-3)[1].tolist() == [0, 0, 2]


@pytest.mark.parametrize("p", [0.003, 0.05, 0.4, 0.9, 1.0])
def test_spikes_by_chance_have_the_closed_forms(p):
    """Summed over geometric intervals: P(x + y = n) = (n - 1) p^2 q^(n - 2), x uniform on 1..n-1."""
    q = 1 - p
    n = np.arange(2, 20_000)
    probability = (n - 1) * p**2 * q ** (n - 2.0)
    absolute = np.where(n % 2 == 0, (n - 2) / np.maximum(n - 1, 1), (n - 1) / n)
    found = by_chance(np.array([p]))
    assert found.cv2[0] == pytest.approx(np.sum(probability * absolute), abs=2e-4)
    assert found.lv[0] == pytest.approx(np.sum(probability * (n - 2) / n), abs=2e-4)
    assert found.cv[0] == pytest.approx(np.sqrt(q))


def test_the_summary_holds_the_truth_and_says_what_is_not_resolved():
    raster = drawn(5, (1, 20_000, 60), 0.02)
    found = {finding.name: finding for finding in population_summary(spike_table(raster))}
    for name in ("CV2", "LV", "Fano factor"):
        low, high = found[name].interval
        assert low < found[name].controls[0].value < high, name
    assert found["rate"].interval[0] < 20 < found["rate"].interval[1]
    assert found["silent neurons"].value == 0
    short = population_summary(spike_table(raster[:, :30]))
    assert {finding.name for finding in short if not finding.resolved} == {
        "CV of intervals",
        "CV2",
        "LV",
        "Fano factor",
    }
    one = {finding.name: finding for finding in population_summary(spike_table(raster[:, :, 0]))}
    assert one["rate"].resolved
    assert not one["CV2"].resolved
    assert "one neuron" in str(one["CV2"])


def test_a_few_neurons_say_nothing_of_their_population():
    few = {finding.name: finding for finding in population_summary(spike_table(drawn(5, (1, 20_000, 3), 0.02)))}
    for name in ("rate", "CV2", "Fano factor"):
        assert few[name].doubts == ("3 neurons are too few; 5 are needed",)
    loud = np.zeros((1, 2000, 6), dtype=bool)
    loud[0, :, 0] = loud[0, ::100, 1] = True
    (rate, *_) = population_summary(spike_table(loud.transpose(1, 0, 2)))
    assert "goes below 0" in rate.doubts[0]
    assert not rate.resolved


def fires(rates: np.ndarray, rng: np.random.Generator) -> dlm.SpikeRaster:
    return dlm.SpikeRaster.from_dense(rng.random((1, 5000, rates.size)) < np.minimum(rates * 1e-3, 1), 1e-3)


def test_a_mean_that_a_few_neurons_make_is_not_resolved_and_the_median_is():
    """Log-normal rates of mean 5 Hz: Student's interval lay below the mean in a quarter of the samples."""
    wrong, held = 0, 0
    for seed in range(1000, 1020):
        rng = np.random.default_rng(seed)
        rates = 5 * np.exp(1.5 * rng.standard_normal(20) - 1.125)
        rate, median, *_ = population_summary(spike_table(fires(rates, rng)))
        wrong += rate.resolved and rate.interval[1] < 5
        held += median.resolved and median.interval[0] <= 5 * np.exp(-1.125) <= median.interval[1]
        assert rate.resolved or "neurons make the mean" in str(rate) or "goes below 0" in str(rate)
    assert wrong <= 1
    assert held >= 18


def test_the_interval_of_a_median_is_by_order_statistics():
    """Of 6 coins all are heads with chance 1 / 64; of 12 at most 2 are with chance 79 / 4096."""
    for n, k in ((6, 0), (12, 2), (17, 4)):
        rng = np.random.default_rng(n)
        table = spike_table(fires(rng.uniform(5, 40, n), rng))
        median = population_summary(table)[1]
        ordered = np.sort(table.rate)
        assert median.interval == (ordered[k], ordered[n - 1 - k])
        assert median.value == np.median(table.rate)
        assert population_summary(table)[0].resolved
    assert "needs 6" in str(population_summary(spike_table(drawn(5, (1, 2000, 5), 0.02)))[1])


def test_a_psth_counts_and_its_interval_holds_the_rate():
    """1,000 bins of known rate: 95 % of the intervals hold it, of one trial and of several."""
    for samples in (1, 8):
        raster = drawn(samples, (samples, 10_000, 30), 0.05)
        found = psth(raster, 0.01)
        assert np.array_equal(found.spikes, raster.dense().reshape(samples, 1000, 300).sum(axis=(0, 2)))
        np.testing.assert_allclose(found.rate, found.spikes / (samples * 30 * 0.01))
        held = np.mean((found.low <= 50) & (found.high >= 50))
        assert 0.93 < held < 0.98
    assert psth(raster, 0.003).spikes.size == 3333


def test_intervals_are_the_published_ones():
    assert np.allclose(
        count_interval(np.array([0, 1, 10])), [[0, 0.0253, 4.7954], [3.6889, 5.5716, 18.3904]], atol=1e-4
    )
    between = [float(bound) for bound in mean_interval(np.array([1.0, 2.0, 3.0]))]
    assert between == pytest.approx([2 - 2.4841, 2 + 2.4841], abs=1e-4)


def test_fano_over_trials():
    raster = drawn(3, (20, 50, 4), 0.3)
    counts = raster.counts()
    np.testing.assert_allclose(fano_over_trials(raster), counts.var(axis=0) / counts.mean(axis=0))
    assert np.isnan(fano_over_trials(raster[:1])).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: spike_table(r, 0), "window = 0 is not a number of seconds above 0"),
        (lambda r: spike_table(r, 0.0015), "window = 0.0015 s is no whole number of steps of 0.001 s"),
        (lambda r: spike_table(r, 0.1), "window = 0.1 s is longer than a sample, which has 0.02 s"),
        (lambda r: psth(r, True), "width = True is not a number of seconds"),
        (lambda r: psth(r[:, :, :0], 0.01), "needs samples and neurons; the raster has 2 and 0"),
        (lambda r: isi(r).histogram(1e-5), "width = 1e-05 s is no whole number of steps"),
        (lambda r: isi(r).histogram(1e-2, 1e12), r"longest = 1e\+12 s in bins of 0\.01 s: .* takes .* GiB"),
        (lambda r: spike_table("x"), "x is the name of a file"),
    ],
)
def test_bad_input_is_a_line(call, message):
    with pytest.raises(dlm.DlmError, match=message):
        call(drawn(0, (2, 20, 3), 0.2))


def told(capsys, *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    return code, *capsys.readouterr()


def test_the_command_says_the_summary_first_then_the_neurons(tmp_path, capsys):
    raster = drawn(4, (2, 400, 14), 0.1)
    path = str(tmp_path / "cells.npz")
    raster.save(path)
    code, out, _ = told(capsys, "raster", "stats", path, "--window", "20")
    assert code == 0
    assert out.startswith(f"cells: {len(raster):,} spikes of 14 neurons in 2 samples of 400 ms, dt 1 ms")
    assert out.index("Fano factor") < out.index("latency_ms")
    assert "counts in 20 ms" in out
    assert "... 4 less active neurons" in out
    code, out, _ = told(capsys, "raster", "stats", path, "--all", "--neurons", "5:9")
    rows = [line.split() for line in out.splitlines()[-4:]]
    assert {row[0] for row in rows} == {"5", "6", "7", "8"}
    assert [int(row[1]) for row in rows] == sorted(raster.counts().sum(0)[5:9], reverse=True)


def test_a_population_without_spikes_is_told_alone_as_beside_others(tmp_path, capsys):
    silent = dlm.SpikeRaster.from_dense(np.zeros((1, 50, 3), dtype=bool))
    (tmp_path / "both").mkdir()
    silent.save(tmp_path / "e.npz")
    silent.save(tmp_path / "both" / "e.npz")
    drawn(4, (1, 50, 3), 0.1).save(tmp_path / "both" / "z.npz")
    code, alone, _ = told(capsys, "raster", "stats", str(tmp_path / "e.npz"))
    assert code == 0
    assert told(capsys, "raster", "stats", str(tmp_path / "both"))[1].startswith(alone)


def test_the_table_has_the_area_and_group_that_the_file_tells(tmp_path, capsys):
    from dlm_snn.exchange.formats import write_rasters

    told_of = {
        "unit_ids": {"a": [7, 9, 4]},
        "areas": {"a": ["V1", "V1", "LM"]},
        "groups": {"a": ["good", "mua", "good"]},
    }
    write_rasters({"a": drawn(4, (1, 50, 3), 0.1)}, tmp_path / "f", labels=told_of)
    _, out, _ = told(
        capsys, "raster", "stats", str(tmp_path / "f"), "--neurons", "1:", "--out", str(tmp_path / "t.csv")
    )
    assert "neuron  unit  area  group  spikes" in out
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()[1:]))
    assert [(row["unit"], row["area"], row["group"]) for row in rows] == [("9", "V1", "mua"), ("4", "LM", "good")]


@pytest.fixture
def off_grid(tmp_path):
    """A table whose unit 8 has two spikes in one step."""
    path = tmp_path / "t.csv"
    rows = [(0.0010, 5), (0.0011, 6), (0.0031, 8), (0.0032, 8), (0.0041, 6), (0.0051, 8), (0.0064, 9)]
    path.write_text("time,unit\n" + "".join(f"{t},{unit}\n" for t, unit in rows * 1))
    return [str(path), "--columns", "time=time,unit=unit", "--dt", "0.001"]


def test_commands_say_what_the_import_merged(off_grid, capsys, tmp_path):
    line = "6 events were moved onto the grid, by 0.0004 s at most, 1 fell onto another"
    assert line in told(capsys, "raster", "info", *off_grid)[1]
    for words in (
        ["raster", "stats", *off_grid],
        ["raster", "plot", *off_grid, "--kind", "raster", "--out", str(tmp_path / "x.png")],
        ["raster", "view", *off_grid, "--out", str(tmp_path / "x.html")],
        ["analyze", *off_grid, "--what", "irreversibility"],
    ):
        code, out, error = told(capsys, *words)
        assert code == 0, error
        assert out.count(line) == 1, words
    for words in (
        ["raster", "stats", *off_grid, "--json"],
        ["analyze", *off_grid, "--what", "irreversibility", "--json"],
    ):
        held = json.loads(told(capsys, *words)[1])
        assert line in held["notes"], words
        assert held["schema"] == 1


def test_neurons_of_a_part_keep_the_numbers_of_the_file(off_grid, capsys):
    _, out, _ = told(capsys, "analyze", *off_grid, "--neurons", "1:3", "--what", "information,irreversibility")
    assert "transfer entropy of neuron 1 (unit 6) to 2 (unit 8)" in out
    assert "the two most active neurons" in out
    assert "1 (unit 6), 2 (unit 8)" in " ".join(out.split("irreversibility of 'units'")[-1].split())


def test_what_the_command_writes_is_the_table(tmp_path, capsys):
    raster = drawn(4, (2, 400, 14), 0.01)
    path, out = str(tmp_path / "cells.npz"), tmp_path / "table.csv"
    raster.save(path)
    table = spike_table(raster)
    assert told(capsys, "raster", "stats", path, "--out", str(out))[0] == 0
    rows = list(csv.DictReader(out.read_text().splitlines()[1:]))
    for name, values in table.columns().items():
        read = [float(row[name]) if row[name] else np.nan for row in rows]
        np.testing.assert_array_equal(read, values, err_msg=name)
    code, printed, _ = told(capsys, "raster", "stats", path, "--json")
    held = json.loads(printed)["populations"]["cells"]
    assert held["neurons"]["spikes"] == table.spikes.tolist()
    assert [row["name"] for row in held["summary"]] == [one.name for one in population_summary(table)]
    code, _, error = told(capsys, "raster", "stats", path, "--out", str(out))
    assert (code, "exists" in error) == (2, True)
    assert told(capsys, "raster", "stats", path, "--out", str(out), "--replace")[0] == 0
    (tmp_path / "mine.csv").write_text("a,b\n")
    code, _, error = told(capsys, "raster", "stats", path, "--out", str(tmp_path / "mine.csv"), "--replace")
    assert (code, "not replaced" in error) == (2, True)
    assert (tmp_path / "mine.csv").read_text() == "a,b\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--window", "500"], "'cells' in {path}: --window 500 ms is longer than a sample, which has 50 ms"),
        (["--out", "x.txt"], "--out x.txt ends neither in .csv nor in .json"),
    ],
)
def test_what_the_command_refuses_names_the_file(tmp_path, capsys, words, message):
    path = str(tmp_path / "cells.npz")
    dense = np.zeros((1, 50, 2), dtype=bool)
    dense[0, 20:, :] = True
    dlm.SpikeRaster.from_dense(dense).save(path)
    code, _, error = told(capsys, "raster", "stats", path, *words)
    assert code == 2
    assert message.format(path=path) in error
    assert error.count("\n") == 1


def test_the_page_shows_what_is_printed(tmp_path, capsys, monkeypatch):
    page = (Path(__file__).parents[1] / "docs" / "statistics.md").read_text()
    code, command, first, second = (
        re.findall(rf"^```{language}\n(.*?)^```", page, re.S | re.M)[at]
        for language, at in (("python", 0), ("bash", 0), ("text", 0), ("text", 1))
    )
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert capsys.readouterr().out == first
    assert main(shlex.split(command)[1:]) == 0
    assert capsys.readouterr().out.strip() == second.strip()


def test_the_page_names_every_statistic():
    from dlm_snn import analysis

    page = (Path(__file__).parents[1] / "docs" / "statistics.md").read_text()
    ours = [name for name, home in analysis._HOME.items() if home.startswith("statistics.") and name.islower()]
    assert [name for name in ours if f"`{name}`" not in page and f"analysis.{name}(" not in page] == []
