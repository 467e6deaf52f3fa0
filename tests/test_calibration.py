"""Published points: estimated against measured, and the others with the reason why not."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import dlm_snn as dlm
from hardware.calibration import calibration, told
from hardware.profiles import PROFILES
from hardware.published import POINTS
from hardware.synapses import synapses as count_synapses

LOIHI = PROFILES["loihi1-davies2018"]
PILOTNET = Path(os.environ.get("DLM_DATA", "")) / "netx" / "pilotnet_snn" / "network.net"


def rows(by=LOIHI, networks=None):
    return {row.point.name: row for row in calibration(by, networks)}


def test_every_point_has_its_boundary_source_and_mark_and_is_told_once() -> None:
    assert len({point.name for point in POINTS}) == len(POINTS) == 17
    text = "\n".join(told(calibration(LOIHI)))
    for point in POINTS:
        assert point.boundary
        assert point.source
        assert point.mark in ("vendor", "abstract", "secondary")
        assert point.total is not None or point.dynamic is not None or "280 to 460 uJ" in point.boundary
        assert text.count(f"\n{point.name}: ") == 1
    assert text.count("cannot be estimated, because") == sum(row.low is None for row in rows().values()) == 12


def test_static_power_is_what_lies_between_total_and_dynamic() -> None:
    """Of points that give all three and a time: another figure would be a slip of the pen."""
    whole = [p for p in POINTS if None not in (p.total, p.dynamic, p.static, p.seconds)]
    assert [p.name for p in whole][:3] == ["pilotnet_snn", "autoencoder_preloaded", "autoencoder_ethernet"]
    for point in whole:
        assert point.static * point.seconds == pytest.approx(point.total - point.dynamic, rel=6e-3)
    assert rows()["autoencoder_preloaded"].static == pytest.approx(775e-6, rel=1e-3)


def test_published_operations_make_an_estimate_and_its_ratio() -> None:
    found = rows()["autoencoder_preloaded"]
    assert found.low == found.high == pytest.approx(3e5 * 23.6e-12 + 1e4 * 81e-12)
    assert found.ratio(found.point.dynamic) == pytest.approx((5.146, 5.146), rel=1e-3)
    assert found.ratio(found.point.total) == pytest.approx((103.4, 103.4), rel=1e-3)
    assert rows()["hala_point"].low == pytest.approx(3.8e14 * 23.6e-12 + 2.4e14 * 81e-12)


def test_neuron_updates_alone_are_a_lower_bound() -> None:
    found = rows()["pilotnet_sdnn"]
    assert (found.low, found.high) == (pytest.approx(118_909 * 81e-12), None)
    assert found.ratio(found.point.total) == (None, pytest.approx(16343.833e-6 / found.low))
    assert found.ratio(found.point.dynamic) is None
    assert "netx/pilotnet_snn/network.net is in no folder of data" in rows()["pilotnet_snn"].operations
    bare = rows(PROFILES["spinnaker2"])
    assert bare["pilotnet_sdnn"].low is None
    assert "no energy of the neuron updates" in bare["pilotnet_sdnn"].operations
    assert "left out: neuron updates, which the profile does not know" in bare["autoencoder_ethernet"].operations


@pytest.mark.skipif(not PILOTNET.is_file(), reason="needs netx/pilotnet_snn in $DLM_DATA")
def test_pilotnet_lies_between_silence_and_every_neuron_in_every_step() -> None:
    network = dlm.read_net(PILOTNET)
    point = next(point for point in POINTS if point.name == "pilotnet_snn")
    assert sum(neuron.n for neuron in network.neurons.values()) * 16 == point.updates
    found = rows(networks={"pilotnet_snn": network})["pilotnet_snn"]
    synapses = sum(count_synapses(projection.connection).nonzero for projection in network.projections)
    assert found.low == pytest.approx(point.updates * 81e-12)
    spikes = point.updates  # all of them spike
    assert found.high == pytest.approx(16 * synapses * 23.6e-12 + point.updates * 81e-12 + spikes * 1.7e-12)
    assert found.low < point.dynamic < found.high
    bare = rows(PROFILES["spinnaker2"], {"pilotnet_snn": network})["pilotnet_snn"]
    assert bare.low == 0
    assert bare.ratio(point.dynamic) == (pytest.approx(point.dynamic / (16 * synapses * 10e-12)), None)
    assert any(f"> {point.dynamic / bare.high:.3g}" in line for line in told([bare]))


def test_a_point_without_operations_or_network_says_why_not() -> None:
    (row,) = calibration(LOIHI, points=[replace(POINTS[0], updates=None)])
    assert row.low is None
    assert row.operations.startswith("cannot be estimated, because its operations were not published")
    assert row.ratio(row.point.total) is None
    assert row.to_json()["estimated"]["least"] is None


def test_another_network_in_the_place_of_a_published_one_is_refused() -> None:
    other = dlm.IntegerNetwork(
        {"x": dlm.Input((2,)), "h": dlm.IntegerLIF((3,), dv=1, v_threshold=5)},
        [dlm.IntegerProjection("x", "h", dlm.Dense(2 * np.ones((3, 2), int)))],
    )
    with pytest.raises(dlm.DlmError, match=r"takes 48 neuron updates, the published one 2,536,144: it is another one"):
        rows(networks={"pilotnet_snn": other})
