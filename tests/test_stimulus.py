"""The forms in which a stimulus may be given, and what is wrong with others."""

from __future__ import annotations

import numpy as np
import pytest

from dlm_snn import (
    LIF,
    Dense,
    DlmError,
    Input,
    IntegerLIF,
    IntegerNetwork,
    IntegerProjection,
    Network,
    Projection,
    SpikeRaster,
    compare,
    quantize,
    run,
)
from dlm_snn.backends.torch import SpikingModule
from dlm_snn.errors import RangeWarning, StimulusWarning
from dlm_snn.runs.metrics import synaptic_operations
from dlm_snn.runs.sink import MemorySink
from dlm_snn.runs.stimulus import prepare
from dlm_snn.surrogate import surrogate


def network(*args, **kwargs):
    pixels = Input(*args, **kwargs)
    return Network(
        {"pixels": pixels, "hidden": LIF((2,), dv=0.5)},
        [Projection("pixels", "hidden", Dense(np.full((2, pixels.n), 0.5)))],
    )


def integer_network(*args, **kwargs):
    pixels = Input(*args, **kwargs)
    return IntegerNetwork(
        {"pixels": pixels, "hidden": IntegerLIF((2,), dv=410, v_threshold=99)},
        [IntegerProjection("pixels", "hidden", Dense(np.full((2, pixels.n), 50)))],
    )


def values(net, given, n_steps):
    prepared, n_samples = prepare(net, {"pixels": given}, n_steps)
    whole = prepared["pixels"].whole()
    assert whole.shape == (n_samples, n_steps, net.populations["pixels"].n)
    for step in range(n_steps):
        np.testing.assert_array_equal(prepared["pixels"].at(step), whole[:, step])
    return whole


def test_a_constant_is_every_step():
    given = np.array([[0, 1, 1], [1, 0, 0]])
    whole = values(network((3,)), given, 4)
    np.testing.assert_array_equal(whole, np.repeat(given[:, None], 4, axis=1))
    assert prepare(network((3,)), {"pixels": given}, 4)[0]["pixels"].constant


def test_steps_a_raster_and_booleans_are_the_same_events():
    spikes = np.random.default_rng(0).random((2, 5, 3)) < 0.4
    expected = values(network((3,)), spikes.astype(int), 5)
    for given in (spikes, spikes.astype(np.uint8), spikes.astype(float), SpikeRaster.from_dense(spikes)):
        np.testing.assert_array_equal(values(network((3,)), given, 5), expected)
    assert expected.dtype == np.float64
    assert not prepare(network((3,)), {"pixels": spikes}, 5)[0]["pixels"].constant


def test_images_may_keep_their_axes():
    images = np.random.default_rng(1).integers(0, 2, (4, 2, 3, 5))
    net = network((2, 3, 5))
    np.testing.assert_array_equal(values(net, images, 2)[:, 0], images.reshape(4, 30))
    film = np.random.default_rng(1).integers(0, 2, (4, 6, 2, 3, 5))
    np.testing.assert_array_equal(values(net, film, 6), film.reshape(4, 6, 30))
    np.testing.assert_array_equal(values(net, film.reshape(4, 6, 30), 6), film.reshape(4, 6, 30))


def test_integers_are_what_events_carry_and_floats_are_real_values():
    net = network((2,), graded_bits=8, scale=255)
    np.testing.assert_array_equal(values(net, np.array([[51, 255]], np.uint8), 1), [[[0.2, 1.0]]])
    np.testing.assert_array_equal(values(net, np.array([[0.2, 1.0]]), 1), [[[0.2, 1.0]]])
    np.testing.assert_array_equal(values(net, np.array([[0.3, 0.5]], np.float32), 1), [[np.float32([0.3, 0.5])]])
    whole = values(integer_network((2,), graded_bits=8, scale=255), np.array([[51, 255]], np.uint8), 1)
    assert whole.dtype == np.uint8
    assert whole.tolist() == [[[51, 255]]]


