"""lava-dl's .net files: against what lava-dl published, against stock Lava, there and back, and damaged."""

from __future__ import annotations

import os
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlm_snn as dlm
from dlm_snn.exchange.netx.reader import input_transform, read_net
from dlm_snn.exchange.netx.writer import write_net
from dlm_snn.tasks.encoding import pixels_to_spikes

FOLDER = Path(os.environ.get("DLM_DATA") or "missing") / "netx"
published = pytest.mark.skipif(not FOLDER.is_dir(), reason="needs netx/ in the folder that $DLM_DATA names")
CUBA = {"type": "CUBA", "iDecay": 4096, "vDecay": 409, "vThMant": 80, "refDelay": 1, "gradedSpike": False}


def net_file(path: Path, *layers: dict) -> Path:
    """A file as lava-dl writes it; None leaves a field out."""
    with h5py.File(path, "w") as file:
        for i, layer in enumerate(layers):
            group = file.create_group(f"layer/{i}")
            for key, value in layer.items():
                if value is not None:
                    group.create_dataset(key, data=np.array([value.encode()], "S10") if key == "type" else value)
    return path


def neurons(**changed) -> dict:
    return {f"neuron/{key}": value for key, value in {**CUBA, **changed}.items()}


def dense(weight, kind: str = "dense", **more) -> dict:
    own = {key: more.pop(key) for key in list(more) if key in CUBA or key in ("messageBits", "wgtExp")}
    weight = np.asarray(weight, dtype=np.float32)
    return {"type": kind, "shape": [len(weight)], "weight": weight, **neurons(**own), **more}


def conv(weight, shape, **more) -> dict:
    return {
        **{"type": "conv", "shape": shape, "weight": np.asarray(weight, dtype=np.float32), "stride": [1, 1]},
        **{"padding": [0, 0], "dilation": [1, 1], "groups": 1},
        **neurons(),
        **more,
    }


NONE = dict.fromkeys(neurons())
"""Of a layer without neurons."""


def some(generator, *shape, odd=False):
    weight = generator.integers(-60, 100, shape)
    return weight if odd else weight // 2 * 2


def test_layers_become_populations(tmp_path):
    generator = np.random.default_rng(1)
    weights = some(generator, 6, 4), some(generator, 3, 6)
    path = net_file(
        tmp_path / "a.net",
        dense(weights[0], bias=np.arange(6) - 2.0, iDecay=1024),
        dense(weights[1], delay=np.array([0.0, 2.0, 5.0])),
    )
    network = read_net(path, reset_interval=32)
    first, second = network.populations["layer0"], network.populations["layer1"]
    assert list(network.populations) == ["input", "layer0", "layer1"]
    assert network.populations["input"].graded_bits is None
    assert (first.du, first.dv, first.v_threshold, first.period) == (1023, 409, 80, 32)
    assert np.array_equal(first.bias, 64 * (np.arange(6) - 2))
    assert (second.du, second.bias) == (4095, 0)
    assert np.array_equal(network.projections[0].connection.weight, weights[0])
    assert np.array_equal(network.projections[1].delay, np.repeat([[1], [3], [6]], 6, axis=1))


def test_current_that_is_held(tmp_path):
    """iDecay 0: netx gives du = -1, and u keeps what it has got."""
    network = read_net(net_file(tmp_path / "a.net", dense([[20]], iDecay=0, vDecay=0, vThMant=1000)))
    spikes = np.zeros((1, 5, 1), dtype=bool)
    spikes[0, 0] = True
    recording = dlm.run(network, {"input": dlm.SpikeRaster.from_dense(spikes)}, 5, ("u", "v"))
    assert recording.u["layer0"].ravel().tolist() == [1280] * 5
    assert recording.v["layer0"].ravel().tolist() == [1280 * k for k in range(1, 6)]


def test_odd_weights_are_the_same_sum_in_stock_lava(tmp_path):
    """Mixed odd weights up to 127 by doubling; of one sign as they are."""
    generator = np.random.default_rng(2)
    weights = some(generator, 8, 5, odd=True), np.abs(some(generator, 4, 8, odd=True))
    network = read_net(net_file(tmp_path / "a.net", dense(weights[0]), dense(weights[1], vThMant=150)))
    assert [(p.sign_mode, p.weight_exp) for p in network.projections] == [("mixed", -1), ("excitatory", 0)]
    spikes = dlm.SpikeRaster.from_dense(generator.random((2, 20, 5)) < 0.4)
    ours = dlm.run(network, {"input": spikes}, 20, ("s", "u", "v"))
    sums = np.einsum("stp,np->stn", spikes.dense(), weights[0])
    assert np.array_equal(ours.u["layer0"], 64 * sums)
    assert 0.02 < ours.rasters["layer1"].rate < 0.6
    assert dlm.compare(ours, dlm.run(network, {"input": spikes}, 20, ("s", "u", "v"), backend="lava-fixed")).equal


