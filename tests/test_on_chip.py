"""What a run's report says of a chip, against the parts that it is put together from."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.runs.run_metrics import OnChip, RunMetrics
from hardware import chip, count, estimate, obstacles, place, profile, rates, summary, traffic
from hardware.on_chip import PROFILE, memory, windows_told

LOIHI2 = chip("loihi2")


def network(**fields: Any) -> dlm.IntegerNetwork:
    rng = np.random.default_rng(0)
    return dlm.IntegerNetwork(
        {
            "x": dlm.Input((2, 8, 8)),
            "image": dlm.IntegerLIF((4, 6, 6), dv=10, v_threshold=100),
            "o": dlm.IntegerLIF((3,), dv=10, v_threshold=100, **fields),
        },
        [
            dlm.IntegerProjection("x", "image", dlm.Conv2d(2 * rng.integers(-30, 60, (4, 2, 3, 3)), (2, 8, 8))),
            dlm.IntegerProjection("image", "o", dlm.Dense(2 * rng.integers(-30, 60, (3, 144)))),
        ],
    )


def ran(net: dlm.IntegerNetwork) -> tuple[Any, dict[str, np.ndarray]]:
    stimulus = {"x": (np.random.default_rng(1).random((4, 20, 128)) < 0.2).astype(np.uint8)}
    return dlm.run(net, stimulus, 20), stimulus


def test_the_summary_is_that_of_its_parts_and_survives_its_json() -> None:
    net = network(winners=1)
    recording, stimulus = ran(net)
    found = summary(recording, stimulus, LOIHI2)
    placed = place(net, LOIHI2)
    assert found.verdict == "fits on one Intel Loihi 2: 2 of 128 cores; one thing has to change first"
    assert found.fits is False
    assert found.changes == tuple(map(str, obstacles(net)))
    assert found.table == tuple(placed.table())
    busy = traffic(net, placed, rates(recording, stimulus))
    assert found.messages is not None
    assert [sum(values) for values in found.messages.values()] == pytest.approx(busy.reaching, abs=0.01)
    cost = str(estimate(count(recording, stimulus), profile(PROFILE)))
    assert f"E{cost[1:]}." in found.notes
    assert "Windows: 20 steps, a new sample every 32." in found.notes
    assert RunMetrics.from_json(RunMetrics(on_chip=found).to_json()).on_chip == found
    assert isinstance(found, OnChip)


def test_what_goes_as_it_is_has_nothing_to_change() -> None:
    found = summary(*ran(network()), LOIHI2)
    assert found.fits
    assert found.changes == ()
    assert found.verdict == "fits on one Intel Loihi 2: 2 of 128 cores"


def test_memory_is_that_of_all_words_or_of_synapses_where_the_others_are_not_known() -> None:
    placed = place(network(), LOIHI2)
    tiled, dense = placed.layers
    assert tiled.total is None
    assert dense.total is not None
    shares = memory(placed)
    assert shares["image"] == pytest.approx(100 * tiled.synapses / 16_000, abs=0.01)
    assert shares["o"] == pytest.approx(100 * dense.total / 20_000, abs=0.01)


def test_windows_that_cannot_be_told_apart_say_why() -> None:
    biased = network(bias_mant=4095, bias_exp=7, du=-1)
    assert windows_told(network(), 16) == (["windows: 16 steps, a new sample every 16"], [])
    assert windows_told(network(), 10**7)[1] == []
    assert "not worked out" in windows_told(network(), 10**7)[0][0]
    apart, refused = windows_told(biased, 16)
    assert (len(apart), len(refused)) in ((1, 0), (0, 1))


def test_inhibition_of_ours_that_waits_too_long_has_to_change() -> None:
    one, weight = dlm.IntegerLIF((1,), dv=0, v_threshold=30), dlm.Dense(np.array([[40]]))
    names = ["x", "a", "b", "c"]
    chain = [dlm.IntegerProjection(pre, post, weight, delay=62) for pre, post in pairwise(names)]
    deep = dlm.IntegerNetwork(
        {"x": dlm.Input((1,)), **dict.fromkeys(names[1:], one)}, [*chain, dlm.IntegerProjection("c", "c", weight)]
    )
    apart, refused = windows_told(deep, 8)
    assert "with inhibition by an Input of ours (silence_c)" in apart[0]
    assert [line for line in refused if "a delay of 186 steps" in line and "silence_c" in line]
    assert obstacles(deep) == ()


def test_floats_are_refused() -> None:
    floats = dlm.Network(
        {"x": dlm.Input((2,)), "h": dlm.LIF((2,), dv=0.5)}, [dlm.Projection("x", "h", dlm.Dense(np.eye(2)))]
    )
    stimulus = {"x": np.ones((1, 3, 2), np.uint8)}
    with pytest.raises(dlm.DlmError, match="a chip takes integers"):
        summary(dlm.run(floats, stimulus, 3), stimulus, LOIHI2)