@pytest.mark.parametrize(
    ("inputs", "given", "n_steps", "message"),
    [
        ({}, np.zeros((2, 4)), 5, r"stimulus 'pixels' has shape \(2, 4\); expected \(sample, 3\)"),
        ({}, np.zeros(3), 5, "expected .sample, 3."),
        ({}, np.zeros((2, 4, 3)), 5, "has 4 steps, the run 5"),
        ({}, SpikeRaster.from_dense(np.zeros((2, 1, 3))), 5, "has 1 step, the run 5"),
        ({}, np.full((2, 3), 2), 5, r"holds 2\.\.2, not whole 0\.\.1 \(binary spikes\)"),
        ({}, np.full((2, 3), 0.5), 5, "not whole 0..1 .binary spikes."),
        ({}, np.full((2, 3), -1), 5, "binary spikes"),
        ({"graded_bits": 4}, np.full((2, 3), 16), 5, r"holds 16\.\.16, not whole 0\.\.15 \(4-bit events\)"),
        ({"graded_bits": 4, "signed": True}, np.full((2, 3), 8), 5, r"not whole -8\.\.7"),
        ({"graded_bits": 4}, np.full((2, 3), np.nan), 5, "holds NaN or infinity"),
        ({"graded_bits": 4}, np.full((2, 3), np.inf), 5, "holds NaN or infinity"),
        ({}, np.full((2, 3), "1"), 5, "give numbers"),
        ({}, [[1, 0, 1], [1]], 5, "stimulus 'pixels' is a ragged list"),
        ({}, np.ma.masked_array(np.ones((2, 3)), mask=True), 5, "stimulus 'pixels' has 6 masked values"),
        ({}, None, 5, "stimulus 'pixels' = None is not a number"),
        ({}, np.full((2, 3), 1j), 5, "is of complex128; give numbers"),
        ({}, np.zeros((2, 3)), 0, "n_steps = 0 is not a positive integer"),
        ({}, np.zeros((2, 3)), 2.5, "n_steps = 2.5 is not a positive integer"),
        ({}, np.zeros((2, 3)), True, "n_steps = True is not a positive integer"),
    ],
)
def test_what_does_not_fit_is_named(inputs, given, n_steps, message):
    with pytest.raises(DlmError, match=message):
        prepare(network((3,), **inputs), {"pixels": given}, n_steps)


PIXELS = {"graded_bits": 8, "scale": 255}


@pytest.mark.parametrize(
    ("inputs", "given", "message"),
    [
        (PIXELS, [[0.0, 51.0, 255.0]], r"holds 0\.\.255; .* scale 255 are 0\.\.1: divide by 255, or give integers"),
        (PIXELS, [[0.0, 0.5, 1.01]], r"holds 0\.\.1\.01; .*: rescale them, or declare the Input for them"),
        (PIXELS, [[-5.0, 0.0, 0.0]], r"holds -5\.\.0; "),
        (PIXELS, [[0.0, 0.0, 1e300]], r"holds 0\.\.1e\+300; "),
        ({"graded_bits": 4}, [[0.0, 0.0, 15.6]], r"scale 1 are 0\.\.15: rescale"),
        ({"graded_bits": 4, "scale": 8, "signed": True}, [[0.0, 0.5, -1.2]], r"are -1\.\.0\.875: "),
        ({"graded_bits": 8, "scale": 255, "signed": True}, [[-0.5, 0.0, 1.0]], r"\.498039: rescale them"),
    ],
)
def test_real_values_that_no_event_carries_are_refused(inputs, given, message):
    with pytest.raises(DlmError, match=message):
        prepare(network((3,), **inputs), {"pixels": np.array(given)}, 5)


def test_real_values_may_be_off_by_rounding():
    near = np.array([[-0.001, 0.5, 1.0019]])
    np.testing.assert_array_equal(values(network((3,), **PIXELS), near, 1)[:, 0], near)


def test_real_values_of_noise_have_no_range():
    noise = np.array([[-3.0, 0.0, 2.5]])
    np.testing.assert_array_equal(values(network((3,), graded_bits=8, aligned=True), noise, 1)[:, 0], noise)


def test_floats_are_refused_by_integers():
    with pytest.raises(DlmError, match=r"stimulus 'pixels' is of floats; .* .round\(value \* 255\)"):
        prepare(integer_network((3,), graded_bits=8, scale=255), {"pixels": np.zeros((2, 3))}, 5)
    # Binary spikes are whole in any type.
    assert prepare(integer_network((3,)), {"pixels": np.zeros((2, 3))}, 5)[0]["pixels"].values.dtype == np.int64


def test_every_input_is_named_once():
    net = network((3,))
    with pytest.raises(DlmError, match="no stimulus for Input 'pixels'"):
        prepare(net, {}, 5)
    with pytest.raises(DlmError, match=r"stimulus names 'pixel', which is no Input; did you mean 'pixels'\?"):
        prepare(net, {"pixel": np.zeros((2, 3))}, 5)
    with pytest.raises(DlmError, match="stimulus names 'hidden', which is no Input"):
        prepare(net, {"pixels": np.zeros((2, 3)), "hidden": np.zeros((2, 2))}, 5)


def test_all_inputs_have_the_same_samples():
    net = Network({"a": Input((1,)), "b": Input((1,))})
    with pytest.raises(DlmError, match=r"unequal numbers of samples: \{'a': 2, 'b': 3\}"):
        prepare(net, {"a": np.zeros((2, 1)), "b": np.zeros((3, 1))}, 5)