def test_recurrence_takes_one_step(tmp_path):
    generator = np.random.default_rng(3)
    back = some(generator, 6, 6)
    network = read_net(net_file(tmp_path / "a.net", dense(some(generator, 6, 4), "dense_rec", weight_rec=back)))
    assert [p.name for p in network.projections] == ["input->layer0", "layer0->layer0"]
    assert network.lags(network.projections[1]) == (1,)
    spikes = generator.random((1, 30, 4)) < 0.5
    recording = dlm.run(network, {"input": dlm.SpikeRaster.from_dense(spikes)}, 30)
    v, s = np.zeros(6, dtype=int), np.zeros(6, dtype=bool)
    for step in range(30):
        v = np.sign(v) * (np.abs(v) * (4096 - 409) >> 12)
        v = v + 64 * (network.projections[0].connection.weight @ spikes[0, step] + back @ s)
        s = v > 64 * 80
        v[s] = 0
        assert np.array_equal(recording.rasters["layer0"].dense()[0, step], s)
    assert recording.rasters["layer0"].rate > 0.05


def test_images_pool_and_flatten(tmp_path):
    """A pool layer spikes behind its windows; flatten is channel, row, column."""
    generator = np.random.default_rng(4)
    kernel, last = some(generator, 3, 2, 3, 3), some(generator, 5, 12)
    pool = {"type": "pool", "shape": [3, 2, 2], "kernelSize": [2, 2], "stride": [2, 2], "padding": [0, 0]}
    path = net_file(
        tmp_path / "a.net",
        {"type": "input", "shape": [2, 6, 6]},
        conv(kernel[..., None], [3, 4, 4]),
        {**pool, "dilation": [1, 1], "weight": np.full((1, 1, 2, 2, 1), 60.0), **neurons()},
        {"type": "flatten", "shape": [12]},
        dense(last),
    )
    network = read_net(path)
    assert [type(p.connection).__name__ for p in network.projections] == ["Conv2d", "Pool2d", "Dense"]
    x = generator.random((1, 12, 72)) < 0.4
    recording = dlm.run(network, {"input": dlm.SpikeRaster.from_dense(x)}, 12, ("s", "u"))
    image = x[0, 0].reshape(2, 6, 6)
    places = [(o, i, j) for o in range(3) for i in range(4) for j in range(4)]
    direct = [(kernel[o] * image[:, i : i + 3, j : j + 3]).sum() for o, i, j in places]
    assert recording.u["layer1"][0, 0].tolist() == [64 * a for a in direct]
    fired = recording.rasters["layer1"].dense()[0, 3].reshape(3, 2, 2, 2, 2)
    assert np.array_equal(recording.u["layer2"][0, 3], 64 * 60 * fired.sum((2, 4)).ravel())
    assert recording.rasters["layer2"].rate > 0


def deep(path):
    """Images, then vectors: seven groups of a file, five of them with neurons."""
    generator = np.random.default_rng(6)
    return net_file(
        path,
        {"type": "input", "shape": [2, 6, 6]},
        conv(some(generator, 3, 2, 3, 3)[..., None], [3, 4, 4]),
        conv(some(generator, 2, 3, 2, 2)[..., None], [2, 3, 3], vThMant=200),
        {"type": "flatten", "shape": [1, 1, 18]},
        dense(some(generator, 7, 18), vThMant=150),
        dense(some(generator, 5, 7), shape=[5, 1, 1]),
        dense(some(generator, 4, 5)),
    )


@pytest.mark.parametrize("skip", range(1, 7))
def test_some_layers_of_a_file_are_those_layers(tmp_path, skip):
    """The whole network's spikes, cut in two: what the first part sends is what the second takes."""
    path = deep(tmp_path / "a.net")
    spikes = np.random.default_rng(7).random((2, 20, 72)) < 0.4
    whole = dlm.run(read_net(path), {"input": dlm.SpikeRaster.from_dense(spikes)}, 20)
    assert 0.05 < whole.rasters["layer6"].rate < 0.9
    if skip > 1:
        first = dlm.run(read_net(path, num_layers=skip), {"input": dlm.SpikeRaster.from_dense(spikes)}, 20)
        assert [*first.rasters] == [name for name in whole.rasters if int(name[5:] or 0) < skip]
        assert all(raster == whole.rasters[name] for name, raster in first.rasters.items())
    last = {1: None, 2: "layer1", 3: "layer2", 4: "layer2", 5: "layer4", 6: "layer5"}[skip]
    given = dlm.SpikeRaster.from_dense(spikes) if last is None else whole.rasters[last]
    second = read_net(path, skip_layers=skip)
    rest = dlm.run(second, {"input": given}, 20)
    assert [*rest.rasters] == [name for name in whole.rasters if int(name[5:] or 0) >= skip]
    assert all(raster == whole.rasters[name] for name, raster in rest.rasters.items())
    shape = {1: (2, 6, 6), 2: (3, 4, 4), 3: (2, 3, 3), 4: (2, 3, 3), 5: (7,), 6: (5,)}[skip]
    assert second.populations["input"].shape == shape


