"""First networks and first weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.dense import Dense
from dlm_snn.networks.network import Input, Network, Projection
from dlm_snn.neurons.lif import LIF


def initial_network(
    n_inputs: int,
    hidden: Sequence[int],
    n_classes: int,
    rng: np.random.Generator,
    *,
    dv: float,
    du: float = 1.0,
    v_threshold: float = 1.0,
    winners: int | None = None,
    groups: int = 1,
    graded_bits: int = 8,
    scale: float = 255.0,
) -> Network:
    """A feed-forward network with random weights: pixels -> hidden ... -> output.

    Weights are uniform in +-1/sqrt(fan-in), as those of torch.nn.Linear, and have float32 values.

    Args:
        n_inputs: pixels.
        hidden: sizes of the hidden populations: "hidden" if there is one, else "hidden1", "hidden2", ...
        n_classes: neurons of "output".
        rng: draws the weights, in the order of the projections.
        dv, du, v_threshold: of all neurons.
        winners, groups: the competition in hidden populations; "output" has none.
        graded_bits, scale: of the Input "pixels"; real value = integer / scale.
    """
    names = ["hidden"] if len(hidden) == 1 else [f"hidden{i}" for i in range(1, len(hidden) + 1)]
    populations: dict[str, Any] = {"pixels": Input((n_inputs,), graded_bits=graded_bits, scale=scale)}
    for name, n in zip(names, hidden, strict=True):
        populations[name] = LIF((n,), du=du, dv=dv, v_threshold=v_threshold, winners=winners, groups=groups)
    populations["output"] = LIF((n_classes,), du=du, dv=dv, v_threshold=v_threshold)
    order = list(populations)
    projections = [
        Projection(pre, post, Dense(first_weights(rng, populations[post].n, populations[pre].n)))
        for pre, post in pairwise(order)
    ]
    return Network(populations, projections)


def first_weights(rng: np.random.Generator, n_post: int, n_pre: int) -> NDArray[np.float32]:
    """Weights (post, pre), uniform in +-1/sqrt(fan-in)."""
    return rng.uniform(-1, 1, (n_post, n_pre)).astype(np.float32) / np.float32(math.sqrt(n_pre))