def with_constant(kind=Network):
    connection = Dense(np.array([[1.0], [0.5]])) if kind is Network else Dense(np.array([[64], [32]]))
    make, neuron = (Projection, LIF((2,), dv=0.5, du=0.5))
    if kind is IntegerNetwork:
        make, neuron = IntegerProjection, IntegerLIF((2,), dv=410, du=2047, v_threshold=99)
    one = Input((1,), graded_bits=1, aligned=True)
    return kind(
        {"pixels": Input((2,)), "one": one, "hidden": neuron},
        [make("pixels", "hidden", Dense(np.full((2, 2), connection.weight[1, 0]))), make("one", "hidden", connection)],
    )


QUICK = "reference", "fast", "torch"


@pytest.mark.parametrize(
    ("backend", "kind"),
    [(b, Network) for b in (*QUICK, "snntorch", "brian2", "lava-fused")] + [(b, IntegerNetwork) for b in QUICK],
)
@pytest.mark.parametrize("steps", [None, 4])
def test_a_constant_of_our_own_feeds_itself(kind, backend, steps):
    net = with_constant(kind)
    assert [name for name, source in net.inputs.items() if source.constant] == ["one"]
    shape = (3, 2) if steps is None else (3, steps, 2)
    pixels = np.random.default_rng(0).integers(0, 2, shape)
    whole = {"pixels": pixels, "one": np.ones((3, 1), int)}
    alone, given = (run(net, s, 4, record=("s", "u", "v"), backend=backend) for s in (whole, {"pixels": pixels}))
    assert compare(alone, given).equal
    np.testing.assert_array_equal(alone.v["hidden"], given.v["hidden"])
    assert synaptic_operations(given, {"pixels": pixels}) == synaptic_operations(alone, whole)
    if given.state is None:
        return
    # In pieces.
    sink = MemorySink(("s", "v"))
    sink.chunk = 2
    sunk = run(net, {"pixels": pixels}, 4, record=sink, backend=backend)
    np.testing.assert_array_equal(sunk.v["hidden"], alone.v["hidden"])


def test_a_constant_given_otherwise_is_told():
    with pytest.warns(StimulusWarning, match="stimulus 'one' is not 1 everywhere: the biases of the network"):
        run(with_constant(), {"pixels": np.zeros((2, 2)), "one": np.zeros((2, 1))}, 3)


def test_booleans_in_an_input_with_a_scale_are_told():
    with pytest.warns(StimulusWarning, match=r"is of Booleans: they are integers, real values 0 and 1/255"):
        run(network((3,), **PIXELS), {"pixels": np.ones((2, 3), bool)}, 4)
    run(network((3,), graded_bits=4), {"pixels": np.ones((2, 3), bool)}, 4)


def test_other_aligned_inputs_do_not_feed_themselves():
    for other in ({"graded_bits": 1, "signed": True}, {"graded_bits": 8}, {}, {"graded_bits": 1, "scale": 2}):
        assert not Input((1,), aligned=True, **other).constant
    assert not Input((2,), aligned=True, graded_bits=1).constant
    assert not Input((1,), graded_bits=1).constant


def test_rows_as_many_as_steps_are_told():
    net = network((3,))
    with pytest.warns(StimulusWarning, match=r"stimulus 'pixels' has 5 rows, as many as the run has steps: .*\[None\]"):
        run(net, {"pixels": np.zeros((5, 3))}, 5)
    # Other forms are what they are.
    run(net, {"pixels": np.zeros((1, 3))}, 1)
    run(net, {"pixels": np.zeros((4, 3))}, 5)
    run(net, {"pixels": np.zeros((5, 5, 3))}, 5)
    run(network((3,), graded_bits=4), {"pixels": np.zeros((5, 3))}, 5)
    run(net, {"pixels": SpikeRaster.from_dense(np.zeros((5, 5, 3)))}, 5)


def test_without_input_there_is_one_sample():
    assert prepare(Network({"a": LIF((1,), dv=0.1)}), {}, 5) == ({}, 1)


def test_no_samples_give_no_events():
    recording = run(network((3,)), {"pixels": np.zeros((0, 3))}, 5, record=("s", "v"))
    assert recording.n_samples == 0
    assert len(recording.rasters["hidden"]) == 0
    assert recording.v["hidden"].shape == (0, 5, 2)


def test_a_stimulus_is_not_changed_by_a_run():
    given = np.ones((2, 3), int)
    run(network((3,)), {"pixels": given}, 5)
    np.testing.assert_array_equal(given, np.ones((2, 3)))


