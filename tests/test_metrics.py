"""Read-out, accuracy, silence, synaptic operations and intervals, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from dlm_snn import (
    LI,
    LIF,
    Dense,
    DlmError,
    Input,
    Network,
    Projection,
    SpikeRaster,
    accuracy,
    read_out,
    run,
    synaptic_operations,
)
from dlm_snn.runs.metrics import confidence_95, interval, silent, silent_populations, unanswered, wilson_95
from experiments.road.repeat import table


def raster(*samples, n_steps=6, n_neurons=3):
    """One (step, neuron) list a sample."""
    spikes = np.zeros((len(samples), n_steps, n_neurons), bool)
    for sample, places in enumerate(samples):
        for step, neuron in places:
            spikes[sample, step, neuron] = True
    return SpikeRaster.from_dense(spikes)


def test_most_spikes_decide():
    assert read_out(raster([(0, 0), (4, 2), (5, 2)])).tolist() == [2]


def test_equal_counts_go_to_the_earlier_first_spike():
    assert read_out(raster([(1, 0), (5, 0), (0, 2), (4, 2), (3, 1)])).tolist() == [2]


def test_more_spikes_beat_any_earlier_first_spike():
    assert read_out(raster([(0, 0), (4, 1), (5, 1)])).tolist() == [1]


def test_equal_counts_and_first_spikes_go_to_the_lower_index():
    assert read_out(raster([(2, 1), (2, 2), (5, 1), (3, 2)])).tolist() == [1]


def test_silence_is_reported_and_wrong():
    spikes = raster([], [(0, 1)], [])
    assert read_out(spikes).tolist() == [-1, 1, -1]
    assert silent(spikes) == 2
    assert accuracy(spikes, [0, 1, -1]) == pytest.approx(2 / 3)
    assert accuracy(spikes, [0, 1, 2]) == pytest.approx(1 / 3)


def test_one_label_a_sample():
    with pytest.raises(DlmError, match=r"labels of shape \(2,\) for 1 sample"):
        accuracy(raster([(0, 0)]), [0, 1])


def test_synaptic_operations_count_events_times_nonzero_synapses():
    network = Network(
        {
            "pixels": Input((2,)),
            "light": Input((2,), graded_bits=4),
            "hidden": LIF((3,), dv=0.0, v_threshold=0.5),
            "output": LIF((2,), dv=0.0, v_threshold=100.0),
        },
        [
            Projection("pixels", "hidden", Dense([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])),
            Projection("light", "hidden", Dense([[0.0, 0.0], [0.0, 0.125], [0.0, 0.0]])),
            Projection("hidden", "output", Dense([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])),
        ],
    )
    pulses = np.zeros((2, 4, 2), int)
    pulses[0, 1:3] = 1
    stimulus = {"pixels": pulses, "light": np.array([[3, 2], [0, 0]])}
    recording = run(network, stimulus, 4)
    assert recording.rasters["hidden"].counts().tolist() == [[2, 2, 0], [0, 0, 0]]
    # pixel 0: 2 events x 2; pixel 1: 2 x 0; light 0: 4 x 0; light 1: 4 x 1; hidden 0: 2 x 2; hidden 1: 2 x 1
    assert synaptic_operations(recording, stimulus) == (4 + 4 + 4 + 2) / 2


def test_synaptic_operations_are_counted_of_what_the_run_was_fed():
    parts = [
        Projection("pixels", "hidden", Dense(np.ones((4, 6)))),
        Projection("hidden", "out", Dense(np.ones((3, 4)))),
    ]
    populations = {
        "pixels": Input((6,), graded_bits=4, scale=16),
        "hidden": LIF((4,), dv=0.2),
        "out": LIF((3,), dv=0.2),
    }
    network = Network(populations, parts)
    images = np.array([[0, 3, 0, 5, 15, 1], [1] * 6, [2] * 6])
    recording = run(network, {"pixels": images}, 7)
    spikes = len(recording.rasters["hidden"])
    assert synaptic_operations(recording, {"pixels": images}) == (16 * 7 * 4 + spikes * 3) / 3
    for given, message in (
        ({"pixels": images[:1]}, "the stimulus has 1 sample, the recording 3; give what that run was fed"),
        ({"pixel": images}, "stimulus names 'pixel', which is no Input"),
        ({"pixels": np.repeat(images[:, None], 8, axis=1)}, "stimulus 'pixels' has"),
    ):
        with pytest.raises(DlmError, match=message):
            synaptic_operations(recording, given)
    for record in ({"out": "s"}, ("v",)):
        with pytest.raises(DlmError, match="spikes of 'hidden' were not recorded"):
            synaptic_operations(run(network, {"pixels": images}, 7, record=record), {"pixels": images})
    nothing = images[:0]
    with pytest.raises(DlmError, match="the recording has 0 samples"):
        synaptic_operations(run(network, {"pixels": nothing}, 7), {"pixels": nothing})


def test_interval_is_the_one_of_the_t_test():
    values = np.array([97.9, 98.1, 97.8, 98.0, 98.3])
    mean, half = confidence_95(values)
    interval = ttest_1samp(values, 0).confidence_interval(0.95)
    assert (mean - half, mean + half) == pytest.approx((interval.low, interval.high))


def test_interval_of_one_value_is_unknown():
    mean, half = confidence_95(np.array([3.0]))
    assert mean == 3
    assert np.isnan(half)


V = np.array([[[3, 0, 1], [0, 2, 2]], [[-5, -1, -2], [-5, -1, -1]], [[0, 0, 0], [1, 1, 0]]])


@pytest.mark.parametrize(
    ("kind", "classes"), [("largest", [0, 1, 0]), ("mean", [0, 1, 0]), ("last", [1, 1, 0]), ("spikes", None)]
)
def test_v_is_read_out_by_hand(kind, classes):
    """Of three neurons, two steps: the highest peak, sum, or last value; of equal ones the lower index."""
    if classes is None:
        with pytest.raises(
            DlmError, match="v alone does not say how it is read; give kind, of 'largest', 'mean', 'last'"
        ):
            read_out(V, kind)
        return
    for v in (V, V.astype(float), V.tolist(), V / 64):
        assert read_out(v, kind).tolist() == classes
        assert accuracy(v, [*classes[:2], 2], kind=kind) == pytest.approx(2 / 3)


def read_by_v(output=None, record=("s", "v")):
    """Two inputs, each onto its own output, the second twice as strong; the second sample drives the first alone."""
    output = LI((2,), dv=0.5) if output is None else output
    network = Network(
        {"x": Input((2,)), "cells": LIF((2,), dv=1.0, v_threshold=0.5), "output": output},
        [Projection("x", "cells", Dense(np.eye(2))), Projection("cells", "output", Dense(np.diag([1.0, 2.0])))],
    )
    return run(network, {"x": [[1, 1], [1, 0]]}, 5, record=record)


@pytest.mark.parametrize("kind", ["largest", "mean", "last"])
def test_a_recording_is_read_by_the_v_of_its_output(kind):
    recording = read_by_v()
    assert read_out(recording, kind).tolist() == [1, 0]
    assert accuracy(recording, [1, 1], kind) == 0.5
    assert unanswered(recording, kind) == 0
    assert read_out(recording, kind).tolist() == read_out(recording.v["output"], kind).tolist()
    assert read_out(recording, "spikes", population="cells").tolist() == [0, 0]
    assert read_out(recording, "last", population="cells").tolist() == [0, 0]


def test_a_recording_of_spikes_is_read_as_its_raster():
    recording = read_by_v(LIF((2,), dv=0.0, v_threshold=2.5))
    assert read_out(recording).tolist() == read_out(recording.rasters["output"]).tolist() == [1, 0]
    assert unanswered(read_by_v(LIF((2,), dv=0.0, v_threshold=5.5))) == 0.5


def test_a_population_that_cannot_spike_is_not_blamed_for_silence():
    recording = read_by_v()
    rates = {name: raster.rate for name, raster in recording.rasters.items()}
    assert silent_populations(rates, recording.network) == []
    assert silent_populations({**rates, "cells": 0}, recording.network) == ["cells"]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: read_out(read_by_v()), "'output' never spikes; say how its v is read: 'largest', 'mean', 'last'"),
        (lambda: read_out(read_by_v(), "spikes"), "'output' never spikes; say how"),
        (lambda: accuracy(read_by_v(), [0, 1]), "'output' never spikes; say how"),
        (lambda: read_out(read_by_v(), "lst"), "no read-out of the kind 'lst'; did you mean 'last'"),
        (lambda: read_out(read_by_v(), "last", "outptu"), "no neuron population 'outptu' to read; did you mean"),
        (lambda: read_out(read_by_v(record=("s",)), "last"), "v of 'output' was not recorded; run with 'v' in record"),
        (lambda: read_out(raster([(0, 0)]), "last"), "a raster holds no v for kind = 'last'"),
        (lambda: read_out(V), "v alone does not say how it is read"),
        (lambda: read_out(V[0], "last"), r"v of shape \(2, 3\); give \(sample, step, neuron\)"),
        (lambda: read_out(V[:, :0], "last"), r"v of shape \(3, 0, 3\); give"),
        (lambda: read_out(np.full((1, 2, 2), np.nan), "mean"), r"v\[0, 0, 0\] = nan is not finite"),
        (lambda: read_out(raster([(0, 0)]), population="output"), "population = 'output' is for a Recording"),
        (lambda: accuracy([0, 1], [0, 1], "last"), r"v of shape \(2,\)"),
        (lambda: accuracy(V, [0, 1, 2]), r"answers of shape \(3, 2, 3\); give one class per sample, a raster, or v"),
    ],
)
def test_what_cannot_be_read_is_refused(ask, message):
    with pytest.raises(DlmError, match=message):
        ask()


@pytest.mark.parametrize(
    ("values", "form", "text"),
    [
        ([97.0], ".2f", "97.00 ± -"),
        ([1.5], "+.1f", "+1.5 ± -"),
        ([], ".2f", "-"),
        ([1.0, float("nan")], ".2f", "-"),
        ([float("nan")], ".2f", "-"),
        ([1.0, 1.0], "+.2f", "+1.00 ± 0.00"),
    ],
)
def test_what_an_interval_does_not_know_is_a_dash(values, form, text):
    assert interval(values, form) == text


def test_a_table_of_one_seed_has_dashes():
    figures = {"float": 0.97, "integer": 0.96, "wraps": 0, "saturations": 0, "spikes": 1.0, "synaptic_operations": 2.0}
    heading, line = table([{"variant": "plain", "seed": 0, "figures": figures}])
    assert heading[:4] == ("variant", "seeds", "float", "integer")
    assert line[:4] == ("plain", "1", "97.00 ± -", "96.00 ± -")


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (0, 40), (40, 40), (431, 449), (5, 10_000), (9_713, 10_000)])
def test_the_interval_of_an_accuracy_is_wilsons(right, n):
    low, high = wilson_95(right / n, n)
    expected = binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= low <= right / n <= high <= 1


def test_no_interval_without_samples_or_of_what_is_no_share():
    for share, n in ((0.5, 0), (1.5, 3), (-0.1, 3), (float("nan"), 3)):
        with pytest.raises(DlmError, match="has no interval; give a share in"):
            wilson_95(share, n)