def test_layers_that_are_left_out_may_hold_anything(tmp_path):
    path = net_file(tmp_path / "a.net", dense([[2, 4]], type="SDNN"), dense([[6]]), {"type": "average", "shape": [1]})
    assert list(read_net(path, num_layers=2, skip_layers=1).populations) == ["input", "layer1"]
    ours = tmp_path / "ours.net"
    write_net(read_net(path, num_layers=2, skip_layers=1), ours)
    assert list(read_net(ours, num_layers=9).populations) == ["input", "layer1"]
    assert list(read_net(ours, skip_layers=1).populations) == ["input", "layer1"]
    for options, message in (
        ({"num_layers": 0}, "a.net: num_layers = 0 is not a number of layers >= 1"),
        ({"skip_layers": -1}, "a.net: skip_layers = -1 is not a number of layers >= 0"),
        ({"skip_layers": 1.5}, "a.net: skip_layers = 1.5 is not"),
        ({"skip_layers": 3}, "a.net: skip_layers = 3 leaves none of 3 layers; skip fewer"),
        ({"num_layers": 1, "skip_layers": 1}, "skip_layers = 1 leaves none of 1 layers"),
    ):
        with pytest.raises(dlm.DlmError, match=message):
            read_net(path, **options)


def test_a_shape_that_the_file_contradicts_is_refused(tmp_path):
    path = deep(tmp_path / "a.net")
    assert read_net(path, (2, 6, 6)).digest() == read_net(path).digest()
    with pytest.raises(dlm.DlmError, match=r"/layer/0/shape says \(2, 6, 6\), not input_shape = \(1, 12, 6\); leave"):
        read_net(path, (1, 12, 6))


@published
def test_pilotnet_in_whole_is_its_integers():
    """lava-dl's PilotNet, eleven populations: a road-like picture through every layer, against plain integers."""
    import torch

    path = FOLDER / "pilotnet_snn" / "network.net"
    network = read_net(path)
    assert [p.shape for p in network.populations.values()][:3] == [(3, 66, 200), (3, 66, 200), (24, 32, 99)]
    weight, bias = input_transform(path)
    assert (weight, bias) == (40, 36)
    rows, columns = np.mgrid[0:1:66j, 0:1:200j]
    picture = np.stack([rows, 0.5 + 0.5 * np.sin(9 * columns), rows * columns])
    picture = picture + 0.3 * np.random.default_rng(0).random(picture.shape)
    current = np.trunc(weight * picture + bias).astype(int)
    n_steps = 12
    ours = dlm.run(network, {"input": current.reshape(1, -1)}, n_steps, backend="fast")
    state = {name: np.zeros(p.n, dtype=int) for name, p in network.neurons.items()}
    for step in range(n_steps):
        sent = current.ravel()
        for name, p in network.neurons.items():
            (projection,) = network.into(name)
            connection = projection.connection
            if isinstance(connection, dlm.Conv2d):
                image = torch.tensor(sent.reshape(connection.input_shape), dtype=torch.float64)[None]
                kernel = torch.tensor(connection.weight, dtype=torch.float64)
                sums = torch.nn.functional.conv2d(image, kernel, None, connection.stride, connection.padding)
                drive = sums.numpy().astype(int).ravel()
            else:
                drive = connection.weight @ sent if isinstance(connection, dlm.Dense) else sent
            drive = drive * 2.0**projection.weight_exp
            v = np.sign(state[name]) * (np.abs(state[name]) * (4096 - p.dv) >> 12)
            v = np.clip(v + (64 * drive).astype(int) + p.bias, -(2**23), 2**23 - 1)
            sent = v > 64 * p.v_threshold
            state[name] = np.where(sent, 0, v)
            assert np.array_equal(ours.rasters[name].dense()[0, step], sent), (name, step)
            sent = sent.astype(int)
    assert all(ours.rasters[f"layer{i}"].rate > 0.01 for i in (0, 1, 2, 3, 4, 5, 7, 8, 9))
    assert not len(ours.rasters["layer10"])


@published
def test_tinynet_is_what_was_published():
    """Input layer, convolution, convolution: the files begin with one empty step, then they are our windows."""
    folder = FOLDER / "tinynet"
    network = read_net(folder / "network.net")
    assert input_transform(folder / "network.net") == (36, 34)
    current = np.load(folder / "input_bias.npy").astype(int).transpose(2, 1, 0).reshape(1, -1)
    recording = dlm.run(network, {"input": current}, 15)
    for layer, name, total in ((0, "input", 6783), (1, "layer1", 1633), (2, "output", 92)):
        there = np.moveaxis(np.load(folder / f"{name}.npy")[0], -1, 0).reshape(16, -1).astype(bool)
        assert not there[0].any()
        assert there.sum() in (total, total + {0: 0, 1: 119, 2: 4}[layer])
        assert np.array_equal(recording.rasters[f"layer{layer}"].dense()[0], there[1:])