@pytest.mark.parametrize("record", [("x",), ("s", "U"), "w"])
def test_unknown_record_is_named(record):
    with pytest.raises(DlmError, match="record names"):
        run(network((3,)), {"pixels": np.zeros((2, 3))}, 5, record=record)


def test_only_what_was_asked_for_is_recorded():
    recording = run(network((3,)), {"pixels": np.ones((2, 3))}, 5, record="u")
    assert recording.rasters == {}
    assert recording.v == {}
    np.testing.assert_array_equal(recording.u["hidden"], np.full((2, 5, 2), 1.5))


@pytest.mark.parametrize("backend", ["reference", "fast", "torch"])
def test_a_run_beyond_the_machines_memory_is_refused_before_any_is_taken(backend):
    huge = Network({"hidden": LIF((1000, 10**5, 10**5), dv=0.1), "small": LIF((3,), dv=0.1)})
    with pytest.raises(DlmError, match=r"population 'hidden' of 10{13} neurons needs \d\.\d+e\+05 GiB .* are free"):
        run(huge, {}, 5, backend=backend)
    long = Network({"small": LIF((3,), dv=0.1)})
    with pytest.raises(DlmError, match=r"population .small. of 3 neurons needs .* record into a FolderSink"):
        run(long, {}, 10**12, record=("v",), backend=backend)


@pytest.mark.parametrize("scale", [0.25, 0.1, 1e-3])
@pytest.mark.parametrize("backend", ["reference", "fast", "torch", "snntorch", "brian2"])
def test_a_scale_below_one_enlarges_what_events_carry(scale, backend):
    """An event k of scale 1/4 is a real value of 4 k: the same as weights four times as large, bit for bit."""
    given = np.random.default_rng(0).integers(0, 16, (2, 6, 3))
    weight = np.random.default_rng(1).normal(0, 0.1 * scale, (2, 3))
    small = Input((3,), graded_bits=4, scale=scale)
    runs = []
    for pixels, factor in ((small, 1.0), (Input((3,), graded_bits=4), 1 / scale)):
        net = Network(
            {"pixels": pixels, "hidden": LIF((2,), dv=0.125)}, [Projection("pixels", "hidden", Dense(weight * factor))]
        )
        runs.append(run(net, {"pixels": given}, 6, record=("s", "v"), backend=backend))
    assert len(runs[0].rasters["hidden"]) > 0
    assert runs[0].rasters == runs[1].rasters
    np.testing.assert_allclose(runs[0].v["hidden"], runs[1].v["hidden"], rtol=1e-12)
    real = run(runs[0].network, {"pixels": given / scale}, 6, record=("s", "v"), backend=backend)
    assert real.rasters == runs[0].rasters


@pytest.mark.parametrize("scale", [0.25, 0.1, 1e-3])
def test_a_scale_below_one_is_in_the_integer_weights(scale):
    """One scale after another: float and integer spikes agree, and each is what its definition says."""
    rng = np.random.default_rng(2)
    given = {"pixels": rng.integers(0, 16, (20, 3))}
    weight = rng.normal(0, 0.1 * scale, (4, 3))
    net = Network(
        {"pixels": Input((3,), graded_bits=4, scale=scale), "hidden": LIF((4,), dv=0.125)},
        [Projection("pixels", "hidden", Dense(weight))],
    )
    integer, report = quantize(net, calibration=given, n_steps=8)
    projection, neuron = integer.projections[0], integer.populations["hidden"]
    back = projection.connection.weight * 2.0**projection.weight_exp * scale / neuron.scale
    assert np.abs(back - weight).max() <= np.abs(weight).max() / 250
    assert integer.populations["pixels"].scale == scale
    assert report.populations[0].equal > 0.97
    module = SpikingModule(integer, surrogate("atan", 2.0))
    np.testing.assert_allclose(module.weights[0].detach().numpy(), back, rtol=1e-12)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan")])
def test_a_scale_is_positive(scale):
    with pytest.raises(DlmError, match="scale"):
        Input((3,), graded_bits=4, scale=scale)


@pytest.mark.parametrize("backend", ["reference", "fast", "torch"])
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_values_beyond_floats_are_told(backend):
    weights = np.array([[1.0], [1e308]])
    net = Network(
        {"pixels": Input((1,)), "hidden": LIF((2,), dv=0.0, du=0.0, v_threshold=np.array([1e3, 1.7e308]))},
        [Projection("pixels", "hidden", Dense(weights))],
    )
    with pytest.warns(RangeWarning, match=r"u or v of hidden\[1\] and perhaps of others is not finite at the end"):
        run(net, {"pixels": np.ones((1, 1))}, 5, backend=backend)
