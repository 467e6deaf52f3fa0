"""Random modules: none is taken wrongly, none ends in a fault, and what is refused is refused for a reason."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.exchange.torch_modules.proof import TIE
from dlm_snn.exchange.torch_modules.refusals import RefusedError, refusals
from tests.torch_drawn import Drawn, sample, spikes_of

NAMES = {refusal: name for name, refusal in refusals().items()}
UNSEEN = (10_001, 10_002)


def tried(seed: int) -> str:
    """ "taken", or the refusal's name; raises where a network differs from its module on a sample not seen before."""
    module = Drawn(seed)
    try:
        imported = dlm.from_torch(module, sample(seed))
    except RefusedError as error:
        return "a tie" if TIE in str(error) else NAMES[error.refusal]
    layers = [name for name, part in imported.network.neurons.items() if "_max" not in name and name != "read_out"]
    order = [name for name in imported.network.populations if name in layers]
    for unseen in UNSEEN:
        x = sample(unseen)
        given: Any = x.transpose(0, 1).flatten(2).numpy().astype(np.int64)
        stimulus = {name: given for name, source in imported.network.inputs.items() if not source.aligned}
        recording = dlm.run(imported.network, stimulus, n_steps=len(x))
        for name, spikes in zip(order, spikes_of(module, x).values(), strict=True):
            np.testing.assert_array_equal(recording.rasters[name].dense(), spikes, err_msg=f"seed {seed}, {name}")
    return "taken"


@pytest.mark.parametrize(
    "seeds", [range(24), pytest.param(range(24, 430), marks=pytest.mark.long)], ids=["few", "many"]
)
def test_random_modules_are_equal_on_unseen_samples_or_refused_for_a_reason(seeds: range) -> None:
    found = Counter(map(tried, seeds))
    print(", ".join(f"{name} {count}" for name, count in found.most_common()))
    assert found["taken"] > len(seeds) / 3
    assert found["a tie"] <= len(seeds) / 100
    assert not found.keys() & {"TOLD_APART", "VALUES_APART", "UNSTEADY", "FAILS", "UNKNOWN_CALL", "NETWORK"}