def oxford() -> tuple[dlm.IntegerNetwork, np.ndarray, np.ndarray]:
    """The network, its input and the published output, (step, neuron)."""
    folder = FOLDER / "oxford"
    given, target = np.zeros((2, 1900, 200), dtype=bool)
    for raster, name in ((given, "input"), (target, "ground_truth")):
        events = np.load(folder / f"{name}.npy")
        raster[np.round(events[:, 2]).astype(int), events[:, 0].astype(int)] = True
    return read_net(folder / "network.net"), given, target


@published
def test_oxford_was_published_with_spikes_at_the_threshold():
    """ground_truth.npy comes from a SLAYER without its threshold_eps: s = v >= v_threshold, then 0 differ, two steps
    later (SLAYER's two layer delays). Lava, Loihi and we have s = v > v_threshold."""
    network, given, target = oxford()

    def simulated(fires):
        s = given
        for projection in network.projections:
            neuron = network.populations[projection.post]
            v, out = np.zeros(neuron.n, dtype=int), np.zeros((len(s), neuron.n), dtype=bool)
            for step, drive in enumerate(s.astype(int) @ projection.connection.weight.T):
                v = np.sign(v) * (np.abs(v) * (4096 - neuron.dv) >> 12) + 64 * drive
                out[step] = fires(v, 64 * neuron.v_threshold)
                v[out[step]] = 0
            s = out
        return s

    assert np.array_equal(simulated(np.greater_equal)[:-2], target[2:])
    strict = simulated(np.greater)
    assert np.sum(strict[:-2] != target[2:]) > 1000
    raster = dlm.run(network, {"input": dlm.SpikeRaster.from_dense(given[None])}, 1900, backend="fast").rasters[
        "layer1"
    ]
    assert np.array_equal(raster.dense()[0], strict)


@published
def test_oxford_equals_stock_lava():
    network, given, _ = oxford()
    stimulus = {"input": dlm.SpikeRaster.from_dense(given[None, :400])}
    runs = [dlm.run(network, stimulus, 400, ("s", "u", "v"), backend=b) for b in ("reference", "lava-fixed")]
    comparison = dlm.compare(*runs)
    assert comparison.equal
    assert comparison.differ == 0
    assert len(runs[0].rasters["layer1"]) > 1000


@published
@pytest.mark.filterwarnings("ignore::dlm_snn.errors.RangeWarning")
def test_mnist_equals_stock_lava():
    """``benchmarks/netx_mnist.py`` has 100 images, and the accuracy of all 10,000."""
    if not (FOLDER.parent / "mnist.npz").is_file():
        pytest.skip("needs mnist.npz in the folder that $DLM_DATA names")
    network = read_net(FOLDER / "mnist" / "network.net")
    with np.load(FOLDER.parent / "mnist.npz") as stored:
        images, labels = stored["x_test"][:100], stored["y_test"][:100]
    spikes = pixels_to_spikes(images, 32)
    fast = dlm.run(network, {"input": spikes}, 32, ("s", "u", "v"), backend="fast")
    assert dlm.accuracy(fast.rasters["layer2"], labels) > 0.93
    few = {"input": spikes[:10]}
    runs = [dlm.run(network, few, 32, ("s", "u", "v"), backend=b) for b in ("fast", "lava-fixed")]
    assert dlm.compare(*runs).equal


def test_pixels_to_spikes_is_an_integrator_without_leak():
    pixels = np.array([[0, 1, 85, 86, 127, 128, 255], [255, 200, 100, 50, 25, 12, 6]])
    raster = pixels_to_spikes(pixels.astype(np.uint8), 300).dense()
    v = np.zeros(pixels.shape, dtype=int)
    for step in range(300):
        v = v + pixels
        assert np.array_equal(raster[:, step], v > 255)
        v[v > 255] = 0
    assert len(pixels_to_spikes(np.zeros((0, 4), dtype=int), 5)) == 0
    assert pixels_to_spikes(np.full((1201, 2), 255), 2).counts().tolist() == [[1, 1]] * 1201
    with pytest.raises(dlm.DlmError, match=r"integers 0\.\.255"):
        pixels_to_spikes(np.array([[256]]), 5)


