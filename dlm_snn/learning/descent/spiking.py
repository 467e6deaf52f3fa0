"""The spiking network under descent: the project's simulator with a surrogate gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlm_snn.backends.torch import SpikingModule, run
from dlm_snn.networks.network import Network
from dlm_snn.runs.metrics import read_out
from dlm_snn.surrogate import surrogate
from dlm_snn.values import slices

BLOCK = 2000
"""Samples that are read out together."""


class Spiking:
    """A network from "pixels" to "output"; logits are scaled counts of output spikes.

    Classes are read out from spikes in float64, as every simulator does; training computes in float32.

    Attributes:
        active: population -> (sample, neuron), spikes of the last batch in its window; pixels as they are.

    Args:
        network: structure and first weights.
        n_steps: of a sample's window.
        slope: of the arctangent surrogate, centered on the competition.
        logit_scale: logits = logit_scale * counts.
    """

    def __init__(self, network: Network, n_steps: int, slope: float, logit_scale: float) -> None:
        self._network, self._n_steps, self._logit_scale = network, n_steps, logit_scale
        self._module = SpikingModule(network, surrogate("atan", slope))
        self.active: dict[str, Tensor] = {}

    @property
    def parameters(self) -> list[Tensor]:
        """The weights, projection by projection."""
        return list(self._module.weights)

    @property
    def synapses(self) -> list[tuple[str, str, Tensor]]:
        """(pre, post, weight) of every projection."""
        pairs = zip(self._network.projections, self._module.weights, strict=True)
        return [(p.pre, p.post, weight) for p, weight in pairs]

    @property
    def n_steps(self) -> int:
        """Steps of a window."""
        return self._n_steps

    @property
    def n_features(self) -> int:
        """Features of a sample."""
        return self._network.populations["pixels"].n

    @property
    def n_classes(self) -> int:
        """Output neurons."""
        return self._network.populations["output"].n

    def logits(self, x: Tensor) -> Tensor:
        """(sample, feature) integers, held constant over the window -> (sample, class)."""
        fired = self._module({"pixels": x}, self._n_steps)
        self.active = {"pixels": x} | {name: s.detach().sum(0) for name, s in fired.items()}
        return self._logit_scale * fired["output"].sum(0)

    def predict(self, x: NDArray[np.uint8], classes: Sequence[int]) -> NDArray[np.int64]:
        """The read-out of the output spikes of some classes; -1 where none of them spiked."""
        network, allowed = self.freeze(), np.asarray(list(classes))
        found = [np.zeros(0, np.int64)]
        for part in slices(len(x), BLOCK):
            recording = run(network, {"pixels": x[part]}, self._n_steps, record={"output": ("s",)})
            place = read_out(recording.rasters["output"][:, :, allowed])
            found.append(np.where(place < 0, -1, allowed[place]))
        return np.concatenate(found)

    @torch.no_grad()
    def freeze(self) -> Network:
        """The network with the weights as they are."""
        return cast(Network, self._module.network())

    def info(self) -> Mapping[str, Any]:
        """Neurons, synapses, steps of a sample, and spikes a sample of every population in the last batch."""
        neurons = sum(neuron.n for neuron in self._network.neurons.values())
        spikes = {name: float(s.sum(1).mean()) for name, s in self.active.items() if name != "pixels"}
        synapses = sum(w.numel() for w in self.parameters)
        return {"neurons": neurons, "synapses": synapses, "n_steps": self._n_steps, "spikes": spikes}
