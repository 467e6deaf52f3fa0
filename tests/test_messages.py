"""Messages between cores against a count synapse by synapse, and cuts whose best is known."""

from __future__ import annotations

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.errors import MissingError
from hardware import place
from hardware.chips import LOIHI2
from hardware.messages import BLOCKS, rates, traffic
from hardware.partition import cut
from hardware.placement import Placement

RNG = np.random.default_rng(0)


def mixed() -> dlm.IntegerNetwork:
    """An image, its pooling, a dense layer with a loop of single synapses."""
    kernel = 2 * RNG.integers(-30, 30, (4, 2, 3, 3))
    loop = RNG.random((20, 20)) < 0.2
    return dlm.IntegerNetwork(
        {
            "x": dlm.Input((2, 9, 9)),
            "image": dlm.IntegerLIF((4, 7, 7), dv=10, v_threshold=100),
            "pool": dlm.IntegerLIF((4, 3, 3), dv=4095, v_threshold=0),
            "h": dlm.IntegerLIF((20,), dv=10, v_threshold=100),
        },
        [
            dlm.IntegerProjection("x", "image", dlm.Conv2d(kernel, (2, 9, 9))),
            dlm.IntegerProjection("image", "pool", dlm.Pool2d((4, 7, 7), 2, weight=1), sign_mode="excitatory"),
            dlm.IntegerProjection("pool", "h", dlm.Dense(2 * RNG.integers(1, 30, (20, 36)))),
            dlm.IntegerProjection("h", "h", dlm.Sparse.from_dense(np.where(loop, 2, 0))),
        ],
    )


def by_synapse(network: dlm.IntegerNetwork, placed: Placement, spikes: dict[str, np.ndarray]) -> np.ndarray:
    """Messages from core to core; the last row is the outside's."""
    begins = dict(
        zip(
            [layer.population for layer in placed.layers],
            np.cumsum([0] + [layer.cores for layer in placed.layers]),
            strict=False,
        )
    )
    homes = {layer.population: begins[layer.population] + layer.home for layer in placed.layers}
    found = np.zeros((placed.cores + 1, placed.cores))
    for projection in network.projections:
        listed = projection.connection.sparse()
        reached = {
            (int(pre), int(homes[projection.post][post])) for pre, post in zip(listed.pre, listed.post, strict=True)
        }
        for pre, core in reached:
            begin = homes[projection.pre][pre] if projection.pre in homes else placed.cores
            found[begin, core] += spikes[projection.pre][pre]
    return found


def test_messages_are_those_of_the_synapses() -> None:
    network = mixed()
    placed = place(network, LOIHI2, neurons_per_core={"image": 40, "pool": 7, "h": 6})
    spikes = {name: RNG.random(population.n) for name, population in network.populations.items()}
    found, wanted = traffic(network, placed, spikes), by_synapse(network, placed, spikes)
    np.testing.assert_allclose(found.between, wanted[:-1])
    np.testing.assert_allclose(found.sent, wanted[:-1].sum(axis=1))
    np.testing.assert_allclose(found.received, wanted[:-1].sum(axis=0))
    np.testing.assert_allclose(found.from_inputs, wanted[-1])


def test_neurons_of_a_tile_lie_where_the_image_is_cut() -> None:
    network = mixed()
    tiled = place(network, LOIHI2).layers[0]
    assert tiled.tile is not None
    np.testing.assert_array_equal(np.bincount(tiled.home), tiled.neurons)
    large = dlm.IntegerNetwork(
        {"x": dlm.Input((1, 70, 80)), "image": dlm.IntegerLIF((1, 68, 78), dv=10, v_threshold=100)},
        [dlm.IntegerProjection("x", "image", dlm.Conv2d(2 * RNG.integers(1, 30, (1, 1, 3, 3)), (1, 70, 80)))],
    )
    layer = place(large, LOIHI2).layers[0]
    assert layer.cores > 1
    assert layer.tile is not None
    np.testing.assert_array_equal(np.bincount(layer.home), layer.neurons)
    image = layer.home.reshape(68, 78)
    assert (image[: layer.tile.y, : layer.tile.x] == 0).all()
    assert image[-1, -1] == layer.cores - 1