@st.composite
def chains(draw) -> dlm.IntegerNetwork:
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def lif(shape, rich=True):
        n = int(np.prod(shape))
        one = draw(st.booleans())
        return dlm.IntegerLIF(
            shape,
            dv=int(generator.integers(0, 4096)) if one else generator.integers(0, 4096, n),
            du=draw(st.sampled_from((4095, -1, 1000))),
            v_threshold=int(generator.integers(10, 300)),
            bias_mant=int(generator.integers(-20, 20)) * 2 ** draw(st.integers(0, 2)) if rich else 0,
            bias_exp=draw(st.integers(6, 7)) if rich else 0,
            scale=draw(st.sampled_from((1.0, 12.75))),
        )

    def dense_weight(n_post, n_pre):
        mode = draw(st.sampled_from(("mixed", "excitatory", "inhibitory")))
        bits = draw(st.integers(5, 8))
        grain = 2 ** (9 - bits) if mode == "mixed" else 2 ** (8 - bits)
        low = 0 if mode == "excitatory" else -64
        high = 0 if mode == "inhibitory" else 64
        exponent = draw(st.sampled_from((0, 0, 1)))
        weight = generator.integers(low // grain, high // grain + 1, (n_post, n_pre)) * grain
        return {"connection": dlm.Dense(weight), "sign_mode": mode, "num_weight_bits": bits, "weight_exp": exponent}

    populations: dict = {}
    projections = []
    names = ["a", "b", "c", "d", "e"]
    image = draw(st.booleans())
    shape = (2, 6, 6) if image else (5,)
    kind = draw(st.sampled_from(("spikes", "graded", "current")))
    if kind == "current":
        n = int(np.prod(shape))
        populations["a"] = dlm.Input(shape, graded_bits=13, signed=True)
        populations["b"] = dlm.IntegerLIF(shape, dv=100, v_threshold=200)
        same = dlm.Sparse((n, n), np.arange(n), np.arange(n), np.ones(n, dtype=int))
        projections.append(dlm.IntegerProjection("a", "b", same, sign_mode="excitatory"))
    else:
        graded = {"graded_bits": 4, "scale": 15.0} if kind == "graded" else {}
        populations["a"] = dlm.Input(shape, **graded)
    if image:
        last, name = list(populations)[-1], names[len(populations)]
        connection = draw(
            st.sampled_from(
                (
                    dlm.Conv2d(generator.integers(-20, 21, (3, 2, 3, 2)), shape, (2, 1), (1, 0)),
                    dlm.Conv2d(generator.integers(-20, 21, (4, 1, 2, 2)), shape, 1, 0, (1, 2), groups=2),
                    dlm.Pool2d(shape, (3, 2), (3, 2), weight=20),
                )
            )
        )
        populations[name] = lif(connection.post_shape)
        projections.append(dlm.IntegerProjection(last, name, connection, draw(st.integers(1, 4))))
    for _ in range(draw(st.integers(1, 2))):
        last, name = list(populations)[-1], names[len(populations)]
        n = draw(st.integers(2, 6))
        populations[name] = lif((n,))
        delay = draw(st.sampled_from((1, 3, 63))) if draw(st.booleans()) else generator.integers(1, 6, n)
        projections.append(dlm.IntegerProjection(last, name, **dense_weight(n, populations[last].n), delay=delay))
        if draw(st.booleans()):
            projections.append(dlm.IntegerProjection(name, name, **dense_weight(n, n), delay=delay))
    order = draw(st.permutations(list(populations)))
    return dlm.IntegerNetwork({name: populations[name] for name in order}, draw(st.permutations(projections)))


@given(chains())
def test_there_and_back_is_the_same_network(tmp_path_factory, network):
    path = tmp_path_factory.mktemp("net") / "a.net"
    write_net(network, path)
    assert read_net(path).digest() == network.digest()


@given(chains(), st.integers(0, 2**32 - 1))
def test_without_our_note_the_spikes_are_the_same(tmp_path_factory, network, seed):
    path = tmp_path_factory.mktemp("net") / "a.net"
    write_net(network, path)
    with h5py.File(path, "a") as file:
        del file.attrs["dlm_snn"]
    (source,) = network.inputs.values()
    again = read_net(path, graded_bits=source.graded_bits)
    generator = np.random.default_rng(seed)
    low, high = source.bounds
    values = generator.integers(max(low, -300), min(high, 300) + 1, (2, 40, source.n))
    stimulus = values if source.graded_bits else dlm.SpikeRaster.from_dense(values)
    one = dlm.run(network, {next(iter(network.inputs)): stimulus}, 40, ("s", "v"))
    two = dlm.run(again, {"input": stimulus}, 40, ("s", "v"))
    chain = [name for name in network.order if name not in network.inputs]
    for ours, theirs in zip(chain, (n for n in again.order if n != "input"), strict=True):
        assert one.rasters[ours] == two.rasters[theirs]
        assert np.array_equal(one.v[ours], two.v[theirs])


def test_a_note_that_does_not_fit_is_refused(tmp_path):
    path = net_file(tmp_path / "a.net", dense([[2, 4]]))
    with h5py.File(path, "a") as file:
        file.attrs["dlm_snn"] = '{"chain": ["x"]}'
    with pytest.raises(
        dlm.DlmError, match=r"a.net: its note 'dlm_snn' does not fit its layers .*; delete that attribute"
    ):
        read_net(path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("layer/1/weight", 6, "weight_exp 3 would change weights of x->a"),
        ("layer/1/bias", 1, "bias_exp 7 would change"),
    ],
)
def test_a_note_does_not_change_numbers_that_somebody_edited(tmp_path, key, value, message):
    path = tmp_path / "a.net"
    projection = dlm.IntegerProjection("x", "a", dlm.Dense([[2, 4]]), weight_exp=3)
    neuron = dlm.IntegerLIF((1,), dv=9, v_threshold=50, bias_mant=2, bias_exp=7)
    write_net(dlm.IntegerNetwork({"x": dlm.Input((2,)), "a": neuron}, [projection]), path)
    with h5py.File(path, "a") as file:
        file[key][...] = value
    with pytest.raises(dlm.DlmError, match=r"a\.net was changed since it was written, its checksum differs"):
        read_net(path)
    with h5py.File(path, "a") as file:
        del file.attrs["crc32"]
    with pytest.raises(dlm.DlmError, match=rf"a.net: its note .* \({message}.*delete that attribute"):
        read_net(path)


