"""Every estimator that draws random numbers refuses a seed in place of a generator, in one line."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn import analysis

RASTER = dlm.SpikeRaster.from_dense(np.random.default_rng(0).random((2, 300, 3)) < 0.2)
NETWORK = dlm.Network({"in": dlm.Input((2,)), "a": dlm.LIF(2, dv=0.1)}, ())
FED = {"in": np.ones((2, 2))}
COUPLED = analysis.PulseCoupled(np.zeros((2, 2)), 10.0, 2.0)
WAVE = np.random.default_rng(1).normal(size=1000)
BITS, OTHERS = [0, 1] * 50, [1, 0] * 50

CALLS = {
    "avalanche_exponents": lambda rng: analysis.avalanche_exponents(
        analysis.avalanches_of(np.arange(100) % 3), rng=rng
    ),
    "branching_ratio": lambda rng: analysis.branching_ratio(np.arange(500) % 7, rng=rng),
    "compression": lambda rng: next(analysis.compression(NETWORK, FED, [0, 1], "a", rng)),
    "criticality": lambda rng: analysis.criticality(np.arange(500) % 7, rng=rng),
    "damage_spreading": lambda rng: analysis.damage_spreading(NETWORK, FED, 20, rng),
    "decoder_bound": lambda rng: analysis.decoder_bound(BITS, np.ones((100, 2), int), rng),
    "fano_bound": lambda rng: analysis.fano_bound(BITS, OTHERS, rng),
    "irreversibility": lambda rng: analysis.irreversibility(RASTER, rng),
    "irreversibility_of_states": lambda rng: analysis.irreversibility_of_states(BITS, rng),
    "lyapunov_exponents": lambda rng: analysis.lyapunov_exponents(COUPLED, 10, rng),
    "mutual_information": lambda rng: analysis.mutual_information(BITS, OTHERS, rng),
    "pool_information": lambda rng: analysis.pool_information(RASTER, RASTER, rng),
    "power_law_noise": lambda rng: analysis.power_law_noise(-1.0, 100, rng),
    "raster_criticality": lambda rng: analysis.raster_criticality(RASTER, rng=rng),
    "raster_spectrum": lambda rng: analysis.raster_spectrum(RASTER, rng=rng),
    "spectrum": lambda rng: analysis.spectrum(WAVE, rng=rng),
    "transfer_entropy": lambda rng: analysis.transfer_entropy(BITS, OTHERS, rng),
}


def test_no_estimator_is_forgotten():
    drawing = {
        name
        for name in analysis.__all__
        if inspect.isfunction(found := getattr(analysis, name))
        and "rng" in (of := inspect.signature(found).parameters)
        and of["rng"].default is inspect.Parameter.empty
    }
    assert drawing == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_a_seed_is_refused(name):
    for rng in (7, None):
        with pytest.raises(dlm.DlmError, match=f"rng = {rng} is no generator of random numbers"):
            CALLS[name](rng)
