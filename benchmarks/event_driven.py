"""The event-driven membranes cost what their events cost: time against synaptic events, at the same number of steps.

Run: OMP_NUM_THREADS=1 python benchmarks/event_driven.py. 200 inputs, 2,000 neurons with 100 synapses each input, 2,000
steps, input rates over two decades; medians of 5 rounds in turn, and the line through them.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from dlm_snn import LIF, Input, Network, Projection, Sparse
from dlm_snn.physics.membranes.event_driven import simulate_events

INPUTS, NEURONS, FAN_OUT, STEPS, ROUNDS = 200, 2000, 100, 2000, 5
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)


def main() -> None:
    """Print a line a rate, then slope and intercept."""
    rng = np.random.default_rng(0)
    post = np.concatenate([rng.choice(NEURONS, FAN_OUT, replace=False) for _ in range(INPUTS)])
    pre = np.repeat(np.arange(INPUTS), FAN_OUT)
    weight = rng.normal(0.05, 0.2, len(pre))
    network = Network(
        {"x": Input((INPUTS,)), "h": LIF((NEURONS,), dv=0.05)},
        [Projection("x", "h", Sparse((NEURONS, INPUTS), post, pre, weight))],
    )
    stimuli = [rng.random((1, STEPS, INPUTS)) < rate for rate in RATES]
    times: list[list[float]] = [[] for _ in RATES]
    counts = []
    for number in range(ROUNDS):
        for spikes, found in zip(stimuli, times, strict=True):
            begun = time.perf_counter()
            _, counted = simulate_events(network, {"x": spikes}, STEPS)
            found.append(time.perf_counter() - begun)
            if number == 0:
                counts.append(counted)
    print("| input rate | synaptic events | neurons updated | looks | s |\n|---|---|---|---|---|")
    medians = [statistics.median(found) for found in times]
    for rate, counted, median in zip(RATES, counts, medians, strict=True):
        print(f"| {rate} | {counted.received:,} | {counted.updates:,} | {counted.looks} | {median:.3f} |")
    events = np.array([counted.received for counted in counts])
    slope, intercept = np.polyfit(events, medians, 1)
    straight = np.corrcoef(events, medians)[0, 1]
    step = intercept / STEPS * 1e6
    print(f"\n{slope * 1e9:.1f} ns an event, {step:.0f} us a step without any; correlation {straight:.4f}")
    print(f"a clocked run updates {NEURONS * STEPS:,} neurons at every rate")


if __name__ == "__main__":
    main()