GOOD = dense([[2, -4], [6, 8]])
BAD = {
    "average": ([GOOD, {"type": "average", "shape": [1]}], r"the layer type 'average' of .*/layer/1"),
    "unknown type": ([{**GOOD, "type": "densw"}], r"'densw' .*did you mean 'dense'"),
    "no type": ([{**GOOD, "type": None}], r"/layer/0 has no 'type'"),
    "no weight": ([{**GOOD, "weight": None}], r"/layer/0 has no 'weight'"),
    "no shape": ([{**GOOD, "shape": None}], r"/layer/0 has no 'shape'"),
    "SDNN": ([dense([[2, 4]], type="SDNN")], r"the neuron type 'SDNN' of .*/layer/0"),
    "RF": ([dense([[2, 4]], type="RF_PHASE")], r"the neuron type 'RF_PHASE'"),
    "complex": ([{**GOOD, "weight": None, "weight/real": [[2.0]], "weight/imag": [[2.0]]}], "the complex weights of"),
    "graded": ([dense([[2, 4]], gradedSpike=True)], r"graded spikes between neurons .*gradedSpike"),
    "message bits": ([dense([[2, 4]], messageBits=8)], r"graded spikes between neurons .*messageBits"),
    "refractory": ([dense([[2, 4]], refDelay=3)], r"a refractory delay \(.*bad.net: /layer/0/neuron/refDelay\)"),
    "fractions": ([dense([[2, 4.5]])], r"/layer/0/weight\[0, 1\] = 4.5 is not whole"),
    "NaN": ([dense([[2, np.nan]])], r"/layer/0/weight does not hold finite numbers"),
    "too large": ([dense([[2, -300]])], r"/layer/0: input->layer0: weights -300..2 are not multiples of 2 in -256"),
    "wraps": ([dense([[1, -3]]) | {"weight": [[1e300, -3.0]]}], r"/layer/0/weight\[0, 0\] = 1e\+300 lies outside 32"),
    "huge": (
        [{"type": "input", "shape": [3000, 100, 100], **neurons()}],
        r"/layer/0/shape = .* more than 16777216 neurons",
    ),
    "odd and large": ([dense([[-3, 200]])], r"/layer/0: weight\[0, 0\] = -3 is odd, and weights reach 200"),
    "chain": ([GOOD, dense([[2, 4, 6]])], r"/layer/1/weight takes 3 inputs, the layer before has 2; they do not chain"),
    "image": (
        [GOOD, conv(np.ones((1, 2, 1, 1)), [1, 1, 1])],
        r"/layer/1 needs an image, the layer before has .*\(2,\)",
    ),
    "no image": (
        [conv(np.ones((1, 2, 1, 1)), [1, 1, 1])],
        "/layer/0 does not say the shape of its input; give input_sh",
    ),
    "conv shape": (
        [{"type": "input", "shape": [1, 4, 4]}, conv(np.ones((1, 1, 3, 3)), [1, 3, 3])],
        r"/layer/1/shape says \(1, 3, 3\), its Conv2d of \(1, 4, 4\) gives \(1, 2, 2\)",
    ),
    "channels": (
        [{"type": "input", "shape": [1, 4, 4]}, conv(np.ones((1, 2, 3, 3)), [1, 2, 2])],
        r"/layer/1: weight of shape .* takes 2 input channels",
    ),
    "delay": ([dense([[2, 4]], delay=[70.0])], r"/layer/0/delay = 70..70 is outside 0..62"),
    "delays": ([dense(np.full((2, 3), 2), delay=np.arange(5.0))], "/layer/0/delay of 5 numbers fits neither"),
    "decay": ([dense([[2, 4]], vDecay=4096)], r"/layer/0: dv = 4096..4096 lies outside \[0, 4095\]"),
    "threshold": ([dense([[2, 4]], vThMant=2**18 - 1)], r"/layer/0: v_threshold = 262143"),
    "no neurons, a bias": (
        [{"type": "dense", "shape": [1], "weight": [[2.0]], "bias": [3.0]}],
        r"the bias of .*/layer/0, which has no neurons",
    ),
    "no neurons, a loop": (
        [{"type": "dense_rec", "shape": [1], "weight": [[2.0]], "weight_rec": [[2.0]]}],
        r"/layer/0 without neurons, of type 'dense_rec'",
    ),
    "no neurons, a convolution": (
        [{"type": "input", "shape": [1, 4, 4]}, {**conv(np.ones((1, 1, 3, 3)), [1, 2, 2]), **NONE}],
        r"/layer/1 without neurons, of type 'conv'",
    ),
    "no neurons in between": ([{**GOOD, **NONE}, GOOD], r"'layer0' \(IntegerLI\) never spikes"),
    "bias": ([dense([[2, 4]], bias=[5000.0])], r"/layer/0: bias_mant = 5000"),
    "biases": ([dense([[2, 4]], bias=[1.0, 2.0, 3.0])], r"/layer/0/bias has 3 numbers for 1 neurons"),
    "late input": ([GOOD, {"type": "input", "shape": [2]}], r"/layer/1 is of type 'input' but not the first layer"),
    "only input": ([{"type": "input", "shape": [2]}], r"has no layer with neurons"),
    "loop": ([dense([[2, 4]], "dense_rec", weight_rec=[[2.0, 2.0]])], r"/layer/0/weight_rec has the shape \(1, 2\)"),
}


