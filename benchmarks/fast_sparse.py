"""One sample of a sparse recurrent network: the cost grows with its spikes, not with its synapses.

Run: python benchmarks/fast_sparse.py [--neurons 100000] [--fan-out 100] [--steps 1000]. Neurons are driven by noise
from an Input of as many neurons, joined one to one; its rate sets how often they fire. For several rates and fan-outs
it prints the time of a step, its dependence on synapses and synaptic events (least squares), and the peak memory.
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import Any

import numpy as np

import dlm_snn as dlm

CHUNK = 50


def recurrent(neurons: int, fan_out: int, seed: int = 0) -> dlm.Network:
    """Each neuron to ``fan_out`` others, excitation and inhibition in balance; a one-to-one Input that fires them."""
    rng = np.random.default_rng(seed)
    pre = np.repeat(np.arange(neurons, dtype=np.int32), fan_out)
    # A stride through all neurons keeps the synapses of one neuron apart.
    post = ((rng.integers(0, neurons, neurons, dtype=np.int64)[:, None] + np.arange(fan_out) * 7919) % neurons).ravel()
    weight = np.where(rng.random(pre.size) < 0.5, 1.0, -1.0) / (8 * fan_out)
    line = np.arange(neurons)
    return dlm.Network(
        {"noise": dlm.Input((neurons,)), "cells": dlm.LIF((neurons,), dv=0.1, v_threshold=1.0)},
        (
            dlm.Projection("noise", "cells", dlm.Sparse((neurons, neurons), line, line, np.full(neurons, 2.0))),
            dlm.Projection("cells", "cells", dlm.Sparse((neurons, neurons), post, pre, weight)),
        ),
    )


def seconds_a_step(network: dlm.Network, rate: float, steps: int) -> tuple[float, float]:
    """Seconds a step, and spikes a step; noise is made outside the clock, chunk by chunk."""
    rng = np.random.default_rng(1)
    n = network.populations["cells"].n
    state: Any = None
    clock, spikes = 0.0, 0
    for start in range(0, steps, CHUNK):
        noise = (rng.random((1, CHUNK, n), dtype=np.float32) < rate).view(np.uint8)
        begin = time.perf_counter()
        recording = dlm.run(network, {"noise": noise}, CHUNK, state=state, backend="fast")
        if start:
            clock += time.perf_counter() - begin
            spikes += len(recording.rasters["cells"])
        state = recording.state
    return clock / (steps - CHUNK), spikes / (steps - CHUNK)


def main() -> None:
    """Print the table and the fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurons", type=int, default=100_000)
    parser.add_argument("--fan-out", type=int, default=100)
    parser.add_argument("--steps", type=int, default=1000)
    chosen = parser.parse_args()
    rows = []
    print("| synapses | fires | spikes a step | synaptic events a step | ms a step |\n|---|---|---|---|---|")
    for fan_out in (chosen.fan_out // 10, chosen.fan_out // 2, chosen.fan_out):
        network = recurrent(chosen.neurons, fan_out)
        for rate in (0.0, 0.005, 0.01, 0.02) if fan_out == chosen.fan_out else (0.01,):
            seconds, spikes = seconds_a_step(network, rate, chosen.steps)
            rows.append((chosen.neurons * fan_out, spikes * fan_out, spikes, seconds))
            print(
                f"| {chosen.neurons * fan_out:.0e} | {spikes / chosen.neurons:.2%} | {spikes:.0f} | "
                f"{spikes * fan_out:.0f} | {1e3 * seconds:.3f} |",
                flush=True,
            )
    synapses, events, _, seconds = (np.array(column) for column in zip(*rows, strict=True))
    basis = np.stack([np.ones_like(seconds), synapses, events], axis=1)
    base, each_synapse, each_event = np.linalg.lstsq(basis, seconds, rcond=None)[0]
    print(
        f"fit: {1e3 * base:.3f} ms a step + {1e9 * each_event:.2f} ns an event + {1e9 * each_synapse:.4f} ns a synapse"
    )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
