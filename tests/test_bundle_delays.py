"""A bundle with delays of each neuron and of each synapse, on stock Lava."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dlm_snn as dlm
from hardware.loihi2.bundle import write_bundle
from hardware.loihi2.prepared import prepared


@pytest.mark.parametrize("stock", [[], ["--stock-delays"]], ids=["as the script does", "as on a chip"])
def test_delays_that_differ_reach_lava_as_they_are(tmp_path: Path, stock: list[str]) -> None:
    weight = np.array([[40, 20], [0, 40]])
    network = dlm.IntegerNetwork(
        {
            "x": dlm.Input((2,)),
            "a": dlm.IntegerLIF((2,), dv=100, v_threshold=30),
            "b": dlm.IntegerLIF((2,), dv=100, v_threshold=30),
            "c": dlm.IntegerLIF((2,), dv=100, v_threshold=30),
        },
        [
            dlm.IntegerProjection("x", "a", dlm.Dense(weight), delay=np.array([[1, 3], [1, 2]])),
            dlm.IntegerProjection("a", "b", dlm.Dense(weight), delay=np.array([2, 1])),
            dlm.IntegerProjection("a", "c", dlm.Sparse.from_dense(weight), delay=np.array([3, 1, 2])),
        ],
    )
    images = {"x": np.random.default_rng(0).integers(0, 2, (3, 8, 2))}
    ready = prepared(network, images, 8)
    assert all(len(raster) for raster in ready.expected.values())
    write_bundle(ready, tmp_path / "bundle")
    words = [sys.executable, str(tmp_path / "bundle" / "run.py"), *stock]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 of " in f" {done.stdout.splitlines()[-1]}"