@pytest.mark.parametrize("backend", ["reference", "fast", "lava-fixed"])
def test_a_last_layer_without_neurons_is_read_as_the_sum_of_all(tmp_path, backend):
    """netx: iDecay 0 holds the current, vDecay 4096 makes it v."""
    generator = np.random.default_rng(7)
    first, last = some(generator, 6, 4), some(generator, 3, 6)
    path = net_file(tmp_path / "a.net", dense(first), {**dense(last), **NONE})
    network = read_net(path)
    spikes = (generator.random((2, 9, 4)) < 0.4).astype(int)
    found = dlm.run(network, {"input": spikes}, 9, record=("s", "v"), backend=backend)
    hidden = found.rasters["layer0"].dense().astype(int)
    assert hidden.sum() > 20
    np.testing.assert_array_equal(found.v["layer1"], 64 * np.cumsum(hidden @ last.T, axis=1))
    assert len(found.rasters["layer1"]) == 0


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_named(tmp_path, name):
    layers, message = BAD[name]
    path = net_file(tmp_path / "bad.net", *layers)
    with pytest.raises(dlm.DlmError, match=message) as caught:
        read_net(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_options_that_do_not_fit_name_the_file(tmp_path):
    path = net_file(tmp_path / "a.net", conv(np.ones((1, 1, 2, 2)), [1, 3, 3]))
    for options, message in (((1, 28), "shape (1, 28) is not"), ((1, 4, 4), "graded_bits = 99 is not in 1..24")):
        with pytest.raises(dlm.DlmError, match=rf"a.net: /layer/0: {re.escape(message)}"):
            read_net(path, options, graded_bits=99)


def test_files_that_are_none(tmp_path):
    path = tmp_path / "bad.net"
    with pytest.raises(dlm.DlmError, match=r"no file .*bad.net"):
        read_net(path)
    path.write_bytes(b"not HDF5")
    with pytest.raises(dlm.DlmError, match=r"bad.net is not a readable HDF5 file"):
        read_net(path)
    whole = net_file(tmp_path / "whole.net", GOOD).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(dlm.DlmError, match=r"bad.net is not a readable HDF5 file"):
        read_net(path)
    with h5py.File(path, "w") as file:
        file["else"] = 1
    with pytest.raises(dlm.DlmError, match=r"has no group 'layer'"):
        read_net(path)
    with h5py.File(path, "w") as file:
        file.create_group("layer/1")
    with pytest.raises(dlm.DlmError, match=r"no group layer/0 among 1 layers"):
        read_net(path)


@pytest.mark.parametrize("seed", range(3))
def test_damage_anywhere_is_refused_or_harmless(tmp_path, seed):
    path = net_file(tmp_path / "bad.net", {"type": "input", "shape": [2]}, GOOD, dense([[2, 4]], delay=[1.0]))
    whole = path.read_bytes()
    generator = np.random.default_rng(seed)
    refused = []
    for place in generator.integers(0, len(whole), 50):
        damaged = bytearray(whole)
        damaged[place : place + 4] = generator.bytes(4)
        path.write_bytes(damaged)
        try:
            read_net(path)
        except dlm.DlmError as error:
            refused.append(str(error))
    assert len(refused) > 2
    assert all(str(path) in message and "\n" not in message for message in refused)


def test_a_huge_declared_shape_takes_no_memory(tmp_path):
    path = net_file(tmp_path / "bad.net", {**GOOD, "weight": None})
    with h5py.File(path, "a") as file:
        file.create_dataset("layer/0/weight", shape=(2, 10**12), dtype="f4", chunks=(2, 1000))
    with pytest.raises(
        dlm.DlmError, match=r"/layer/0/weight declares the shape \(2, 1000000000000\), .* holds 0 bytes"
    ):
        read_net(path)


def lif(**more) -> dlm.IntegerLIF:
    return dlm.IntegerLIF((2,), dv=100, v_threshold=50, **more)


def two(**more) -> dlm.IntegerProjection:
    return dlm.IntegerProjection("a", "b", dlm.Dense([[2, 4], [6, 8]]), **more)


REFUSED = {
    "competition of 'b'": ({"b": lif(winners=1)}, [two()]),
    "the period of 'b'": ({"b": lif(period=8)}, [two()]),
    "weight_exp -2 of a->b, which shifts sums": ({"b": lif()}, [two(weight_exp=-2)]),
    "weights 256..1024 of a->b": ({"b": lif()}, [two(weight_exp=7)]),
    "the bias 5 of 'b', no multiple of 64": ({"b": lif(bias_mant=5)}, [two()]),
    "the branch or loop a->c": (
        {"b": lif(), "c": lif()},
        [two(), dlm.IntegerProjection("a", "c", dlm.Dense(np.eye(2, dtype=int) * 2))],
    ),
    "c beside one chain": ({"b": lif(), "c": lif()}, [two()]),
    "a delay for each synapse of a->b": ({"b": lif()}, [two(delay=np.array([[1, 2], [3, 4]]))]),
    "the leak of 'b', which never spikes": ({"b": dlm.IntegerLI((2,), dv=1)}, [two()]),
    "the filtered current of 'b'": ({"b": dlm.IntegerLI((2,), dv=0, du=100)}, [two()]),
    "the bias of 'b', which never spikes": ({"b": dlm.IntegerLI((2,), dv=0, bias_mant=1, bias_exp=6)}, [two()]),
    "the period of 'b', which never spikes": ({"b": dlm.IntegerLI((2,), dv=0, period=4)}, [two()]),
    "'b', which never spikes, behind a Pool2d": (
        {"a": dlm.Input((1, 2, 2)), "b": dlm.IntegerLI((1, 1, 1), dv=0)},
        [dlm.IntegerProjection("a", "b", dlm.Pool2d((1, 2, 2), 2, weight=2))],
    ),
    "different delays of": ({"b": lif()}, [two(delay=2), dlm.IntegerProjection("b", "b", dlm.Dense([[2, 4], [6, 8]]))]),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_the_format_cannot_say_is_refused_and_nothing_written(tmp_path, message):
    populations, projections = REFUSED[message]
    network = dlm.IntegerNetwork({"a": dlm.Input((2,)), **populations}, projections)
    with pytest.raises(dlm.UnsupportedError, match=message):
        write_net(network, tmp_path / "a.net")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(dlm.UnsupportedError, match="a network of floats"):
        write_net(dlm.Network({"a": dlm.Input((1,)), "b": dlm.LIF((1,), dv=0.1)}), tmp_path / "b.net")


def test_a_last_layer_that_never_spikes_is_written_without_neurons_and_comes_back(tmp_path):
    read_out = dlm.IntegerProjection("b", "v", dlm.Dense([[2, -4], [6, 8], [0, 10]]), delay=3)
    network = dlm.IntegerNetwork(
        {"a": dlm.Input((2,)), "b": lif(), "v": dlm.IntegerLI((3,), dv=0, scale=7.0)}, [two(), read_out]
    )
    write_net(network, tmp_path / "a.net")
    with h5py.File(tmp_path / "a.net") as file:
        assert [("neuron" in file[f"layer/{n}"]) for n in range(3)] == [False, True, False]
    again = read_net(tmp_path / "a.net")
    assert again.digest() == network.digest()
    spikes = np.random.default_rng(0).random((2, 30, 2)) < 0.5
    one, other = (dlm.run(n, {"a": spikes}, 30, record=("s", "v")) for n in (network, again))
    assert dlm.compare(one, other).equal
    assert np.ptp(one.v["v"]) > 0


def test_a_sparse_connection_is_written_as_a_dense_one(tmp_path):
    sparse = dlm.Sparse((2, 2), np.array([0, 1]), np.array([1, 0]), np.array([4, 6]))
    network = dlm.IntegerNetwork({"a": dlm.Input((2,)), "b": lif()}, [dlm.IntegerProjection("a", "b", sparse)])
    write_net(network, tmp_path / "a.net")
    again = read_net(tmp_path / "a.net")
    assert np.array_equal(again.projections[0].connection.weight, [[0, 4], [6, 0]])
