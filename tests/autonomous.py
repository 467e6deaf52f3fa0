"""Networks of which it is known what they do: periods by brute force, damage by construction."""

from __future__ import annotations

import numpy as np

import dlm_snn as dlm
from dlm_snn.backends import reference


def random_network(rng: np.random.Generator) -> dlm.IntegerNetwork:
    """Up to 6 neurons with biases of their own, any leak, one recurrent projection with a delay."""
    n = int(rng.integers(1, 7))
    population = dlm.IntegerLIF(
        (n,),
        dv=int(rng.choice([0, 100, 410, 1000, 4095])),
        du=int(rng.choice([4095, 2000, 500])),
        v_threshold=int(rng.integers(20, 300)),
        bias_mant=rng.integers(0, 4096, n),
        bias_exp=int(rng.integers(0, 2)),
        winners=int(rng.integers(1, n + 1)) if rng.random() < 0.3 else None,
        period=int(rng.integers(2, 40)) if rng.random() < 0.2 else None,
    )
    weight = dlm.Dense(2 * rng.integers(-60, 60, (n, n)))
    return dlm.IntegerNetwork(
        {"a": population}, [dlm.IntegerProjection("a", "a", weight, delay=int(rng.integers(1, 4)))]
    )


def by_brute_force(network: dlm.IntegerNetwork, most: int) -> tuple[int, int] | None:
    """Transient and period by a table of all states so far, one step of the reference at a time."""
    rest = {name: neuron.n for name, neuron in network.neurons.items()}
    state, seen = None, {}
    phases = int(np.lcm.reduce([getattr(n, "period", None) or 1 for n in network.neurons.values()]))
    for t in range(most + 1):
        if state is None:
            parts = [np.zeros(n, np.int64) for n in rest.values() for _ in "uv"]
            parts += [np.zeros(network.memory(name) * n, np.int64) for name, n in rest.items()]
        else:
            parts = [np.asarray(x, np.int64) for s in state.neurons.values() for x in (s.u, s.v)]
            parts += [np.asarray(values, np.int64) for values in state.flight.values()]
        key = b"".join(part.tobytes() for part in parts) + bytes([t % phases])
        if key in seen:
            return seen[key], t - seen[key]
        seen[key] = t
        state = reference.run(network, {}, 1, record={}, state=state).state
    return None


def gated(chance: float, rng: np.random.Generator) -> tuple[dlm.Network, dict[str, np.ndarray]]:
    """A silent network in which a spike too many makes 2 * chance others on average.

    Each neuron has synapses to two others; such a neuron spikes if its own input, noise that twins share, spikes too.
    """
    n, weight = 400, np.zeros((400, 400))
    for _ in range(2):
        weight[rng.permutation(n), np.arange(n)] = 1.0
    network = dlm.Network(
        {"x": dlm.Input((n,)), "a": dlm.LIF((n,), dv=1.0, v_threshold=1.5)},
        [dlm.Projection("x", "a", dlm.Dense(np.eye(n))), dlm.Projection("a", "a", dlm.Dense(weight))],
    )
    return network, {"x": rng.random((20, 40, n)) < chance}