def test_rates_of_a_run_make_its_messages() -> None:
    network = mixed()
    stimulus = {"x": (RNG.random((3, 5, 162)) < 0.3).astype(np.uint8)}
    recording = dlm.run(network, stimulus, 5)
    placed = place(network, LOIHI2)
    found = traffic(network, placed, rates(recording, stimulus))
    assert found.from_inputs.sum() == pytest.approx(stimulus["x"].sum() / 3)
    spiked = rates(recording)
    sent = [spiked[p.pre][p.connection.fan_out() > 0].sum() for p in network.projections[1:]]
    assert found.sent.sum() == pytest.approx(sum(sent))
    assert "most reach core 0 of" in str(found)


def communities(n: int, size: int) -> dlm.IntegerNetwork:
    """Neuron i hears those of its own remainder i % n alone."""
    post, pre = np.nonzero(np.arange(size)[:, None] % n == np.arange(size) % n)
    loop = dlm.Sparse((size, size), post, pre, np.full(post.size, 2))
    return dlm.IntegerNetwork(
        {"h": dlm.IntegerLIF((size,), dv=10, v_threshold=100)},
        [dlm.IntegerProjection("h", "h", loop, sign_mode="excitatory")],
    )


def test_a_cut_finds_communities_that_lie_interleaved() -> None:
    network = communities(2, 40)
    busy = traffic(network, place(network, LOIHI2, neurons_per_core={"h": 1}))
    found = cut(busy, 20)
    assert found.across == 0
    assert found.in_order == 40 * 10
    np.testing.assert_array_equal(found.chip[::2], found.chip[0])
    np.testing.assert_array_equal(found.chip[1::2], 1 - found.chip[0])


def test_no_chip_takes_more_than_it_holds_and_what_fits_one_is_not_cut() -> None:
    network = communities(3, 60)
    busy = traffic(network, place(network, LOIHI2, neurons_per_core={"h": 1}))
    for cores in (59, 31, 20, 17, 7):
        found = cut(busy, cores)
        assert np.bincount(found.chip).max() <= cores
        assert found.across <= found.in_order
        outside = found.chip[:, None] != found.chip
        assert found.across == pytest.approx(busy.between[outside].sum())
    assert cut(busy, 60).chips == 1
    assert cut(busy, 60).across == 0
    with pytest.raises(dlm.DlmError, match="cores = 0 of a chip is not a positive integer"):
        cut(busy, 0)


def test_without_pymetis_only_one_chip_is_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    network = communities(2, 40)
    busy = traffic(network, place(network, LOIHI2, neurons_per_core={"h": 1}))
    monkeypatch.setattr("hardware.partition.find_spec", lambda name: None)
    assert cut(busy, 40).chips == 1
    with pytest.raises(MissingError, match=r"pip install 'dlm-snn\[chips\]'"):
        cut(busy, 20)


def test_thousands_of_cores_are_cut_in_blocks() -> None:
    n = 2 * BLOCKS + 100
    one = dlm.Sparse((n, n), np.arange(n), np.roll(np.arange(n), 1), np.full(n, 2))
    network = dlm.IntegerNetwork(
        {"h": dlm.IntegerLIF((n,), dv=10, v_threshold=100)},
        [dlm.IntegerProjection("h", "h", one, sign_mode="excitatory")],
    )
    busy = traffic(network, place(network, LOIHI2, neurons_per_core={"h": 1}))
    assert len(busy.between) <= BLOCKS
    assert busy.between.sum() == n
    found = cut(busy, 128)
    assert np.bincount(found.chip).max() <= 128
    assert found.across <= found.chips


@pytest.mark.parametrize(
    ("spikes", "line"),
    [
        ({"g": np.ones(20)}, "spikes name 'g'"),
        ({"h": np.ones(3)}, r"spikes\['h'\] are not 20 finite numbers"),
        ({"h": -np.ones(20)}, r"spikes\['h'\] are not 20 finite numbers"),
    ],
)
def test_spikes_that_cannot_be_are_a_line(spikes: dict[str, np.ndarray], line: str) -> None:
    network = mixed()
    with pytest.raises(dlm.DlmError, match=line):
        traffic(network, place(network, LOIHI2), spikes)


def test_a_placement_of_another_network_is_refused() -> None:
    placed = place(communities(2, 40), LOIHI2)
    for other in (communities(2, 50), mixed()):
        with pytest.raises(dlm.DlmError, match="the placement is of another network"):
            traffic(other, placed)
